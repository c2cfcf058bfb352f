#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <unordered_map>

#include "base/time.h"
#include "quic/http3.h"
#include "server/exchange.h"
#include "wire/handshake.h"

namespace qdt::server {

/// Answers that wait for their turn (Admission::Verdict::delay), one for each connection at most,
/// which stays taken until its turn has come even if the exchange is gone by then: so a connection
/// is no faster for giving up its requests. One thread.
class WaitingAnswers {
 public:
  static constexpr std::size_t kMaxAnswers = 1024;

  struct Answer {
    const void* connection = nullptr;  ///< Exchange::connection()
    Exchange* exchange = nullptr;
    /// The refusal of a handshake; nothing for a request for something else.
    std::optional<wire::HandshakeResult> result;
    /// The request, without its body: the answer is made when it is due.
    quic::Message request;
    bool is_wanted = true;  ///< its exchange is still there
  };

  /// False, and nothing is added, when there is no room or another answer of the connection waits.
  bool add(Answer answer, Timestamp due);
  /// The exchange is about to end: nobody waits for its answer.
  void give_up(const Exchange& exchange);
  /// The connection has ended.
  void forget(const void* connection);

  /// When the next is due.
  Timestamp next() const { return by_time_.empty() ? kNever : by_time_.begin()->first; }
  /// The next that is due and wanted.
  std::optional<Answer> take_due(Timestamp now);
  std::size_t size() const { return by_time_.size(); }

 private:
  using ByTime = std::multimap<Timestamp, Answer>;

  ByTime by_time_;
  std::unordered_map<const void*, ByTime::iterator> by_connection_;
};

}  // namespace qdt::server
