#include "users/database.h"

#include <sqlite3.h>

#include <algorithm>

#include "base/ascii.h"
#include "base/bytes.h"

namespace qdt::users {
namespace {

// A path as SQLite's URIs have it (https://sqlite.org/uri.html).
std::string uri_of(const std::string& path) {
  std::string uri = "file:";
  for (const char& c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += '%';
      append_hex(uri, as_bytes(std::string_view(&c, 1)));
    } else {
      uri += c;
    }
  }
  return uri + "?immutable=1";
}

}  // namespace

bool Row::is_null(int column) const {
  return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

std::int64_t Row::number(int column) const {
  return sqlite3_column_int64(statement_, column);
}

std::optional<std::uint64_t> Row::optional_count(int column) const {
  return is_null(column) ? std::nullopt : std::optional(count(column));
}

std::string Row::text(int column) const {
  const unsigned char* const text = sqlite3_column_text(statement_, column);
  if (text == nullptr) return {};
  return {reinterpret_cast<const char*>(text),
          static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
}

// A parameter that is not there is our own bug; what a step then does is an error.
void Statement::bind(int number, std::int64_t value) {
  sqlite3_bind_int64(statement_, number, value);
}

void Statement::bind(int number, std::string_view text) {
  const char* const bytes = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text(statement_, number, bytes, static_cast<int>(text.size()), SQLITE_STATIC);
}

void Statement::bind(int number, std::nullopt_t) {
  sqlite3_bind_null(statement_, number);
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_);
  if (code == SQLITE_ROW) return true;
  Result<bool> result = false;
  if (code != SQLITE_DONE) result = std::unexpected(database_.error(code));
  sqlite3_reset(statement_);
  sqlite3_clear_bindings(statement_);
  return result;
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path,
                                                 std::int64_t patience_milliseconds,
                                                 Access access) {
  sqlite3* handle = nullptr;
  constexpr int kAlways = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int code =
      access == Access::kWrite
          ? sqlite3_open_v2(path.c_str(), &handle, kAlways | SQLITE_OPEN_READWRITE, nullptr)
          : sqlite3_open_v2(uri_of(path).c_str(), &handle,
                            kAlways | SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr);
  if (handle == nullptr) return fail(path + ": out of memory", ErrorCode::kIo);
  std::unique_ptr<Database> database(new Database(path, handle));
  if (code != SQLITE_OK) return std::unexpected(database->error(code));
  sqlite3_busy_timeout(handle, static_cast<int>(patience_milliseconds));
  // A file that somebody has prepared runs nothing of his.
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return database;
}

Database::~Database() {
  for (auto& [sql, statement] : statements_) sqlite3_finalize(statement->statement_);
  sqlite3_close_v2(handle_);
}

Result<void> Database::run(const char* sql) {
  const int code = sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error(code));
  return {};
}

Result<Statement*> Database::statement(const char* sql) {
  const auto known = std::ranges::find(statements_, sql, [](const auto& one) { return one.first; });
  if (known != statements_.end()) return known->second.get();
  sqlite3_stmt* prepared = nullptr;
  const int code = sqlite3_prepare_v2(handle_, sql, -1, &prepared, nullptr);
  if (code != SQLITE_OK) return std::unexpected(error(code));
  statements_.emplace_back(sql, new Statement(*this, prepared));
  return statements_.back().second.get();
}

Error Database::error(int code) const {
  const auto with = [this](std::string_view why, ErrorCode kind) {
    return Error{path_ + ": " + std::string(why), kind};
  };
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return with("another program has it locked; try again, or end that program (fuser names it)",
                  ErrorCode::kBusy);
    case SQLITE_FULL: return with("the disk is full; make room, and try again", ErrorCode::kIo);
    case SQLITE_READONLY:
      return with("it is read-only, or its folder is; let the server write both",
                  ErrorCode::kPermission);
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return with(
          "it cannot be opened, or no file be made beside it; look at the folder's rights "
          "and room",
          ErrorCode::kIo);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      is_damaged_ = true;
      return with("it is damaged (" + std::string(sqlite3_errmsg(handle_)) + ")", ErrorCode::kIo);
    case SQLITE_IOERR:
      return with("the disk refuses (" + std::string(sqlite3_errmsg(handle_)) + ")",
                  ErrorCode::kIo);
    default: return with(sqlite3_errmsg(handle_), ErrorCode::kIo);
  }
}

bool Database::was_moved() const {
  int moved = 0;
  const int code = sqlite3_file_control(handle_, "main", SQLITE_FCNTL_HAS_MOVED, &moved);
  return code == SQLITE_OK && moved != 0;
}

Result<Transaction> Transaction::begin(Database& database) {
  if (const auto ok = database.run("BEGIN IMMEDIATE"); !ok) return fail(ok);
  return Transaction(database);
}

Transaction::~Transaction() {
  // Nothing is left to be done about one that fails: SQLite has rolled back itself.
  if (database_ != nullptr) {
    [[maybe_unused]] const auto rolled_back = database_->run("ROLLBACK");
  }
}

Result<void> Transaction::commit() {
  const auto committed = database_->run("COMMIT");
  if (!committed) return committed;
  database_ = nullptr;
  return {};
}

}  // namespace qdt::users
