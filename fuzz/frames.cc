#include "frames.h"

#include <algorithm>

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
