#include "rules/allocation_count.h"

#include <atomic>

namespace qdt::testing {
namespace {

std::atomic<bool> is_counting{false};
std::atomic<std::size_t> allocations{0};

}  // namespace

void start_counting_allocations() {
  allocations = 0;
  is_counting = true;
}

std::size_t stop_counting_allocations() {
  is_counting = false;
  return allocations;
}

void note_allocation() {
  if (is_counting.load(std::memory_order_relaxed)) allocations.fetch_add(1);
}

}  // namespace qdt::testing
