#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/ip_address.h"
#include "quic/http3.h"

namespace qdt::server {

/// A moment in the form of HTTP's `date` (RFC 9110 section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string http_date(std::chrono::sys_seconds moment);

/// The site that a server shows to those who have no token: pages in memory, so that an answer
/// waits for no file and costs the same whatever was asked for. Read-only once made: any thread.
class Decoy {
 public:
  struct Page {
    int status = 200;
    quic::HeaderFields headers;               ///< without `server`, `date` and `content-length`
    std::shared_ptr<const std::string> body;  ///< shared with the responses under way; never null
  };

  /// One plain page for every path and method.
  static Decoy plain_page();
  /// Every path and method gets `status`, with a short page that says it.
  static Decoy status_page(int status);
  /// The pages of a folder, by their paths from the root (`/index.html`).
  static Decoy site(std::map<std::string, Page, std::less<>> pages);

  /// The answers of the web server at `upstream`, which DecoyProxy asks; answer() is for requests
  /// alone that it is not to be asked: those with more headers than are taken.
  static Decoy proxy(const SocketAddress& upstream);
  const std::optional<SocketAddress>& upstream() const { return upstream_; }

  /// Responses have this `server` header from now on; empty, as at first: none.
  void set_server_header(std::string text) { server_header_ = std::move(text); }

  /// The answer to a request whose headers are complete, by its method, path and conditions alone.
  quic::Response answer(const quic::Message& request, std::chrono::sys_seconds now) const;

 private:
  Page look_up(const quic::Message& request) const;

  std::map<std::string, Page, std::less<>> pages_;
  Page page_;  ///< for every path, where there is no site
  bool is_site_ = false;
  std::string server_header_;
  std::optional<SocketAddress> upstream_;
};

}  // namespace qdt::server
