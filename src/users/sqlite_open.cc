#include "users/sqlite_open.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "os/file.h"
#include "users/sqlite_schema.h"
#include "users/text.h"

namespace qdt::users {
namespace {

static_assert(kSchemaSteps.size() == kSchemaVersion);

// 0: an empty file.
Result<int> schema_version(Database& database, const std::string& path) {
  const auto tables = database.find("SELECT COUNT(*) FROM sqlite_master");
  if (!tables) return fail(tables);
  if (tables->value_or(0) == 0) return 0;
  const auto ours = database.find(
      "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name IN ('store', 'users', "
      "'devices')");
  if (!ours) return fail(ours);
  if (ours->value_or(0) != 3) {
    return fail(path +
                    ": it is another program's database; move it away, and the server makes "
                    "its own",
                ErrorCode::kInvalidArgument);
  }
  const auto version = database.find("SELECT schema_version FROM store");
  if (!version) return fail(version);
  return static_cast<int>(version->value_or(-1));
}

Result<void> migrate(Database& database, int from, int to) {
  for (int version = from; version < to; ++version) {
    auto transaction = Transaction::begin(database);
    if (!transaction) return fail(transaction);
    if (auto ok = database.run(kSchemaSteps[static_cast<std::size_t>(version)]); !ok) return ok;
    if (auto ok = database.run("UPDATE store SET schema_version = ?", version + 1); !ok) return ok;
    if (auto ok = transaction->commit(); !ok) return ok;
  }
  return {};
}

Result<void> check_pages(Database& database, bool& is_sound) {
  return database.each("PRAGMA quick_check(1)",
                       [&](const Row& row) { is_sound = row.text(0) == "ok"; });
}

// Nothing is changed before it is known that the file is ours, sound, and not from tomorrow.
Result<std::unique_ptr<Database>> open_database(const SqliteFile& file, Database::Access access,
                                                bool& is_damaged) {
  auto database = Database::open(file.path, file.patience_milliseconds, access);
  if (!database) return database;
  const auto judge = [&](const auto& result) -> std::unexpected<Error> {
    is_damaged = (*database)->is_damaged();
    return fail(result);
  };
  const auto version = schema_version(**database, file.path);
  if (!version) return judge(version);
  if (*version > kSchemaVersion) {
    return fail(file.path + ": a newer qdt-server has written it (schema " +
                    std::to_string(*version) + ", this one knows " +
                    std::to_string(kSchemaVersion) +
                    "); install that version again, or put back a backup from before",
                ErrorCode::kInvalidArgument);
  }
  bool is_sound = false;
  if (const auto ok = check_pages(**database, is_sound); !ok) return judge(ok);
  if (!is_sound || *version < 0) {
    is_damaged = true;
    return fail(file.path + ": it is damaged", ErrorCode::kIo);
  }
  if (access == Database::Access::kReadAlone) return database;
  // A file of SQLite's own would have to be made elsewhere, where the process may write nothing.
  for (const char* const setting :
       {"PRAGMA temp_store = MEMORY", "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"}) {
    if (const auto ok = (*database)->run(setting); !ok) return judge(ok);
  }
  if (const auto ok = migrate(**database, *version, kSchemaVersion); !ok) return judge(ok);
  return database;
}

// On a file system that is read-only: the users are known, and none can be changed. Not while a WAL
// is there, which could not be read.
Result<std::unique_ptr<Database>> open_database(const SqliteFile& file, bool& is_damaged) {
  auto database = open_database(file, Database::Access::kWrite, is_damaged);
  const bool is_readable = !database && !is_damaged && database.error().code != ErrorCode::kBusy &&
                           database.error().code != ErrorCode::kInvalidArgument &&
                           !os::file_exists(file.path + "-wal");
  if (!is_readable) return database;
  auto readable = open_database(file, Database::Access::kReadAlone, is_damaged);
  return readable ? std::move(readable) : std::move(database);
}

// What SQLite keeps beside a file belongs to it. The new name.
Result<std::string> set_aside(const std::string& path, std::int64_t now) {
  std::string date = time_text(now);
  std::erase_if(date, [](char c) { return c == ':' || c == '-'; });
  std::string aside = path + ".damaged-" + date;
  for (int n = 2; os::file_exists(aside); ++n) {
    aside = path + ".damaged-" + date + "-" + std::to_string(n);
  }
  for (const char* const suffix : {"-wal", "-shm", ""}) {
    std::error_code error;
    if (!os::file_exists(path + suffix)) continue;
    std::filesystem::rename(path + suffix, aside + suffix, error);
    if (error) {
      return fail(path + suffix + ": it is damaged, and cannot be renamed: " + error.message(),
                  ErrorCode::kIo);
    }
  }
  return aside;
}

Result<std::unique_ptr<Database>> open_or_make(const SqliteFile& file, bool& is_damaged) {
  if (!os::file_exists(file.path)) {
    if (const auto made = os::create_private_file(file.path, ""); !made) return fail(made);
  }
  if (const auto ok = os::check_secret(file.path, "the users' digests"); !ok) return fail(ok);
  return open_database(file, is_damaged);
}

}  // namespace

Result<OpenedFile> open_sqlite_file(const SqliteFile& file, std::int64_t now) {
  OpenedFile opened;
  bool is_damaged = false;
  auto database = open_or_make(file, is_damaged);
  if (!database && is_damaged && file.keeps_damage_aside) {
    const auto aside = set_aside(file.path, now);
    if (!aside) return fail(aside);
    opened.damage = database.error().message + "; it is kept as " + *aside +
                    ", and there are no users but the configuration's until a backup is put back";
    database = open_or_make(file, is_damaged);
  }
  if (!database) return fail(database);
  opened.database = std::move(*database);
  return opened;
}

Result<void> make_older_sqlite_store(const std::string& path, int schema_version) {
  if (const auto made = os::create_private_file(path, ""); !made) return made;
  auto database = Database::open(path, 0);
  return database ? migrate(**database, 0, schema_version) : fail(database);
}

}  // namespace qdt::users
