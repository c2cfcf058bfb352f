#include "quic/memory_account.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>

namespace qdt::quic {
namespace {

/// Stands before each block: free() does not say how long a block was.
struct alignas(std::max_align_t) BlockHeader {
  std::size_t bytes = 0;  // with the header
};

BlockHeader* header_of(void* block) {
  return static_cast<BlockHeader*>(block) - 1;
}

void* block_of(void* memory, std::size_t bytes) {
  return new (memory) BlockHeader{bytes} + 1;
}

}  // namespace

bool MemoryAccount::take(std::size_t bytes) {
  if (bytes > limit_ - std::min(limit_, bytes_)) {
    was_exceeded_ = true;
    return false;
  }
  bytes_ += bytes;
  if (shared_ != nullptr) *shared_ += bytes;
  return true;
}

void MemoryAccount::give_back(std::size_t bytes) {
  bytes_ -= bytes;
  if (shared_ != nullptr) *shared_ -= bytes;
}

void* MemoryAccount::allocate(std::size_t bytes) {
  if (bytes > SIZE_MAX - sizeof(BlockHeader)) return nullptr;
  const std::size_t whole = bytes + sizeof(BlockHeader);
  if (!take(whole)) return nullptr;
  void* memory = std::malloc(whole);
  if (memory != nullptr) return block_of(memory, whole);
  give_back(whole);
  return nullptr;
}

void* MemoryAccount::allocate_zeroed(std::size_t count, std::size_t bytes) {
  if (bytes != 0 && count > SIZE_MAX / bytes) return nullptr;
  void* block = allocate(count * bytes);
  if (block != nullptr) std::memset(block, 0, count * bytes);
  return block;
}

void* MemoryAccount::reallocate(void* block, std::size_t bytes) {
  if (block == nullptr) return allocate(bytes);
  const std::size_t old = header_of(block)->bytes - sizeof(BlockHeader);
  void* other = allocate(bytes);
  if (other == nullptr) return nullptr;
  std::memcpy(other, block, std::min(old, bytes));
  release(block);
  return other;
}

void MemoryAccount::release(void* block) {
  if (block == nullptr) return;
  BlockHeader* header = header_of(block);
  give_back(header->bytes);
  std::free(header);
}

void MemoryAccount::charge(std::size_t bytes) {
  bytes_ += bytes;
  if (shared_ != nullptr) *shared_ += bytes;
}

void MemoryAccount::leave() {
  if (shared_ != nullptr) *shared_ -= bytes_;
  shared_ = nullptr;
  limit_ = SIZE_MAX;
}

}  // namespace qdt::quic
