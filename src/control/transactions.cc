#include "control/transactions.h"

#include <algorithm>

#include "control/refuse.h"
#include "users/quota.h"

namespace qdt::control {

namespace {

using users::Contents;
using users::Edit;
using users::Group;
using users::Limits;
using users::Store;
using users::User;
using users::UserFacts;

// What `work` reads of the store; an empty value where there is none.
template <typename Work>
auto read(users::StoreFile& file, Work work) -> decltype(work(std::declval<Store&>())) {
  const auto store = file.find();
  if (!store) return fail(store);
  if (*store == nullptr) return {};
  return work(**store);
}

}  // namespace

Result<Limits> defaults_of(Edit& edit, const User& user) {
  if (user.group.empty()) return Limits();
  const auto group = edit.find_group(user.group);
  if (!group) return fail(group);
  return *group ? (*group)->limits : Limits();
}

Result<Contents> Transactions::contents() {
  return read(file_, [](Store& store) { return store.read(); });
}

Result<std::vector<users::Deed>> Transactions::deeds(std::size_t most) {
  return read(file_, [&](Store& store) { return store.deeds(most); });
}

Result<std::vector<users::Usage>> Transactions::usage(int period) {
  return read(file_, [&](Store& store) { return store.usage(period); });
}

Result<UserFacts> Transactions::facts(const Contents& contents) {
  return read(file_, [&](Store& store) { return users::user_facts(store, contents, now()); });
}

Result<std::vector<users::QuotaUse>> Transactions::quota_uses() {
  return read(file_, [&](Store& store) -> Result<std::vector<users::QuotaUse>> {
    const auto contents = store.read();
    if (!contents) return fail(contents);
    const auto days = store.days(users::first_day_of_quotas(now()));
    if (!days) return fail(days);
    return users::quota_uses(*contents, *days, now());
  });
}

Result<Member> Transactions::member(const std::string& name) {
  const auto all = contents();
  if (!all) return fail(all);
  const auto user = std::ranges::find(all->users, name, &User::name);
  if (user == all->users.end()) return unknown("user " + name);
  const auto group = std::ranges::find(all->groups, user->group, &Group::name);
  return Member{*user, group == all->groups.end() ? Limits() : group->limits};
}

UserFacts Transactions::facts(const Member& member) {
  const auto& [user, defaults] = member;
  const Contents alone{.users = {user}, .groups = {{.name = user.group, .limits = defaults}}};
  return read(file_, [&](Store& store) { return users::user_facts(store, alone, now(), user.id); })
      .value_or(UserFacts());
}

users::Deed Transactions::deed(const UserRequest& request, std::string what) const {
  return {.at = now(), .who = request.who, .what = std::move(what)};
}

Result<void> Transactions::change(const users::Deed& deed, const std::string& what,
                                  const Work& work) {
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return unknown(what);
  const auto changed = (*store)->change(deed, work);
  return changed ? Result<void>() : fail(changed);
}

Result<void> Transactions::change_or_make(const users::Deed& deed, const Work& work) {
  const auto store = file_.find_or_make();
  if (!store) return fail(store);
  const auto changed = (*store)->change(deed, work);
  return changed ? Result<void>() : fail(changed);
}

Result<Member> Transactions::change_user(const users::Deed& deed, const std::string& name,
                                         const std::function<Result<void>(User&)>& work) {
  Member member;
  const std::string who = "user " + name;
  const auto changed = change(deed, who, [&](Edit& edit) -> Result<void> {
    auto user = found(edit.find_user(name), who);
    if (!user) return fail(user);
    if (auto ok = work(*user); !ok) return ok;
    if (auto ok = edit.put_user(*user); !ok) return ok;
    auto defaults = defaults_of(edit, *user);
    if (!defaults) return fail(defaults);
    member = {.user = std::move(*user), .defaults = std::move(*defaults)};
    return {};
  });
  if (!changed) return fail(changed);
  return member;
}

}  // namespace qdt::control
