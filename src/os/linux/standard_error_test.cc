#include "os/standard_error.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace qdt::os {
namespace {

// The variable alone, as a child with a redirected standard error inherits it, means nothing.
TEST(StandardError, IsNoJournalThatItIsNotConnectedTo) {
  ::setenv("JOURNAL_STREAM", "1:1", 1);  // NOLINT(concurrency-mt-unsafe): there is one thread
  EXPECT_FALSE(is_standard_error_the_journal());
  ::unsetenv("JOURNAL_STREAM");  // NOLINT(concurrency-mt-unsafe)
  EXPECT_FALSE(is_standard_error_the_journal());
}

}  // namespace
}  // namespace qdt::os
