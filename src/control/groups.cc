#include "control/groups.h"

#include <algorithm>

#include "base/words.h"
#include "control/refuse.h"
#include "control/request_body.h"
#include "control/user_json.h"
#include "control/user_settings.h"

namespace qdt::control {

using users::Edit;
using users::Group;

Result<std::string> Groups::list() {
  const auto contents = store_.contents();
  if (!contents) return fail(contents);
  return groups_json(*contents);
}

Result<std::string> Groups::show(const std::string& name) {
  const auto contents = store_.contents();
  if (!contents) return fail(contents);
  const auto group = std::ranges::find(contents->groups, name, &Group::name);
  if (group == contents->groups.end()) return unknown("group " + name);
  return group_json(*group, contents->users);
}

Result<std::string> Groups::add(const UserRequest& request) {
  const auto body = RequestBody::parse(request.body, with_name(limit_keys()));
  if (!body) return fail(body);
  const auto name = body->name("name");
  if (!name) return fail(name);
  Group group{.name = *name, .limits = {}};
  if (const auto ok = take_limits(*body, group.limits); !ok) return fail(ok);
  const auto deed = store_.deed(request, "group add " + *name + settings_in_words(*body));
  const auto added = store_.change_or_make(deed, [&](Edit& edit) -> Result<void> {
    const auto twin = edit.find_group(*name);
    if (!twin) return fail(twin);
    if (*twin) return refuse("there is a group " + *name + " already");
    return edit.put_group(group);
  });
  if (!added) return fail(added);
  return group_json(group, {});
}

Result<std::string> Groups::set(const UserRequest& request, const std::string& name) {
  const auto body = RequestBody::parse(request.body, limit_keys());
  if (!body) return fail(body);
  if (body->is_empty()) return refuse("nothing to set; there are " + list_in_words(limit_keys()));
  const auto deed = store_.deed(request, "group set " + name + settings_in_words(*body));
  const auto done = change(deed, name, [&](Edit& edit, Group& group) {
    const auto ok = take_limits(*body, group.limits);
    return ok ? edit.put_group(group) : ok;
  });
  if (!done) return fail(done);
  return show(name);
}

Result<std::string> Groups::remove(const UserRequest& request, const std::string& name) {
  Group removed;
  const auto deed = store_.deed(request, "group remove " + name);
  const auto done = change(deed, name, [&](Edit& edit, const Group& group) {
    removed = group;
    return edit.remove_group(name);
  });
  if (!done) return fail(done);
  return group_json(removed, {});
}

Result<void> Groups::change(const users::Deed& deed, const std::string& name,
                            const std::function<Result<void>(Edit&, Group&)>& work) {
  const std::string which = "group " + name;
  return store_.change(deed, which, [&](Edit& edit) -> Result<void> {
    auto group = found(edit.find_group(name), which);
    if (!group) return fail(group);
    return work(edit, *group);
  });
}

}  // namespace qdt::control
