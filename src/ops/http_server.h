#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/ip_address.h"
#include "base/logger.h"
#include "base/result.h"
#include "base/time.h"
#include "os/stream_socket.h"

namespace qdt::ops {

struct HttpRequest {
  std::string method;
  std::string path;  ///< of its target, as it came
  /// The user of this host who asks by a unix socket.
  std::optional<std::uint32_t> peer_user;
  /// What stands behind the route's path, where that ends with a slash; decoded, not empty.
  std::string rest;
  std::multimap<std::string, std::string> query;
  std::string body;
  /// Waits this long and returns true, or returns false as soon as there is nobody left to answer:
  /// the client has gone or the server is shutting down. How handlers that take time do so.
  std::function<bool(Duration)> wait;
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "text/plain; charset=utf-8";
  std::string body;
};

enum class HttpMethods { kGet, kGetAndPost, kPost, kDelete, kAll };  ///< with GET goes HEAD

/// Answers on one path, or, where that ends with a slash, on all paths one step below it. Called by
/// several threads at a time.
struct HttpRoute {
  std::function<HttpResponse(const HttpRequest&)> answer;
  HttpMethods methods = HttpMethods::kGet;
  bool takes_time = false;  ///< the handler waits: it has a thread of its own
};

/// By path.
using HttpRoutes = std::map<std::string, HttpRoute>;

/// Numbers about the connections of a server, which has at most kMaxConnections at a time.
struct HttpCounters {
  std::atomic<std::uint64_t> connections = 0;  ///< open
  std::atomic<std::uint64_t> gave_way = 0;     ///< closed to make room for others
};

/// What differs between the server of metrics, open to a network, and that of the control socket,
/// whose users have a right to it.
struct HttpManners {
  /// Who comes when there are enough connections waits until one is over. Else the one that has
  /// been idle longest gives way to it.
  bool newcomers_wait = false;
  std::size_t max_connections = 64;
  Duration response_time = 60s;  ///< to fetch a whole response: a profile over a slow line
  /// The response for a request that has no route; null: the text alone.
  std::function<HttpResponse(int status, const std::string& text)> refusal;
};

/// A small HTTP/1.1 server for people and programs that watch this one. One request per connection.
/// No connection waits for another's, and no request for another's handler that takes time. Size
/// and time of a request are bounded, and so is the number of connections: when there are too many,
/// also from one address (IPv6: one /64), the one that has been idle longest gives way to the
/// newcomer, unless its manners say otherwise. It stops at once when destroyed: requests under way
/// are cut off.
class HttpServer {
 public:
  static constexpr std::size_t kMaxConnections = 64;  ///< of HttpManners
  static constexpr std::size_t kMaxConnectionsOfAddress = 16;

  /// Listens, without a thread: run() answers. `key` is the configuration's name for `address`; the
  /// error tells how to mend the address. The logger and the counters, which several servers may
  /// share, outlive the server.
  static Result<std::unique_ptr<HttpServer>> open(const std::string& key,
                                                  const SocketAddress& address, HttpRoutes routes,
                                                  HttpCounters& counters, Logger& logger);
  /// The same for a socket that listens already, by these manners.
  static Result<std::unique_ptr<HttpServer>> serve(os::StreamListener listener, HttpRoutes routes,
                                                   HttpManners manners, HttpCounters& counters,
                                                   Logger& logger);
  /// Once.
  void run();
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// With the port that the kernel chose, where 0 was asked for; not of serve().
  SocketAddress address() const;

 private:
  class State;
  static Result<std::unique_ptr<HttpServer>> make(os::StreamListener listener,
                                                  const SocketAddress& address, HttpRoutes routes,
                                                  HttpManners manners, HttpCounters& counters,
                                                  Logger& logger);
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace qdt::ops
