// The functions that the linker puts in the place of the C library's (--wrap), in every object that
// it links; with static libraries that is all of them.

#include "rules/allocation_count.h"

using qdt::testing::note_allocation;

extern "C" {
void* __real_malloc(std::size_t size);
void* __real_calloc(std::size_t count, std::size_t size);
void* __real_realloc(void* memory, std::size_t size);
void* __real__aligned_malloc(std::size_t size, std::size_t alignment);

void* __wrap_malloc(std::size_t size) {
  note_allocation();
  return __real_malloc(size);
}
void* __wrap_calloc(std::size_t count, std::size_t size) {
  note_allocation();
  return __real_calloc(count, size);
}
void* __wrap_realloc(void* memory, std::size_t size) {
  note_allocation();
  return __real_realloc(memory, size);
}
void* __wrap__aligned_malloc(std::size_t size, std::size_t alignment) {
  note_allocation();
  return __real__aligned_malloc(size, alignment);
}
}
