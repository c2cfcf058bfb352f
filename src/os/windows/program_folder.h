#pragma once

#include <string>

namespace qdt::os {

/// The path of the program of this process, and the folder that it is in.
std::string own_path();
std::string program_folder();

}  // namespace qdt::os
