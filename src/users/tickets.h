#pragma once

#include <cstdint>
#include <string>

#include "users/model.h"
#include "wire/ed25519.h"
#include "wire/handshake.h"

// Tickets, the secrets of links: what one may do, decided on plain values (docs/protocol.md
// section 12).

namespace qdt::users {

/// How long a ticket is known behind its time, so that whoever comes too late hears so.
inline constexpr std::int64_t kTicketAfterlife = 30 * 24 * 3600;
/// The longest that one is good.
inline constexpr std::int64_t kMaxTicketLife = 365 * 24 * 3600;

bool is_forgotten(const Ticket& ticket, std::int64_t now);
/// So that there is room for another one, if one of them is used, cancelled or past its time: the
/// oldest of those go first.
void forget_old_tickets(User& user, std::int64_t now);

/// A device that asks by a ticket to be written down.
struct Enrolment {
  std::uint64_t ticket = 0;
  wire::Ed25519PublicKey key{};
  std::string name;  ///< as its client calls it: any text, or none
};

/// Adds the device to the ticket's user, whose ticket is spent then: kEnrolled, also where this
/// ticket has enrolled this key before and nothing is to be done; or why not. `new_id`: of the
/// device. `user` has at most `max_devices`.
wire::HandshakeResult enrol(User& user, const Enrolment& enrolment, std::uint64_t new_id,
                            std::uint64_t max_devices, std::int64_t now);

/// A device's name that check_name() takes and no other device of the user has, as close to
/// `wanted` as can be.
std::string free_device_name(const User& user, const std::string& wanted);

}  // namespace qdt::users
