// A long, slow or faulty cable between two interfaces: frames that come in at one go out at the
// other, as late as a link of the given kind would bring them, or not at all. For kernels without
// netem. Run it on a host of its own, between two others:
//
//    host A  eth0 ---- a  linkem  b ---- eth0  host B       qdt_linkem a b --rate 20M --delay 20ms
//
// While it runs, it reads changes from standard input, a line of options each: "--max-packet 1300".

#include <poll.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <queue>
#include <string>
#include <vector>

#include "linkem/link.h"
#include "linkem/port.h"

namespace qdt::linkem {
namespace {

Timestamp now() {
  return Timestamp(std::chrono::steady_clock::now().time_since_epoch());
}

struct Options {
  std::string interfaces[2];
  std::uint64_t seed = 1;
  LinkOptions link;
};

const CLI::Validator kShare = CLI::Range(0.0, 1.0);

void add_link_options(CLI::App& app, LinkOptions& link) {
  const auto add_time = [&](const std::string& name, Duration& time, const std::string& help) {
    app.add_option_function<double>(
           name, [&time](double ms) { time = Duration(static_cast<std::int64_t>(1e6 * ms)); }, help)
        ->transform(CLI::AsNumberWithUnit(
            std::map<std::string, double>{{"us", 1e-3}, {"ms", 1}, {"s", 1e3}},
            CLI::AsNumberWithUnit::UNIT_REQUIRED, "TIME"));
  };
  app.add_option("--rate", link.bits_per_second, "bits per second, such as 20M; 0: no limit")
      ->transform(
          CLI::AsNumberWithUnit(std::map<std::string, double>{{"k", 1e3}, {"M", 1e6}, {"G", 1e9}},
                                CLI::AsNumberWithUnit::CASE_SENSITIVE, "RATE"));
  add_time("--queue", link.queue,
           "what waits for the rate at most, such as 100ms; the rest is dropped");
  add_time("--delay", link.delay, "one way, such as 20ms");
  add_time("--jitter", link.jitter, "added to the delay, from nothing to this, without reordering");
  app.add_option("--loss", link.loss, "share of packets lost, such as 0.01")->check(kShare);
  app.add_option("--loss-row", link.mean_loss_packets, "packets lost in a row, on average")
      ->check(CLI::Range(1.0, 1000.0));
  app.add_option("--reorder", link.reordered, "share of packets that come later")->check(kShare);
  add_time("--reorder-delay", link.reorder_delay, "by so much");
  app.add_option("--duplicate", link.duplicated, "share of packets that come twice")->check(kShare);
  app.add_option("--max-packet", link.max_packet_bytes,
                 "larger IP packets vanish without a word: an MTU black hole");
}

struct Arrival {
  Timestamp time;
  std::uint64_t order;
  std::size_t to;  // the port
  Frame frame;
};

struct IsLater {
  bool operator()(const Arrival& a, const Arrival& b) const {
    return a.time != b.time ? a.time > b.time : a.order > b.order;
  }
};

/// Both directions, and what is under way.
class Cable {
 public:
  explicit Cable(const Options& options)
      : link_options_(options.link),
        ports_{Port(options.interfaces[0]), Port(options.interfaces[1])},
        links_{Link(options.link, options.seed), Link(options.link, options.seed + 1)} {}

  [[noreturn]] void run() {
    std::array<pollfd, 3> sources{pollfd{ports_[0].descriptor(), POLLIN, 0},
                                  pollfd{ports_[1].descriptor(), POLLIN, 0},
                                  pollfd{STDIN_FILENO, POLLIN, 0}};
    for (;;) {
      const timespec wait = until_next();
      ppoll(sources.data(), sources.size(), under_way_.empty() ? nullptr : &wait, nullptr);
      for (std::size_t port = 0; port < 2; ++port) {
        if ((sources[port].revents & POLLIN) != 0) take_from(port);
      }
      if (sources[2].revents != 0 && !take_change()) sources[2].fd = -1;
      deliver();
    }
  }

 private:
  void take_from(std::size_t port) {
    received_.clear();
    ports_[port].receive(received_);
    const Timestamp time = now();
    for (Frame& frame : received_) {
      const Link::Fate fate = links_[port].send(Port::packet_bytes(frame), time);
      for (int i = 1; i < fate.copies; ++i) under_way_.push({fate.time, order_++, 1 - port, frame});
      if (fate.copies > 0) under_way_.push({fate.time, order_++, 1 - port, std::move(frame)});
    }
  }

  void deliver() {
    const Timestamp time = now();
    for (auto& frames : due_) frames.clear();
    while (!under_way_.empty() && under_way_.top().time <= time) {
      auto& next = const_cast<Arrival&>(under_way_.top());  // it goes at once
      due_[next.to].push_back(std::move(next.frame));
      under_way_.pop();
    }
    for (std::size_t port = 0; port < 2; ++port) ports_[port].send(due_[port]);
  }

  timespec until_next() const {
    if (under_way_.empty()) return {};
    const Duration wait = std::max(under_way_.top().time - now(), Duration::zero());
    return {.tv_sec = wait / 1s, .tv_nsec = (wait % 1s).count()};
  }

  // False at the end of the input.
  bool take_change() {
    std::string line;
    if (!std::getline(std::cin, line)) return false;
    CLI::App app;
    add_link_options(app, link_options_);
    try {
      app.parse(line, false);
      for (Link& link : links_) link.change(link_options_);
      std::cout << "changed: " << line << std::endl;
    } catch (const CLI::Error& error) {
      std::cerr << "qdt_linkem: " << line << ": " << error.what() << '\n';
    }
    return true;
  }

  LinkOptions link_options_;
  std::array<Port, 2> ports_;
  std::array<Link, 2> links_;  // from the port of the same number
  std::priority_queue<Arrival, std::vector<Arrival>, IsLater> under_way_;
  std::vector<Frame> received_;
  std::array<std::vector<Frame>, 2> due_;
  std::uint64_t order_ = 0;
};

}  // namespace
}  // namespace qdt::linkem

int main(int argc, char** argv) {
  using namespace qdt::linkem;
  CLI::App app(
      "A long, slow or faulty cable between two network interfaces, both directions alike.");
  app.footer("Changes are read from standard input, a line of options each: --max-packet 1300");
  Options options;
  app.add_option("A", options.interfaces[0], "interface of one side")->required();
  app.add_option("B", options.interfaces[1], "interface of the other")->required();
  app.add_option("--seed", options.seed, "of what is left to chance");
  add_link_options(app, options.link);
  CLI11_PARSE(app, argc, argv);

  prctl(PR_SET_TIMERSLACK, 1UL);
  Cable cable(options);
  std::cout << "ready, seed " << options.seed << std::endl;
  cable.run();
}
