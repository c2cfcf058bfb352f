#include "ops/http_server.h"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "os/clock.h"
#include "os/process.h"
#include "os/tcp_listener.h"

namespace qdt::ops {
namespace {

constexpr int kThreads = 4;
constexpr Duration kRequestTime = 5s;    // to send a whole request
constexpr Duration kResponseTime = 60s;  // to fetch a whole response: a profile over a slow line
constexpr Duration kFarewellTime = 500ms;
constexpr std::size_t kMaxBodyBytes = 1 << 20;
constexpr std::size_t kMaxRequestBytes = kMaxBodyBytes + (64 << 10);

/// The stream that cpp-httplib reads from and writes to. It bounds what the library does not: the
/// time of a whole request, and the bytes of lines, headers and chunked bodies.
class BoundedStream final : public httplib::Stream {
 public:
  explicit BoundedStream(os::TcpConnection& connection)
      : connection_(connection), request_deadline_(os::now() + kRequestTime) {}

  ssize_t read(char* out, std::size_t size) override {
    if (next_ == available_ && !fill()) return -1;
    const std::size_t bytes = std::min(size, available_ - next_);
    std::copy_n(buffer_.begin() + static_cast<std::ptrdiff_t>(next_), bytes, out);
    next_ += bytes;
    return static_cast<ssize_t>(bytes);
  }

  ssize_t write(const char* data, std::size_t size) override {
    if (response_deadline_ == kNever) response_deadline_ = os::now() + kResponseTime;
    if (!connection_.write(as_bytes({data, size}), response_deadline_)) return -1;
    return static_cast<ssize_t>(size);
  }

  // Asked by nobody, since no handler streams and none looks at addresses.
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  // Only looked at for whether select() could take it.
  socket_t socket() const override { return 0; }

 private:
  bool fill() {
    if (read_bytes_ >= kMaxRequestBytes) return false;
    const auto bytes = connection_.read(buffer_, request_deadline_);
    next_ = 0;
    available_ = bytes.value_or(0);
    read_bytes_ += available_;
    return available_ > 0;
  }

  os::TcpConnection& connection_;
  Timestamp request_deadline_;
  Timestamp response_deadline_ = kNever;
  std::array<std::uint8_t, 4096> buffer_;
  std::size_t next_ = 0;
  std::size_t available_ = 0;
  std::size_t read_bytes_ = 0;
};

/// One request on one connection: cpp-httplib parses it, routes it and writes the response.
/// The library's own server loop is not used, since it takes a port that another process listens
/// on (SO_REUSEPORT), bounds neither the length of a line nor the time of a request, and waits for
/// clients when it stops.
class Exchange final : private httplib::Server {
 public:
  Exchange(const HttpRoutes& routes, os::TcpConnection& connection)
      : routes_(routes), connection_(connection) {
    set_payload_max_length(kMaxBodyBytes);
    for (const auto& [path, route] : routes) {
      Get(path, [&](const httplib::Request& request, httplib::Response& response) {
        answer(route, request, {}, response);
      });
      if (!route.allows_post) continue;
      // With a content reader, because without one the library cuts forms off at 8 KiB.
      Post(path, [&](const httplib::Request& request, httplib::Response& response,
                     const httplib::ContentReader& read) {
        std::string body;
        const bool is_complete = read([&](const char* data, std::size_t size) {
          body.append(data, size);
          return body.size() <= kMaxBodyBytes;
        });
        if (!is_complete) {
          response.status = 413;
          return;
        }
        answer(route, request, std::move(body), response);
      });
    }
    set_error_handler(httplib::Server::Handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          explain(request, response);
        }));
  }

  void run() {
    BoundedStream stream(connection_);
    process(stream);
  }

 private:
  // cpp-httplib 0.16 added the addresses of the two ends.
  template <typename Stream>
  void process(Stream& stream) {
    bool is_closed = false;
    // Ranges let a short request ask for a response many times over.
    const auto drop_ranges = [](httplib::Request& request) { request.ranges.clear(); };
    if constexpr (requires { process_request(stream, true, is_closed, drop_ranges); }) {
      process_request(stream, true, is_closed, drop_ranges);
    } else {
      process_request(stream, "", 0, "", 0, true, is_closed, drop_ranges);
    }
  }

  void answer(const HttpRoute& route, const httplib::Request& request, std::string body,
              httplib::Response& response) {
    HttpRequest ours;
    ours.query.insert(request.params.begin(), request.params.end());
    ours.body = std::move(body);
    ours.wait = [this](Duration time) { return connection_.wait(os::now() + time); };
    HttpResponse result = route.answer(ours);
    response.status = result.status;
    response.set_content(result.body, result.content_type);
  }

  void explain(const httplib::Request& request, httplib::Response& response) const {
    if (!response.body.empty()) return;
    if (response.status == 404 && routes_.contains(request.path)) response.status = 405;
    std::string text;
    switch (response.status) {
      case 404:
        text = "not found; there are:\n";
        for (const auto& [path, route] : routes_) text += path + "\n";
        break;
      case 405: text = "method not allowed\n"; break;
      case 413: text = "body too large\n"; break;
      case 500: text = "internal error\n"; break;
      default: text = "bad request\n"; break;
    }
    response.set_content(text, "text/plain; charset=utf-8");
  }

  const HttpRoutes& routes_;
  os::TcpConnection& connection_;
};

}  // namespace

class HttpServer::State {
 public:
  State(os::TcpListener listener, HttpRoutes routes, Logger& logger)
      : listener_(std::move(listener)), routes_(std::move(routes)), logger_(logger) {
    for (int i = 0; i < kThreads; ++i) threads_.emplace_back([this] { serve_all(); });
  }

  ~State() {
    listener_.shut_down();
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
    for (os::TcpConnection* connection : open_) connection->shut_down();
    // The threads are joined by their destructors, before all else goes.
  }

  SocketAddress address() const { return listener_.address(); }

 private:
  void serve_all() {
    os::name_thread("qdt-http");
    while (auto connection = listener_.accept()) {
      if (!enter(*connection)) return;
      serve(*connection);
      leave(*connection);
    }
  }

  void serve(os::TcpConnection& connection) {
    try {
      Exchange(routes_, connection).run();
    } catch (const std::exception& exception) {
      // Out of memory in the library, which answers what handlers throw itself.
      logger_.error(std::string("HTTP request: ") + exception.what());
    }
    connection.finish(os::now() + kFarewellTime);
  }

  bool enter(os::TcpConnection& connection) {
    const std::scoped_lock lock(mutex_);
    if (!is_stopping_) open_.insert(&connection);
    return !is_stopping_;
  }

  void leave(os::TcpConnection& connection) {
    const std::scoped_lock lock(mutex_);
    open_.erase(&connection);
  }

  os::TcpListener listener_;
  const HttpRoutes routes_;
  Logger& logger_;
  std::mutex mutex_;
  bool is_stopping_ = false;           // under mutex_
  std::set<os::TcpConnection*> open_;  // under mutex_
  std::vector<std::jthread> threads_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(const std::string& key,
                                                      const SocketAddress& address,
                                                      HttpRoutes routes, Logger& logger) {
  auto listener = os::TcpListener::open(address);
  if (!listener) {
    return fail(key + " " + listener.error().message + "; choose another address or set " + key +
                ": off");
  }
  std::string paths;
  for (const auto& [path, route] : routes) paths += " " + path;
  logger.info(key + ": http://" + listener->address().to_string() + " serves" + paths);
  return std::unique_ptr<HttpServer>(
      new HttpServer(std::make_unique<State>(std::move(*listener), std::move(routes), logger)));
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() = default;

SocketAddress HttpServer::address() const {
  return state_->address();
}

}  // namespace qdt::ops
