#include "os/loaded_symbols.h"

#include <gtest/gtest.h>

#include <new>

namespace qdt::os {
namespace {

TEST(LoadedSymbols, FindsAndNamesAnExportedFunction) {
  // std::ostream::flush(), which no sanitizer replaces.
  void* const found = find_symbol("_ZNSo5flushEv");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(symbol_at(reinterpret_cast<std::uintptr_t>(found) + 1), "std::ostream::flush()");
}

TEST(LoadedSymbols, NamesFileAndOffsetOfWhatIsNotExported) {
  const auto hidden = reinterpret_cast<std::uintptr_t>(+[] { return 1; });
  EXPECT_EQ(symbol_at(hidden).substr(0, 10), "os_test+0x");
  EXPECT_EQ(symbol_at(hidden), symbol_at(hidden + 1));
}

TEST(LoadedSymbols, KnowsNothingOfOtherAddresses) {
  EXPECT_EQ(symbol_at(1), "");
  EXPECT_EQ(find_symbol("qdt_no_such_function"), nullptr);
}

}  // namespace
}  // namespace qdt::os
