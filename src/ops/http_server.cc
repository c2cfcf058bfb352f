#include "ops/http_server.h"

#include <microhttpd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <mutex>
#include <thread>
#include <vector>

#include "base/client_networks.h"
#include "os/clock.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/stream_socket.h"

namespace qdt::ops {
namespace {

constexpr std::size_t kMaxBodyBytes = 256 << 10;
// The request's head, what the library makes of it, and the head of the response.
constexpr std::size_t kConnectionBytes = 32 << 10;
constexpr Duration kRequestTime = 5s;  // to send a whole request
constexpr Duration kFarewellTime = 500ms;
constexpr Duration kLookTime = 1s;         // connections that are late are looked for so often
constexpr Duration kShortageTime = 100ms;  // without descriptors or memory, accepting rests
constexpr Duration kCatchUpTime = 5ms;     // likewise while the library has too many to close
constexpr int kAcceptsPerTurn = 16;

constexpr int kWakerKey = 0;
constexpr int kListenerKey = 1;
constexpr int kLeavingKey = 2;

enum class Stage {
  kReading,  ///< the request
  kWorking,  ///< in the handler, which takes the time it needs
  kWriting,  ///< the response
  kLeaving,  ///< everything is said, and the library has closed its side; the peer is to close too
  kClosing,  ///< shut down by us; forgotten when the library has closed its side
};

/// A connection, by our descriptor; the library has one of its own, which it closes.
struct Connection {
  Connection(os::StreamConnection accepted, Timestamp now)
      : socket(std::move(accepted)),
        network(ClientNetworks(socket.peer()).customer),
        latest_progress(now),
        deadline(now + kRequestTime) {}

  os::StreamConnection socket;
  const Prefix network;

  // Under the server's mutex.
  int library_descriptor = -1;  ///< -1: the library has closed it
  Stage stage = Stage::kReading;
  std::uint64_t progress = 0;
  Timestamp latest_progress;
  Timestamp deadline;
  bool is_watched = false;  ///< by the poller

  // The library's thread, and the worker's while the library waits for it.
  const HttpRoute* route = nullptr;  ///< once the head has come
  std::string method;                // these as in HttpRequest
  std::string path;
  std::string rest;
  std::string body;
  HttpResponse response;
  bool is_answered = false;   ///< `response` is the handler's
  bool is_delivered = false;  ///< the response has gone out
  std::jthread worker;
};

/// The header's value; empty where there is none.
std::string_view header(MHD_Connection* library, const char* name) {
  const char* value = MHD_lookup_connection_value(library, MHD_HEADER_KIND, name);
  return value == nullptr ? std::string_view() : std::string_view(value);
}

/// The path of a request's target, which may be a whole address (RFC 9112 section 3.2.2).
std::string path_of(std::string_view target) {
  constexpr std::string_view kBeforeHost = "://";
  const std::size_t scheme_ends = target.starts_with('/') ? target.npos : target.find(kBeforeHost);
  if (scheme_ends == target.npos) return std::string(target);
  const std::size_t host_ends = target.find('/', scheme_ends + kBeforeHost.size());
  return host_ends == target.npos ? "/" : std::string(target.substr(host_ends));
}

bool is_body_too_large(MHD_Connection* library) {
  const std::string_view length = header(library, MHD_HTTP_HEADER_CONTENT_LENGTH);
  std::size_t bytes = 0;
  const auto error = std::from_chars(length.data(), length.data() + length.size(), bytes).ec;
  return error == std::errc::result_out_of_range || bytes > kMaxBodyBytes;
}

HttpRequest request_of(MHD_Connection* library, Connection& connection) {
  HttpRequest request{.method = std::move(connection.method),
                      .path = std::move(connection.path),
                      .peer_user = connection.socket.peer_user(),
                      .rest = std::move(connection.rest)};
  MHD_get_connection_values(
      library, MHD_GET_ARGUMENT_KIND,
      [](void* query, MHD_ValueKind, const char* name, const char* value) {
        static_cast<decltype(HttpRequest::query)*>(query)->emplace(name, value ? value : "");
        return MHD_YES;
      },
      &request.query);
  request.body = std::move(connection.body);
  request.wait = [&connection](Duration time) { return connection.socket.wait(os::now() + time); };
  return request;
}

HttpResponse answer(const HttpRoute& route, const HttpRequest& request) {
  try {
    return route.answer(request);
  } catch (const std::exception&) {
    return {.status = MHD_HTTP_INTERNAL_SERVER_ERROR, .body = "internal error\n"};
  }
}

}  // namespace

/// A thread that accepts and looks at the time (run), libmicrohttpd's thread, which reads and
/// writes, and one for each handler that runs. The library's own bounds are not enough: it would
/// refuse newcomers instead of closing what is idle, and give each byte of a request as much time
/// as the whole.
class HttpServer::State {
 public:
  State(os::StreamListener listener, os::Poller poller, os::Waker waker, SocketAddress address,
        HttpRoutes routes, HttpManners manners, HttpCounters& counters, Logger& logger)
      : listener_(std::move(listener)),
        address_(address),
        manners_(std::move(manners)),
        poller_(std::move(poller)),
        waker_(std::move(waker)),
        routes_(std::move(routes)),
        counters_(counters),
        logger_(logger) {}

  ~State() {
    is_stopping_ = true;
    waker_.wake();
    if (thread_.joinable()) thread_.join();
    {
      // Handlers notice. From here on none begins.
      const std::scoped_lock lock(mutex_);
      for (const auto& connection : connections_) close(*connection);
    }
    for (const auto& connection : connections_) connection->worker = {};
    if (daemon_ != nullptr) MHD_stop_daemon(daemon_);
  }

  Result<void> watch() {
    if (auto ok = poller_.add(waker_.poll_handle(), kWakerKey); !ok) return ok;
    return poller_.add(listener_.poll_handle(), kListenerKey);
  }

  void start() {
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME, 0,
        nullptr, nullptr, on_request, this, MHD_OPTION_NOTIFY_CONNECTION, on_connection, this,
        MHD_OPTION_NOTIFY_COMPLETED, on_completed, this, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        kConnectionBytes, MHD_OPTION_CONNECTION_LIMIT, static_cast<unsigned>(2 * max_held()),
        MHD_OPTION_END);
    if (daemon_ == nullptr) {
      logger_.error("answer over HTTP: the system is short of resources");
      return;
    }
    thread_ = std::jthread([this] { run(); });
  }

  SocketAddress address() const { return address_; }

 private:
  // --- our thread ---

  void run() {
    os::name_thread("qdt-http");
    while (!is_stopping_) {
      for (const os::PollEvent& event : poller_.wait(next_look(), os::now())) {
        if (event.key == kWakerKey) waker_.clear();
        if (event.key == kListenerKey) accept(os::now());
      }
      look_at_connections(os::now());
      listen_again(os::now());
    }
  }

  Timestamp next_look() {
    const std::scoped_lock lock(mutex_);
    return connections_.empty() ? accepts_again_ : std::min(accepts_again_, os::now() + kLookTime);
  }

  void accept(Timestamp now) {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      if (is_behind() || (manners_.newcomers_wait && is_full())) return rest(now + kCatchUpTime);
      auto accepted = listener_.accept();
      if (!accepted) return rest(now + kShortageTime);
      if (!*accepted) return;
      admit(std::make_unique<Connection>(std::move(**accepted), now), now);
    }
  }

  // The connections wait, so trying again at once would only burn the processor.
  void rest(Timestamp until) {
    poller_.remove(listener_.poll_handle());
    accepts_again_ = until;
  }

  // Those among them that the library has still to close.
  std::size_t max_held() const { return 2 * manners_.max_connections; }
  bool is_behind() {
    const std::scoped_lock lock(mutex_);
    return connections_.size() >= max_held();
  }
  bool is_full() {
    const std::scoped_lock lock(mutex_);
    const auto closing = std::ranges::count(connections_, Stage::kClosing,
                                            [](const auto& one) { return one->stage; });
    return connections_.size() - static_cast<std::size_t>(closing) >= manners_.max_connections;
  }

  void admit(std::unique_ptr<Connection> connection, Timestamp now) {
    Connection* const added = connection.get();
    const int descriptor = connection->socket.duplicate();
    if (descriptor < 0) return;
    {
      const std::scoped_lock lock(mutex_);
      if (!make_room(connection->network, now)) return;
      connection->library_descriptor = descriptor;
      connections_.push_back(std::move(connection));
      counters_.connections += 1;
    }
    const sockaddr nowhere{};  // the library does without the peer's address
    if (MHD_add_connection(daemon_, descriptor, &nowhere, sizeof nowhere) != MHD_YES) part(*added);
  }

  // Closes the connection that has been idle longest where there are too many. Fails when handlers
  // have all of them.
  bool make_room(const Prefix& network, Timestamp now) {
    if (manners_.newcomers_wait) return true;  // there is
    std::vector<Connection*> open;
    for (const auto& connection : connections_) {
      if (connection->stage == Stage::kClosing) continue;
      note_progress(*connection, now);
      open.push_back(connection.get());
    }
    const bool is_full = open.size() >= manners_.max_connections;
    const auto is_elsewhere = [&](const Connection* one) { return one->network != network; };
    const auto elsewhere = std::ranges::count_if(open, is_elsewhere);
    const bool is_share_used = open.size() - elsewhere >= kMaxConnectionsOfAddress;
    if (!is_full && !is_share_used) return true;

    if (is_share_used) std::erase_if(open, is_elsewhere);
    std::erase_if(open, [](const Connection* one) { return one->stage == Stage::kWorking; });
    const auto idlest = std::ranges::min_element(open, {}, &Connection::latest_progress);
    if (idlest == open.end()) return false;
    counters_.gave_way += 1;
    close(**idlest);
    return true;
  }

  static void note_progress(Connection& connection, Timestamp now) {
    const std::uint64_t progress = connection.socket.progress();
    if (progress != connection.progress) connection.latest_progress = now;
    connection.progress = progress;
  }

  void look_at_connections(Timestamp now) {
    std::vector<std::unique_ptr<Connection>> gone;  // their workers are joined without the mutex
    const std::scoped_lock lock(mutex_);
    for (auto& connection : connections_) {
      const bool has_time = connection->stage == Stage::kWorking || connection->deadline > now;
      const bool is_leaving = connection->stage == Stage::kLeaving;
      if (!has_time || (is_leaving && is_at_end(*connection))) close(*connection);
      if (connection->stage != Stage::kClosing || connection->library_descriptor >= 0) continue;
      poller_.remove(connection->socket.poll_handle());
      gone.push_back(std::move(connection));
    }
    std::erase(connections_, nullptr);
  }

  // Drops what comes behind the request: closed with unread bytes, the connection would be reset,
  // and the peer might lose the answer.
  bool is_at_end(Connection& connection) {
    if (!std::exchange(connection.is_watched, true)) {
      (void)poller_.add(connection.socket.poll_handle(), kLeavingKey);
    }
    return connection.socket.read(buffer_, os::now()) == 0u;
  }

  void listen_again(Timestamp now) {
    if (accepts_again_ > now) return;
    accepts_again_ = kNever;
    const auto ok = poller_.add(listener_.poll_handle(), kListenerKey);
    if (!ok) accepts_again_ = now + kShortageTime;
  }

  // --- any thread ---

  // Under the mutex.
  void close(Connection& connection) {
    if (connection.stage == Stage::kClosing) return;
    connection.stage = Stage::kClosing;
    connection.socket.shut_down();
    counters_.connections -= 1;
  }

  // The library has closed its side, and the answer has gone out or never will.
  void part(Connection& connection) {
    if (connection.is_delivered) enter(connection, Stage::kLeaving, os::now() + kFarewellTime);
    const std::scoped_lock lock(mutex_);
    if (!connection.is_delivered) close(connection);
    connection.library_descriptor = -1;
    waker_.wake();
  }

  void enter(Connection& connection, Stage stage, Timestamp deadline) {
    const std::scoped_lock lock(mutex_);
    if (connection.stage == Stage::kClosing) return;
    connection.stage = stage;
    connection.latest_progress = os::now();
    connection.deadline = deadline;
  }

  // --- the library's thread ---

  static void on_connection(void* state, MHD_Connection* library, void** context,
                            MHD_ConnectionNotificationCode code) {
    State& self = *static_cast<State*>(state);
    if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
      if (*context != nullptr) self.part(*static_cast<Connection*>(*context));
      return;
    }
    const auto* info = MHD_get_connection_info(library, MHD_CONNECTION_INFO_CONNECTION_FD);
    const std::scoped_lock lock(self.mutex_);
    const auto ours = std::ranges::find(self.connections_, info->connect_fd,
                                        [](const auto& one) { return one->library_descriptor; });
    *context = ours == self.connections_.end() ? nullptr : ours->get();
  }

  static void on_completed(void*, MHD_Connection* library, void**,
                           MHD_RequestTerminationCode reason) {
    Connection* const connection = connection_of(library);
    if (connection == nullptr || reason != MHD_REQUEST_TERMINATED_COMPLETED_OK) return;
    connection->socket.end_writing();
    connection->is_delivered = true;
  }

  static Connection* connection_of(MHD_Connection* library) {
    const auto* info = MHD_get_connection_info(library, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return static_cast<Connection*>(info->socket_context);
  }

  // Called with the head, then with each piece of the body, then without any, and once more when
  // there is an answer.
  static MHD_Result on_request(void* state, MHD_Connection* library, const char* path,
                               const char* method, const char*, const char* piece,
                               std::size_t* piece_bytes, void**) {
    Connection* const connection = connection_of(library);
    if (connection == nullptr) return MHD_NO;
    try {
      State& self = *static_cast<State*>(state);
      if (connection->route == nullptr) return self.begin(library, *connection, path, method);
      if (connection->is_answered) return self.respond(library, *connection);
      if (*piece_bytes == 0) return self.serve(library, *connection);
      connection->body.append(piece, *piece_bytes);
      *piece_bytes = 0;
      return MHD_YES;
    } catch (const std::exception&) {
      return MHD_NO;  // out of memory: the connection is closed
    }
  }

  MHD_Result begin(MHD_Connection* library, Connection& connection, const char* target,
                   std::string_view method) {
    connection.method = method;
    connection.path = path_of(target);
    const HttpRoute* route = find_route(connection.path, connection.rest);
    if (route == nullptr) {
      std::string text = "not found; there are:\n";
      for (const auto& [known, unused] : routes_) text += known + "\n";
      return refuse(library, connection, MHD_HTTP_NOT_FOUND, text);
    }
    if (!is_allowed(route->methods, method)) {
      return refuse(library, connection, MHD_HTTP_METHOD_NOT_ALLOWED, "method not allowed\n");
    }
    if (!header(library, MHD_HTTP_HEADER_TRANSFER_ENCODING).empty()) {
      return refuse(library, connection, MHD_HTTP_LENGTH_REQUIRED,
                    "a body needs a Content-Length\n");
    }
    if (is_body_too_large(library)) {
      return refuse(library, connection, MHD_HTTP_CONTENT_TOO_LARGE, "body too large\n");
    }
    connection.route = route;
    return MHD_YES;
  }

  const HttpRoute* find_route(const std::string& path, std::string& rest) const {
    const auto whole = routes_.find(path);
    if (whole != routes_.end() && !path.ends_with('/')) return &whole->second;
    const std::size_t step = path.rfind('/') + 1;
    const auto folder = routes_.find(path.substr(0, step));
    if (folder == routes_.end() || step == path.size()) return nullptr;
    rest = path.substr(step);
    return &folder->second;
  }

  static bool is_allowed(HttpMethods methods, std::string_view method) {
    const bool takes_all = methods == HttpMethods::kAll;
    const bool takes_both = methods == HttpMethods::kGetAndPost;
    if (method == MHD_HTTP_METHOD_DELETE) return takes_all || methods == HttpMethods::kDelete;
    if (method == MHD_HTTP_METHOD_POST) {
      return takes_all || takes_both || methods == HttpMethods::kPost;
    }
    const bool is_get = method == MHD_HTTP_METHOD_GET || method == MHD_HTTP_METHOD_HEAD;
    return is_get && (takes_all || takes_both || methods == HttpMethods::kGet);
  }

  MHD_Result refuse(MHD_Connection* library, Connection& connection, int status,
                    const std::string& text) {
    connection.response = manners_.refusal ? manners_.refusal(status, text)
                                           : HttpResponse{.status = status, .body = text};
    return respond(library, connection);
  }

  // Without a worker where there is no need, since the library does not always answer a client that
  // has ended its side when it looks at the connection again.
  MHD_Result serve(MHD_Connection* library, Connection& connection) {
    HttpRequest request = request_of(library, connection);
    if (!connection.route->takes_time) {
      connection.response = answer(*connection.route, request);
      return respond(library, connection);
    }
    const std::scoped_lock lock(mutex_);
    if (is_stopping_ || connection.stage == Stage::kClosing) return MHD_NO;
    connection.stage = Stage::kWorking;
    MHD_suspend_connection(library);
    try {
      connection.worker = std::jthread([&connection, library, request = std::move(request)] {
        os::name_thread("qdt-http-work");
        connection.response = answer(*connection.route, request);
        connection.is_answered = true;
        MHD_resume_connection(library);
      });
    } catch (const std::exception&) {
      connection.response = {.status = MHD_HTTP_SERVICE_UNAVAILABLE, .body = "no thread\n"};
      connection.is_answered = true;
      MHD_resume_connection(library);
    }
    return MHD_YES;
  }

  MHD_Result respond(MHD_Connection* library, Connection& connection) {
    enter(connection, Stage::kWriting, os::now() + manners_.response_time);
    std::string& body = connection.response.body;  // stays until the connection is dropped
    MHD_Response* const response =
        MHD_create_response_from_buffer(body.size(), body.data(), MHD_RESPMEM_PERSISTENT);
    if (response == nullptr) return MHD_NO;
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                            connection.response.content_type.c_str());
    MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
    const auto status = static_cast<unsigned>(connection.response.status);
    const MHD_Result result = MHD_queue_response(library, status, response);
    MHD_destroy_response(response);
    return result;
  }

  os::StreamListener listener_;
  const SocketAddress address_;
  const HttpManners manners_;
  os::Poller poller_;
  os::Waker waker_;
  const HttpRoutes routes_;
  HttpCounters& counters_;
  Logger& logger_;
  std::atomic<bool> is_stopping_ = false;

  // Our thread.
  Timestamp accepts_again_ = kNever;
  std::array<std::uint8_t, 16384> buffer_;

  std::mutex mutex_;
  std::vector<std::unique_ptr<Connection>> connections_;  // under mutex_

  MHD_Daemon* daemon_ = nullptr;
  std::jthread thread_;
};

Result<std::unique_ptr<HttpServer>> HttpServer::open(const std::string& key,
                                                     const SocketAddress& address,
                                                     HttpRoutes routes, HttpCounters& counters,
                                                     Logger& logger) {
  auto listener = os::StreamListener::open(address);
  if (!listener) {
    return fail(key + " " + listener.error().message + "; choose another address or set " + key +
                ": off");
  }
  std::string paths;
  for (const auto& [path, route] : routes) paths += " " + path;
  const SocketAddress bound = listener->address();
  auto server = make(std::move(*listener), bound, std::move(routes), {}, counters, logger);
  if (!server) return fail(key + ": " + server.error().message, server.error().code);
  logger.info(key + ": http://" + bound.to_string() + " serves" + paths);
  return server;
}

Result<std::unique_ptr<HttpServer>> HttpServer::serve(os::StreamListener listener,
                                                      HttpRoutes routes, HttpManners manners,
                                                      HttpCounters& counters, Logger& logger) {
  return make(std::move(listener), {}, std::move(routes), std::move(manners), counters, logger);
}

Result<std::unique_ptr<HttpServer>> HttpServer::make(os::StreamListener listener,
                                                     const SocketAddress& address,
                                                     HttpRoutes routes, HttpManners manners,
                                                     HttpCounters& counters, Logger& logger) {
  auto poller = os::Poller::open();
  if (!poller) return fail(poller);
  auto waker = os::Waker::open();
  if (!waker) return fail(waker);
  auto state =
      std::make_unique<State>(std::move(listener), std::move(*poller), std::move(*waker), address,
                              std::move(routes), std::move(manners), counters, logger);
  if (auto ok = state->watch(); !ok) return fail(ok);
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(state)));
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}

HttpServer::~HttpServer() = default;

void HttpServer::run() {
  state_->start();
}

SocketAddress HttpServer::address() const {
  return state_->address();
}

}  // namespace qdt::ops
