#include "access/user_table.h"

#include <algorithm>
#include <bit>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/bytes.h"
#include "wire/hkdf.h"
#include "wire/seal.h"

namespace qdt::access {
namespace {

// The device's name stays.
void use_token(Device& device) {
  Device made = token_device(device.token);
  device.key = made.key;
  device.psk = made.psk;
  device.server_seed = made.server_seed;
}

using Users = std::unordered_map<std::string_view, const User*>;

// By their names.
Users users_of(const UserTable* before) {
  Users users;
  if (before == nullptr) return users;
  for (const auto& user : before->users()) users.emplace(user->name, user.get());
  return users;
}

std::shared_ptr<Meter> find_meter(const User& user, std::uint64_t device) {
  const auto found =
      std::ranges::find(user.meters, device, [](const auto& meter) { return meter->device(); });
  return found == user.meters.end() ? nullptr : *found;
}

// Of one user, whom `before` is, if not null and the same in the store.
void add_meters(User& user, const User* before) {
  if (before != nullptr && before->id != user.id) before = nullptr;
  for (const Device& device : user.devices) {
    if (device.is_ticket || find_meter(user, device.id)) continue;
    auto meter = before == nullptr ? nullptr : find_meter(*before, device.id);
    if (!meter) meter = std::make_shared<Meter>(user.id, device.id);
    user.meters.push_back(std::move(meter));
  }
}

}  // namespace

std::shared_ptr<Meter> User::meter_of(const Device* device) const {
  if (device == nullptr) return find_meter(*this, 0);
  return device->is_ticket ? nullptr : find_meter(*this, device->id);
}

Device token_device(std::string_view token) {
  const wire::TokenKeys keys = wire::derive_token_keys(token);
  return {.name = {},
          .token = {},
          .key = wire::Ed25519Key(keys.client).public_key(),
          .psk = keys.psk,
          .server_seed = keys.server,
          .login = {}};
}

Result<UserTable::Snapshot> UserTable::create(std::span<const Entry> entries, const Key& key,
                                              const UserTable* before) {
  std::shared_ptr<UserTable> table(new UserTable(key));
  const Users users_before = users_of(before);
  std::set<std::string_view> names;
  std::set<wire::HkdfSecret> known;
  std::vector<wire::HkdfSecret> digests;
  const auto add = [&](const wire::HkdfSecret& digest, const Owner& owner) {
    digests.push_back(digest);
    table->owners_.push_back(owner);
    return known.insert(digest).second;
  };
  for (const Entry& entry : entries) {
    const auto refuse = [&](std::string_view what) {
      return fail("the user " + entry.name + " has the " + std::string(what) + " of another");
    };
    if (entry.token.empty() && entry.devices.empty()) {
      return fail("the user \"" + entry.name + "\" has neither a token nor a device");
    }
    if (!names.insert(entry.name).second) {
      return fail(entry.name.empty() ? "two users have no name"
                                     : "two users are named " + entry.name);
    }
    const auto number = static_cast<std::uint32_t>(table->users_.size());
    const auto same = users_before.find(entry.name);
    const User* const user_before = same == users_before.end() ? nullptr : same->second;
    User user{
        .name = entry.name,
        .devices = entry.devices,
        .limits = entry.limits,
        .account = user_before != nullptr ? user_before->account : std::make_shared<Account>(),
        .id = entry.id,
        .meters = {}};
    if (!entry.token.empty()) {
      if (!add(table->digest_of(Credential(entry.token)), {.user = number, .device = {}})) {
        return refuse("token");
      }
      user.devices.push_back(token_device(entry.token));
    }
    for (std::uint32_t i = 0; i < user.devices.size(); ++i) {
      Device& device = user.devices[i];
      const Owner owner{.user = number, .device = i};
      if (!device.token.empty()) {
        if (!add(table->digest_of(Credential(device.token)), owner)) return refuse("token");
        if (!device.key) use_token(device);
        wire::wipe({reinterpret_cast<std::uint8_t*>(device.token.data()), device.token.size()});
        device.token.clear();
      }
      if (device.key && !add(table->digest_of(Credential::of_key(*device.key)), owner)) {
        return refuse("key");
      }
      if (device.login && !add(table->digest_of(*device.login), owner)) return refuse("login");
    }
    add_meters(user, user_before);
    table->users_.push_back(std::make_shared<const User>(std::move(user)));
  }
  // Digests are random: with one place in eight taken, hardly a bucket is too small.
  std::size_t buckets = std::bit_ceil(std::max<std::size_t>(digests.size(), 1));
  while (!table->place(digests, buckets)) buckets *= 2;
  return table;
}

bool UserTable::place(std::span<const wire::HkdfSecret> digests, std::size_t buckets) {
  buckets_.assign(buckets, {});
  for (std::size_t i = 0; i < digests.size(); ++i) {
    Bucket& bucket = buckets_[bucket_of(digests[i])];
    const auto free = std::ranges::find(bucket, 0U, &Place::owner);
    if (free == bucket.end()) return false;
    *free = {.digest = digests[i], .owner = static_cast<std::uint32_t>(i + 1)};
  }
  return true;
}

UserTable::Match UserTable::find(const Credential& credential) const {
  const wire::HkdfSecret digest = digest_of(credential);
  std::uint32_t number = 0;
  for (const Place& place : buckets_[bucket_of(digest)]) {
    const std::uint32_t is_it = wire::digests_match(place.digest, digest) ? 1 : 0;
    number |= place.owner * is_it;
  }
  if (number == 0) return {};
  const Owner& owner = owners_[number - 1];
  const auto& user = users_[owner.user];
  return {.user = user, .device = owner.device ? &user->devices[*owner.device] : nullptr};
}

std::vector<UserTable::Usage> UserTable::usage() const {
  std::vector<Usage> all;
  for (const auto& user : users_) {
    all.push_back({.name = user->name,
                   .sessions = user->account->sessions(),
                   .traffic = user->account->traffic()});
  }
  return all;
}

// HKDF-Extract is HMAC-SHA256 (RFC 5869 section 2.2). Of a login, the table knows the secret's
// digest alone.
wire::HkdfSecret UserTable::digest_of(const Credential& credential) const {
  if (credential.kind() == Credential::Kind::kSecret) {
    const std::string_view text = credential.bytes();
    const std::size_t end = text.find('\0');
    return digest_of(Device::Login{.name = std::string(text.substr(0, end)),
                                   .secret_digest = wire::secret_digest(text.substr(end + 1))});
  }
  return digest_of(credential.kind(), as_bytes(credential.bytes()));
}

wire::HkdfSecret UserTable::digest_of(const Device::Login& login) const {
  std::string text = login.name + '\0';
  text += as_text(login.secret_digest);
  return digest_of(Credential::Kind::kSecret, as_bytes(text));
}

wire::HkdfSecret UserTable::digest_of(Credential::Kind kind, Bytes bytes) const {
  std::vector<std::uint8_t> input(1 + bytes.size(), static_cast<std::uint8_t>(kind));
  append(MutableBytes(input).subspan(1), bytes);
  const wire::HkdfSecret digest = wire::hkdf_extract(key_, input);
  wire::wipe(input);
  return digest;
}

std::size_t UserTable::bucket_of(const wire::HkdfSecret& digest) const {
  return load_be<std::uint64_t>(digest.data()) & (buckets_.size() - 1);
}

}  // namespace qdt::access
