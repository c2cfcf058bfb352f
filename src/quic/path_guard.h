#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/time.h"
#include "base/udp_burst.h"
#include "quic/tried_paths.h"

namespace qdt::quic {

/// Which path a server's engine is told that a payload came by. The engine follows whatever
/// authentic comes from elsewhere, and sends there alone until that address fails to answer (RFC
/// 9000 section 9.3): somebody who copies a client's packets and is faster than its path would have
/// the session, or stop it. So packets that he is found to copy count as come from home, the path
/// that has answered; home is silent where it does not bring the same ones soon after. Pure. One
/// thread.
class PathGuard {
 public:
  struct Times {
    Timestamp now;
    Duration rtt{};
    Duration patience{};  ///< with an address that has not answered: three probe timeouts
  };
  struct Arrival {
    UdpPath path;  ///< by which it came
    UdpPath seen;  ///< seen_path() of it
    Bytes payload;
    UdpPath engine_path;    ///< where the engine sends to since then
    bool is_heard = false;  ///< the engine made something of it
    /// Since when something that the engine sent has no acknowledgement.
    Timestamp unacknowledged_since = kNever;
  };

  PathGuard(const UdpPath& home, TriedPaths& tried) : tried_(tried), home_(home) {}

  /// The path on which the client has answered last, and still can be reached as far as is known.
  const UdpPath& home() const { return home_; }

  UdpPath seen_path(const UdpPath& path, const Times& times) const;
  /// Whether payloads that come by home have to be told of as well.
  bool is_watching() const { return is_watching_; }
  /// The engine has read a payload.
  void on_read(const Arrival& arrival, const Times& times);
  /// The engine has found whether the client answers on `path`; it sends to `engine_path` now.
  void on_verdict(const UdpPath& path, bool is_usable, const UdpPath& engine_path,
                  const Times& times);

 private:
  static constexpr std::size_t kMarks = 256;
  static constexpr Duration kCaution = 60s;
  static constexpr Duration kMinSilence = 200ms;
  static constexpr Duration kMinAnswer = 500ms;

  struct Former {
    UdpPath path;
    Timestamp until;
  };

  bool is_cautious(Timestamp now) const { return now < cautious_until_; }
  bool is_home_answering(const Arrival& arrival, const Times& times) const;
  void on_foreign(const Arrival& arrival, const Times& times);
  void on_home(const Arrival& arrival, const Times& times);
  void mark(Bytes payload);
  bool is_marked(Bytes payload) const;

  TriedPaths& tried_;
  UdpPath home_;
  bool is_watching_ = false;       // something came from elsewhere
  std::optional<UdpPath> trial_;   // the engine sends there, and has no answer yet
  std::optional<Former> former_;   // home before this one
  std::optional<UdpPath> slower_;  // brings what others were faster with, as home does not
  // Since when home brings copies of what others brought: it has to acknowledge what is sent there,
  // or somebody else sends them in its name.
  Timestamp contested_since_ = kNever;
  bool is_home_dead_ = false;
  Timestamp cautious_until_;            // somebody copies: home has to fall silent first
  Timestamp unmatched_since_ = kNever;  // of what came from elsewhere, home brought nothing
  // The ends of payloads that others than home brought: their tags.
  std::unique_ptr<std::array<std::uint64_t, kMarks>> marks_;
};

}  // namespace qdt::quic
