#include "ops/http_server.h"

#include <algorithm>
#include <array>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/client_networks.h"
#include "ops/http_exchange.h"
#include "ops/http_input.h"
#include "os/clock.h"
#include "os/poller.h"
#include "os/process.h"
#include "os/tcp_listener.h"

namespace qdt::ops {
namespace {

constexpr int kWorkers = 4;
constexpr Duration kRequestTime = 5s;    // to send a whole request
constexpr Duration kResponseTime = 60s;  // to fetch a whole response: a profile over a slow line
constexpr Duration kFarewellTime = 500ms;
constexpr Duration kShortageTime = 100ms;  // without descriptors or memory, accepting rests
constexpr int kAcceptsPerTurn = 16;
constexpr Duration kHalfClosedRetry = 20ms;

// Keys of the poller; those of connections follow.
constexpr int kWakerKey = 0;
constexpr int kListenerKey = 1;
constexpr int kFirstConnectionKey = 2;

enum class Stage {
  kReading,  ///< the request
  kWorking,  ///< a worker has it: only `socket`, and that for shut_down(), is anybody else's
  kWriting,  ///< the response
  kLeaving,  ///< everything is said; the peer is to close its side
};

struct Connection {
  Connection(os::TcpConnection accepted, std::size_t max_body_bytes, Timestamp now)
      : socket(std::move(accepted)),
        network(ClientNetworks(socket.peer()).customer),
        input(max_body_bytes),
        latest_progress(now),
        deadline(now + kRequestTime) {}

  os::TcpConnection socket;
  Prefix network;
  Stage stage = Stage::kReading;
  HttpInput input;
  std::string output;
  std::size_t written = 0;
  Timestamp latest_progress;
  Timestamp deadline;
  /// The peer has sent its last, which the poller would report again and again: it watches no more,
  /// and what is left to be written is tried now and then.
  bool is_half_closed = false;
  Timestamp retry = kNever;
};

}  // namespace

/// A thread for all sockets (run), and workers that call the handlers. Workers get a connection by
/// `requests_` and hand it back by `answered_`; its slot stays taken meanwhile.
class HttpServer::State {
 public:
  State(os::TcpListener listener, os::Poller poller, os::Waker waker, HttpRoutes routes,
        HttpCounters& counters, Logger& logger)
      : listener_(std::move(listener)),
        address_(listener_.address()),
        poller_(std::move(poller)),
        waker_(std::move(waker)),
        routes_(std::move(routes)),
        counters_(counters),
        logger_(logger) {
    const bool has_bodies =
        std::ranges::any_of(routes_, [](const auto& route) { return route.second.allows_post; });
    max_body_bytes_ = has_bodies ? kMaxHttpBodyBytes : 0;
  }

  ~State() {
    {
      const std::scoped_lock lock(mutex_);
      is_stopping_ = true;
    }
    has_requests_.notify_all();
    waker_.wake();
    threads_.clear();
    for (const auto& connection : slots_) counters_.connections -= connection ? 1 : 0;
  }

  Result<void> watch() {
    if (auto ok = poller_.add(waker_.poll_handle(), kWakerKey); !ok) return ok;
    return poller_.add(listener_.poll_handle(), kListenerKey);
  }

  void start() {
    threads_.emplace_back([this] { run(); });
    for (int i = 0; i < kWorkers; ++i) threads_.emplace_back([this] { work(); });
  }

  SocketAddress address() const { return address_; }

 private:
  // --- the workers' threads ---

  void work() {
    os::name_thread("qdt-http-work");
    while (Connection* connection = next_request()) {
      connection->output = answer(*connection);
      {
        const std::scoped_lock lock(mutex_);
        answered_.push_back(connection);
      }
      waker_.wake();
    }
  }

  Connection* next_request() {
    std::unique_lock lock(mutex_);
    has_requests_.wait(lock, [this] { return is_stopping_ || !requests_.empty(); });
    if (is_stopping_) return nullptr;
    Connection* connection = requests_.front();
    requests_.pop_front();
    return connection;
  }

  std::string answer(Connection& connection) {
    try {
      return answer_http(routes_, connection.input.text(), [&connection](Duration time) {
        return connection.socket.wait(os::now() + time);
      });
    } catch (const std::exception& exception) {
      // The library answers what handlers throw. This is the library's own: it is out of memory.
      logger_.error(std::string("HTTP request: ") + exception.what());
      return {};
    }
  }

  // --- the sockets' thread ---

  void run() {
    os::name_thread("qdt-http");
    while (!is_stopping()) {
      for (const os::PollEvent& event : poller_.wait(next_deadline(), os::now())) {
        if (event.key == kWakerKey) {
          take_answers(os::now());
        } else if (event.key == kListenerKey) {
          accept(os::now());
        } else if (auto& slot = slots_[static_cast<std::size_t>(event.key - kFirstConnectionKey)]) {
          serve(slot, os::now());
        }
      }
      look_at_times(os::now());
    }
    const std::scoped_lock lock(mutex_);
    // Handlers notice, and their threads end.
    for (const auto& connection : slots_) {
      if (connection) connection->socket.shut_down();
    }
  }

  bool is_stopping() {
    const std::scoped_lock lock(mutex_);
    return is_stopping_;
  }

  Timestamp next_deadline() const {
    Timestamp next = accepts_again_;
    for (const auto& connection : slots_) {
      if (!connection || connection->stage == Stage::kWorking) continue;
      next = std::min({next, connection->deadline, connection->retry});
    }
    return next;
  }

  using Slot = std::unique_ptr<Connection>;

  int key_of(const Slot& slot) const {
    return kFirstConnectionKey + static_cast<int>(&slot - slots_.data());
  }

  void accept(Timestamp now) {
    for (int i = 0; i < kAcceptsPerTurn; ++i) {
      auto accepted = listener_.accept();
      if (!accepted) {
        // The connection waits, so trying again at once would only burn the processor.
        poller_.remove(listener_.poll_handle());
        accepts_again_ = now + kShortageTime;
        return;
      }
      if (!*accepted) return;
      admit(std::move(**accepted), now);
    }
  }

  void admit(os::TcpConnection socket, Timestamp now) {
    auto connection = std::make_unique<Connection>(std::move(socket), max_body_bytes_, now);
    Slot* slot = find_slot(connection->network);
    if (slot == nullptr) return;
    *slot = std::move(connection);
    counters_.connections += 1;
    if (!poller_.add((*slot)->socket.poll_handle(), key_of(*slot))) close(*slot);
  }

  // A free slot, or that of the connection that gives way; null when workers have all of them.
  Slot* find_slot(const Prefix& network) {
    const auto is_of_network = [&](const Slot& slot) { return slot && slot->network == network; };
    const auto of_network = std::ranges::count_if(slots_, is_of_network);
    if (of_network >= static_cast<std::ptrdiff_t>(kMaxConnectionsOfAddress)) {
      return make_way(is_of_network);
    }
    const auto free = std::ranges::find(slots_, nullptr, &Slot::get);
    return free == slots_.end() ? make_way([](const Slot&) { return true; }) : &*free;
  }

  template <typename Predicate>
  Slot* make_way(Predicate may_go) {
    Slot* idlest = nullptr;
    for (Slot& slot : slots_) {
      if (!slot || slot->stage == Stage::kWorking || !may_go(slot)) continue;
      const bool is_idler = idlest == nullptr || slot->latest_progress < (*idlest)->latest_progress;
      if (is_idler) idlest = &slot;
    }
    if (idlest == nullptr) return nullptr;
    counters_.gave_way += 1;
    close(*idlest);
    return idlest;
  }

  void serve(Slot& slot, Timestamp now) {
    switch (slot->stage) {
      case Stage::kReading: return read(slot, now);
      case Stage::kWorking: return;
      case Stage::kWriting:
        if (is_at_end(*slot)) {
          slot->is_half_closed = true;
          poller_.remove(slot->socket.poll_handle());
        }
        return write(slot, now);
      case Stage::kLeaving:
        if (is_at_end(*slot)) close(slot);
        return;
    }
  }

  // Reads and drops bytes behind the request.
  bool is_at_end(Connection& connection) { return connection.socket.read_now(buffer_) == 0u; }

  void read(Slot& slot, Timestamp now) {
    Connection& connection = *slot;
    const auto bytes = connection.socket.read_now(buffer_);
    if (!bytes) return;
    if (*bytes == 0) return close(slot);
    connection.latest_progress = now;
    connection.input.append(as_text(Bytes(buffer_).first(*bytes)));
    if (connection.input.is_too_long()) return leave(slot, now);
    if (!connection.input.is_complete()) return;
    connection.stage = Stage::kWorking;
    poller_.remove(connection.socket.poll_handle());
    {
      const std::scoped_lock lock(mutex_);
      requests_.push_back(&connection);
    }
    has_requests_.notify_one();
  }

  void take_answers(Timestamp now) {
    waker_.clear();
    std::vector<Connection*> answered;
    {
      const std::scoped_lock lock(mutex_);
      answered.swap(answered_);
    }
    for (const Connection* connection : answered) {
      Slot& slot = *std::ranges::find(slots_, connection, &Slot::get);
      if (!poller_.add(slot->socket.poll_handle(), key_of(slot))) {
        close(slot);
        continue;
      }
      slot->stage = Stage::kWriting;
      slot->latest_progress = now;
      slot->deadline = now + kResponseTime;
      write(slot, now);
    }
  }

  void write(Slot& slot, Timestamp now) {
    Connection& connection = *slot;
    const std::string_view rest = std::string_view(connection.output).substr(connection.written);
    const auto bytes = connection.socket.write_now(as_bytes(rest));
    if (!bytes) return close(slot);
    if (*bytes > 0) connection.latest_progress = now;
    connection.written += *bytes;
    const bool is_done = connection.written == connection.output.size();
    if (is_done) return leave(slot, now);
    if (connection.is_half_closed) {
      connection.retry = now + kHalfClosedRetry;
    } else {
      poller_.watch_writable(connection.socket.poll_handle(), key_of(slot), true);
    }
  }

  void leave(Slot& slot, Timestamp now) {
    if (slot->is_half_closed) return close(slot);
    slot->stage = Stage::kLeaving;
    slot->deadline = now + kFarewellTime;
    slot->socket.end_writing();
    poller_.watch_writable(slot->socket.poll_handle(), key_of(slot), false);
  }

  void close(Slot& slot) {
    poller_.remove(slot->socket.poll_handle());
    slot.reset();
    counters_.connections -= 1;
  }

  void look_at_times(Timestamp now) {
    for (Slot& slot : slots_) {
      if (!slot || slot->stage == Stage::kWorking) continue;
      if (slot->deadline <= now) {
        close(slot);
      } else if (slot->retry <= now) {
        write(slot, now);
      }
    }
    if (accepts_again_ > now) return;
    accepts_again_ = kNever;
    const auto ok = poller_.add(listener_.poll_handle(), kListenerKey);
    if (!ok) accepts_again_ = now + kShortageTime;
  }

  os::TcpListener listener_;
  const SocketAddress address_;
  os::Poller poller_;
  os::Waker waker_;
  const HttpRoutes routes_;
  std::size_t max_body_bytes_ = 0;
  HttpCounters& counters_;
  Logger& logger_;

  // The sockets' thread.
  std::array<Slot, kMaxConnections> slots_;
  std::array<std::uint8_t, 4096> buffer_;
  Timestamp accepts_again_ = kNever;

  std::mutex mutex_;
  std::condition_variable has_requests_;
  bool is_stopping_ = false;           // under mutex_
  std::deque<Connection*> requests_;   // under mutex_
  std::vector<Connection*> answered_;  // under mutex_
  std::vector<std::jthread> threads_;  // joined before all else goes
};

Result<std::unique_ptr<HttpServer>> HttpServer::open(const std::string& key,
                                                     const SocketAddress& address,
                                                     HttpRoutes routes, HttpCounters& counters,
                                                     Logger& logger) {
  auto listener = os::TcpListener::open(address);
  if (!listener) {
    return fail(key + " " + listener.error().message + "; choose another address or set " + key +
                ": off");
  }
  auto poller = os::Poller::open();
  if (!poller) return fail(key + ": " + poller.error().message);
  auto waker = os::Waker::open();
  if (!waker) return fail(key + ": " + waker.error().message);
  std::string paths;
  for (const auto& [path, route] : routes) paths += " " + path;
  auto state = std::make_unique<State>(std::move(*listener), std::move(*poller), std::move(*waker),
                                       std::move(routes), counters, logger);
  if (auto ok = state->watch(); !ok) return fail(key + ": " + ok.error().message);
  logger.info(key + ": http://" + state->address().to_string() + " serves" + paths);
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
