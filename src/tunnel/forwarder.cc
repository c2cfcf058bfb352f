#include "tunnel/forwarder.h"

#include <span>
#include <utility>

#include "wire/ecn.h"
#include "wire/ip_packet.h"
#include "wire/tcp_mss.h"

namespace qdt::tunnel {
namespace {

// A session's packets are from its lease on their way up and to it on their way down: nobody speaks
// for another client, and a server reaches no address of the client's but the one it gave.
bool is_of_session(const wire::IpPacket& packet, const Session& session, bool is_up) {
  return session.has_address(is_up ? packet.source : packet.destination);
}

// Router solicitations, multicast listener reports and the like: a tunnel is no link with
// neighbours, and nothing on it is to hear what one of its ends says to "all nodes".
bool is_link_local(const wire::IpPacket& packet) {
  return !packet.is_v4() && (packet.destination.is_multicast() ||
                             packet.destination.is_link_local() || packet.source.is_link_local());
}

// To a sender with an address of a family that the session has none of, there is no way at all: it
// goes on with the other.
auto wrong_source_error(const Session& session, const wire::IpPacket& packet) {
  return packet.is_v4() || session.lease6() ? wire::write_wrong_source : wire::write_unreachable;
}

}  // namespace

Forwarder::Forwarder(const Options& options, SessionTable& sessions, Counters& counters,
                     PacketBatch& to_tun)
    : options_(options), sessions_(sessions), counters_(counters), to_tun_(to_tun) {}

std::optional<Drop> Forwarder::forward(Bytes packet, UdpSendQueue& out, Timestamp now) {
  const auto ip = wire::parse_ip_packet(packet);
  if (!ip) return Drop::kMalformed;
  if (is_link_local(*ip)) return Drop::kLinkLocal;

  Session* session = sessions_.route(ip->destination);
  if (session == nullptr) return Drop::kNoSession;
  return forward_ip(*session, *ip, out, now);
}

std::optional<Drop> Forwarder::forward_by(Session& session, Bytes packet, UdpSendQueue& out,
                                          Timestamp now) {
  const auto ip = wire::parse_ip_packet(packet);
  if (!ip) return Drop::kMalformed;
  return forward_ip(session, *ip, out, now);
}

std::optional<Drop> Forwarder::forward_ip(Session& session, const wire::IpPacket& ip,
                                          UdpSendQueue& out, Timestamp now) {
  const Bytes packet = ip.bytes;
  access::Traffic::Way& sent = session.sent();
  const auto drop = [&sent](Drop reason) {
    ++sent.drops;
    return reason;
  };
  const bool is_up = options_.role == Role::kClient;
  if (!is_of_session(ip, session, is_up)) {
    if (session.may_tell_error(now)) tell_host(ip, wrong_source_error(session, ip));
    return drop(Drop::kSpoofedSource);
  }
  if (!session.may_send(now)) return drop(Drop::kRateLimited);

  if (const auto too_large = judge_size(session, ip, now)) return drop(*too_large);
  const bool opens_tcp = wire::opens_tcp(ip) && packet.size() <= clamped_.size();
  if (run_.session != nullptr && (run_.session != &session || run_.count == Run::kMaxPackets)) {
    end_batch(out, now);
  }
  if (opens_tcp) {
    end_batch(out, now);  // in the packets' order; the copy is gone with the next
    if (!session.send(clamp_mss(ip, session), out, now)) return drop(Drop::kQueueFull);
  } else if (session.takes_batches()) {
    run_.session = &session;
    run_.packets[run_.count++] = packet;
  } else if (!session.send(ip, out, now)) {
    return drop(Drop::kQueueFull);
  }

  session.last_packet = now;
  sent.count(packet.size());
  (is_up ? counters_.packets_up : counters_.packets_down).add();
  (is_up ? counters_.bytes_up : counters_.bytes_down).add(packet.size());
  return std::nullopt;
}

void Forwarder::end_batch(UdpSendQueue& out, Timestamp now) {
  if (run_.session == nullptr) return;
  const auto packets = std::span(run_.packets).first(std::exchange(run_.count, 0));
  Session& session = *std::exchange(run_.session, nullptr);
  const std::size_t dropped = session.send_batch(packets, out, now);
  if (dropped == 0) return;
  session.sent().drops += dropped;
  counters_.drops.count(Drop::kQueueFull, dropped);
}

void Forwarder::answer_no_session(const wire::IpPacket& packet, Timestamp now) {
  if (no_session_limit_.take(now)) tell_host(packet, wire::write_unreachable);
}

Forwarder::Outcome Forwarder::deliver(Session& session, const plane::Piece& piece, Timestamp now) {
  std::optional<Drop> dropped;
  switch (piece.kind) {
    case plane::Piece::Kind::kNothing: break;
    case plane::Piece::Kind::kPacket:
      dropped = deliver_packet(session, piece.bytes, piece.mark, now);
      break;
    case plane::Piece::Kind::kFragment:
      dropped = reassemble(session, piece.bytes, piece.mark, now);
      break;
    case plane::Piece::Kind::kClose:
      if (!piece.bytes.empty()) session.peer_reason = SessionEnd{piece.bytes[0]};
      return Outcome::kClosed;
  }
  if (dropped) drop_received(session, *dropped);
  return Outcome::kDone;
}

bool Forwarder::deliver_directly(Session& session, const UdpPath& path, Ecn ecn, Bytes packet,
                                 Timestamp now) {
  const auto drop = [this](Drop reason) {
    counters_.drops.count(reason);
    return true;
  };
  if (!to_tun_.has_room(packet.size())) return drop(Drop::kQueueFull);
  plane::DirectPlane& plane = *session.direct();
  auto opened = plane.open(path, ecn, packet, to_tun_.reserve(packet.size()), now);
  if (!opened && opened.error() == Drop::kForged && plane.shares_ids()) return false;
  if (!opened) return drop(opened.error());

  // From here on it is the peer's, as are its faults.
  const auto drop_its = [&](Drop reason) {
    drop_received(session, reason);
    return true;
  };
  for (bool is_first = true; !opened->rest.empty(); is_first = false) {
    auto piece = plane.next(*opened, path, now);
    if (is_first) {
      // Almost always one packet, which is where it is to be already. What is behind it would be
      // overwritten by the next.
      const MutableBytes rest = opened->rest;
      if (rest.size() > behind_first_.size()) return drop_its(Drop::kMalformed);
      append(behind_first_, rest);
      opened->rest = MutableBytes(behind_first_).first(rest.size());
    }
    if (!piece) {
      drop_its(piece.error());
      continue;
    }
    if (!is_first && piece->kind == plane::Piece::Kind::kPacket) {
      if (!to_tun_.has_room(piece->bytes.size())) return drop_its(Drop::kQueueFull);
      const MutableBytes slot = to_tun_.reserve(piece->bytes.size());
      append(slot, piece->bytes);
      piece->bytes = slot;
    }
    deliver(session, *piece, now);
  }
  return true;
}

std::optional<Drop> Forwarder::reassemble(Session& session, Bytes fragment, Ecn mark,
                                          Timestamp now) {
  const auto whole = session.reassembler.add(fragment, now);
  if (const std::size_t evicted = session.reassembler.take_evicted(); evicted > 0) {
    drop_received(session, Drop::kReassemblyFull, evicted);
  }
  if (!whole) return whole.error();
  if (!*whole) return std::nullopt;  // more is to come

  if (!to_tun_.has_room((*whole)->size())) return Drop::kQueueFull;
  const MutableBytes packet = to_tun_.reserve((*whole)->size());
  append(packet, **whole);
  return deliver_packet(session, packet, mark, now);
}

// `packet` is what was last reserved in to_tun_.
std::optional<Drop> Forwarder::deliver_packet(Session& session, MutableBytes packet, Ecn mark,
                                              Timestamp now) {
  const auto ip = wire::parse_ip_packet(packet);
  if (!ip) return Drop::kMalformed;
  if (is_link_local(*ip)) return Drop::kLinkLocal;

  const bool is_up = options_.role == Role::kServer;
  if (!is_of_session(*ip, session, is_up)) {
    if (is_up) tell_peer_wrong_source(session, *ip, now);
    return Drop::kSpoofedSource;
  }
  const bool may_pass = session.may_receive(now) && session.keeps_to_rate(packet, now);
  if (!may_pass) return Drop::kRateLimited;
  if (wire::opens_tcp(*ip)) wire::clamp_mss(packet, *ip, session.whole_packet_bytes());

  // RFC 6040 section 4.2, but that a packet which does not understand marks stays: the connection's
  // own congestion control has heard of the mark, so nobody goes on as if there were none.
  if (mark == Ecn::kCe && wire::mark_congestion(packet)) {
    counters_.path_congestion_marks.add();
  }
  to_tun_.commit(packet.size());
  session.last_packet = now;
  session.received().count(packet.size());
  (is_up ? counters_.packets_up : counters_.packets_down).add();
  (is_up ? counters_.bytes_up : counters_.bytes_down).add(packet.size());
  return std::nullopt;
}

// A packet from the TUN device is not ours to change, so it is copied: there are few that open a
// connection.
wire::IpPacket Forwarder::clamp_mss(const wire::IpPacket& packet, const Session& session) {
  const MutableBytes copy = MutableBytes(clamped_).first(packet.bytes.size());
  append(copy, packet.bytes);
  wire::clamp_mss(copy, packet, session.whole_packet_bytes());
  wire::IpPacket clamped = packet;
  clamped.bytes = copy;
  return clamped;
}

std::optional<Drop> Forwarder::judge_size(Session& session, const wire::IpPacket& packet,
                                          Timestamp now) {
  const std::size_t bytes = packet.bytes.size();
  const std::size_t mtu = session.tunnel_mtu();
  if (session.cuts_packets()) {
    const bool is_too_big = bytes > mtu && packet.dont_fragment;
    return is_too_big ? std::optional(answer_too_big(packet, mtu)) : std::nullopt;
  }
  // A link that is not known to carry 1280 bytes is none of IPv6's: it is down for small packets
  // too, and a sender that hears so goes on with IPv4. To name a smaller MTU would not help, since
  // senders must not believe it (RFC 8201 section 4).
  if (!packet.is_v4() && !session.carries_ipv6()) {
    if (session.may_tell_error(now)) tell_host(packet, wire::write_unreachable);
    return Drop::kTooBig;
  }
  // A sender that lets others fragment is told, too: we are no router that does.
  if (bytes > mtu) return answer_too_big(packet, mtu);
  // More is about to be found out about the path: a word now would be remembered for minutes.
  if (bytes > session.whole_packet_bytes()) return Drop::kTooBig;
  return std::nullopt;
}

Drop Forwarder::answer_too_big(const wire::IpPacket& packet, std::size_t mtu) {
  tell_host(packet, [mtu](const wire::IpPacket& about, const IpAddress& from, MutableBytes out) {
    return wire::write_too_big(about, mtu, from, out);
  });
  return Drop::kTooBig;
}

// In the name of the packet's destination: the kernel refuses, as a martian, what comes in by the
// TUN device with one of the host's own addresses for its source.
template <typename Write>
void Forwarder::tell_host(const wire::IpPacket& packet, Write&& write) {
  if (!to_tun_.has_room(wire::kMaxIcmpErrorBytes)) return;
  const std::size_t bytes =
      write(packet, packet.destination, to_tun_.reserve(wire::kMaxIcmpErrorBytes));
  if (bytes > 0) to_tun_.commit(bytes);
}

// Into the session that the packet came by, whoever its source may be: nothing goes out into the
// world in answer to a forged one.
void Forwarder::tell_peer_wrong_source(Session& session, const wire::IpPacket& packet,
                                       Timestamp now) {
  if (!session.may_tell_error(now)) return;
  std::array<std::uint8_t, wire::kMaxIcmpErrorBytes> error;
  const std::size_t bytes = wrong_source_error(session, packet)(packet, packet.destination, error);
  if (bytes == 0) return;
  session.send_later(*wire::parse_ip_packet(Bytes(error).first(bytes)), now);
}

}  // namespace qdt::tunnel
