#pragma once

#include <string>

#include "base/result.h"
#include "os/windows/system_headers.h"

namespace qdt::os {

/// The access rights of a file that we make.
enum class Access {
  kPrivate,  ///< SYSTEM and Administrators, and a maker without administrator's rights; nobody else
  kPublic,   ///< as private, but everyone may read
};

/// A security descriptor for CreateFile and CreateDirectory; entries that a folder would hand down
/// do not count.
class SecurityAttributes {
 public:
  static Result<SecurityAttributes> make(Access access);
  SecurityAttributes(SecurityAttributes&& other) noexcept;
  SecurityAttributes& operator=(SecurityAttributes&& other) noexcept;
  ~SecurityAttributes();

  SECURITY_ATTRIBUTES* get() { return &attributes_; }

 private:
  explicit SecurityAttributes(void* descriptor);
  SECURITY_ATTRIBUTES attributes_{};
};

/// Gives `path`, which exists, that access, whoever had it before.
Result<void> set_access(const std::string& path, Access access);

/// Whether the list of `path` lets anybody but its owner, SYSTEM, Administrators and the user of
/// this process do any of `rights` (FILE_READ_DATA, say). False where it cannot be read.
bool is_open_to_others(const std::string& path, DWORD rights);
/// Whether it belongs to none of these.
bool has_foreign_owner(const std::string& path);

}  // namespace qdt::os
