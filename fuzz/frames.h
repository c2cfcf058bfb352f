#pragma once

#include "contact.h"

namespace qdt::fuzz {

/// QUIC frames (RFC 9000 section 19, RFC 9221) as `arguments` describe them, one after the other:
/// for each a byte that chooses its type, then its fields, sound or not.
ByteVector write_frames(ByteReader& arguments, Contact& contact);

/// The frames of a direct packet (docs/protocol-v1.md section 7), likewise.
ByteVector write_direct_frames(ByteReader& arguments, const Contact& contact, Timestamp now);

/// Capsules (RFC 9297 section 3.2) as `arguments` describe them: sound ones, and those that lie.
ByteVector write_capsules(ByteReader& arguments, Contact& contact);

/// The field `qdt` (docs/protocol.md section 4), of pieces that `arguments` name.
std::string write_session_pieces(ByteReader& arguments);

/// An IP packet between the client's lease and the internet, of the contact's direction unless
/// turned round.
ByteVector write_packet(ByteReader& arguments, const Contact& contact, bool is_turned);

}  // namespace qdt::fuzz
