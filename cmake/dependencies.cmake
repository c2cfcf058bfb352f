# Third-party libraries, all from Debian (scripts/setup.sh installs them; for Windows,
# scripts/windows-libraries.sh compiles Debian's sources). Each becomes an imported target, so that a
# folder names exactly what it uses.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)

# QUIC, TLS, ciphers
pkg_check_modules(gnutls REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(ngtcp2 REQUIRED IMPORTED_TARGET libngtcp2>=1.11 libngtcp2_crypto_gnutls>=1.11)
pkg_check_modules(nghttp3 REQUIRED IMPORTED_TARGET libnghttp3>=1.8)

# Fast packet ciphers; x86-64 only, and GnuTLS does without it.
find_library(IPSEC_MB_LIBRARY IPSec_MB)
find_path(IPSEC_MB_INCLUDE_DIR intel-ipsec-mb.h)
if(IPSEC_MB_LIBRARY AND IPSEC_MB_INCLUDE_DIR)
  add_library(IPSec_MB::IPSec_MB UNKNOWN IMPORTED)
  set_target_properties(IPSec_MB::IPSec_MB PROPERTIES
    IMPORTED_LOCATION ${IPSEC_MB_LIBRARY} INTERFACE_INCLUDE_DIRECTORIES ${IPSEC_MB_INCLUDE_DIR})
endif()

# configuration, logs, command line
find_package(nlohmann_json REQUIRED)
pkg_check_modules(yaml-cpp REQUIRED IMPORTED_TARGET yaml-cpp)
find_package(fmt REQUIRED)
find_package(CLI11 REQUIRED)

# Windows has all that the client needs of it in libraries of its own, and no server.
if(NOT WIN32)
  # the host's network
  pkg_check_modules(libmnl REQUIRED IMPORTED_TARGET libmnl)
  pkg_check_modules(libnftables REQUIRED IMPORTED_TARGET libnftables)
  pkg_check_modules(libcares REQUIRED IMPORTED_TARGET libcares)
  pkg_check_modules(libsystemd REQUIRED IMPORTED_TARGET libsystemd)

  # system calls, by name, and what is left of them
  pkg_check_modules(libseccomp REQUIRED IMPORTED_TARGET libseccomp>=2.5)

  # names in other scripts
  pkg_check_modules(libidn2 REQUIRED IMPORTED_TARGET libidn2)

  # the server's users
  pkg_check_modules(sqlite3 REQUIRED IMPORTED_TARGET sqlite3>=3.37)

  # the server's metrics
  pkg_check_modules(prometheus-cpp REQUIRED IMPORTED_TARGET prometheus-cpp-core)
  pkg_check_modules(microhttpd REQUIRED IMPORTED_TARGET libmicrohttpd)
  pkg_check_modules(profiler REQUIRED IMPORTED_TARGET libprofiler)

  # links, to be read by a camera
  pkg_check_modules(qrencode REQUIRED IMPORTED_TARGET libqrencode)
  pkg_check_modules(png REQUIRED IMPORTED_TARGET libpng)

  # benchmarks
  if(QDT_TESTS AND CMAKE_BUILD_TYPE STREQUAL "Release")
    find_package(benchmark REQUIRED)
  endif()
endif()
