#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "os/host_control.h"

namespace qdt::os {

// The requests of the main process to the host process, and the answers: plain values, each with a
// bound, in messages of a SOCK_SEQPACKET pair. Numbers are big-endian. A message is a request's
// number (32 bits), its kind or whether it succeeded (8 bits), and its fields; nothing follows
// them. Neither side believes the other: what does not decode exactly is no message.

inline constexpr std::size_t kMaxHostMessageBytes = 128 * 1024;
inline constexpr std::size_t kMaxHostPrefixes = 4096;
inline constexpr std::size_t kMaxHostAddresses = 64;  ///< name servers, too
inline constexpr std::size_t kMaxHostDomains = 256;
inline constexpr std::size_t kMaxHostLines = 64;
/// Longer texts, which only the host process sends, are cut.
inline constexpr std::size_t kMaxHostTextBytes = 1024;
/// For an error: a configuration may have many faults.
inline constexpr std::size_t kMaxHostErrorBytes = 32 * 1024;
inline constexpr std::size_t kMaxHostDescriptors = 65;
/// IPv4's least (RFC 791), and the most that an IP packet has.
inline constexpr std::size_t kMinHostMtu = 576;
inline constexpr std::size_t kMaxHostMtu = 65535;

struct Nothing {
  bool operator==(const Nothing&) const = default;
};
struct Kept {
  Upkeep upkeep;
  std::vector<std::string> ignored_routes;
};
struct HostLines {
  std::vector<std::string> lines;
};
struct HostNameServers {
  std::vector<NameServer> servers;
};
/// With a descriptor for each queue, and one more for a map where somebody counts arrivals.
struct TunFacts {
  std::string name;
  TunOffloads offloads;
  std::uint8_t queues = 0;
  bool counts_arrivals = false;
};
/// With a descriptor for each.
struct HostFiles {
  std::uint8_t count = 0;
};

struct FileStamp {
  std::uint64_t stamp = 0;
};

/// The requests. There are no others.
namespace request {
struct OpenNetwork {
  using Answer = Nothing;
};
struct CloseNetwork {
  using Answer = Nothing;
};
struct ConfigureTun {
  using Answer = Nothing;
  std::vector<TunAddress> addresses;
  std::size_t mtu = 0;
};
struct SetTunMtu {
  using Answer = Nothing;
  std::size_t mtu = 0;
};
struct EnableForwarding {
  using Answer = Nothing;
  bool is_v6 = false;
};
struct LimitClients {
  using Answer = Nothing;
};
struct InstallNat {
  using Answer = Nothing;
};
struct FindForwardingObstacles {
  using Answer = HostLines;
};
struct RouteEverything {
  using Answer = Nothing;
  Outside outside;
};
struct RouteOnly {
  using Answer = Nothing;
  std::vector<Prefix> destinations;
};
struct UseDns {
  using Answer = Nothing;
  NameServerWish wish;
};
struct Keep {
  using Answer = Kept;
};
struct AdoptDevice {
  using Answer = Nothing;
};
struct FindNameServersOutside {
  using Answer = HostNameServers;
};
struct RaiseKillSwitch {
  using Answer = Nothing;
};
struct KeepKillSwitch {
  using Answer = Kept;
};
struct LowerKillSwitch {
  using Answer = Nothing;
};
struct OpenTun {
  using Answer = TunFacts;
};
struct RunHook {
  using Answer = Nothing;
  Hook hook;
};
/// The program that runs is to end. Has no answer of its own.
struct StopHook {
  using Answer = Nothing;
};
struct ReadFiles {
  using Answer = HostFiles;
  HostFileReader::Part part{};
};
struct AdoptFiles {
  using Answer = Nothing;
};
struct LookAtCertificate {
  using Answer = FileStamp;
};
/// The next content of a client's note is to be written, and then to take the note's place.
struct DraftNote {
  using Answer = HostFiles;
};
struct PublishNote {
  using Answer = Nothing;
};
struct RemoveNote {
  using Answer = Nothing;
};
/// It could not be written: the note stays as it is.
struct ForgetDraft {
  using Answer = Nothing;
};
struct OpenLeaseFile {
  using Answer = HostFiles;
};
struct OpenControlSocket {
  using Answer = HostFiles;
};
}  // namespace request

using HostRequest =
    std::variant<request::OpenNetwork, request::CloseNetwork, request::ConfigureTun,
                 request::SetTunMtu, request::EnableForwarding, request::InstallNat,
                 request::FindForwardingObstacles, request::RouteEverything, request::RouteOnly,
                 request::UseDns, request::Keep, request::AdoptDevice,
                 request::FindNameServersOutside, request::RaiseKillSwitch, request::KeepKillSwitch,
                 request::LowerKillSwitch, request::OpenTun, request::RunHook, request::StopHook,
                 request::ReadFiles, request::DraftNote, request::PublishNote, request::RemoveNote,
                 request::OpenLeaseFile, request::LimitClients, request::ForgetDraft,
                 request::OpenControlSocket, request::AdoptFiles, request::LookAtCertificate>;

/// A message's number is that of the request, in its answer, too.
using RequestNumber = std::uint32_t;
std::optional<RequestNumber> number_of(Bytes message);

/// An error where it has more of something than a message takes.
Result<std::vector<std::uint8_t>> encode(RequestNumber number, const HostRequest& request);
std::optional<HostRequest> decode_request(Bytes message);

/// For each Answer above.
template <typename Answer>
std::vector<std::uint8_t> encode_answer(RequestNumber number, const Result<Answer>& answer);
/// Nothing: it is no such answer.
template <typename Answer>
std::optional<Result<Answer>> decode_answer(Bytes message);

/// Whether a client or server with this plan has reason to ask for that, with values that make
/// sense on any host; the error says what is amiss.
Result<void> check_request(const HostRequest& request, const HostPlan& plan);

}  // namespace qdt::os
