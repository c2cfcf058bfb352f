#pragma once

// For tests only: requests to a UserApi that has a file of its own.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/logger.h"
#include "control/answer.h"
#include "control/user_api.h"
#include "os/system_random.h"
#include "wire/ed25519.h"
#include "wire/key_text.h"

namespace qdt::control {

/// `Json`: nlohmann::json, which no header of ours includes.
template <typename Json>
class UserApiFixture : public ::testing::Test {
 protected:
  static constexpr std::int64_t kNow = 1796026934;  // 2026-11-30T08:22:14Z

  void TearDown() override { std::filesystem::remove_all(folder_); }

  ops::HttpResponse ask(const std::string& method, const std::string& path,
                        const std::string& body = "") {
    return api_.answer({.method = method, .path = path, .body = body, .who = "root"});
  }
  Json good(const std::string& method, const std::string& path, const std::string& body = "") {
    const auto response = ask(method, path, body);
    EXPECT_EQ(response.status, 200) << response.body;
    return Json::parse(response.body);
  }
  std::string refused(const std::string& method, const std::string& path, const std::string& body,
                      int status = 400) {
    const auto response = ask(method, path, body);
    EXPECT_EQ(response.status, status) << response.body;
    return response.status == 200 ? "" : parse_refusal(response.status, response.body).message;
  }
  void refuses(const std::string& path, const std::string& body, const char* why) {
    EXPECT_THAT(refused("POST", path, body), ::testing::HasSubstr(why)) << body;
  }
  static std::string key_text(std::uint8_t seed) {
    return wire::public_key_text(wire::Ed25519Key(wire::Ed25519Seed{seed}).public_key());
  }

  class NoLogger final : public Logger {
    void write(LogLevel, std::string_view) override {}
  };
  NoLogger logger_;
  os::SystemRandom random_;
  const std::string folder_ = [] {
    std::string name = ::testing::TempDir() + "qdt-users-XXXXXX";
    return std::string(::mkdtemp(name.data()));
  }();
  std::int64_t now_ = kNow;
  users::StoreFile file_{{.path = folder_ + "/a.db", .key_path = folder_ + "/a.key"},
                         random_,
                         [this] { return now_; },
                         logger_};
  UserApi api_{file_, random_, [this] { return now_; },
               users::Addresses{.pool = *Prefix::parse("10.8.0.0/24"),
                                .gateway = *IpAddress::parse("10.8.0.1"),
                                .pool6 = *Prefix::parse("fd00::/64"),
                                .gateway6 = *IpAddress::parse("fd00::1")}};
};

}  // namespace qdt::control
