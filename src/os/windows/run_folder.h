#pragma once

#include <string>

#include "base/result.h"

namespace qdt::os {

/// `%ProgramData%\QDT`, where the service finds its configuration.
std::string data_folder();

/// `%ProgramData%\QDT\run`, where a program keeps what concerns its TUN device: everyone may read
/// it, only SYSTEM, Administrators and their maker write. Makes both folders and, where they are
/// there, sets their access anew: in ProgramData anybody may make a folder before us.
Result<std::string> run_folder();

}  // namespace qdt::os
