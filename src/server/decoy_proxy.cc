#include "server/decoy_proxy.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "os/clock.h"
#include "os/process.h"
#include "server/decoy.h"
#include "server/http_answer.h"
#include "wire/handshake.h"

namespace qdt::server {
namespace {

// A web server on this host accepts at once, unless a firewall drops the attempt. A stop waits as
// long.
constexpr Duration kConnectTime = 1s;

bool is_graphic(std::string_view text) {
  return std::ranges::all_of(text, [](char letter) {
    return static_cast<unsigned char>(letter) > 0x20 && static_cast<unsigned char>(letter) < 0x7f;
  });
}

bool is_method(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char letter) {
    return (letter >= 'A' && letter <= 'Z') || (letter >= 'a' && letter <= 'z') || letter == '-' ||
           letter == '_';
  });
}

// The web server gets no field about the connection, none that this proxy writes itself, and no
// token, which would stand in the web server's log.
bool is_passed_on(std::string_view name) {
  constexpr std::string_view kKept[] = {
      "connection", "content-length",    "cookie",    "expect",          "forwarded",
      "host",       "keep-alive",        "te",        "trailer",         "transfer-encoding",
      "upgrade",    "x-forwarded-proto", "x-real-ip", "x-forwarded-for", wire::kTokenHeader};
  if (name.starts_with(':') || name.starts_with("proxy-")) return false;
  return std::ranges::find(kKept, name) == std::end(kKept);
}

std::chrono::sys_seconds wall_clock() {
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

}  // namespace

std::optional<std::string> to_http1(const quic::Message& request, const IpAddress& visitor) {
  std::string_view host = request.authority;
  if (host.empty()) host = request.header("host");
  const bool is_path = request.path.starts_with('/') || request.path == "*";
  if (!is_method(request.method) || !is_path || !is_graphic(request.path) || host.empty() ||
      !is_graphic(host)) {
    return std::nullopt;
  }
  std::string text = request.method + " " + request.path + " HTTP/1.1\r\nhost: ";
  text.append(host).append("\r\n");
  std::string cookies;
  for (const auto& [name, value] : request.headers) {
    // HTTP/3 may have them apart (RFC 9114 section 4.2.1).
    if (name == "cookie") cookies.append(cookies.empty() ? "" : "; ").append(value);
    if (is_passed_on(name)) text.append(name).append(": ").append(value).append("\r\n");
  }
  if (!cookies.empty()) text.append("cookie: ").append(cookies).append("\r\n");
  const bool has_length = request.method == "POST" || request.method == "PUT";
  if (has_length) text.append("content-length: 0\r\n");
  return text.append("x-forwarded-for: ")
      .append(visitor.to_string())
      .append("\r\nx-forwarded-proto: https\r\nconnection: close\r\n\r\n");
}

DecoyProxy::DecoyProxy(const Options& options)
    : options_(options), held_bytes_(std::make_shared<std::atomic<std::size_t>>(0)) {}

DecoyProxy::~DecoyProxy() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
    questions_.clear();
    for (os::StreamConnection* connection : connections_) connection->shut_down();
  }
  has_questions_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

// The first ask() does not start them: a thread that may only move packets would make threads that
// may only do so.
void DecoyProxy::run() {
  const std::scoped_lock lock(mutex_);
  while (threads_.size() < options_.threads) threads_.emplace_back([this] { serve(); });
}

void DecoyProxy::ask(const SocketAddress& upstream, const quic::Message& request,
                     const IpAddress& visitor, Done done) {
  const bool is_head = request.method == "HEAD";
  auto text = to_http1(request, visitor);
  if (!text) return done(fail(400, is_head));
  Question question{.upstream = upstream,
                    .text = std::move(*text),
                    .is_head = is_head,
                    .deadline = os::now() + options_.timeout,
                    .done = std::move(done)};
  {
    std::unique_lock lock(mutex_);
    if (questions_.size() >= options_.max_waiting) {
      lock.unlock();
      return question.done(fail(503, is_head));
    }
    questions_.push_back(std::move(question));
  }
  has_questions_.notify_one();
}

quic::Response DecoyProxy::fail(int status, bool is_head) {
  switch (status) {
    case 502: ++counters_.bad_answers; break;
    case 503: ++counters_.too_many; break;
    case 504: ++counters_.too_late; break;
    default: break;
  }
  quic::Message request;
  request.method = is_head ? "HEAD" : "GET";
  return Decoy::status_page(status).answer(request, wall_clock());
}

void DecoyProxy::serve() {
  os::name_thread("qdt-decoy");
  for (;;) {
    std::unique_lock lock(mutex_);
    has_questions_.wait(lock, [this] { return is_stopping_ || !questions_.empty(); });
    if (is_stopping_) return;
    Question question = std::move(questions_.front());
    questions_.pop_front();
    lock.unlock();
    quic::Response response = fetch(question);
    lock.lock();
    if (is_stopping_) return;
    lock.unlock();
    question.done(hold(std::move(response)));
  }
}

quic::Response DecoyProxy::fetch(const Question& question) {
  const Timestamp connect_deadline = std::min(question.deadline, os::now() + kConnectTime);
  if (os::now() >= question.deadline) return fail(504, question.is_head);
  auto connection = os::StreamConnection::connect(question.upstream, connect_deadline);
  if (!connection) return fail(os::now() >= connect_deadline ? 504 : 502, question.is_head);
  {
    const std::scoped_lock lock(mutex_);
    if (is_stopping_) return {};
    connections_.insert(&*connection);
  }
  HttpAnswer answer(question.is_head);
  HttpAnswer::State state = HttpAnswer::State::kMore;
  std::array<std::uint8_t, 16384> piece;
  if (connection->write(as_bytes(question.text), question.deadline)) {
    while (state == HttpAnswer::State::kMore) {
      const auto bytes = connection->read(piece, question.deadline);
      if (!bytes) break;
      state = *bytes == 0 ? answer.end() : answer.take(Bytes(piece).first(*bytes));
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    connections_.erase(&*connection);
  }
  if (state == HttpAnswer::State::kWhole) return std::move(answer).response();
  return fail(os::now() >= question.deadline ? 504 : 502, question.is_head);
}

// Visitors fetch as slowly as they like, so the bodies that wait for them have a bound together.
quic::Response DecoyProxy::hold(quic::Response response) {
  const auto date =
      std::ranges::find(response.headers, "date", &quic::HeaderFields::value_type::first);
  if (date == response.headers.end())
    response.headers.emplace_back("date", http_date(wall_clock()));
  if (response.body.empty()) return response;
  const std::size_t bytes = response.body.size();
  const bool is_too_much = held_bytes_->fetch_add(bytes) + bytes > options_.max_held_bytes;
  response.page =
      std::shared_ptr<const std::string>(new std::string(std::move(response.body)),
                                         [held = held_bytes_, bytes](const std::string* page) {
                                           delete page;
                                           held->fetch_sub(bytes);
                                         });
  response.body.clear();
  return is_too_much ? fail(503, /*is_head=*/false) : response;
}

}  // namespace qdt::server
