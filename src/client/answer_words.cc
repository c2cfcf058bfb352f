#include "client/answer_words.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "base/ascii.h"

namespace qdt::client {
namespace {

struct Remedy {
  std::string_view text;
  std::string_view meaning;
  bool is_lasting;
};

// For a refusal in the protocol's own words; null for any other server's.
const Remedy* remedy_for(std::string_view body) {
  static constexpr Remedy kRemedies[] = {
      {"unauthorized", "the token is wrong", true},
      {"rate limited", "too many attempts", false},
      {"server busy", "it has as many sessions as it allows", false},
      {"not ready", "it is starting or its network is down", false},
      {"address pool exhausted", "it has no address left", false},
      {"bad request",
       "it does not understand this client's request, or knows a psk for this "
       "device, which is missing here",
       true},
      {"bad nonce", "it does not understand this client's nonce", true},
      {"scope not supported", "it lends no addresses by this path", true},
      {"not http3", "it does not see HTTP/3 datagrams from this client", true},
      {"link used", "a device was enrolled with this link before; ask for a new one", true},
      {"link expired", "its time is over; ask for a new one", true},
      {"too many devices", "the user of this link may have no more devices", true},
      {"key in use", "another device has this key", true},
  };
  const auto found = std::ranges::find_if(
      kRemedies, [&](const Remedy& remedy) { return body.starts_with(remedy.text); });
  return found == std::end(kRemedies) ? nullptr : &*found;
}

// In seconds (RFC 9110 section 10.2.3); its other form, a date, depends on two clocks.
std::optional<Duration> parse_retry_after(std::string_view field) {
  constexpr std::size_t kMaxDigits = 6;
  if (field.empty() || field.size() > kMaxDigits) return std::nullopt;
  std::int64_t seconds = 0;
  for (const char digit : field) {
    if (!is_digit(digit)) return std::nullopt;
    seconds = seconds * 10 + (digit - '0');
  }
  return std::chrono::seconds(seconds);
}

Ending busy(const std::string& text) {
  return {Ending::Kind::kRefused, "busy: " + text};
}

}  // namespace

bool is_in_own_words(std::string_view body) {
  return remedy_for(body) != nullptr;
}

Ending explain_refusal(const quic::Message& message, Shown shown) {
  const Remedy* remedy = remedy_for(message.body);
  const bool is_unknown =
      remedy == nullptr || (shown == Shown::kLink && message.body.starts_with("unauthorized"));
  if (is_unknown) return not_admitted(message.status, shown);
  Ending ending{Ending::Kind::kRefused,
                std::string(remedy->text) + ": " + std::string(remedy->meaning),
                remedy->is_lasting};
  if (!ending.is_lasting) ending.retry_after = parse_retry_after(message.header("retry-after"));
  return ending;
}

// To try again helps nobody, and would show that this is no visitor of a web site.
Ending not_admitted(int status, Shown shown) {
  const std::string answered = " (it answered with status " + std::to_string(status) + ")";
  const auto refused = [](std::string text) {
    return Ending{Ending::Kind::kRefused, "not admitted: " + std::move(text), /*is_lasting=*/true};
  };
  switch (shown) {
    case Shown::kToken: break;
    case Shown::kKey:
      return refused("the server does not know this client's key, or is no QDT server" + answered +
                     "; compare server with the server's name, and the key with devices in its "
                     "configuration");
    case Shown::kLink:
      return refused("the server does not know this link, or is no QDT server" + answered +
                     "; the link may be older than 30 days, or of another server: ask for a new "
                     "one");
  }
  return refused("the token is wrong, or this is no QDT server" + answered +
                 "; compare token and server with the server's configuration");
}

Ending explain_close(const quic::CloseReason& reason, const SocketAddress& server) {
  using Kind = quic::CloseReason::Kind;
  // A server with too many strangers ends the oldest of them, without another word.
  if (reason.is_orderly) return busy("the server ended the connection before it answered");
  switch (reason.kind) {
    case Kind::kNoAnswer: return {Ending::Kind::kNoAnswer, explain_silence(server)};
    case Kind::kTurnedAway: return busy(reason.text);
    case Kind::kOtherVersion: return {Ending::Kind::kOtherVersion, reason.text};
    case Kind::kUntrusted:
      // A clock without a battery begins in the past, and is set once the network is there.
      return {Ending::Kind::kUnreachable,
              "the server at " + server.to_string() + " is not trusted: " + reason.text,
              /*is_lasting=*/reason.dates != quic::CertificateDates::kNotYet};
    default: return unreachable(reason.text);
  }
}

Ending unreachable(std::string text) {
  return {Ending::Kind::kUnreachable, std::move(text)};
}

}  // namespace qdt::client
