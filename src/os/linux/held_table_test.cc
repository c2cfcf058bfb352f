#include "os/linux/held_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>

#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string rules(const std::string& name, const std::string& flags, const std::string& mark) {
  return "table inet " + name + " { " + flags +
         " chain marks { type filter hook output priority 0; meta mark set " + mark + "; }; }\n";
}

HeldTable::Form form(const std::string& mark) {
  return [mark](const std::string& name, const std::string& flags) {
    return rules(name, flags, mark);
  };
}

/// A table and the journal that it may need.
struct Held {
  TestLogger logger;
  UndoJournal journal = *open_journal("/run/qdt", "qdt0", logger);
  HeldTable table{"qdt_test"};

  Result<void> set(const HeldTable::Form& wanted) {
    Transaction transaction(journal, logger);
    auto set = table.set(wanted, transaction);
    if (set) transaction.commit();
    return set;
  }
};

void in_network(const std::function<void()>& body) {
  in_fresh_network([&] {
    std::filesystem::create_directories("/run/qdt");
    body();
  });
}

TEST(HeldTable, IsNobodyElsesToDelete) {
  in_network([] {
    Held held;
    ASSERT_TRUE(held.set(form("1")));
    shell("nft flush ruleset; nft delete table inet qdt_test.1");
    EXPECT_THAT(shell("nft list ruleset"), HasSubstr("meta mark set 0x00000001"));
    EXPECT_TRUE(held.journal.steps().empty());
  });
}

TEST(HeldTable, IsReplacedByANewOne) {
  in_network([] {
    Held held;
    ASSERT_TRUE(held.set(form("1")));
    ASSERT_TRUE(held.set(form("2")));
    EXPECT_THAT(shell("nft list ruleset"), HasSubstr("meta mark set 0x00000002"));
    EXPECT_THAT(shell("nft list ruleset"), Not(HasSubstr("meta mark set 0x00000001")));
  });
}

TEST(HeldTable, StaysWhenTheNextOneIsRefused) {
  in_network([] {
    Held held;
    ASSERT_TRUE(held.set(form("1")));
    EXPECT_FALSE(held.set(form("rubbish")));
    EXPECT_THAT(shell("nft list ruleset"), HasSubstr("meta mark set 0x00000001"));
  });
}

TEST(HeldTable, GoesWithItsProcess) {
  in_network([] {
    in_child([] { EXPECT_TRUE((new Held)->set(form("1"))); });
    EXPECT_EQ(shell("nft list ruleset"), "");
  });
}

TEST(HeldTable, IsNoProgramsThatWeStart) {
  in_network([] {
    Held held;
    ASSERT_TRUE(held.set(form("1")));
    FILE* program = ::popen("echo begun; exec /bin/sleep 1", "r");
    // A program has our descriptors until it has begun.
    std::array<char, 16> line;
    ASSERT_TRUE(::fgets(line.data(), line.size(), program));
    held.table.drop();
    EXPECT_EQ(shell("nft list ruleset"), "");
    ::pclose(program);
  });
}

TEST(HeldTable, IsAPlainOneWhereTheKernelHasNoOwners) {
  in_network([] {
    Held held;
    const HeldTable::Form plain = [](const std::string& name, const std::string& flags) {
      return flags.empty() ? rules(name, flags, "1") : "table inet x { flags none; }";
    };
    ASSERT_TRUE(held.set(plain));
    EXPECT_THAT(shell("nft list tables"), HasSubstr("inet qdt_test\n"));
    EXPECT_TRUE(held.journal.contains(DeleteNftTable{"qdt_test"}));
    EXPECT_FALSE(held.table.is_owned());
  });
}

}  // namespace
}  // namespace qdt::os
