#include "users/contents_code.h"

#include "base/archive.h"

namespace qdt::users {
namespace {

// Of this namespace, so that the fields of base/archive.h find those below.
class Writer : public MessageWriter {
  using MessageWriter::MessageWriter;
};
class Reader : public MessageReader {
  using MessageReader::MessageReader;
};

constexpr std::size_t kMaxBytes = 200 << 20;
constexpr std::size_t kMaxTextBytes = 4096;  // a token's, and more than a name's

template <typename Archive>
void field(Archive& archive, std::int64_t& time) {
  auto number = static_cast<std::uint64_t>(time);
  archive(number);
  time = static_cast<std::int64_t>(number);
}

template <typename Archive>
void field(Archive& archive, access::Device::Login& login) {
  field(archive, login.name, kMaxTextBytes);
  field(archive, login.secret_digest);
}

template <typename Archive>
void field(Archive& archive, Quota& quota) {
  field(archive, quota.bytes);
  as<std::uint8_t>(archive, quota.reset_day, 28);
  field(archive, quota.then);
}

template <typename Archive>
void field(Archive& archive, Limits& limits) {
  field(archive, limits.up);
  field(archive, limits.down);
  field(archive, limits.quota);
  field(archive, limits.max_devices);
  field(archive, limits.max_sessions);
  list(archive, limits.allowed, kMaxAllowed);
}

template <typename Archive>
void field(Archive& archive, Device& device) {
  field(archive, device.id);
  field(archive, device.name, kMaxTextBytes);
  field(archive, device.key);
  field(archive, device.psk);
  field(archive, device.token, kMaxTextBytes);
  field(archive, device.login);
  field(archive, device.address);
  field(archive, device.address6);
  field(archive, device.created);
  archive(device.is_locked);
}

template <typename Archive>
void field(Archive& archive, Ticket& ticket) {
  field(archive, ticket.id);
  field(archive, ticket.key);
  field(archive, ticket.created);
  field(archive, ticket.expires);
  field(archive, ticket.device);
}

template <typename Archive>
void field(Archive& archive, User& user) {
  field(archive, user.id);
  field(archive, user.name, kMaxTextBytes);
  archive(user.is_enabled);
  field(archive, user.expires);
  field(archive, user.group, kMaxTextBytes);
  field(archive, user.limits);
  field(archive, user.created);
  list(archive, user.devices, kMaxDevicesOfUser);
  list(archive, user.tickets, kMaxTicketsOfUser);
}

template <typename Archive>
void field(Archive& archive, Group& group) {
  field(archive, group.name, kMaxTextBytes);
  field(archive, group.limits);
}

template <typename Archive>
void field(Archive& archive, Contents& contents) {
  field(archive, contents.revision);
  list<std::uint32_t>(archive, contents.users, kMaxUsers);
  list(archive, contents.groups, kMaxGroups);
  as<std::uint32_t>(archive, contents.locked_devices, UINT32_MAX);
}

constexpr std::size_t kMaxCounts = 10'000;

template <typename Archive>
void field(Archive& archive, Usage& usage) {
  field(archive, usage.user);
  field(archive, usage.device);
  as<std::uint32_t>(archive, usage.period, INT32_MAX);
  field(archive, usage.node, kMaxTextBytes);
  field(archive, usage.epoch);
  field(archive, usage.up);
  field(archive, usage.down);
}

template <typename Archive>
void field(Archive& archive, DayUsage& usage) {
  field(archive, usage.user);
  as<std::uint32_t>(archive, usage.day, INT32_MAX);
  field(archive, usage.node, kMaxTextBytes);
  field(archive, usage.epoch);
  field(archive, usage.bytes);
}

template <typename Archive>
void field(Archive& archive, Counts& counts) {
  list(archive, counts.usage, kMaxCounts, [&](Usage& one) { field(archive, one); });
  list(archive, counts.days, kMaxCounts, [&](DayUsage& one) { field(archive, one); });
  list(archive, counts.sightings, kMaxCounts, [&](Sighting& one) {
    field(archive, one.device);
    field(archive, one.at);
  });
}

template <typename Archive>
void field(Archive& archive, std::vector<QuotaUse>& uses) {
  list<std::uint32_t>(archive, uses, kMaxUsers, [&](QuotaUse& one) {
    field(archive, one.user);
    field(archive, one.begin);
    field(archive, one.bytes);
  });
}

template <typename Message>
std::string encode(const Message& message) {
  Writer writer(kMaxBytes);
  field(writer, const_cast<Message&>(message));  // a writer changes nothing
  return writer.is_good() ? std::string(as_text(writer.take())) : std::string();
}

template <typename Message>
std::optional<Message> decode(std::string_view bytes) {
  Reader reader(as_bytes(bytes));
  Message message;
  field(reader, message);
  if (!reader.is_at_end()) return std::nullopt;
  return message;
}

}  // namespace

std::string encode_contents(const Contents& contents) {
  return encode(contents);
}

std::optional<Contents> decode_contents(std::string_view bytes) {
  return decode<Contents>(bytes);
}

std::string encode_counts(const Counts& counts) {
  return encode(counts);
}

std::optional<Counts> decode_counts(std::string_view bytes) {
  return decode<Counts>(bytes);
}

std::string encode_quota_uses(const std::vector<QuotaUse>& uses) {
  return encode(uses);
}

std::optional<std::vector<QuotaUse>> decode_quota_uses(std::string_view bytes) {
  return decode<std::vector<QuotaUse>>(bytes);
}

}  // namespace qdt::users
