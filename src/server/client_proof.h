#pragma once

#include <span>

#include "access/credential.h"
#include "quic/http3.h"
#include "wire/ed25519.h"
#include "wire/exporter.h"
#include "wire/request_target.h"

namespace qdt::server {

/// What the head of a request of version 2 shows of its sender (docs/protocol.md section 5): a
/// key that it has proved to have, a name and a secret, or nothing. Whether somebody is known by it
/// is a user table's to say.
///
/// It does one export and one verification whatever the head has, so that the CPU time of a request
/// tells little; where there is no key to verify with, of `own_key`. `authorities`, if there are
/// any, are the only ones that a request may name.
access::Credential shown_by(const quic::Message& request, const wire::Exporter& exporter,
                            std::span<const wire::Authority> authorities,
                            const wire::Ed25519PublicKey& own_key);

}  // namespace qdt::server
