#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

#include "base/time.h"
#include "load/histogram.h"

namespace qdt::load {

/// What came of a load: counted by Load, told by to_text() and to_json().
struct Report {
  std::size_t clients = 0;  ///< wanted
  std::size_t up = 0;       ///< with a session now
  Duration ramp{};          ///< until all were up for the first time; zero: they never were
  Duration measured{};      ///< how long all were to stay up, traffic and all

  std::uint64_t handshakes = 0;           ///< that became a session
  Histogram handshake_times;              ///< from the first packet to the session
  std::uint64_t measured_handshakes = 0;  ///< of them, once all had been up
  std::uint64_t refused = 0;              ///< attempts that did not
  std::uint64_t lost = 0;                 ///< sessions that ended by themselves
  /// Why, for both: the words of the client, and how often.
  std::map<std::string, std::uint64_t> reasons;

  std::uint64_t echoes_sent = 0;
  std::uint64_t echoes_answered = 0;
  std::uint64_t echoes_given_up = 0;  ///< unanswered when their session was ended on purpose
  Histogram echo_times;
  std::uint64_t bytes_sent = 0;  ///< inner packets
  std::uint64_t bytes_answered = 0;

  std::uint64_t churned = 0;  ///< sessions ended on purpose, and begun again
  std::uint64_t roamed = 0;   ///< moves to another address

  std::uint64_t echoes_lost() const {
    const std::uint64_t known = echoes_answered + echoes_given_up;
    return echoes_sent > known ? echoes_sent - known : 0;
  }
  void note(const std::string& reason);

  static constexpr std::size_t kMaxReasons = 32;
};

/// Some lines for a person, of 100 columns at most.
std::string to_text(const Report& report);
/// The same figures as one JSON object on a line; times in seconds.
std::string to_json(const Report& report);

}  // namespace qdt::load
