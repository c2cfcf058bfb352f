#include "users/sqlite_store.h"

#include <algorithm>
#include <map>
#include <utility>

#include "users/database.h"
#include "users/sealer.h"
#include "users/sqlite_open.h"
#include "users/text.h"
#include "wire/base64.h"
#include "wire/seal.h"

namespace qdt::users {
namespace {

template <std::size_t N>
std::optional<std::array<std::uint8_t, N>> decode(const std::string& text) {
  const auto bytes = wire::decode_base64(text);
  std::array<std::uint8_t, N> out{};
  if (!bytes || bytes->size() != N) return std::nullopt;
  std::ranges::copy(*bytes, out.begin());
  return out;
}

std::string prefixes_text(const std::vector<Prefix>& prefixes) {
  std::string text;
  for (const Prefix& prefix : prefixes) text += (text.empty() ? "" : ",") + prefix.to_string();
  return text;
}

std::vector<Prefix> parse_prefixes(std::string_view text) {
  std::vector<Prefix> prefixes;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(','), text.size());
    if (const auto prefix = Prefix::parse(text.substr(0, end))) prefixes.push_back(*prefix);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return prefixes;
}

// The eight columns of limits, from `column` on.
Limits limits_of(const Row& row, int column) {
  Limits limits{.up = row.optional_count(column), .down = row.optional_count(column + 1)};
  if (!row.is_null(column + 2)) {
    limits.quota = Quota{.bytes = row.count(column + 2),
                         .reset_day = static_cast<int>(row.number(column + 3)),
                         .then = row.optional_count(column + 4)};
  }
  limits.max_devices = row.optional_count(column + 5);
  limits.max_sessions = row.optional_count(column + 6);
  limits.allowed = parse_prefixes(row.text(column + 7));
  return limits;
}

struct QuotaColumns {
  explicit QuotaColumns(const std::optional<Quota>& quota) {
    if (!quota) return;
    bytes = quota->bytes;
    reset_day = static_cast<std::uint64_t>(quota->reset_day);
    then = quota->then;
  }
  std::optional<std::uint64_t> bytes, reset_day, then;
};

std::string place_of(std::string_view kind, std::uint64_t device) {
  return "qdt 1 " + std::string(kind) + " " + std::to_string(device);
}

std::unexpected<Error> refuse(std::string message) {
  return fail(std::move(message), ErrorCode::kInvalidArgument);
}

Result<void> check_limits(const std::string& of, const Limits& limits) {
  const bool has_good_day =
      !limits.quota || (limits.quota->reset_day >= 1 && limits.quota->reset_day <= 28);
  if (!has_good_day) return refuse(of + ": the reset day of a quota is 1 to 28");
  if (limits.allowed.size() > kMaxAllowed) {
    return refuse(of + ": more than " + std::to_string(kMaxAllowed) + " allowed destinations");
  }
  if (limits.max_devices == 0u || limits.max_sessions == 0u) {
    return refuse(of + ": 0 devices or sessions at most: disable the user instead");
  }
  return {};
}

constexpr const char* kUserColumns =
    "SELECT id, name, is_enabled, expires, group_name, created, up, down, quota_bytes, "
    "quota_reset_day, quota_then, max_devices, max_sessions, allowed FROM users";
constexpr const char* kDeviceColumns =
    "SELECT id, user_id, name, created, public_key, sealed_psk, sealed_token, login_name, "
    "login_digest, address, address6 FROM devices";
constexpr const char* kTicketColumns =
    "SELECT id, user_id, public_key, created, expires, device_id FROM tickets";

class SqliteStore final : public Store, private Edit {
 public:
  SqliteStore(std::unique_ptr<Database> database, const SqliteFile& file, Random& random)
      : database_(std::move(database)), path_(file.path), sealer_(file.key_path, random) {}

  Result<std::uint64_t> revision() override {
    if (const auto ok = check_place(); !ok) return fail(ok);
    const auto revision = database_->find("SELECT revision FROM store");
    if (!revision) return fail(revision);
    if (!*revision) return fail(path_ + ": it has no revision", ErrorCode::kIo);
    return static_cast<std::uint64_t>(**revision);
  }

  Result<Contents> read() override {
    // All of it at one revision.
    if (const auto begun = database_->run("BEGIN"); !begun) return fail(begun);
    auto contents = read_all();
    [[maybe_unused]] const auto done = database_->run("ROLLBACK");
    return contents;
  }

  Result<std::uint64_t> change(const Deed& deed,
                               const std::function<Result<void>(Edit&)>& work) override {
    if (const auto ok = check_place(); !ok) return fail(ok);
    auto transaction = Transaction::begin(*database_);
    if (!transaction) return fail(transaction);
    if (const auto ok = work(*this); !ok) return fail(ok);
    if (const auto ok = database_->run("UPDATE store SET revision = revision + 1"); !ok) {
      return fail(ok);
    }
    if (const auto ok = write_down(deed); !ok) return fail(ok);
    const auto revision = this->revision();
    if (!revision) return revision;
    if (const auto ok = transaction->commit(); !ok) return fail(ok);
    return revision;
  }

  // Its numbers may be sent again: SQLite need not wait for the disk.
  Result<void> count(const Counts& counts) override {
    if (counts.is_empty()) return {};
    if (const auto ok = check_place(); !ok) return ok;
    if (const auto ok = database_->run("PRAGMA synchronous = NORMAL"); !ok) return ok;
    auto counted = count_all(counts);
    if (const auto ok = database_->run("PRAGMA synchronous = FULL"); !ok) return ok;
    return counted;
  }

  Result<std::vector<Usage>> usage(int period, OneUser user) override {
    std::vector<Usage> all;
    const auto ok = each_of(
        user,
        "SELECT user_id, device_id, period, node, epoch, up, down FROM usage WHERE period = ? "
        "ORDER BY user_id, device_id",
        "SELECT user_id, device_id, period, node, epoch, up, down FROM usage WHERE period = ? "
        "AND user_id = ? ORDER BY device_id",
        [&](const Row& row) {
          all.push_back({.user = row.count(0),
                         .device = row.count(1),
                         .period = static_cast<int>(row.number(2)),
                         .node = row.text(3),
                         .epoch = row.count(4),
                         .up = row.count(5),
                         .down = row.count(6)});
        },
        period);
    if (!ok) return fail(ok);
    return all;
  }

  Result<std::vector<DayUsage>> days(int first_day, OneUser user) override {
    std::vector<DayUsage> all;
    const auto ok = each_of(
        user,
        "SELECT user_id, day, SUM(bytes) FROM usage_days WHERE day >= ? GROUP BY user_id, day "
        "ORDER BY user_id, day",
        "SELECT user_id, day, SUM(bytes) FROM usage_days WHERE day >= ? AND user_id = ? "
        "GROUP BY user_id, day ORDER BY day",
        [&](const Row& row) {
          all.push_back({.user = row.count(0),
                         .day = static_cast<int>(row.number(1)),
                         .node = {},
                         .bytes = row.count(2)});
        },
        first_day);
    if (!ok) return fail(ok);
    return all;
  }

  Result<std::vector<Sighting>> sightings(OneUser user) override {
    std::vector<Sighting> all;
    const auto ok = each_of(
        user, "SELECT device_id, at FROM sightings ORDER BY device_id",
        "SELECT device_id, at FROM sightings WHERE device_id IN "
        "(SELECT id FROM devices WHERE user_id = ?) ORDER BY device_id",
        [&](const Row& row) { all.push_back({.device = row.count(0), .at = row.number(1)}); });
    if (!ok) return fail(ok);
    return all;
  }

  Result<std::vector<Deed>> deeds(std::size_t most) override {
    std::vector<Deed> all;
    const auto ok = database_->each(
        "SELECT at, who, what FROM deeds ORDER BY number DESC LIMIT ?",
        [&](const Row& row) {
          all.push_back({.at = row.number(0), .who = row.text(1), .what = row.text(2)});
        },
        static_cast<std::uint64_t>(most));
    if (!ok) return fail(ok);
    return all;
  }

 private:
  // The user is the last parameter of the second statement.
  template <typename Read, typename... Values>
  Result<void> each_of(OneUser user, const char* of_all, const char* of_one, Read read,
                       const Values&... values) {
    return user ? database_->each(of_one, read, values..., *user)
                : database_->each(of_all, read, values...);
  }

  // What is written to a file that was deleted, or has given way to another, would be lost.
  Result<void> check_place() const {
    if (!database_->was_moved()) return {};
    return fail(path_ +
                    ": it was deleted or replaced while it was open; put it back, or go on "
                    "with what is there now: restart the server",
                ErrorCode::kUnavailable);
  }

  Result<Contents> read_all() {
    Contents contents;
    const auto revision = this->revision();
    if (!revision) return fail(revision);
    contents.revision = *revision;
    std::map<std::uint64_t, std::size_t> places;
    auto ok = database_->each(read_users_sql(), [&](const Row& row) {
      places.emplace(row.count(0), contents.users.size());
      contents.users.push_back(user_of(row));
    });
    if (!ok) return fail(ok);
    ok = database_->each(read_devices_sql(), [&](const Row& row) {
      const auto place = places.find(row.count(1));
      if (place == places.end()) return;
      Device device = device_of(row);
      if (device.is_locked) ++contents.locked_devices;
      contents.users[place->second].devices.push_back(std::move(device));
    });
    if (!ok) return fail(ok);
    ok = database_->each(kTicketColumns, [&](const Row& row) {
      const auto place = places.find(row.count(1));
      if (place != places.end()) contents.users[place->second].tickets.push_back(ticket_of(row));
    });
    if (!ok) return fail(ok);
    ok = database_->each(
        "SELECT name, up, down, quota_bytes, quota_reset_day, quota_then, max_devices, "
        "max_sessions, allowed FROM groups ORDER BY name",
        [&](const Row& row) {
          contents.groups.push_back({.name = row.text(0), .limits = limits_of(row, 1)});
        });
    if (!ok) return fail(ok);
    return contents;
  }

  static const char* read_users_sql() {
    static const std::string sql = std::string(kUserColumns) + " ORDER BY name";
    return sql.c_str();
  }
  static const char* read_devices_sql() {
    static const std::string sql = std::string(kDeviceColumns) + " ORDER BY user_id, name";
    return sql.c_str();
  }

  static User user_of(const Row& row) {
    User user{.id = row.count(0),
              .name = row.text(1),
              .is_enabled = row.number(2) != 0,
              .group = row.text(4),
              .limits = limits_of(row, 6),
              .created = row.number(5)};
    if (!row.is_null(3)) user.expires = row.number(3);
    return user;
  }

  static Ticket ticket_of(const Row& row) {
    return {.id = row.count(0),
            .key = decode<wire::kEd25519KeyBytes>(row.text(2)).value_or(wire::Ed25519PublicKey{}),
            .created = row.number(3),
            .expires = row.number(4),
            .device = row.count(5)};
  }

  Device device_of(const Row& row) {
    Device device{.id = row.count(0), .name = row.text(2), .created = row.number(3)};
    if (!row.is_null(4)) device.key = decode<wire::kEd25519KeyBytes>(row.text(4));
    if (!row.is_null(5)) {
      const auto psk = sealer_.open(place_of("psk", device.id), row.text(5));
      device.is_locked = !psk || psk->size() != wire::PresharedKey{}.size();
      if (!device.is_locked) std::ranges::copy(*psk, device.psk.emplace().begin());
    }
    if (!row.is_null(6)) {
      const auto token = sealer_.open(place_of("token", device.id), row.text(6));
      device.is_locked = device.is_locked || !token;
      device.token = token.value_or("");
    }
    if (!row.is_null(8)) {
      const auto digest = decode<32>(row.text(8));
      if (digest) device.login = {.name = row.text(7), .secret_digest = *digest};
    }
    if (const auto address = IpAddress::parse(row.text(9))) device.address = *address;
    if (const auto address = IpAddress::parse(row.text(10))) device.address6 = *address;
    return device;
  }

  Result<void> count_all(const Counts& counts) {
    auto transaction = Transaction::begin(*database_);
    if (!transaction) return fail(transaction);
    if (const auto ok = count_months(counts.usage); !ok) return ok;
    if (const auto ok = count_days(counts.days); !ok) return ok;
    for (const Sighting& one : counts.sightings) {
      const auto ok = database_->run(
          "INSERT INTO sightings (device_id, at) SELECT ?1, ?2 "
          "WHERE EXISTS (SELECT 1 FROM devices WHERE id = ?1) "
          "ON CONFLICT (device_id) DO UPDATE SET at = excluded.at",
          one.device, one.at);
      if (!ok) return ok;
    }
    return transaction->commit();
  }

  Result<void> count_months(std::span<const Usage> usage) {
    for (const Usage& one : usage) {
      const auto ok = database_->run(
          "INSERT INTO usage (user_id, device_id, period, node, epoch, up, down) "
          "SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7 "
          "WHERE ?1 = 0 OR EXISTS (SELECT 1 FROM users WHERE id = ?1) "
          "ON CONFLICT (period, user_id, device_id, node, epoch) DO UPDATE SET "
          "up = CASE WHEN excluded.up > usage.up THEN excluded.up ELSE usage.up END, "
          "down = CASE WHEN excluded.down > usage.down THEN excluded.down ELSE usage.down END",
          one.user, one.device, one.period, one.node, one.epoch, one.up, one.down);
      if (!ok) return ok;
    }
    return {};
  }

  Result<void> count_days(std::span<const DayUsage> days) {
    bool is_new = false;
    for (const DayUsage& one : days) {
      const auto ok = database_->run(
          "INSERT INTO usage_days (user_id, day, node, epoch, bytes) SELECT ?1, ?2, ?3, ?4, ?5 "
          "WHERE ?1 = 0 OR EXISTS (SELECT 1 FROM users WHERE id = ?1) "
          "ON CONFLICT (user_id, day, node, epoch) DO UPDATE SET "
          "bytes = CASE WHEN excluded.bytes > usage_days.bytes THEN excluded.bytes "
          "ELSE usage_days.bytes END",
          one.user, one.day, one.node, one.epoch, one.bytes);
      if (!ok) return ok;
      is_new |= std::exchange(latest_day_, one.day) != one.day;
    }
    return is_new ? forget_old_days() : Result<void>();
  }

  // By what is there and not by a clock, which may be years ahead for a while.
  Result<void> forget_old_days() {
    return database_->run(
        "DELETE FROM usage_days WHERE day < (SELECT MIN(day) FROM "
        "(SELECT DISTINCT day FROM usage_days ORDER BY day DESC LIMIT ?) AS latest)",
        static_cast<std::uint64_t>(kDaysKept));
  }

  Result<void> write_down(const Deed& deed) {
    auto ok =
        database_->run("INSERT INTO deeds SELECT COALESCE(MAX(number), 0) + 1, ?, ?, ? FROM deeds",
                       deed.at, deed.who, deed.what);
    if (!ok) return ok;
    return database_->run("DELETE FROM deeds WHERE number <= (SELECT MAX(number) FROM deeds) - ?",
                          static_cast<std::uint64_t>(kMaxDeeds));
  }

  // --- Edit ---

  Result<std::optional<User>> find_user(std::string_view name) override {
    static const std::string sql = std::string(kUserColumns) + " WHERE name = ?";
    return read_user(sql.c_str(), name);
  }
  Result<std::optional<User>> find_owner(std::uint64_t device) override {
    static const std::string sql = std::string(kUserColumns) +
                                   " WHERE id = (SELECT user_id FROM devices WHERE devices.id = ?)";
    return read_user(sql.c_str(), device);
  }

  Result<std::optional<User>> find_invited(std::uint64_t ticket) override {
    static const std::string sql = std::string(kUserColumns) +
                                   " WHERE id = (SELECT user_id FROM tickets WHERE tickets.id = ?)";
    return read_user(sql.c_str(), ticket);
  }

  template <typename Value>
  Result<std::optional<User>> read_user(const char* sql, const Value& value) {
    static const std::string of_user =
        std::string(kDeviceColumns) + " WHERE user_id = ? ORDER BY name";
    std::optional<User> user;
    auto ok = database_->each(sql, [&](const Row& row) { user = user_of(row); }, value);
    if (!ok) return fail(ok);
    if (!user) return user;
    ok = database_->each(
        of_user.c_str(), [&](const Row& row) { user->devices.push_back(device_of(row)); },
        user->id);
    if (!ok) return fail(ok);
    static const std::string its_tickets =
        std::string(kTicketColumns) + " WHERE user_id = ? ORDER BY created, id";
    ok = database_->each(
        its_tickets.c_str(), [&](const Row& row) { user->tickets.push_back(ticket_of(row)); },
        user->id);
    if (!ok) return fail(ok);
    return user;
  }

  Result<std::optional<Group>> find_group(std::string_view name) override {
    std::optional<Group> group;
    const auto ok = database_->each(
        "SELECT name, up, down, quota_bytes, quota_reset_day, quota_then, max_devices, "
        "max_sessions, allowed FROM groups WHERE name = ?",
        [&](const Row& row) { group = {.name = row.text(0), .limits = limits_of(row, 1)}; }, name);
    if (!ok) return fail(ok);
    return group;
  }

  Result<void> put_user(const User& user) override {
    if (const auto ok = check_user(user); !ok) return ok;
    const QuotaColumns quota(user.limits.quota);
    const Limits& limits = user.limits;
    auto ok = database_->run(
        "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET name = excluded.name, is_enabled = excluded.is_enabled, "
        "expires = excluded.expires, group_name = excluded.group_name, up = excluded.up, "
        "down = excluded.down, quota_bytes = excluded.quota_bytes, "
        "quota_reset_day = excluded.quota_reset_day, quota_then = excluded.quota_then, "
        "max_devices = excluded.max_devices, max_sessions = excluded.max_sessions, "
        "allowed = excluded.allowed",
        user.id, user.name, user.is_enabled, user.expires, user.group, user.created, limits.up,
        limits.down, quota.bytes, quota.reset_day, quota.then, limits.max_devices,
        limits.max_sessions, prefixes_text(limits.allowed));
    if (!ok) return ok;
    if (ok = remove_other_devices(user); !ok) return ok;
    for (const Device& device : user.devices) {
      if (ok = put_device(user, device); !ok) return ok;
    }
    return put_tickets(user);
  }

  // They are few, and nothing refers to them.
  Result<void> put_tickets(const User& user) {
    auto ok = database_->run("DELETE FROM tickets WHERE user_id = ?", user.id);
    for (std::size_t i = 0; ok && i < user.tickets.size(); ++i) {
      const Ticket& one = user.tickets[i];
      ok = database_->run("INSERT INTO tickets VALUES (?, ?, ?, ?, ?, ?)", one.id, user.id,
                          wire::encode_base64(one.key), one.created, one.expires, one.device);
    }
    return ok;
  }

  Result<void> check_user(const User& user) {
    if (auto ok = check_name("the user's name", user.name); !ok) return ok;
    const std::string who = "the user " + user.name;
    if (user.name == kDefaultUser) {
      return refuse(std::string("the user's name: ") + kDefaultUser +
                    " is the user of the configuration's token and devices; take another name");
    }
    if (auto ok = check_limits(who, user.limits); !ok) return ok;
    const auto twin =
        database_->find("SELECT 1 FROM users WHERE name = ? AND id <> ?", user.name, user.id);
    if (!twin) return fail(twin);
    if (*twin) return refuse("there is a user " + user.name + " already");
    Limits limits = user.limits;
    if (!user.group.empty()) {
      const auto group = find_group(user.group);
      if (!group) return fail(group);
      if (!*group) return refuse("there is no group " + user.group);
      limits = limits.with_defaults((*group)->limits);
    }
    const std::uint64_t most =
        std::min<std::uint64_t>(limits.max_devices.value_or(kMaxDevicesOfUser), kMaxDevicesOfUser);
    if (user.devices.size() > most) {
      const bool is_by_group = !user.limits.max_devices && limits.max_devices;
      return refuse(who + (is_by_group ? " of the group " + user.group : "") + " may have " +
                    std::to_string(most) + " devices at most; remove one, or allow more");
    }
    if (user.tickets.size() > kMaxTicketsOfUser) {
      return refuse(who + " has " + std::to_string(kMaxTicketsOfUser) +
                    " links already; one goes 30 days after its time");
    }
    const auto others = database_->find("SELECT COUNT(*) FROM users WHERE id <> ?", user.id);
    if (!others) return fail(others);
    if (static_cast<std::uint64_t>(others->value_or(0)) >= kMaxUsers) {
      return refuse("there are " + std::to_string(kMaxUsers) + " users, and there may be no more");
    }
    return {};
  }

  Result<void> remove_other_devices(const User& user) {
    std::vector<std::uint64_t> gone;
    auto ok = database_->each(
        "SELECT id FROM devices WHERE user_id = ?",
        [&](const Row& row) {
          const bool stays =
              std::ranges::find(user.devices, row.count(0), &Device::id) != user.devices.end();
          if (!stays) gone.push_back(row.count(0));
        },
        user.id);
    for (std::size_t i = 0; ok && i < gone.size(); ++i) {
      ok = database_->run("DELETE FROM devices WHERE id = ?", gone[i]);
      if (ok) ok = database_->run("DELETE FROM sightings WHERE device_id = ?", gone[i]);
    }
    return ok;
  }

  Result<void> put_device(const User& user, const Device& device) {
    if (device.is_locked) return {};  // it is there, with the secret that cannot be read
    if (auto ok = check_name("the device's name", device.name); !ok) return ok;
    std::optional<std::string> key, psk, token_digest, token, login_name, login_digest;
    if (device.key) key = wire::encode_base64(*device.key);
    if (device.psk) {
      auto sealed = sealer_.seal(place_of("psk", device.id), as_text(*device.psk));
      if (!sealed) return fail(sealed);
      psk = std::move(*sealed);
    }
    if (!device.token.empty()) {
      auto sealed = sealer_.seal(place_of("token", device.id), device.token);
      if (!sealed) return fail(sealed);
      token = std::move(*sealed);
      token_digest = wire::encode_base64(wire::secret_digest(device.token));
    }
    if (device.login) {
      login_name = device.login->name;
      login_digest = wire::encode_base64(device.login->secret_digest);
    }
    if (auto ok = check_device(user, device, key, token_digest, login_digest); !ok) return ok;
    std::optional<std::string> address, address6;
    if (device.address) address = device.address->to_string();
    if (device.address6) address6 = device.address6->to_string();
    return database_->run(
        "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, name = excluded.name, "
        "public_key = excluded.public_key, sealed_psk = excluded.sealed_psk, "
        "token_digest = excluded.token_digest, sealed_token = excluded.sealed_token, "
        "login_name = excluded.login_name, login_digest = excluded.login_digest, "
        "address = excluded.address, address6 = excluded.address6",
        device.id, user.id, device.name, device.created, key, psk, token_digest, token, login_name,
        login_digest, address, address6);
  }

  Result<void> check_address(const Device& device) {
    const std::string address = device.address->to_string();
    std::string owner;
    const auto ok = database_->each(
        "SELECT users.name, devices.name FROM devices JOIN users ON users.id = devices.user_id "
        "WHERE devices.id <> ? AND address = ?",
        [&](const Row& row) { owner = row.text(1) + " of " + row.text(0); }, device.id, address);
    if (!ok || owner.empty()) return ok;
    return refuse("the address " + address + " is that of the device " + owner + " already");
  }

  Result<void> check_device(const User& user, const Device& device,
                            const std::optional<std::string>& key,
                            const std::optional<std::string>& token_digest,
                            const std::optional<std::string>& login_digest) {
    const std::string what = "the device " + device.name + " of " + user.name;
    if (!key && !token_digest && !login_digest) {
      return refuse(what + " has neither a key nor a token nor a secret");
    }
    if (device.address) {
      if (const auto ok = check_address(device); !ok) return ok;
    }
    std::string twin;
    const auto ok = database_->each(
        "SELECT users.name, devices.name FROM devices JOIN users ON users.id = devices.user_id "
        "WHERE devices.id <> ? AND (public_key = ? OR token_digest = ? OR (login_name = ? AND "
        "login_digest = ?) OR (user_id = ? AND devices.name = ?))",
        [&](const Row& row) { twin = row.text(1) + " of " + row.text(0); }, device.id, key,
        token_digest, device.login ? std::optional(device.login->name) : std::nullopt, login_digest,
        user.id, device.name);
    if (!ok) return ok;
    if (twin.empty()) return {};
    if (twin == device.name + " of " + user.name) {
      return refuse("there is " + what + " already; rotate gives it another key");
    }
    return refuse(what + " has the key, token or secret of the device " + twin);
  }

  Result<void> remove_user(std::uint64_t id) override {
    auto ok = database_->run(
        "DELETE FROM sightings WHERE device_id IN (SELECT id FROM devices WHERE user_id = ?)", id);
    for (const char* const rest :
         {"DELETE FROM devices WHERE user_id = ?", "DELETE FROM tickets WHERE user_id = ?",
          "DELETE FROM usage WHERE user_id = ?", "DELETE FROM usage_days WHERE user_id = ?"}) {
      if (ok) ok = database_->run(rest, id);
    }
    if (ok) ok = database_->run("DELETE FROM users WHERE id = ?", id);
    return ok;
  }

  Result<void> put_group(const Group& group) override {
    if (auto ok = check_name("the group's name", group.name); !ok) return ok;
    if (group.name == kNoGroup) {
      return refuse(std::string("the group's name: ") + kNoGroup +
                    " is what a user has who is in no group; take another name");
    }
    if (auto ok = check_limits("the group " + group.name, group.limits); !ok) return ok;
    if (auto ok = check_devices_of(group); !ok) return ok;
    const auto others = database_->find("SELECT COUNT(*) FROM groups WHERE name <> ?", group.name);
    if (!others) return fail(others);
    if (static_cast<std::uint64_t>(others->value_or(0)) >= kMaxGroups) {
      return refuse("there are " + std::to_string(kMaxGroups) +
                    " groups, and there may be no more");
    }
    const QuotaColumns quota(group.limits.quota);
    const Limits& limits = group.limits;
    return database_->run(
        "INSERT INTO groups VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (name) DO UPDATE SET up = excluded.up, down = excluded.down, "
        "quota_bytes = excluded.quota_bytes, quota_reset_day = excluded.quota_reset_day, "
        "quota_then = excluded.quota_then, max_devices = excluded.max_devices, "
        "max_sessions = excluded.max_sessions, allowed = excluded.allowed",
        group.name, limits.up, limits.down, quota.bytes, quota.reset_day, quota.then,
        limits.max_devices, limits.max_sessions, prefixes_text(limits.allowed));
  }

  // Else its user could not be changed any more, not even disabled.
  Result<void> check_devices_of(const Group& group) {
    if (!group.limits.max_devices) return {};
    std::string name;
    const auto ok = database_->each(
        "SELECT name FROM users WHERE group_name = ? AND max_devices IS NULL AND "
        "(SELECT COUNT(*) FROM devices WHERE user_id = users.id) > ? ORDER BY name LIMIT 1",
        [&](const Row& row) { name = row.text(0); }, group.name, *group.limits.max_devices);
    if (!ok || name.empty()) return ok;
    return refuse("the user " + name + " of the group " + group.name + " has more than " +
                  std::to_string(*group.limits.max_devices) +
                  " devices already; remove some, or allow more");
  }

  Result<void> remove_group(std::string_view name) override {
    std::string member;
    const auto ok = database_->each(
        "SELECT name FROM users WHERE group_name = ? ORDER BY name LIMIT 1",
        [&](const Row& row) { member = row.text(0); }, name);
    if (!ok) return ok;
    if (!member.empty()) {
      return refuse("the group " + std::string(name) + " still has users, " + member +
                    " among them; give them another group first");
    }
    return database_->run("DELETE FROM groups WHERE name = ?", name);
  }

  std::unique_ptr<Database> database_;
  std::string path_;
  Sealer sealer_;
  int latest_day_ = 0;  // that was counted
};

}  // namespace

Result<OpenedStore> open_sqlite_store(const SqliteFile& file, Random& random, std::int64_t now) {
  auto opened = open_sqlite_file(file, now);
  if (!opened) return fail(opened);
  return OpenedStore{
      .store = std::make_unique<SqliteStore>(std::move(opened->database), file, random),
      .damage = std::move(opened->damage)};
}

}  // namespace qdt::users
