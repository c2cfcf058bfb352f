#include "os/system_random.h"

#include <algorithm>
#include <cstdlib>

#include "os/windows/system_headers.h"
// After <windows.h>, whose types it needs.
#include <bcrypt.h>

namespace qdt::os {

void SystemRandom::fill(MutableBytes out) {
  while (!out.empty()) {
    const std::size_t bytes = std::min<std::size_t>(out.size(), 1 << 20);
    const NTSTATUS status = ::BCryptGenRandom(nullptr, out.data(), static_cast<ULONG>(bytes),
                                              BCRYPT_USE_SYSTEM_PREFERRED_RNG);
    if (status != 0) std::abort();  // without randomness nothing is safe
    out = out.subspan(bytes);
  }
}

}  // namespace qdt::os
