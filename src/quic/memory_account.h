#pragma once

#include <cstddef>
#include <cstdint>

namespace qdt::quic {

/// The memory that the engine and HTTP/3 hold for one connection: counted to the byte, and bounded
/// where it is a stranger's. Past the bound an allocation fails, which ends the connection. One
/// thread.
class MemoryAccount {
 public:
  /// `shared` has what several accounts hold together, and outlives this one.
  explicit MemoryAccount(std::size_t* shared = nullptr, std::size_t limit = SIZE_MAX)
      : shared_(shared), limit_(limit) {}
  ~MemoryAccount() { leave(); }
  MemoryAccount(const MemoryAccount&) = delete;
  MemoryAccount& operator=(const MemoryAccount&) = delete;

  /// As malloc, calloc, realloc and free do; null beyond the limit.
  void* allocate(std::size_t bytes);
  void* allocate_zeroed(std::size_t count, std::size_t bytes);
  void* reallocate(void* block, std::size_t bytes);
  void release(void* block);

  /// Counts memory that is allocated elsewhere, and has to be there: no limit holds for it.
  void charge(std::size_t bytes);
  void discharge(std::size_t bytes) { give_back(bytes); }

  /// Counts no longer in `shared`, and has no limit any more.
  void leave();

  std::size_t bytes() const { return bytes_; }
  /// An allocation has failed for the limit.
  bool was_exceeded() const { return was_exceeded_; }

 private:
  bool take(std::size_t bytes);
  void give_back(std::size_t bytes);

  std::size_t* shared_;
  std::size_t limit_;
  std::size_t bytes_ = 0;
  bool was_exceeded_ = false;
};

}  // namespace qdt::quic
