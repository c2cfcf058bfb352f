#include "os/linux/resolv_conf_layers.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "os/linux/network_fixture.h"
#include "os/linux/resolv_conf.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

ResolvConfLayer layer(const std::string& device, const char* server) {
  return {.owner = device + ".1.undo", .tun_name = device, .servers = {*IpAddress::parse(server)}};
}

std::string content() {
  return read_text("/etc/resolv.conf");
}

void put(const ResolvConfLayer& wish) {
  const auto state = put_resolv_conf_layer(wish);
  ASSERT_TRUE(state) << state.error().message;
  ASSERT_TRUE(state->is_recorded);
}

/// Runs `body` where there is a folder for the record.
void with_record(const std::function<void(const std::string& before)>& body) {
  in_fresh_network([&] {
    std::filesystem::create_directory("/run/qdt");
    body(content());
  });
}

TEST(ResolvConfLayers, HaveTheNewestOnTopAndTheUsersBelow) {
  with_record([](const std::string& before) {
    put(layer("qdt0", "10.8.0.1"));
    put(layer("qdt1", "10.9.0.1"));
    EXPECT_THAT(content(), HasSubstr("nameserver 10.9.0.1\n"));
    put(layer("qdt0", "10.8.0.1"));  // stays where it is
    EXPECT_THAT(content(), HasSubstr("nameserver 10.9.0.1\n"));
    EXPECT_EQ(users_resolv_conf(), before);
    EXPECT_THAT(*remove_resolv_conf_layer("qdt1.1.undo"), HasSubstr("those of qdt0"));
    EXPECT_THAT(content(), HasSubstr("nameserver 10.8.0.1\n"));
    EXPECT_EQ(*remove_resolv_conf_layer("qdt0.1.undo"), "/etc/resolv.conf put back");
    EXPECT_EQ(content(), before);
    EXPECT_FALSE(std::filesystem::exists("/run/qdt/resolv.conf.layers"));
  });
}

TEST(ResolvConfLayers, GoWithTheirProcesses) {
  with_record([](const std::string& before) {
    in_child([] { put(layer("qdt0", "10.8.0.1")); });
    put(layer("qdt1", "10.9.0.1"));
    EXPECT_EQ(*remove_resolv_conf_layer("qdt1.1.undo"), "/etc/resolv.conf put back");
    EXPECT_EQ(content(), before);
    EXPECT_EQ(*remove_resolv_conf_layer("qdt0.1.undo"), "");
  });
}

TEST(ResolvConfLayers, TakeWhatSomebodyElseWritesForTheUsers) {
  with_record([](const std::string&) {
    put(layer("qdt0", "10.8.0.1"));
    write_text("/etc/resolv.conf", "search new.test\nnameserver 192.0.2.99");
    EXPECT_TRUE(put_resolv_conf_layer(layer("qdt0", "10.8.0.1"))->was_changed);
    EXPECT_THAT(content(), HasSubstr("search new.test\nnameserver 10.8.0.1\n"));
    EXPECT_EQ(*remove_resolv_conf_layer("qdt0.1.undo"), "/etc/resolv.conf put back");
    EXPECT_EQ(content(), "search new.test\nnameserver 192.0.2.99");
  });
}

TEST(ResolvConfLayers, KeepLinesThatSomebodyAdds) {
  with_record([](const std::string& before) {
    put(layer("qdt0", "10.8.0.1"));
    write_text("/etc/resolv.conf", content() + "options rotate\n");
    put(layer("qdt0", "10.8.0.1"));
    EXPECT_THAT(content(), HasSubstr("options rotate\nnameserver 10.8.0.1\n"));
    EXPECT_TRUE(remove_resolv_conf_layer("qdt0.1.undo"));
    EXPECT_EQ(content(), before + "options rotate\n");
  });
}

TEST(ResolvConfLayers, SurviveTheLossOfTheirRecord) {
  with_record([](const std::string& before) {
    const auto known = put_resolv_conf_layer(layer("qdt0", "10.8.0.1"));
    std::filesystem::remove("/run/qdt/resolv.conf.layers");
    EXPECT_TRUE(put_resolv_conf_layer(layer("qdt0", "10.8.0.1"), *known));
    EXPECT_TRUE(remove_resolv_conf_layer("qdt0.1.undo"));
    EXPECT_EQ(content(), before);
  });
}

TEST(ResolvConfLayers, NeverTakeADeadClientsTextForTheUsers) {
  with_record([](const std::string&) {
    put(layer("qdt0", "10.8.0.1"));
    std::filesystem::remove("/run/qdt/resolv.conf.layers");
    EXPECT_TRUE(put_resolv_conf_layer(layer("qdt1", "10.9.0.1"))->is_original_lost);
    EXPECT_TRUE(remove_resolv_conf_layer("qdt1.1.undo"));
    EXPECT_EQ(content(), "options edns0\n");
  });
}

TEST(ResolvConfLayers, AreNotRecordedWhereThereIsNoFolder) {
  in_fresh_network([] {
    const std::string before = content();
    EXPECT_FALSE(put_resolv_conf_layer(layer("qdt0", "10.8.0.1"))->is_recorded);
    EXPECT_EQ(content(), before);
  });
}

TEST(ResolvConfLayers, AreNotHurtByADamagedRecord) {
  with_record([](const std::string& before) {
    for (const char* damage : {"", "[", "{}", "[1]", "[{\"id\":7}]", "\xff"}) {
      write_text("/run/qdt/resolv.conf.layers", damage);
      put(layer("qdt0", "10.8.0.1"));
      EXPECT_THAT(content(), StartsWith(std::string(kResolvConfMark)));
      EXPECT_TRUE(remove_resolv_conf_layer("qdt0.1.undo"));
      EXPECT_EQ(content(), before);
    }
  });
}

}  // namespace
}  // namespace qdt::os
