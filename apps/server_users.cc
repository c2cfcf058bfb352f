#include "server_users.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <filesystem>
#include <string_view>
#include <tuple>
#include <utility>
#include <vector>

#include "control/answer.h"
#include "ops/log.h"
#include "os/clock.h"
#include "os/process.h"
#include "os/system_random.h"
#include "server_files.h"
#include "state_path.h"
#include "users/contents_code.h"
#include "users/roster.h"
#include "wire/hkdf.h"
#include "wire/session_id.h"

namespace qdt::apps {
namespace {

// A question's first letter, and an answer's.
constexpr char kContents = 'c';
constexpr char kRequest = 'r';
constexpr char kEnrolment = 'n';
constexpr char kCounts = 'u';
constexpr char kQuotas = 'q';
constexpr char kNoStore = '0';
constexpr char kSame = 's';
constexpr char kError = 'e';

constexpr Duration kInterval = 250ms;
// With the second after which sessions tell their meters, and the time of a slow disk, a crash
// loses less than ten seconds of usage.
constexpr Duration kUsageInterval = 6s;
constexpr Duration kPatience = 2s;
constexpr Duration kPatienceOfAStart = 10s;

constexpr std::string_view kConsequence =
    "; the users that the server knows come in and stay, and nobody is added, changed or removed "
    "meanwhile";

/// In the process that has the file.
class Keeper {
 public:
  Keeper(const users::SqliteFile& file, const users::Addresses& addresses,
         std::unique_ptr<Logger> logger)
      : logger_(std::move(logger)),
        file_(file, random_, unix_seconds, *logger_),
        api_(file_, random_, unix_seconds, addresses) {}

  std::string answer(std::string_view question) {
    const std::string_view rest = question.substr(std::min<std::size_t>(question.size(), 1));
    if (question.starts_with(kRequest)) {
      const auto request = control::decode_request(rest);
      return control::encode_response(
          request ? api_.answer(*request)
                  : control::refusal({"it is too long", ErrorCode::kInvalidArgument}));
    }
    if (question.starts_with(kEnrolment)) {
      const auto enrolment = control::decode_enrolment(rest);
      const auto result = enrolment ? api_.enrol(*enrolment) : wire::HandshakeResult::kBadRequest;
      return std::to_string(static_cast<int>(result));
    }
    if (question.starts_with(kCounts)) {
      const auto counts = users::decode_counts(rest);
      const auto counted = counts ? api_.count(*counts) : fail("it is too long");
      if (counted) return {kSame};
      if (counted.error().code == ErrorCode::kNotFound) return {kNoStore};
      return kError + counted.error().message;
    }
    if (question.starts_with(kQuotas)) {
      const auto uses = api_.quota_uses();
      return uses ? kContents + users::encode_quota_uses(*uses) : kError + uses.error().message;
    }
    std::uint64_t version = 0;
    std::from_chars(rest.data(), rest.data() + rest.size(), version);
    const auto fresh = api_.contents_unless(version);
    if (!fresh) return kError + fresh.error().message;
    if (!*fresh) return {kSame};
    return kContents + std::to_string((*fresh)->number) + "\n" + (*fresh)->contents;
  }

 private:
  std::unique_ptr<Logger> logger_;
  os::SystemRandom random_;
  users::StoreFile file_;
  control::UserApi api_;
};

tunnel::SessionEnd end_of(users::Absence absence) {
  switch (absence) {
    case users::Absence::kDisabled: return tunnel::SessionEnd::kUserDisabled;
    case users::Absence::kExpired: return tunnel::SessionEnd::kUserExpired;
    case users::Absence::kQuotaIsUsedUp: return tunnel::SessionEnd::kQuotaUsedUp;
    case users::Absence::kHasNoDevice: break;
  }
  return tunnel::SessionEnd::kDeviceRemoved;
}

// A device of the file that has what the configuration's user has: the configuration wins, since a
// table takes neither then.
bool is_taken(const access::Device& device, const access::UserTable::Entry& own) {
  return std::ranges::any_of(own.devices,
                             [&](const access::Device& other) {
                               return (device.key && device.key == other.key) ||
                                      (device.login && device.login == other.login);
                             }) ||
         (!device.token.empty() && device.token == own.token);
}

void leave_out_taken(std::vector<access::UserTable::Entry>& entries,
                     const access::UserTable::Entry& own) {
  for (auto& entry : entries) {
    std::erase_if(entry.devices,
                  [&](const access::Device& device) { return is_taken(device, own); });
  }
  std::erase_if(entries, [](const auto& entry) { return entry.devices.empty(); });
}

}  // namespace

users::SqliteFile user_file(const std::string& config_path) {
  const std::string path = state_path(config_path, ".db");
  return {.path = path, .key_path = path + ".key"};
}

users::Addresses addresses_of(const ops::ServerConfig& config) {
  return {.pool = config.pool_cidr,
          .gateway = config.gateway_ip,
          .pool6 = config.pool_cidr6,
          .gateway6 = config.gateway_ip6};
}

Result<std::unique_ptr<os::SideProcess>> start_user_keeper(const std::string& config_path,
                                                           const ops::ServerConfig& config) {
  const users::SqliteFile file = user_file(config_path);
  std::error_code error;
  const auto folder =
      std::filesystem::canonical(std::filesystem::absolute(file.path).parent_path(), error);
  return os::SideProcess::start(
      {.title = "qdt-server: users",
       .watcher_title = "qdt-server: watches over users",
       .name = "qdt-users",
       .places = {folder.string()}},
      [&] {
        const auto keeper = std::make_shared<Keeper>(
            file, addresses_of(config), ops::make_logger(config.log_level, config.log_json));
        return [keeper](std::string_view question) { return keeper->answer(question); };
      });
}

Result<std::unique_ptr<ServerUsers>> ServerUsers::open(os::SideProcess& keeper,
                                                       const access::Admission::Options& options,
                                                       Random& random, Logger& logger) {
  auto waker = os::Waker::open();
  if (!waker) return fail(waker);
  return std::unique_ptr<ServerUsers>(
      new ServerUsers(keeper, options, std::move(*waker), random, logger));
}

void ServerUsers::close() {
  {
    const std::scoped_lock lock(mutex_);
    is_stopping_ = true;
    waiting_.clear();
  }
  wake_.notify_one();
  if (thread_.joinable()) thread_.join();
}

ServerUsers::ServerUsers(os::SideProcess& keeper, const access::Admission::Options& options,
                         os::Waker waker, Random& random, Logger& logger)
    : keeper_(keeper),
      configuration_(options),
      random_(random),
      logger_(logger),
      usage_(users::Ledger(os::host_name(), random.number() >> 2),
             {.count = [this](const users::Counts& counts) { return count(counts); },
              .quota_uses = [this] { return ask_quota_uses(); }}),
      fresh_(std::move(waker)) {}

ServerUsers::~ServerUsers() {
  close();
  usage_.collect(unix_seconds());
  tell_usage();
  wire::wipe({reinterpret_cast<std::uint8_t*>(contents_.data()), contents_.size()});
}

void ServerUsers::load(server::Server& server) {
  usage_.follow(server.users());
  auto fresh = ask(version_, os::now() + kPatienceOfAStart);
  if (!fresh) return keeper_fault_.look(fail(fresh), kConsequence, "", logger_);
  if (!*fresh) return;
  version_ = (*fresh)->version;
  contents_ = std::move((*fresh)->contents).value_or("");
  // Whose quota is used up does not come in for a moment.
  if (const auto contents = users::decode_contents(contents_)) {
    usage_.use_quotas(*contents, unix_seconds());
    tell_usage();
  }
  put_in_force(server);
}

Result<void> ServerUsers::count(const users::Counts& counts) {
  const auto answer = keeper_.ask(kCounts + users::encode_counts(counts), os::now() + kPatience);
  if (!answer) return fail(answer);
  if (answer->starts_with(kNoStore)) return fail("there are no users", ErrorCode::kNotFound);
  if (answer->starts_with(kError)) return fail(answer->substr(1));
  return {};
}

Result<std::vector<users::QuotaUse>> ServerUsers::ask_quota_uses() {
  const auto answer = keeper_.ask({&kQuotas, 1}, os::now() + kPatience);
  if (!answer) return fail(answer);
  if (answer->starts_with(kError)) return fail(answer->substr(1));
  const auto uses = users::decode_quota_uses(std::string_view(*answer).substr(1));
  return uses ? Result<std::vector<users::QuotaUse>>(*uses) : fail("no quotas came");
}

void ServerUsers::tell_usage() {
  usage_fault_.look(usage_.tell(), "; usage is written down once that is mended",
                    "usage is written down again", logger_);
}

void ServerUsers::run() {
  thread_ = std::thread([this] { follow(); });
}

void ServerUsers::follow() {
  os::name_thread("qdt-users");
  Timestamp usage_due = os::now() + kUsageInterval;
  for (;;) {
    std::vector<Waiting> waiting;
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, std::chrono::nanoseconds(kInterval),
                     [this] { return is_stopping_ || has_changed_ || !waiting_.empty(); });
      if (is_stopping_) return;
      has_changed_ = false;
      waiting.swap(waiting_);
    }
    auto then = write_down(std::move(waiting));
    auto fresh = ask(version_, os::now() + kPatience);
    keeper_fault_.look(fresh ? Result<void>() : fail(fresh), kConsequence,
                       "the file of the users is read again", logger_);
    if (fresh && *fresh) {
      version_ = (*fresh)->version;
      (*fresh)->then = std::move(then);
      fresh_.post(std::move(**fresh));
    } else {
      for (const auto& answer : then) answer();  // it is on disk, and comes in force soon
    }
    if (usage_.collect(unix_seconds())) fresh_.post({});
    if (os::now() < usage_due && !usage_.has_to_ask()) continue;
    tell_usage();
    usage_due = os::now() + kUsageInterval;
  }
}

std::vector<std::function<void()>> ServerUsers::write_down(std::vector<Waiting> waiting) {
  std::vector<std::function<void()>> then;
  auto result = wire::HandshakeResult::kOk;
  for (Waiting& one : waiting) {
    // Where the file takes nothing now, the others need not wait to hear so.
    if (result != wire::HandshakeResult::kNotReady) result = write_down(one.device);
    const bool is_written = result != wire::HandshakeResult::kNotReady;
    write_fault_.look(is_written ? Result<void>()
                                 : fail("a device that came with a link of " + one.device.user +
                                        " could not be written down"),
                      "; it may come again", "devices are written down again", logger_);
    auto answer = [done = std::move(one.done), result] { done(result); };
    if (result != wire::HandshakeResult::kEnrolled) {
      answer();
      continue;
    }
    logger_.info("a device of " + one.device.user + " is enrolled by a link, from " +
                 one.device.from.to_string());
    then.emplace_back(std::move(answer));
  }
  return then;
}

wire::HandshakeResult ServerUsers::write_down(const server::Enrolment& device) {
  constexpr auto kUnknown = wire::HandshakeResult::kNotReady;
  const auto ticket = wire::parse_session_id(device.ticket);
  if (!ticket) return kUnknown;
  const auto answer = keeper_.ask(
      kEnrolment +
          control::encode_enrolment({.ticket = *ticket, .key = device.key, .name = device.name}),
      os::now() + kPatience);
  if (!answer) return kUnknown;
  int result = -1;
  std::from_chars(answer->data(), answer->data() + answer->size(), result);
  const bool is_known = result >= 0 && result < static_cast<int>(wire::HandshakeResult::kCount);
  return is_known ? static_cast<wire::HandshakeResult>(result) : kUnknown;
}

server::Enroller ServerUsers::enroller() {
  return [this](const server::Enrolment& device, std::function<void(wire::HandshakeResult)> done) {
    {
      const std::scoped_lock lock(mutex_);
      if (waiting_.size() < kMaxWaiting && !is_stopping_) {
        waiting_.push_back({device, std::move(done)});
        done = nullptr;
      }
    }
    if (done) return done(wire::HandshakeResult::kNotReady);
    wake_.notify_one();
  };
}

Result<std::optional<ServerUsers::Fresh>> ServerUsers::ask(std::uint64_t version,
                                                           Timestamp deadline) {
  const auto answer = keeper_.ask(kContents + std::to_string(version), deadline);
  if (!answer) return fail(answer);
  if (answer->starts_with(kSame)) return std::nullopt;
  if (answer->starts_with(kError)) return fail(answer->substr(1));
  const std::size_t end = answer->find('\n');
  if (!answer->starts_with(kContents) || end == answer->npos) return fail("no users came");
  Fresh fresh{.version = 0, .contents = answer->substr(end + 1)};
  std::from_chars(answer->data() + 1, answer->data() + end, fresh.version);
  return fresh;
}

void ServerUsers::look(server::Server& server) {
  auto fresh = fresh_.take();
  for (Fresh& one : fresh) {
    if (one.contents) contents_ = std::move(*one.contents);
  }
  const bool is_due = next_change_ && unix_seconds() >= *next_change_;
  if (!fresh.empty() || is_due) put_in_force(server);
  for (const Fresh& one : fresh) {
    for (const auto& answer : one.then) answer();
  }
}

Timestamp ServerUsers::next_look() const {
  if (!next_change_) return kNever;
  const std::chrono::sys_seconds due{std::chrono::seconds(*next_change_)};
  return os::now() + std::chrono::duration_cast<Duration>(due - std::chrono::system_clock::now());
}

void ServerUsers::use_configuration(server::Server& server,
                                    const access::Admission::Options& options) {
  configuration_ = options;
  server.use_limits(options);
  put_in_force(server);
}

void ServerUsers::put_in_force(server::Server& server) {
  const auto contents = contents_.empty() ? users::Contents() : users::decode_contents(contents_);
  if (!contents) return logger_.error("the users that came are none; those before stay");
  const std::int64_t now = unix_seconds();
  users::Roster roster =
      users::roster_at(*contents, configuration_.limits, now, usage_.use_quotas(*contents, now));
  next_change_ = roster.next_change;
  const access::UserTable::Entry own = access::Admission::entry_of(configuration_);
  leave_out_taken(roster.entries, own);
  if (!own.token.empty() || !own.devices.empty()) roster.entries.push_back(own);
  const auto table = access::UserTable::create(
      roster.entries, random_.bytes<std::tuple_size_v<access::UserTable::Key>>(),
      server.users().get());
  table_fault_.look(table ? Result<void>() : fail(table), "; the users before stay",
                    "the users are in force", logger_);
  if (!table) return;
  usage_.follow(*table);
  server::EndWalk::Ends ends;
  for (const auto& [name, absence] : roster.absent) ends.emplace(name, end_of(absence));
  server.use_users(*table, ends, roster.addresses);
  logger_.debug("users in force: " + std::to_string(roster.entries.size()));
}

std::vector<ops::UserBytes> ServerUsers::bytes(std::size_t most) const {
  const auto users = usage_.users();
  std::vector<ops::UserBytes> all;
  if (!users || users->users().size() > most) return all;
  for (const access::UserTable::Usage& one : users->usage()) {
    all.push_back({.user = one.name.empty() ? users::kDefaultUser : one.name,
                   .up = one.traffic.up.bytes,
                   .down = one.traffic.down.bytes});
  }
  return all;
}

ops::HttpResponse ServerUsers::answer(const control::UserRequest& request) {
  // Who asks is answered by what is known now. Where that cannot be written, by what was.
  if (request.method == "GET") {
    if (usage_.collect(unix_seconds())) fresh_.post({});
    [[maybe_unused]] const auto told = usage_.tell();
  }
  const auto answer =
      keeper_.ask(kRequest + control::encode_request(request), os::now() + control::kAnswerTime);
  if (!answer) return control::refusal(answer.error());
  {
    const std::scoped_lock lock(mutex_);
    has_changed_ = true;
  }
  wake_.notify_one();
  return control::decode_response(*answer);
}

}  // namespace qdt::apps
