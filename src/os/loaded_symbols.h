#pragma once

#include <cstdint>
#include <string>

namespace qdt::os {

/// The code at `address` of this process, in words: the function's C++ name where the
/// dynamic symbol table has it (the program is linked with -rdynamic for that), else
/// `FILE+0xOFFSET` of the function's first byte; empty when nothing is there. Any thread.
std::string symbol_at(std::uintptr_t address);

}  // namespace qdt::os
