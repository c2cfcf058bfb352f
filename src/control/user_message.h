#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "ops/http_server.h"
#include "users/tickets.h"

// What the process that clients reach asks the one that has the file of the users
// (os::SideProcess).

namespace qdt::control {

/// A request about users and their devices (docs/control.md), whoever brings it: the control
/// socket, or a command where no server runs.
struct UserRequest {
  std::string method;  ///< GET, POST, DELETE
  std::string path;    ///< `/v1/users/ann`
  std::string body;    ///< JSON, of a POST
  std::string who;     ///< for the log of changes: `root`, `user 1000`
};

/// As bytes, to be answered in another process; empty: it is too long.
std::string encode_request(UserRequest request);
/// Nothing: it is none.
std::optional<UserRequest> decode_request(std::string_view bytes);
std::string encode_enrolment(users::Enrolment enrolment);
std::optional<users::Enrolment> decode_enrolment(std::string_view bytes);
std::string encode_response(const ops::HttpResponse& response);
ops::HttpResponse decode_response(std::string_view bytes);

}  // namespace qdt::control
