#include "users/tickets.h"

#include <algorithm>
#include <string_view>

#include "base/ascii.h"

namespace qdt::users {
namespace {

using wire::HandshakeResult;

constexpr std::size_t kMaxNameBytes = 40;

bool has_device(const User& user, const std::string& name) {
  return std::ranges::find(user.devices, name, &Device::name) != user.devices.end();
}

}  // namespace

bool is_forgotten(const Ticket& ticket, std::int64_t now) {
  return ticket.expires + kTicketAfterlife <= now;
}

void forget_old_tickets(User& user, std::int64_t now) {
  std::erase_if(user.tickets, [now](const Ticket& ticket) { return is_forgotten(ticket, now); });
  const auto is_dead = [now](const Ticket& ticket) {
    return ticket.device != 0 || ticket.expires <= now;
  };
  while (user.tickets.size() >= kMaxTicketsOfUser) {
    const auto oldest = std::ranges::find_if(user.tickets, is_dead);
    if (oldest == user.tickets.end()) return;
    user.tickets.erase(oldest);
  }
}

HandshakeResult enrol(User& user, const Enrolment& enrolment, std::uint64_t new_id,
                      std::uint64_t max_devices, std::int64_t now) {
  const auto ticket = std::ranges::find(user.tickets, enrolment.ticket, &Ticket::id);
  if (ticket == user.tickets.end()) return HandshakeResult::kUnauthorized;
  if (ticket->device != 0) {
    const auto device = std::ranges::find(user.devices, ticket->device, &Device::id);
    const bool is_same = device != user.devices.end() && device->key == enrolment.key;
    return is_same ? HandshakeResult::kEnrolled : HandshakeResult::kLinkUsed;
  }
  if (ticket->expires <= now) return HandshakeResult::kLinkExpired;
  if (user.devices.size() >= max_devices) return HandshakeResult::kTooManyDevices;
  user.devices.push_back({.id = new_id,
                          .name = free_device_name(user, enrolment.name),
                          .key = enrolment.key,
                          .created = now});
  ticket->device = new_id;
  return HandshakeResult::kEnrolled;
}

std::string free_device_name(const User& user, const std::string& wanted) {
  std::string name;
  for (const char letter : std::string_view(wanted).substr(0, kMaxNameBytes)) {
    const bool is_plain = is_alpha(letter) || is_digit(letter);
    if (is_plain || (!name.empty() && (letter == '.' || letter == '-' || letter == '_'))) {
      name += letter;
    }
  }
  if (name.empty()) name = "device";
  const std::string base = name;
  for (int number = 2; has_device(user, name); ++number) name = base + "-" + std::to_string(number);
  return name;
}

}  // namespace qdt::users
