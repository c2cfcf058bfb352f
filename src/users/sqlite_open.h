#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/result.h"
#include "users/database.h"
#include "users/sqlite_store.h"

namespace qdt::users {

/// The version of the schema that this program writes.
inline constexpr int kSchemaVersion = 4;

struct OpenedFile {
  std::unique_ptr<Database> database;
  std::optional<std::string> damage;  ///< as OpenedStore has it
};

/// Opens or makes the file of a store, as open_sqlite_store() says.
Result<OpenedFile> open_sqlite_file(const SqliteFile& file, std::int64_t now);

/// Brings a store's file only so far: for tests of what older programs have left. A new file.
Result<void> make_older_sqlite_store(const std::string& path, int schema_version);

}  // namespace qdt::users
