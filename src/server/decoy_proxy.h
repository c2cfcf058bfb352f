#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/ip_address.h"
#include "base/time.h"
#include "os/stream_socket.h"
#include "quic/http3.h"
#include "server/decoy_upstream.h"
#include "tunnel/counters.h"

namespace qdt::server {

/// Gets the answers for strangers from another web server of this host (`decoy: {proxy: ...}`), by
/// HTTP/1.1, on threads of its own: nobody else waits for it. A request goes without its body and
/// without what belongs to QDT.
class DecoyProxy final : public DecoyUpstream {
 public:
  struct Options {
    std::size_t threads = 8;                ///< requests at a time
    std::size_t max_waiting = 64;           ///< beyond those; a further one is answered 503
    Duration timeout = 5s;                  ///< of a whole answer; a slower one is answered 504
    std::size_t max_held_bytes = 32 << 20;  ///< of bodies that visitors have not fetched yet
  };
  DecoyProxy() : DecoyProxy(Options{}) {}
  explicit DecoyProxy(const Options& options);
  /// Ends what is under way; `done` of those is not called any more.
  ~DecoyProxy() override;

  /// Starts the threads, where none run yet: until then questions wait.
  void run();

  void ask(const SocketAddress& upstream, const quic::Message& request, const IpAddress& visitor,
           Done done) override;
  /// Questions without an answer of the web server's. Any thread.
  const tunnel::DecoyCounters& counters() const { return counters_; }

 private:
  struct Question {
    SocketAddress upstream;
    std::string text;
    bool is_head = false;
    Timestamp deadline;
    Done done;
  };

  void serve();
  quic::Response fetch(const Question& question);
  quic::Response fail(int status, bool is_head);
  quic::Response hold(quic::Response response);

  const Options options_;
  tunnel::DecoyCounters counters_;
  std::mutex mutex_;
  std::condition_variable has_questions_;
  std::deque<Question> questions_;               // under mutex_
  bool is_stopping_ = false;                     // under mutex_
  std::set<os::StreamConnection*> connections_;  // under mutex_
  std::vector<std::thread> threads_;             // under mutex_; none before run()
  // Shared with the bodies that are counted, which may outlive this.
  std::shared_ptr<std::atomic<std::size_t>> held_bytes_;
};

/// The request in HTTP/1.1's form, or nothing when it has no such form: a method, path or host that
/// could be read as something else.
std::optional<std::string> to_http1(const quic::Message& request, const IpAddress& visitor);

}  // namespace qdt::server
