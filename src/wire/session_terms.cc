#include "wire/session_terms.h"

namespace qdt::wire {

SessionTerms settle_terms(const Exporter& exporter, const SessionCaps& caps,
                          const std::optional<PresharedKey>& psk,
                          const HandshakeNonce& client_nonce, const HandshakeNonce& server_nonce) {
  SessionTerms terms{.contexts = {.fragment = caps.fragment, .control = caps.ping || caps.close}};
  if (caps.sealed && psk) {
    terms.contexts.sealed = derive_sealed_keys(exporter.derive(kSealedExporterLabel), *psk,
                                               client_nonce, server_nonce, caps.aead());
  }
  if (caps.direct) {
    terms.direct = derive_direct_secrets(exporter.derive(kDirectExporterLabel2), psk, client_nonce,
                                         server_nonce, caps.aead());
  }
  return terms;
}

}  // namespace qdt::wire
