#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/random.h"
#include "base/result.h"
#include "users/store.h"

namespace qdt::users {

/// A store in one file of SQLite (WAL: two more stand beside it while it is open), 0600.
struct SqliteFile {
  std::string path;
  std::string key_path;  ///< of the Sealer
  /// How long a call waits for another program that has the file locked.
  std::int64_t patience_milliseconds = 500;
  /// Else a damaged file is an error, and left as it is.
  bool keeps_damage_aside = true;
};

struct OpenedStore {
  std::unique_ptr<Store> store;
  /// The file was damaged: it has another name now, and the store begins anew. For the log.
  std::optional<std::string> damage;
};

/// Opens the store, or makes it; an older schema is brought up to date. A damaged file is kept
/// aside under a name with the date `now` (seconds since the Unix epoch). Refused, and left as they
/// are: a newer schema, another program's file, a file that others may read. The random numbers
/// outlive the store.
Result<OpenedStore> open_sqlite_store(const SqliteFile& file, Random& random, std::int64_t now);

}  // namespace qdt::users
