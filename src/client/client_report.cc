// A client's reports: to the log, the service manager, and whoever asks for its status.

#include "client/client.h"
#include "client/status.h"
#include "os/clock.h"
#include "os/process.h"

namespace qdt::client {

std::string Client::words() const {
  const State state = machine_.state();
  const std::string& reason = machine_.reason();
  if (state == State::kConnected)
    return "connected as " + machine_.granted()->client_ip.to_string();
  return std::string(name_of(state)) + (reason.empty() ? "" : ": " + reason);
}

void Client::act(const action::Report&, Replies&) {
  report();
}

void Client::act(const action::ReportHealth&, Replies&) {
  if (is_ready_) os::notify_status(words());
  write_status();
}

void Client::act(const action::ReportSilence&, Replies&) {
  silent_at_ = os::now();
  write_status();
}

void Client::report() {
  const Reconnect& reconnect = machine_.reconnect();
  const std::string words = this->words();
  if (reconnect.state() == State::kConnected) {
    logger_.info("connected: this host is " + machine_.granted()->client_ip.to_string() +
                 " in the tunnel " + options_.host.tun_name);
  } else if (words != told_ && !reconnect.reason().empty()) {
    logger_.info(words);
  }
  told_ = words;

  const bool is_starting = !is_ready_ && reconnect.connects() == 0 && reconnect.reason().empty();
  if (is_starting || is_ready_) {
    os::notify_status(words);
  } else {
    is_ready_ = true;
    os::notify_ready(words);
  }

  write_status();
}

namespace {

std::string name_of(wire::AeadAlgorithm algorithm) {
  return algorithm == wire::AeadAlgorithm::kAes256Gcm ? "AES-256-GCM" : "ChaCha20-Poly1305";
}

}  // namespace

PlaneInUse Client::data_plane() const {
  if (!machine_.granted()->caps.direct) return PlaneInUse::kQuic;
  if (counters_.direct_sessions.value() > 0) return PlaneInUse::kDirect;
  return options_.connector.needs_direct ? PlaneInUse::kNone : PlaneInUse::kDirectLost;
}

// The session stands for as long as there is hope; whoever asks is told that nobody answers.
void Client::tell_silence(Status& status) {
  if (status.state != State::kConnected) {
    silent_at_.reset();
    return;
  }
  const Timestamp heard_at{
      Duration(static_cast<std::int64_t>(counters_.heard_nanoseconds.value()))};
  if (heard_at >= status.since) status.heard_at = heard_at;
  if (silent_at_ && heard_at > *silent_at_) silent_at_.reset();
  if (!silent_at_) return;
  status.state = State::kSilent;
  status.reason = "nobody answers; if that lasts, the client connects anew";
  status.since = std::max(status.since, heard_at);
}

void Client::write_status() {
  const auto& granted = machine_.granted();
  Status status{.state = machine_.state(),
                .reason = machine_.reason(),
                .since = machine_.since(),
                .server = options_.server_host + ":" + std::to_string(options_.server_port),
                .connects = machine_.reconnect().connects(),
                .written_at = os::now(),
                .packets_sent = counters_.packets_up.value(),
                .bytes_sent = counters_.bytes_up.value(),
                .packets_received = counters_.packets_down.value(),
                .bytes_received = counters_.bytes_down.value(),
                .has_kill_switch = options_.host.has_kill_switch};
  if (machine_.server()) status.server_address = machine_.server()->to_string();
  if (granted) {
    status.addresses = {granted->client_ip};
    if (granted->ipv6) status.addresses.push_back(granted->ipv6->client_ip);
    status.mtu = host_->mtu();
    status.path_mtu = machine_.sizes().path_mtu;
    status.name_servers = host_->name_servers_in_force();
    status.cipher = name_of(granted->caps.aead());
    status.rtt_microseconds = counters_.rtt_max_microseconds.value();
    status.window_bytes = counters_.window_max_bytes.value();
    status.bytes_per_second = counters_.delivered_bytes_per_second.value();
    // The gauges are those of this session once it has been looked at.
    const bool is_sampled = status.state == State::kConnected && os::now() - status.since >= 2s;
    if (is_sampled) status.data_plane = data_plane();
    status.shaper_bytes_per_second = counters_.shaped_bytes_per_second.value();
    status.send_rate_bits = counters_.asked_bits_per_second.value();
    status.path_queue_microseconds = counters_.path_queue_max_microseconds.value();
    status.ignored_routes = host_->ignored_routes();
  }
  tell_silence(status);
  {
    const std::scoped_lock lock(latest_mutex_);
    latest_ = status;
  }
  status_fault_.look(host_control_.show_status(to_json(status, options_.host.tun_name, os::now())),
                     "; the tunnel works on, but `status` shows nothing new",
                     "the status is written again", logger_);
}

}  // namespace qdt::client
