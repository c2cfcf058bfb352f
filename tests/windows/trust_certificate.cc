// trust_certificate FILE: makes a certificate (DER) one that this Windows, a Wine of a test's,
// trusts for everything, so that Windows itself checks the signature of the stand-in wintun.dll.

// clang-format off
#include <windows.h>
#include <wincrypt.h>
// clang-format on

#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::ifstream file(argv[1], std::ios::binary);
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  // Of the machine: the user's would ask in a window.
  const HCERTSTORE store =
      ::CertOpenStore(CERT_STORE_PROV_SYSTEM_W, 0, 0, CERT_SYSTEM_STORE_LOCAL_MACHINE, L"ROOT");
  const bool is_trusted =
      store != nullptr &&
      ::CertAddEncodedCertificateToStore(
          store, X509_ASN_ENCODING, reinterpret_cast<const BYTE*>(bytes.data()),
          static_cast<DWORD>(bytes.size()), CERT_STORE_ADD_REPLACE_EXISTING, nullptr) != 0;
  if (!is_trusted) std::fprintf(stderr, "trust_certificate: error %lu\n", ::GetLastError());
  if (store != nullptr) ::CertCloseStore(store, 0);
  return is_trusted ? 0 : 1;
}
