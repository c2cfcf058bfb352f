#pragma once

// Packet protection of 1-RTT packets (RFC 9001 section 5) by the fastest cipher there is, in the
// place of GnuTLS's. TLS itself, Initial and Handshake packets, and whatever cipher suite we have
// nothing faster for, stay GnuTLS's. This folder's own affair.

#include <gnutls/gnutls.h>
#include <ngtcp2/ngtcp2.h>

namespace qdt::quic {

/// Sets the callbacks that encrypt, decrypt, mask headers, update keys and delete contexts.
void protect_packets(ngtcp2_callbacks& callbacks);

/// Takes over the 1-RTT secrets of a TLS session that ngtcp2 has configured. Works only together
/// with protect_packets().
void take_packet_secrets(gnutls_session_t session);

}  // namespace qdt::quic
