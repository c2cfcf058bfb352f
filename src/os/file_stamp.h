#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>

namespace qdt::os {

/// A number that is another one once a file at one of these paths was written, replaced, or came or
/// went, by whatever name or link it is reached. Reads no file.
std::uint64_t file_stamp(std::initializer_list<std::string> paths);

}  // namespace qdt::os
