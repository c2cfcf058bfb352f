#include "control/invitations.h"

#include <string_view>
#include <tuple>

#include "control/refuse.h"
#include "control/request_body.h"
#include "control/user_json.h"
#include "users/text.h"
#include "users/tickets.h"
#include "wire/ed25519.h"
#include "wire/token_keys.h"

namespace qdt::control {
namespace {

Result<void> check_may_come_in(const users::User& user, std::int64_t now) {
  const std::string_view state = state_of(user, now);
  if (state == "enabled") return {};
  return refuse("the user " + user.name + " is " + std::string(state) +
                ", and could not come in by a link; qdt-server user enable, or set --expires");
}

}  // namespace

Result<std::string> Invitations::add(const UserRequest& request) {
  const auto body = RequestBody::parse(request.body, {"user", "expires"});
  if (!body) return fail(body);
  const auto name = body->name("user");
  if (!name) return fail(name);
  const auto text = body->has("expires") ? body->text("expires") : std::optional("24h");
  if (!text) return fail(text);
  const auto expires = users::parse_time("expires", text->value_or("none"), store_.now());
  if (!expires) return fail(expires);
  if (*expires > store_.now() + users::kMaxTicketLife) {
    return refuse("expires: a link is good for a year at most");
  }
  const auto secret = random_.bytes<std::tuple_size_v<wire::TicketSecret>>();
  const users::Ticket ticket{.id = store_.new_id(),
                             .key = wire::Ed25519Key(wire::derive_ticket_seed(secret)).public_key(),
                             .created = store_.now(),
                             .expires = *expires};
  bool is_new = false;
  const auto deed =
      store_.deed(request, "invite " + *name + " until " + users::time_text(*expires));
  const auto added = store_.change_or_make(deed, [&](users::Edit& edit) -> Result<void> {
    auto user = edit.find_user(*name);
    if (!user) return fail(user);
    is_new = !*user;
    if (is_new) {
      *user = users::User{.id = store_.new_id(), .name = *name, .created = store_.now()};
    }
    if (auto ok = check_may_come_in(**user, store_.now()); !ok) return ok;
    users::forget_old_tickets(**user, store_.now());
    (*user)->tickets.push_back(ticket);
    return edit.put_user(**user);
  });
  if (!added) return fail(added);
  return invitation_json(*name, is_new, secret, *expires);
}

Result<std::string> Invitations::cancel(const UserRequest& request, const std::string& name) {
  if (const auto ok = users::check_name("the user's name", name); !ok) return fail(ok);
  std::size_t count = 0;
  const auto deed = store_.deed(request, "invite " + name + " cancelled");
  const auto changed = store_.change_user(deed, name, [&](users::User& user) -> Result<void> {
    for (users::Ticket& ticket : user.tickets) {
      if (ticket.device != 0 || ticket.expires <= store_.now()) continue;
      ticket.expires = store_.now();
      ++count;
    }
    return {};
  });
  if (!changed) return fail(changed);
  return cancelled_json(name, count);
}

}  // namespace qdt::control
