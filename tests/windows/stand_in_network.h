#pragma once

// For tests under Wine only, which lacks what a program needs to change a host's network:
// addresses, routes, an adapter's settings, name servers, filters. The stand-in for wintun.dll has
// this in it, and puts it in the place of what the program imports from Windows' own libraries; the
// program itself is the one that users get, and knows nothing of it.

#include <cstdint>

/// The NET_LUID of the adapter; WintunGetAdapterLUID gives it.
inline constexpr std::uint64_t kStandInLuid = std::uint64_t{53} << 48 | std::uint64_t{0x514454}
                                                                            << 24;

/// From now on, and until the process ends, there is an adapter of that name, and the program's
/// changes to the network are kept in memory, beside the network that Wine shows. Each is also a
/// line in the file that QDT_STAND_IN_LOG names, such as "add route 0.0.0.0/1".
/// Once, and before the program uses the adapter.
void install_stand_in_network(const wchar_t* adapter_name);
