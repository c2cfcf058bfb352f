#pragma once

#include <cstddef>

namespace qdt::testing {

/// From now on every allocation of the process counts, the libraries' included; from nothing.
void start_counting_allocations();
/// Until now: their number.
std::size_t stop_counting_allocations();

/// For those who stand in for malloc and its kin. Any thread.
void note_allocation();

}  // namespace qdt::testing
