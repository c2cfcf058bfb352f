#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>

#include "access/credential.h"
#include "access/user_table.h"
#include "server/grant.h"
#include "wire/ed25519.h"
#include "wire/exporter.h"
#include "wire/request_target.h"
#include "wire/session_field.h"
#include "wire/session_terms.h"

// What version 2 adds to the decisions on a request for a session (docs/protocol.md). Pure.

namespace qdt::server {

/// A request's field `qdt`, or that it has none: then a client of CONNECT-IP alone asks.
struct Version2Request {
  wire::ConnectRequest request;  ///< for grant()
  wire::SessionCaps caps;
  bool has_field = false;
  std::optional<wire::Ed25519PublicKey> enrol;  ///< the device's key that a ticket brings
};

/// `scope` is what the path asks for, and `field` all lines of the field `qdt`, if there are any.
std::expected<Version2Request, wire::HandshakeResult> read_version2(
    wire::PathScope scope, const std::optional<std::string>& field);

/// The session of a grant to such a request.
struct Version2Session {
  wire::SessionCaps caps;               ///< as answered
  bool has_field = false;               ///< the answer has one, too
  wire::Ed25519PublicKey client_key{};  ///< as proved; zeros: the client did not prove one
  wire::Ed25519Seed server_seed{};      ///< by which the server proves itself to it
  wire::SessionTerms terms;
};

/// Refuses a device with a PSK that does not ask for `sealed`: somebody in between may have seen to
/// that. To be asked before grant(), which takes a session's lease for the one in its place.
std::optional<Refusal> refuse_unsealed(const Version2Request& asked, const access::Device* device);

/// Settles caps and keys of the session with the device `who`, which showed `credential`. Puts the
/// session's ID into the grant's nonce. `exporter` is the connection's, `identity` the server's
/// own.
Version2Session settle_version2(const Version2Request& asked, const access::UserTable::Match& who,
                                const access::Credential& credential,
                                const wire::Ed25519Seed& identity, const wire::Exporter& exporter,
                                Grant& grant);

/// Puts the server's proof into an answer that has its nonce: of the key of `server_seed`, to a
/// client that sent `client_nonce` and proved `client_key`, or zeros.
void prove(wire::SessionAnswer& answer, const wire::Ed25519Seed& server_seed,
           const wire::HandshakeNonce& client_nonce, const wire::Ed25519PublicKey& client_key,
           const wire::Exporter& exporter);

/// The answer's field, with the server's proof in it.
wire::SessionAnswer version2_answer(const Grant& grant, const Version2Session& session,
                                    const wire::Exporter& exporter);

}  // namespace qdt::server
