#include "os/linux/host_message.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/archive.h"

namespace qdt::os {
namespace {

// Of this namespace, so that the fields of base/archive.h find those below.
class Writer : public MessageWriter {
  using MessageWriter::MessageWriter;
};
class Reader : public MessageReader {
  using MessageReader::MessageReader;
};

constexpr std::size_t kHeadBytes = sizeof(RequestNumber) + 1;

template <typename Archive>
void field(Archive& archive, TunAddress& address) {
  field(archive, address.address);
  as<std::uint8_t>(archive, address.prefix_length,
                   static_cast<std::size_t>(address.address.bit_length()));
}

template <typename Archive>
void field(Archive& archive, SocketAddress& address) {
  field(archive, address.address);
  archive(address.port);
}

template <typename Archive>
void field(Archive& archive, NameServer& server) {
  constexpr std::size_t kMaxZoneBytes = 15;
  field(archive, server.address);
  field(archive, server.zone, kMaxZoneBytes);
}

template <typename Archive>
void lines(Archive& archive, std::vector<std::string>& values, std::size_t most,
           std::size_t most_bytes) {
  list(archive, values, most, [&](std::string& value) { field(archive, value, most_bytes); });
}

template <typename Archive>
void field(Archive& archive, Outside& outside) {
  list(archive, outside.destinations, kMaxHostPrefixes);
  field(archive, outside.server);
  list(archive, outside.name_servers, kMaxHostAddresses);
  archive(outside.private_networks);
  archive(outside.answers);
  list(archive, outside.inside, kMaxHostPrefixes);
}

template <typename Archive>
void field(Archive& archive, NameServerWish& wish) {
  constexpr std::size_t kMaxDomainBytes = 253;
  list(archive, wish.servers, kMaxHostAddresses);
  lines(archive, wish.domains, kMaxHostDomains, kMaxDomainBytes);
  archive(wish.may_take_all_names);
}

template <typename Archive>
void field(Archive& archive, Hook::Inner& inner) {
  field(archive, inner.address);
  field(archive, inner.gateway);
  field(archive, inner.pool);
}

template <typename Archive>
void field(Archive& archive, Hook& hook) {
  as<std::uint8_t>(archive, hook.moment, static_cast<std::size_t>(Hook::Moment::kDown));
  as<std::uint8_t>(archive, hook.reason, static_cast<std::size_t>(Hook::Reason::kFailed));
  field(archive, hook.tunnel.ipv4);
  field(archive, hook.tunnel.ipv6);
  as<std::uint16_t>(archive, hook.tunnel.mtu, kMaxHostMtu);
  list(archive, hook.tunnel.dns, kMaxHostAddresses);
  field(archive, hook.tunnel.server);
}

template <typename Archive>
void field(Archive& archive, Upkeep& upkeep) {
  for (std::uint64_t& repairs : upkeep.repairs) archive(repairs);
  field(archive, upkeep.fault, kMaxHostTextBytes);
  archive(upkeep.lacks_device);
}

template <typename Archive, typename Message>
  requires std::is_empty_v<Message>
void field(Archive&, Message&) {}

template <typename Archive>
void field(Archive& archive, request::ConfigureTun& message) {
  list(archive, message.addresses, 2);
  as<std::uint16_t>(archive, message.mtu, kMaxHostMtu);
}
template <typename Archive>
void field(Archive& archive, request::SetTunMtu& message) {
  as<std::uint16_t>(archive, message.mtu, kMaxHostMtu);
}
template <typename Archive>
void field(Archive& archive, request::EnableForwarding& message) {
  archive(message.is_v6);
}
template <typename Archive>
void field(Archive& archive, request::RouteEverything& message) {
  field(archive, message.outside);
}
template <typename Archive>
void field(Archive& archive, request::RouteOnly& message) {
  list(archive, message.destinations, kMaxHostPrefixes);
}
template <typename Archive>
void field(Archive& archive, request::UseDns& message) {
  field(archive, message.wish);
}
template <typename Archive>
void field(Archive& archive, request::RunHook& message) {
  field(archive, message.hook);
}
template <typename Archive>
void field(Archive& archive, request::ReadFiles& message) {
  as<std::uint8_t>(archive, message.part,
                   static_cast<std::size_t>(HostFileReader::Part::kCertificate));
}
template <typename Archive>
void field(Archive& archive, Kept& answer) {
  field(archive, answer.upkeep);
  lines(archive, answer.ignored_routes, kMaxHostLines, kMaxHostTextBytes);
}
template <typename Archive>
void field(Archive& archive, HostLines& answer) {
  lines(archive, answer.lines, kMaxHostLines, kMaxHostTextBytes);
}
template <typename Archive>
void field(Archive& archive, HostNameServers& answer) {
  list(archive, answer.servers, kMaxHostAddresses);
}
template <typename Archive>
void field(Archive& archive, TunFacts& answer) {
  constexpr std::size_t kMaxNameBytes = 15;
  field(archive, answer.name, kMaxNameBytes);
  archive(answer.offloads.has_tcp);
  archive(answer.offloads.has_udp);
  as<std::uint8_t>(archive, answer.queues, kMaxHostDescriptors - 1);
  archive(answer.counts_arrivals);
}
template <typename Archive>
void field(Archive& archive, HostFiles& answer) {
  as<std::uint8_t>(archive, answer.count, kMaxHostFiles);
}

template <typename Archive>
void field(Archive& archive, FileStamp& answer) {
  archive(answer.stamp);
}

template <typename Archive>
void field(Archive& archive, Error& error) {
  as<std::uint8_t>(archive, error.code, static_cast<std::size_t>(ErrorCode::kIo));
  field(archive, error.message, kMaxHostErrorBytes);
}

// Texts about a host have no bound of their own: they are cut to what a message takes.
void cut(std::string& text, std::size_t most = kMaxHostTextBytes) {
  if (text.size() > most) text = text.substr(0, most - 3) + "...";
}
void cut(std::vector<std::string>& lines) {
  if (lines.size() > kMaxHostLines) lines.resize(kMaxHostLines);
  for (std::string& line : lines) cut(line);
}
void cut(Kept& answer) {
  cut(answer.upkeep.fault);
  cut(answer.ignored_routes);
}
void cut(HostLines& answer) {
  cut(answer.lines);
}
void cut(HostNameServers& answer) {
  if (answer.servers.size() > kMaxHostAddresses) answer.servers.resize(kMaxHostAddresses);
}
template <typename Answer>
void cut(Answer&) {}

template <std::size_t kind = 0>
std::optional<HostRequest> read_request(std::size_t wanted, Reader& reader) {
  if constexpr (kind < std::variant_size_v<HostRequest>) {
    if (kind != wanted) return read_request<kind + 1>(wanted, reader);
    std::variant_alternative_t<kind, HostRequest> message;
    field(reader, message);
    if (!reader.is_at_end()) return std::nullopt;
    return message;
  } else {
    return std::nullopt;
  }
}

}  // namespace

std::optional<RequestNumber> number_of(Bytes message) {
  if (message.size() < kHeadBytes) return std::nullopt;
  return load_be<RequestNumber>(message.data());
}

Result<std::vector<std::uint8_t>> encode(RequestNumber number, const HostRequest& request) {
  Writer writer(kMaxHostMessageBytes);
  writer(number);
  writer(static_cast<std::uint8_t>(request.index()));
  HostRequest copy = request;
  std::visit([&](auto& message) { field(writer, message); }, copy);
  if (writer.is_good()) return writer.take();
  return fail("ask for a change of this host: it has more addresses, routes or names than " +
              std::to_string(kMaxHostPrefixes) + ", " + std::to_string(kMaxHostAddresses) +
              " name servers or " + std::to_string(kMaxHostDomains) + " domains");
}

std::optional<HostRequest> decode_request(Bytes message) {
  if (message.size() > kMaxHostMessageBytes) return std::nullopt;
  Reader reader(message);
  RequestNumber number = 0;
  std::uint8_t kind = 0;
  reader(number);
  reader(kind);
  return reader.is_good() ? read_request(kind, reader) : std::nullopt;
}

template <typename Answer>
std::vector<std::uint8_t> encode_answer(RequestNumber number, const Result<Answer>& answer) {
  Writer writer(kMaxHostMessageBytes);
  writer(number);
  writer(answer.has_value());
  if (answer) {
    Answer copy = *answer;
    cut(copy);
    field(writer, copy);
  } else {
    Error error = answer.error();
    cut(error.message, kMaxHostErrorBytes);
    field(writer, error);
  }
  if (writer.is_good()) return writer.take();
  return encode_answer<Answer>(number, fail("the answer has more than a message takes"));
}

template <typename Answer>
std::optional<Result<Answer>> decode_answer(Bytes message) {
  if (message.size() > kMaxHostMessageBytes) return std::nullopt;
  Reader reader(message);
  RequestNumber number = 0;
  bool has_succeeded = false;
  reader(number);
  reader(has_succeeded);
  if (has_succeeded) {
    Answer answer;
    field(reader, answer);
    if (reader.is_at_end()) return answer;
  } else {
    Error error;
    field(reader, error);
    if (reader.is_at_end()) return std::unexpected(std::move(error));
  }
  return std::nullopt;
}

template std::vector<std::uint8_t> encode_answer(RequestNumber, const Result<Nothing>&);
template std::vector<std::uint8_t> encode_answer(RequestNumber, const Result<Kept>&);
template std::vector<std::uint8_t> encode_answer(RequestNumber, const Result<HostLines>&);
template std::vector<std::uint8_t> encode_answer(RequestNumber, const Result<HostNameServers>&);
template std::vector<std::uint8_t> encode_answer(RequestNumber, const Result<TunFacts>&);
template std::vector<std::uint8_t> encode_answer(RequestNumber, const Result<HostFiles>&);
template std::vector<std::uint8_t> encode_answer(RequestNumber, const Result<FileStamp>&);
template std::optional<Result<Nothing>> decode_answer(Bytes);
template std::optional<Result<Kept>> decode_answer(Bytes);
template std::optional<Result<HostLines>> decode_answer(Bytes);
template std::optional<Result<HostNameServers>> decode_answer(Bytes);
template std::optional<Result<TunFacts>> decode_answer(Bytes);
template std::optional<Result<HostFiles>> decode_answer(Bytes);
template std::optional<Result<FileStamp>> decode_answer(Bytes);

}  // namespace qdt::os
