#include "os/loaded_symbols.h"

#include <cxxabi.h>
#include <dlfcn.h>
#include <unwind.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string_view>

namespace qdt::os {
namespace {

struct Free {
  void operator()(char* text) const { std::free(text); }
};

std::string demangled(const char* name) {
  int status = 0;
  const std::unique_ptr<char, Free> readable(abi::__cxa_demangle(name, nullptr, nullptr, &status));
  return status == 0 && readable ? readable.get() : name;
}

// Where the function around `address` begins, as the unwinding tables have it, which a stripped
// program keeps too; `address` itself where they do not know.
std::uintptr_t function_start(std::uintptr_t address) {
  // It looks for the call before a return address.
  // NOLINTNEXTLINE(performance-no-int-to-ptr): looked up, not followed
  void* const behind_call = reinterpret_cast<void*>(address + 1);
  const void* const start = ::_Unwind_FindEnclosingFunction(behind_call);
  return start == nullptr ? address : reinterpret_cast<std::uintptr_t>(start);
}

}  // namespace

std::string symbol_at(std::uintptr_t address) {
  Dl_info found{};
  // NOLINTNEXTLINE(performance-no-int-to-ptr): looked up, not followed
  if (::dladdr(reinterpret_cast<const void*>(address), &found) == 0) return {};
  if (found.dli_sname != nullptr) return demangled(found.dli_sname);

  const std::string_view path = found.dli_fname;
  char offset[24];
  std::snprintf(offset, sizeof offset, "+0x%zx",
                static_cast<std::size_t>(function_start(address) -
                                         reinterpret_cast<std::uintptr_t>(found.dli_fbase)));
  return std::string(path.substr(path.rfind('/') + 1)) + offset;
}

}  // namespace qdt::os
