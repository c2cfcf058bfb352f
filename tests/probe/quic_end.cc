#include "probe/quic_end.h"

#include <algorithm>
#include <iostream>

#include "os/clock.h"

namespace qdt::probe {
namespace {

enum PollKey { kSocket, kStop };

class PrintingLogger final : public Logger {
  void write(LogLevel, std::string_view message) override { std::cerr << message << '\n'; }
};

}  // namespace

Result<Host> Host::open(const os::UdpSocket::Options& options) {
  std::unique_ptr<Logger> logger = std::make_unique<PrintingLogger>();
  auto socket = os::UdpSocket::open(options, *logger);
  if (!socket) return fail(socket);
  auto poller = os::Poller::open();
  if (!poller) return fail(poller);
  auto stop = os::StopSignal::open();
  if (!stop) return fail(stop);
  if (auto ok = poller->add(socket->poll_handle(), kSocket); !ok) return fail(ok);
  if (auto ok = poller->add(stop->poll_handle(), kStop); !ok) return fail(ok);
  return Host{std::move(logger), std::move(*socket), std::move(*poller), std::move(*stop)};
}

bool Host::wait(Timestamp deadline, os::UdpReceiveBatch& received) {
  for (const os::PollEvent& event : poller.wait(deadline, os::now())) {
    if (event.key == kStop) was_stopped |= stop.take().has_value();
  }
  socket.receive(received);
  return !was_stopped;
}

QuicEnd::QuicEnd(Host host, const quic::Endpoint::Options& options,
                 const quic::TlsServerContext* tls, quic::ConnectionEvents& events)
    : host_(std::move(host)), endpoint_(options, tls, events, random_, drops_) {}

void QuicEnd::write() {
  while (!endpoint_.write(out_, os::now())) send(out_);
  send(out_);
}

bool QuicEnd::wait(Timestamp deadline) {
  const bool goes_on = host_.wait(std::min(deadline, endpoint_.next_timeout()), received_);
  for (const UdpBurst& burst : received_.bursts()) {
    for_each_payload(burst, [&](Bytes payload) {
      if (!out_.has_room()) send(out_);
      endpoint_.receive(burst.path, burst.ecn, payload, out_, os::now());
    });
  }
  endpoint_.handle_timeouts(os::now());
  return goes_on;
}

}  // namespace qdt::probe
