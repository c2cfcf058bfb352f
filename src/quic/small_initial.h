#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "quic/connection_id.h"

namespace qdt::quic {

/// The length of the Initial packets that ask whether small payloads arrive.
inline constexpr std::size_t kSmallInitialBytes = 128;
/// A server drops an Initial packet in a payload below this, and may say so (RFC 9000
/// section 14.1).
inline constexpr std::size_t kLeastInitialBytes = 1200;

/// Writes to `out` a client's Initial packet (RFC 9000 section 17.2.2), a ping and padding, that
/// belongs to the connection with these IDs: `out` is filled. `number` is the packet's own.
void write_small_initial(const ConnectionId& to, const ConnectionId& from, std::uint8_t number,
                         std::span<std::uint8_t, kSmallInitialBytes> out);

/// Writes what a server without a connection answers to a small Initial packet, `question`: the
/// end of the connection (RFC 9000 section 14.1), in fewer bytes than the question has. Returns
/// its length; 0 where `question` is no such packet, or not an authentic one, or `out` too short.
std::size_t write_small_answer(Bytes question, MutableBytes out);

/// Whether `payload` is such an answer to the client whose connection calls the server `to`: the
/// ID is the client's own choice, which no connection of a server has.
bool is_small_answer(Bytes payload, const ConnectionId& to);

}  // namespace qdt::quic
