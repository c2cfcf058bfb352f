#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "os/folder.h"
#include "server/decoy.h"

namespace qdt::server {

struct Site {
  Decoy decoy;
  std::vector<std::string> notes;  ///< what of the folder is not shown, and why
};

/// The files of a folder as a site, with the headers that web servers give to files.
Site make_site(os::FolderContent content);

/// Reads the folder; the error names it, and says what is wrong with it.
Result<Site> load_site(const std::string& folder);

}  // namespace qdt::server
