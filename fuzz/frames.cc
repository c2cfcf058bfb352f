#include "frames.h"

#include <algorithm>

#include "wire/capsule.h"

namespace qdt::fuzz {
namespace {

constexpr std::size_t kMostBytes = 8192;  // of one step's frames

// The type and the fields: n a number, b bytes behind their length, r all that is left, i a
// connection ID, t 16 bytes, c 8 bytes.
struct Form {
  std::uint64_t type;
  std::string_view fields;
};
constexpr Form kForms[] = {
    {0x01, ""},   {0x02, "annna"}, {0x03, "annnnnn"}, {0x04, "nnn"}, {0x05, "nn"},  {0x06, "nb"},
    {0x07, "b"},  {0x08, "nr"},    {0x0a, "nb"},      {0x0e, "nnb"}, {0x0f, "nnb"}, {0x10, "n"},
    {0x11, "nn"}, {0x12, "n"},     {0x13, "n"},       {0x14, "n"},   {0x15, "nn"},  {0x16, "n"},
    {0x17, "n"},  {0x18, "nnit"},  {0x19, "n"},       {0x1a, "c"},   {0x1b, "c"},   {0x1c, "nnb"},
    {0x1d, "nb"}, {0x1e, ""},      {0x30, "r"},       {0x31, "b"},
};
// A byte chooses one of these beside the forms.
enum Choice : std::size_t { kOnStream = std::size(kForms), kPadding, kUnknown, kRaw, kChoices };
static_assert(kChoices == 32);

void write_fields(std::string_view fields, ByteReader& arguments, const Contact& contact,
                  ByteWriter& out) {
  for (const char field : fields) {
    switch (field) {
      case 'n': out.varint(read_number(arguments)); break;
      case 'a': {
        // Near what an honest acknowledgement has.
        const std::uint64_t number = read_number(arguments);
        const std::uint64_t largest = contact.raw.largest(PacketSpace::kApplication);
        out.varint(number < 0x80 ? largest - std::min(largest, number) : number);
        break;
      }
      case 'b': out.block(arguments.take(arguments.byte())); break;
      case 'r': out.append(arguments.take(arguments.rest().size())); break;
      case 'i': {
        const std::uint8_t length = arguments.byte();
        out.byte(length).append(arguments.take(length % 21));
        for (std::size_t i = arguments.is_short() ? length % 21 : 0; i > 0; --i) out.byte(i);
        break;
      }
      case 't': {
        ByteVector token(16, arguments.byte());
        out.append(token);
        break;
      }
      case 'c': {
        ByteVector cookie(8, arguments.byte());
        out.append(cookie);
        break;
      }
      default: break;
    }
  }
}

// A TCP segment that opens a connection, with the option that says how large segments may be.
void open_tcp(ByteVector& packet) {
  constexpr std::size_t kTcp = 20;
  if (packet.size() < kTcp + 24) return;
  packet[9] = wire::kProtocolTcp;
  packet[kTcp + 12] = 0x60;
  packet[kTcp + 13] = 0x02;
  packet[kTcp + 20] = 2;
  packet[kTcp + 21] = 4;
  packet[kTcp + 22] = 0xff;
}

IpAddress read_address(ByteReader& arguments, const Contact& contact) {
  const std::uint8_t choice = arguments.byte();
  std::array<std::uint8_t, 16> last;
  last.fill(0xff);
  switch (choice % 8) {
    case 0: return contact.lease();
    case 1: return contact.lease6();
    case 2: return IpAddress::v4(0);
    case 3: return IpAddress::v4(0xffffffff);
    case 4: return IpAddress::v6(std::array<std::uint8_t, 16>{});
    case 5: return IpAddress::v6(last);
    case 6: return IpAddress::v4(0x0a080000u + choice / 8);
    default: return IpAddress::v4(static_cast<std::uint32_t>(read_number(arguments)));
  }
}

void write_address(ByteWriter& out, const IpAddress& address) {
  if (address.is_v6()) {
    out.append(address.bytes());
  } else {
    out.be32(address.v4_number());
  }
}

// Entries of ADDRESS_ASSIGN and ADDRESS_REQUEST: a prefix length of 0 stands for the longest, N for
// N - 1.
ByteVector write_addresses(ByteReader& arguments, const Contact& contact) {
  ByteWriter value;
  for (unsigned count = 1 + arguments.byte() % 4u; count > 0; --count) {
    value.varint(read_number(arguments));
    const IpAddress address = read_address(arguments, contact);
    value.byte(address.is_v4() ? 4 : 6);
    write_address(value, address);
    const std::uint8_t length = arguments.byte();
    value.byte(length == 0 ? address.bit_length() : length - 1u);
  }
  return value.bytes;
}

ByteVector write_ranges(ByteReader& arguments, const Contact& contact) {
  ByteWriter value;
  for (unsigned count = 1 + arguments.byte() % 4u; count > 0; --count) {
    const IpAddress first = read_address(arguments, contact);
    value.byte(first.is_v4() ? 4 : 6);
    write_address(value, first);
    write_address(value, read_address(arguments, contact));
    value.byte(arguments.byte());
  }
  return value.bytes;
}

}  // namespace

ByteVector write_frames(ByteReader& arguments, Contact& contact) {
  ByteWriter out;
  while (!arguments.empty() && out.bytes.size() < kMostBytes) {
    const std::uint8_t choice = arguments.byte();
    const std::size_t index = choice % kChoices;
    const unsigned repeats = 1u + (choice >> 5) * (choice >> 5);
    if (index == kRaw) {  // whatever follows
      const Bytes piece = arguments.take(arguments.byte());
      out.append(piece);
    } else if (index == kUnknown) {  // an unknown type, perhaps in more bytes than it needs
      out.varint(read_number(arguments));
    } else if (index == kPadding) {
      out.bytes.resize(out.bytes.size() + std::min<std::uint64_t>(read_number(arguments), 1400));
    } else if (index == kOnStream) {  // on a stream, where its next byte belongs
      const std::uint64_t id = read_number(arguments);
      out.append(contact.stream_frame(id, arguments.take(arguments.byte()), choice >= 0x80));
    } else {
      const Form& form = kForms[index];
      const Bytes fields = arguments.rest();
      for (unsigned i = 0; i < repeats && out.bytes.size() < kMostBytes; ++i) {
        // The same fields again, but for NEW_CONNECTION_ID and RETIRE, whose number grows.
        ByteReader again(fields);
        ByteWriter frame;
        const std::uint64_t first = read_number(again);
        ByteReader from_start(fields);
        frame.varint(form.type);
        if (i > 0 && !form.fields.empty() && form.fields[0] == 'n') {
          frame.varint(first + i);
          write_fields(form.fields.substr(1), again, contact, frame);
        } else {
          write_fields(form.fields, from_start, contact, frame);
          again = from_start;
        }
        out.append(frame.bytes);
        if (i + 1 == repeats) arguments = again;
      }
    }
  }
  return out.bytes;
}

ByteVector write_packet(ByteReader& arguments, const Contact& contact, bool is_turned) {
  const bool is_up = (contact.role() == Role::kClient) != is_turned;
  const std::uint8_t kind = arguments.byte() % 8;
  const std::size_t bytes = 28 + read_number(arguments) % 4000;
  const bool is_v6 = kind == 6;
  const IpAddress inside = is_v6 ? contact.lease6() : contact.lease();
  const IpAddress outside = is_v6 ? testing::kInternet6 : testing::kInternet;
  ByteVector packet = testing::udp_packet(is_up ? inside : outside, is_up ? outside : inside,
                                          bytes + (is_v6 ? 20 : 0), 0, kind == 7);
  if (kind == 4) open_tcp(packet);
  if (kind == 5) packet[9] = wire::kProtocolIcmp;
  change(packet, arguments);
  return packet;
}

ByteVector write_capsules(ByteReader& arguments, Contact& contact) {
  ByteVector out;
  while (!arguments.empty() && out.size() < kMostBytes) {
    const std::uint8_t choice = arguments.byte();
    switch (choice % 8) {
      case 0:
      case 1: wire::append_capsule(out, 1 + choice % 8, write_addresses(arguments, contact)); break;
      case 2: wire::append_capsule(out, 3, write_ranges(arguments, contact)); break;
      case 3: {  // an inner datagram
        const std::uint8_t type = arguments.byte() % 8;
        ByteReader piece(arguments.take(arguments.byte()));
        const ByteVector content = choice >= 0x80
                                       ? ByteVector(piece.rest().begin(), piece.rest().end())
                                       : write_packet(piece, contact, false);
        const ByteVector datagram = contact.datagram(0, type, 0, false, content);
        wire::append_capsule(out, 0, Bytes(datagram).subspan(1));
        break;
      }
      case 4: {  // any type and length, whatever follows
        ByteWriter capsule;
        capsule.varint(read_number(arguments)).varint(read_number(arguments));
        capsule.append(arguments.take(arguments.byte()));
        out.insert(out.end(), capsule.bytes.begin(), capsule.bytes.end());
        break;
      }
      case 5: {  // a long one
        const std::uint64_t type = read_number(arguments);
        wire::append_capsule(out, type, ByteVector(read_number(arguments) % 20'000, 0x5a));
        break;
      }
      case 6: {  // one request behind another
        const std::uint64_t first = read_number(arguments);
        ByteWriter value;
        for (std::uint64_t i = 0; i < 1 + choice / 8u * 4u; ++i) {
          value.varint(first + i).byte(4).be32(0).byte(32);
        }
        wire::append_capsule(out, 2, value.bytes);
        break;
      }
      default: {
        const Bytes piece = arguments.take(arguments.byte());
        out.insert(out.end(), piece.begin(), piece.end());
        break;
      }
    }
  }
  return out;
}

std::string write_session_pieces(ByteReader& arguments) {
  constexpr std::string_view kPieces[] = {
      "v=2",
      ", ",
      "nonce=:AAAAAAAAAAAAAAAAAAAAAA==:",
      "caps=(ping close fragment aes-256-gcm resume direct shared_id sealed)",
      "mtu=1350",
      "direct=(:AAAAAAAAAAE=: :AAAAAAAAAAI=:)",
      "resume=\"token\"",
      "name=\"n\"",
      "gateway=(\"10.8.0.1\" \"fd00:8::1\")",
      "pool=(\"10.8.0.0/24\" \"fd00:8::/64\")",
      "dns=(\"1.1.1.1\" \"2606:4700::1\")",
      "domains=(\"example.com\")",
      "key=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:",
      "proof=:AA==:",
      "caps=()",
      "caps=(ping)",
      "mtu=",
      "576",
      "65535",
      "-1",
      "1.5",
      ";a=1",
      ";a",
      "=?0",
      "(",
      ")",
      "\"",
      "\\",
      ":",
      "=",
      ",",
      "\t",
      "v",
      "999999999999999",
      "direct",
      "sealed"};
  std::string field;
  while (!arguments.empty() && field.size() < kMostBytes) {
    const std::uint8_t choice = arguments.byte();
    if (choice < std::size(kPieces)) {
      field += kPieces[choice];
    } else if (choice < 0x80) {
      field.push_back(static_cast<char>(choice));
    } else {
      field.append(std::size_t{1} << (choice % 12), 'a');
    }
  }
  return field;
}

ByteVector write_direct_frames(ByteReader& arguments, const Contact& contact, Timestamp now) {
  ByteWriter out;
  while (!arguments.empty() && out.bytes.size() < kMostBytes) {
    switch (arguments.byte() % 8) {
      case 0: {
        ByteReader piece(arguments.take(arguments.byte()));
        out.append(write_packet(piece, contact, false));
        break;
      }
      case 1: {
        const std::array<std::uint64_t, 6> more = {read_number(arguments), read_number(arguments),
                                                   read_number(arguments), read_number(arguments),
                                                   read_number(arguments), read_number(arguments)};
        wire::Feedback feedback = contact.feedback(now);
        feedback.highest += more[0];
        feedback.arrived_us += static_cast<std::uint32_t>(more[1]);
        feedback.held_us += static_cast<std::uint32_t>(more[2]);
        feedback.packets += static_cast<std::uint32_t>(more[3]);
        feedback.bytes += more[4];
        feedback.marked += static_cast<std::uint32_t>(more[5]);
        out.append(wire::encode_feedback(feedback));
        break;
      }
      case 2: {
        wire::PingCookie cookie;
        cookie.fill(arguments.byte());
        out.append(wire::encode_ping(wire::DirectFrameType::kPing, cookie));
        break;
      }
      case 3: {
        wire::PingCookie cookie;
        cookie.fill(arguments.byte());
        out.append(wire::encode_ping(wire::DirectFrameType::kPong, cookie));
        break;
      }
      case 4: {  // fragment: number, offset, total
        out.byte(1).be32(static_cast<std::uint32_t>(read_number(arguments)));
        out.be32(static_cast<std::uint32_t>(read_number(arguments)));
        out.be32(static_cast<std::uint32_t>(read_number(arguments)));
        out.append(arguments.take(arguments.byte()));
        break;
      }
      case 5: out.append(wire::encode_feedback(contact.feedback(now))); break;
      case 6: out.append(arguments.take(arguments.byte())); break;
      case 7: out.byte(arguments.byte()); break;
    }
  }
  return out.bytes;
}

}  // namespace qdt::fuzz
