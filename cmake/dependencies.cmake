# Third-party libraries, all from Debian (scripts/setup.sh installs them). Each becomes an imported
# target, so that a folder names exactly what it uses.

find_package(PkgConfig REQUIRED)
pkg_check_modules(gnutls REQUIRED IMPORTED_TARGET gnutls)
pkg_check_modules(ngtcp2 REQUIRED IMPORTED_TARGET libngtcp2>=1.11 libngtcp2_crypto_gnutls>=1.11)
pkg_check_modules(nghttp3 REQUIRED IMPORTED_TARGET libnghttp3>=1.8)
find_package(nlohmann_json REQUIRED)
find_package(Threads REQUIRED)
