#include "control/users.h"

#include "base/words.h"
#include "control/refuse.h"
#include "control/request_body.h"
#include "control/user_json.h"
#include "control/user_settings.h"
#include "users/text.h"

namespace qdt::control {

using users::Edit;
using users::User;

Result<std::string> Users::list() {
  const auto contents = store_.contents();
  if (!contents) return fail(contents);
  const auto facts = store_.facts(*contents);
  if (!facts) return fail(facts);
  return users_json(*contents, store_.now(), *facts);
}

Result<std::string> Users::show(const std::string& name) {
  const auto member = store_.member(name);
  if (!member) return fail(member);
  return user_json(member->user, member->defaults, store_.now(), store_.facts(*member));
}

Result<std::string> Users::add(const UserRequest& request) {
  const auto body = RequestBody::parse(request.body, with_name(setting_keys()));
  if (!body) return fail(body);
  const auto name = body->name("name");
  if (!name) return fail(name);
  User user{.id = store_.new_id(), .name = *name, .created = store_.now()};
  if (const auto ok = take_settings(*body, store_.now(), user); !ok) return fail(ok);
  users::Limits defaults;
  const auto deed = store_.deed(request, "user add " + *name + settings_in_words(*body));
  const auto added = store_.change_or_make(deed, [&](Edit& edit) -> Result<void> {
    if (auto ok = edit.put_user(user); !ok) return ok;
    auto group = defaults_of(edit, user);
    if (!group) return fail(group);
    defaults = std::move(*group);
    return {};
  });
  if (!added) return fail(added);
  return user_json(user, defaults, store_.now(), {});
}

Result<std::string> Users::set(const UserRequest& request, const std::string& name) {
  const auto body = RequestBody::parse(request.body, setting_keys());
  if (!body) return fail(body);
  if (body->is_empty()) return refuse("nothing to set; there are " + list_in_words(setting_keys()));
  const auto deed = store_.deed(request, "user set " + name + settings_in_words(*body));
  const auto member = store_.change_user(
      deed, name, [&](User& user) { return take_settings(*body, store_.now(), user); });
  if (!member) return fail(member);
  // It is changed, whatever is known of its usage.
  return user_json(member->user, member->defaults, store_.now(), store_.facts(*member));
}

Result<std::string> Users::remove(const UserRequest& request, const std::string& name) {
  // Its usage goes with it.
  const auto before = store_.member(name);
  const auto facts = before ? store_.facts(*before) : users::UserFacts();
  User removed;
  const std::string who = "user " + name;
  const auto deed = store_.deed(request, "user remove " + name);
  const auto done = store_.change(deed, who, [&](Edit& edit) -> Result<void> {
    auto user = found(edit.find_user(name), who);
    if (!user) return fail(user);
    removed = std::move(*user);
    return edit.remove_user(removed.id);
  });
  if (!done) return fail(done);
  return user_json(removed, before ? before->defaults : users::Limits(), store_.now(), facts);
}

Result<std::string> Users::show_usage(const std::string& month) {
  const auto period =
      month.empty() ? users::period_of(store_.now()) : users::parse_month("month", month);
  if (!period) return fail(period);
  const auto contents = store_.contents();
  if (!contents) return fail(contents);
  const auto usage = store_.usage(*period);
  if (!usage) return fail(usage);
  return usage_json(*period, *contents, *usage);
}

Result<std::string> Users::list_deeds() {
  constexpr std::size_t kMaxShown = 1'000;
  const auto deeds = store_.deeds(kMaxShown);
  if (!deeds) return fail(deeds);
  return deeds_json(*deeds);
}

}  // namespace qdt::control
