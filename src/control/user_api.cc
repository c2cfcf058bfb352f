#include "control/user_api.h"

#include <string_view>
#include <utility>

#include "control/answer.h"
#include "control/refuse.h"
#include "users/contents_code.h"
#include "users/text.h"
#include "wire/session_id.h"

namespace qdt::control {
namespace {

// `/v1/users/ann`: the folder `/v1/users/`, and `ann` in it. `/v1/users` is a folder's own path.
struct Target {
  std::string folder;
  std::string item;
};

Target split(const std::string& path) {
  const std::size_t slash = path.find('/', std::string_view("/v1/").size());
  if (slash == path.npos) return {.folder = path, .item = ""};
  return {.folder = path.substr(0, slash + 1), .item = path.substr(slash + 1)};
}

Result<void> check_item(std::string_view folder, const std::string& item) {
  if (folder == "/v1/users/") return users::check_name("the user's name", item);
  if (folder == "/v1/groups/") return users::check_name("the group's name", item);
  if (folder == "/v1/devices/" && !wire::parse_session_id(item)) {
    return refuse("a device's ID has 16 hexadecimal digits, as /v1/users shows it");
  }
  return {};
}

}  // namespace

UserApi::UserApi(users::StoreFile& file, Random& random, std::function<std::int64_t()> now,
                 const std::optional<users::Addresses>& addresses)
    : file_(file),
      store_(file, random, std::move(now)),
      users_(store_),
      groups_(store_),
      devices_(store_, random, addresses),
      invitations_(store_, random) {}

ops::HttpResponse UserApi::answer(const UserRequest& request) {
  auto text = answer_text(request);
  return text ? control::answer(std::move(*text)) : refusal(text.error());
}

Result<std::string> UserApi::answer_text(const UserRequest& request) {
  const std::string method = request.method == "HEAD" ? "GET" : request.method;
  if (method != "POST" && !request.body.empty()) return refuse("this request has no body");
  const auto [folder, item] = split(request.path);
  if (const auto ok = check_item(folder, item); !ok) return fail(ok);
  const auto is = [&](std::string_view its_method, std::string_view its_folder) {
    return method == its_method && folder == its_folder;
  };
  if (is("GET", "/v1/users")) return users_.list();
  if (is("POST", "/v1/users")) return users_.add(request);
  if (is("GET", "/v1/users/")) return users_.show(item);
  if (is("POST", "/v1/users/")) return users_.set(request, item);
  if (is("DELETE", "/v1/users/")) return users_.remove(request, item);
  if (is("GET", "/v1/groups")) return groups_.list();
  if (is("POST", "/v1/groups")) return groups_.add(request);
  if (is("GET", "/v1/groups/")) return groups_.show(item);
  if (is("POST", "/v1/groups/")) return groups_.set(request, item);
  if (is("DELETE", "/v1/groups/")) return groups_.remove(request, item);
  if (is("POST", "/v1/devices")) return devices_.add(request);
  if (is("POST", "/v1/devices/")) return devices_.set(request, *wire::parse_session_id(item));
  if (is("DELETE", "/v1/devices/")) return devices_.remove(request, *wire::parse_session_id(item));
  if (is("POST", "/v1/invitations")) return invitations_.add(request);
  if (is("DELETE", "/v1/invitations/")) return invitations_.cancel(request, item);
  if (is("GET", "/v1/usage") || is("GET", "/v1/usage/")) return users_.show_usage(item);
  if (is("GET", "/v1/deeds")) return users_.list_deeds();
  return refuse(request.method + " is not for " + request.path);
}

wire::HandshakeResult UserApi::enrol(const users::Enrolment& enrolment) {
  using wire::HandshakeResult;
  const auto store = file_.find();
  if (!store) return HandshakeResult::kNotReady;
  if (*store == nullptr) return HandshakeResult::kLinkExpired;
  auto result = HandshakeResult::kNotReady;
  const std::string link = "link " + wire::session_id_text(enrolment.ticket);
  users::Deed deed{.at = store_.now(), .who = link};
  const auto changed = (*store)->change(deed, [&](users::Edit& edit) -> Result<void> {
    auto user = edit.find_invited(enrolment.ticket);
    if (!user) return fail(user);
    if (!*user) {
      result = HandshakeResult::kLinkExpired;  // it was known a moment ago
      return unknown(link);
    }
    const users::User before = **user;
    const auto defaults = defaults_of(edit, **user);
    if (!defaults) return fail(defaults);
    const std::uint64_t most =
        (*user)->limits.with_defaults(*defaults).max_devices.value_or(users::kMaxDevicesOfUser);
    result = users::enrol(**user, enrolment, store_.new_id(), most, store_.now());
    if (result != HandshakeResult::kEnrolled || **user == before) return refuse("no change");
    deed.what = "device add " + before.name + " " + (*user)->devices.back().name;
    auto put = edit.put_user(**user);
    // All of the rest was looked at.
    if (!put && put.error().code == ErrorCode::kInvalidArgument) {
      result = HandshakeResult::kKeyInUse;
    } else if (!put) {
      result = HandshakeResult::kNotReady;
    }
    return put;
  });
  const bool is_lost = !changed && changed.error().code != ErrorCode::kInvalidArgument &&
                       changed.error().code != ErrorCode::kNotFound;
  return is_lost ? HandshakeResult::kNotReady : result;
}

Result<std::optional<UserApi::Version>> UserApi::contents_unless(std::uint64_t version) {
  constexpr int kRevisionBits = 40;
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return std::nullopt;
  const auto revision = (*store)->revision();
  if (!revision) return fail(revision);
  if ((file_.generation() << kRevisionBits | *revision) == version) return std::nullopt;
  const auto contents = (*store)->read();
  if (!contents) return fail(contents);
  return Version{.number = file_.generation() << kRevisionBits | contents->revision,
                 .contents = users::encode_contents(*contents)};
}

Result<void> UserApi::count(const users::Counts& counts) {
  const auto store = file_.find();
  if (!store) return fail(store);
  if (*store == nullptr) return fail("there are no users", ErrorCode::kNotFound);
  return (*store)->count(counts);
}

}  // namespace qdt::control
