#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

// SQLite, as much of it as the store needs: the folder's own affair. Errors are values, with words
// for the faults that an operator meets: a disk that is full, a file that is read-only, damaged or
// in somebody else's hands.

namespace qdt::users {

class Database;

/// A row while it is being read.
class Row {
 public:
  explicit Row(sqlite3_stmt* statement) : statement_(statement) {}
  bool is_null(int column) const;
  std::int64_t number(int column) const;
  std::uint64_t count(int column) const { return static_cast<std::uint64_t>(number(column)); }
  std::optional<std::uint64_t> optional_count(int column) const;
  std::string text(int column) const;

 private:
  sqlite3_stmt* statement_;
};

/// A prepared statement, for as long as its database lives. Its parameters are bound in their
/// order.
class Statement {
 public:
  /// Runs it to its end; `read` is called with each row.
  template <typename Read, typename... Values>
  Result<void> each(Read&& read, const Values&... values) {
    int number = 0;
    (bind(++number, values), ...);
    for (;;) {
      const auto has_row = step();
      if (!has_row) return fail(has_row);
      if (!*has_row) return {};
      read(Row(statement_));
    }
  }
  template <typename... Values>
  Result<void> run(const Values&... values) {
    return each([](const Row&) {}, values...);
  }
  /// The first number of the first row; nothing: there is no row.
  template <typename... Values>
  Result<std::optional<std::int64_t>> find(const Values&... values) {
    std::optional<std::int64_t> found;
    auto ok = each(
        [&](const Row& row) {
          if (!found) found = row.number(0);
        },
        values...);
    if (!ok) return fail(ok);
    return found;
  }

 private:
  friend class Database;
  Statement(Database& database, sqlite3_stmt* statement)
      : database_(database), statement_(statement) {}
  void bind(int number, std::int64_t value);
  void bind(int number, std::uint64_t value) { bind(number, static_cast<std::int64_t>(value)); }
  void bind(int number, int value) { bind(number, std::int64_t{value}); }
  void bind(int number, bool value) { bind(number, std::int64_t{value}); }
  /// Lives until the next step.
  void bind(int number, std::string_view text);
  void bind(int number, const std::string& text) { bind(number, std::string_view(text)); }
  void bind(int number, const char* text) { bind(number, std::string_view(text)); }
  void bind(int number, std::nullopt_t);
  template <typename T>
  void bind(int number, const std::optional<T>& value) {
    value ? bind(number, *value) : bind(number, std::nullopt);
  }
  Result<bool> step();

  Database& database_;
  sqlite3_stmt* statement_;
};

/// One connection to a file of SQLite. One thread.
class Database {
 public:
  enum class Access {
    kWrite,
    kReadAlone,  ///< nobody else writes, and no file can be made beside it
  };
  /// Opens the file, which exists, and has its statements wait `patience` for other programs.
  /// Changes nothing of it.
  static Result<std::unique_ptr<Database>> open(const std::string& path,
                                                std::int64_t patience_milliseconds,
                                                Access access = Access::kWrite);
  ~Database();
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  /// Runs statements without parameters or rows.
  Result<void> run(const char* sql);
  /// The statement of this text, which is kept, prepared, from one call to the next.
  Result<Statement*> statement(const char* sql);
  template <typename... Values>
  Result<void> run(const char* sql, const Values&... values) {
    auto one = statement(sql);
    return one ? (*one)->run(values...) : fail(one);
  }
  template <typename Read, typename... Values>
  Result<void> each(const char* sql, Read&& read, const Values&... values) {
    auto one = statement(sql);
    return one ? (*one)->each(std::forward<Read>(read), values...) : fail(one);
  }
  template <typename... Values>
  Result<std::optional<std::int64_t>> find(const char* sql, const Values&... values) {
    auto one = statement(sql);
    return one ? (*one)->find(values...) : fail(one);
  }

  /// The error that SQLite told last, in words.
  Error error(int code) const;
  /// Whether an error so far was that the file is damaged, or none of SQLite's.
  bool is_damaged() const { return is_damaged_; }
  /// Whether the file was deleted, renamed, or another has its place.
  bool was_moved() const;

 private:
  friend class Statement;
  Database(std::string path, sqlite3* handle) : path_(std::move(path)), handle_(handle) {}

  std::string path_;
  sqlite3* handle_;
  std::vector<std::pair<const char*, std::unique_ptr<Statement>>> statements_;  // by address
  mutable bool is_damaged_ = false;
};

/// Begins a transaction that writes, and rolls it back unless it was committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  /// On disk, also after a power cut, when it returns well.
  Result<void> commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace qdt::users
