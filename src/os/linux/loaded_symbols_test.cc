#include "os/loaded_symbols.h"

#include <gtest/gtest.h>

#include <exception>

namespace qdt::os {
namespace {

TEST(LoadedSymbols, NamesAnExportedFunction) {
  // One of the C++ library's, which no sanitizer replaces.
  const auto exported = reinterpret_cast<std::uintptr_t>(&std::terminate);
  EXPECT_EQ(symbol_at(exported + 1), "std::terminate()");
}

TEST(LoadedSymbols, NamesFileAndOffsetOfWhatIsNotExported) {
  const auto hidden = reinterpret_cast<std::uintptr_t>(+[] { return 1; });
  EXPECT_EQ(symbol_at(hidden).substr(0, 10), "os_test+0x");
  EXPECT_EQ(symbol_at(hidden), symbol_at(hidden + 1));
}

TEST(LoadedSymbols, KnowsNothingOfOtherAddresses) {
  EXPECT_EQ(symbol_at(1), "");
}

}  // namespace
}  // namespace qdt::os
