#include "probe/bad_datagrams.h"

#include <algorithm>
#include <array>

#include "wire/checksum.h"
#include "wire/fragment.h"
#include "wire/ip_packet.h"

namespace qdt::probe {
namespace {

using wire::DatagramType;

constexpr std::uint64_t kFirstCounter = 1'000'000;
constexpr std::size_t kVersionAt = 3;
constexpr std::size_t kSessionAt = 6;
constexpr std::size_t kInnerPacketBytes = 64;
// More than any server of the tests puts together.
constexpr std::uint32_t kHugePacketBytes = 100 << 20;

Datagram flipped(Datagram datagram, std::size_t at) {
  datagram[at] ^= 1;
  return datagram;
}

Datagram cut(Datagram datagram, std::size_t bytes) {
  datagram.resize(bytes);
  return datagram;
}

Datagram udp_packet(const IpAddress& source, const IpAddress& destination) {
  Datagram packet(kInnerPacketBytes);
  packet[0] = 0x45;
  store_be<std::uint16_t>(&packet[2], static_cast<std::uint16_t>(packet.size()));
  packet[8] = 64;
  packet[9] = wire::kProtocolUdp;
  append(MutableBytes(packet).subspan(12), source.bytes());
  append(MutableBytes(packet).subspan(16), destination.bytes());
  const Bytes header = Bytes(packet).first(wire::kIpv4HeaderBytes);
  store_be<std::uint16_t>(&packet[10], wire::Checksum().add(header).finish());
  store_be<std::uint16_t>(&packet[22], 9);  // to the discard port
  store_be<std::uint16_t>(&packet[24],
                          static_cast<std::uint16_t>(packet.size() - wire::kIpv4HeaderBytes));
  return packet;
}

// The IPv6 addresses of a session without IPv6: nobody has them.
const wire::Ipv6Addresses kNoIpv6{.client_ip = *IpAddress::parse("fd00:ffff::2"),
                                  .gateway_ip = *IpAddress::parse("fd00:ffff::1"),
                                  .cidr = *Prefix::parse("fd00:ffff::/64")};

Datagram ipv6_packet(const IpAddress& source) {
  Datagram packet(wire::kIpv6HeaderBytes);
  packet[0] = 0x60;
  packet[6] = 59;  // no next header
  packet[7] = 64;
  append(MutableBytes(packet).subspan(8), source.bytes());
  packet[24] = 0xfd;
  return packet;
}

}  // namespace

struct BadDatagrams::Kind {
  std::string_view name;
  std::string_view meaning;
  std::vector<Datagram> (*make)(BadDatagrams& from);
  std::uint8_t stream_number = 0;  ///< a quarter of the only request's ID (RFC 9297 section 2.1)
};

const std::vector<BadDatagrams::Kind>& BadDatagrams::all_kinds() {
  using B = BadDatagrams;
  using Made = std::vector<Datagram>;
  static const std::vector<Kind> kinds = {
      {"garbage", "random bytes", [](B& b) { return Made{b.noise(200)}; }},
      {"empty", "nothing but the number of the stream", [](B&) { return Made{{}}; }},
      {"foreign-stream", "for a stream that is no session",
       [](B& b) { return Made{b.sealed(DatagramType::kPing, {})}; }, 1},
      {"half-number", "one byte of a stream number that has two", [](B&) { return Made{{}}; },
       0x40},
      {"short", "shorter than header and tag", [](B& b) { return Made{cut(b.ping(), 37)}; }},
      {"bad-version", "version 0", [](B& b) { return Made{flipped(b.ping(), kVersionAt)}; }},
      {"truncated", "a good one without its last byte",
       [](B& b) { return Made{cut(b.ping(), b.ping().size() - 1)}; }},
      {"forged", "one bit of the tag is wrong",
       [](B& b) {
         Datagram ping = b.ping();
         return Made{flipped(ping, ping.size() - 1)};
       }},
      {"foreign-session", "another session's ID",
       [](B& b) { return Made{flipped(b.ping(), kSessionAt)}; }},
      {"replayed", "a good one for the second time",
       [](B& b) {
         if (!b.replayed_.empty()) return Made{b.replayed_};
         b.replayed_ = b.ping();
         return Made{b.replayed_, b.replayed_};
       }},
      {"old", "a counter that the replay window has left behind",
       [](B& b) {
         Datagram datagram(wire::kDatagramOverhead);
         b.old_sealer_.seal(DatagramType::kPing, {}, {}, datagram);
         return Made{b.ping(), datagram};
       }},
      {"unknown-type", "type 9", [](B& b) { return Made{b.sealed(DatagramType{9}, {})}; }},
      {"malformed", "no IP packet inside", [](B& b) { return Made{b.data(Datagram(40, 0xff))}; }},
      {"lying-length", "an IP packet that claims more bytes than came",
       [](B& b) {
         return Made{b.data(cut(b.packet_from(b.session_.client_ip), kInnerPacketBytes - 1))};
       }},
      {"spoofed-world", "the source is a host outside",
       [](B& b) { return Made{b.data(b.packet_from(IpAddress::v4(0xc0000250)))}; }},
      {"spoofed-client", "the source is the next client's lease",
       [](B& b) {
         const IpAddress next = IpAddress::v4(b.session_.client_ip.v4_number() + 1);
         return Made{b.data(b.packet_from(next))};
       }},
      {"spoofed-gateway", "the source is the server's own inner address",
       [](B& b) { return Made{b.data(b.packet_from(b.session_.gateway_ip))}; }},
      {"spoofed-ipv6", "an IPv6 packet from an address that was not lent",
       [](B& b) { return Made{b.data(ipv6_packet(*IpAddress::parse("fd00::")))}; }},
      {"spoofed-client6", "the source is the next client's IPv6 lease",
       [](B& b) {
         std::array<std::uint8_t, 16> next{};
         append(next, b.session_.ipv6.value_or(kNoIpv6).client_ip.bytes());
         ++next[15];
         return Made{b.data(ipv6_packet(IpAddress::v6(next)))};
       }},
      {"spoofed-gateway6", "the source is the server's own inner IPv6 address",
       [](B& b) {
         return Made{b.data(ipv6_packet(b.session_.ipv6.value_or(kNoIpv6).gateway_ip))};
       }},
      {"mapped-ipv6", "an IPv6 packet whose source is the IPv4 lease, mapped",
       [](B& b) {
         Datagram packet = ipv6_packet(kNoIpv6.client_ip);
         std::fill_n(packet.begin() + 8, 16, std::uint8_t{0});
         packet[18] = packet[19] = 0xff;
         append(MutableBytes(packet).subspan(20), b.session_.client_ip.bytes());
         return Made{b.data(packet)};
       }},
      {"fragment-cut", "a fragment shorter than its own header",
       [](B& b) { return Made{b.sealed(DatagramType::kFragment, Datagram(11))}; }},
      {"fragment-empty", "a fragment of a packet of 0 bytes",
       [](B& b) { return Made{b.fragment(0, 0, 10)}; }},
      {"fragment-beyond", "a fragment that ends behind its packet",
       [](B& b) { return Made{b.fragment(95, 100, 10)}; }},
      {"oversized", "a fragment of a packet larger than the server puts together",
       [](B& b) { return Made{b.fragment(0, kHugePacketBytes, 10)}; }},
      {"fragment-overlap", "fragments that overlap without being repeats",
       [](B& b) {
         Made made{b.fragment(0, 100, 50)};
         --b.fragment_id_;
         made.push_back(b.fragment(40, 100, 50));
         return made;
       }},
      {"half-packet", "the first fragment of a packet of 60,000 bytes, and no other",
       [](B& b) { return Made{b.fragment(0, 60'000, 1000)}; }},
  };
  return kinds;
}

BadDatagrams::BadDatagrams(const wire::ConnectResponse& session, const wire::DirectionKey& key,
                           testing::SeededRandom& random)
    : session_(session),
      random_(random),
      sealer_(session.session_id, key, kFirstCounter),
      old_sealer_(session.session_id, key) {}

std::vector<Datagram> BadDatagrams::make(std::string_view kind, std::size_t count) {
  const Kind& made = *std::ranges::find(all_kinds(), kind, &Kind::name);
  std::vector<Datagram> datagrams;
  for (std::size_t i = 0; i < count; ++i) {
    for (Datagram& datagram : made.make(*this)) {
      datagram.insert(datagram.begin(), made.stream_number);
      datagrams.push_back(std::move(datagram));
    }
  }
  return datagrams;
}

Datagram BadDatagrams::last_ping() {
  Datagram datagram = ping();
  datagram.insert(datagram.begin(), 0);
  return datagram;
}

Datagram BadDatagrams::ping() {
  return sealed(DatagramType::kPing, as_bytes("probe"));
}

std::string BadDatagrams::kinds() {
  std::string text;
  for (const Kind& kind : all_kinds()) {
    text.append("  ").append(kind.name).append(": ").append(kind.meaning).append("\n");
  }
  return text;
}

bool BadDatagrams::is_kind(std::string_view name) {
  return std::ranges::find(all_kinds(), name, &Kind::name) != all_kinds().end();
}

Datagram BadDatagrams::sealed(DatagramType type, Bytes plaintext) {
  Datagram datagram(wire::kDatagramOverhead + plaintext.size());
  sealer_.seal(type, {}, plaintext, datagram);
  return datagram;
}

Datagram BadDatagrams::fragment(std::uint32_t offset, std::uint32_t total, std::size_t bytes) {
  const auto header =
      wire::encode_fragment_header({.id = ++fragment_id_, .offset = offset, .total = total});
  Datagram plaintext(header.begin(), header.end());
  const Datagram content = noise(bytes);
  plaintext.insert(plaintext.end(), content.begin(), content.end());
  return sealed(DatagramType::kFragment, plaintext);
}

Datagram BadDatagrams::noise(std::size_t bytes) {
  Datagram datagram(bytes);
  random_.fill(datagram);
  return datagram;
}

Datagram BadDatagrams::packet_from(const IpAddress& source) {
  return udp_packet(source, session_.gateway_ip);
}

}  // namespace qdt::probe
