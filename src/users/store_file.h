#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "base/logger.h"
#include "base/random.h"
#include "base/result.h"
#include "users/sqlite_store.h"

namespace qdt::users {

/// The store in a file, opened when it is first needed, and again where it could not be opened, or
/// where another file has its place. One thread.
class StoreFile {
 public:
  /// `now`: seconds since the Unix epoch. What is referred to outlives it.
  StoreFile(SqliteFile file, Random& random, std::function<std::int64_t()> now, Logger& logger)
      : file_(std::move(file)), random_(random), now_(std::move(now)), logger_(logger) {}

  /// Null: there is no file, and nobody had one yet, so there are no users.
  Result<Store*> find();
  /// How many stores there were so far: another one begins to count revisions anew.
  std::uint64_t generation() const { return generation_; }
  /// Makes the file where there was none. One that was deleted while it was open is not made again:
  /// its users are still those of the server.
  Result<Store*> find_or_make();

 private:
  Result<Store*> open();

  SqliteFile file_;
  Random& random_;
  std::function<std::int64_t()> now_;
  Logger& logger_;
  std::unique_ptr<Store> store_;
  bool was_open_ = false;
  std::uint64_t generation_ = 0;
};

}  // namespace qdt::users
