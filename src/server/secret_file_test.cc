#include "server/secret_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/seeded_random.h"

namespace qdt::server {
namespace {

using ::testing::HasSubstr;

class LineLogger final : public Logger {
 public:
  std::string text;

 private:
  void write(LogLevel, std::string_view message) override { text.append(message).append("\n"); }
};

class SecretFile : public ::testing::Test {
 protected:
  SecretFile() {
    folder = std::filesystem::path(::testing::TempDir()) /
             ("qdt-secret-" +
              std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::remove_all(folder);
    std::filesystem::create_directories(folder);
    path = folder / "server.secret";
  }
  ~SecretFile() override { std::filesystem::remove_all(folder); }

  quic::ServerSecret load() { return load_or_make_secret(path, random, logger); }
  std::string content() const {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void write(const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    std::filesystem::permissions(path, std::filesystem::perms(0600));
    logger.text.clear();
  }
  // A new secret took the place of what `text` was, and stays.
  void expect_replaced(const std::string& text, const std::string& told) {
    write(text);
    const auto secret = load();
    EXPECT_THAT(logger.text, HasSubstr(told));
    logger.text.clear();
    EXPECT_EQ(load(), secret);
    EXPECT_EQ(logger.text, "");
  }

  testing::SeededRandom random{7};
  LineLogger logger;
  std::filesystem::path folder;
  std::filesystem::path path;
};

TEST_F(SecretFile, IsMadeOnceAndKept) {
  const auto secret = load();
  EXPECT_THAT(logger.text, HasSubstr("made"));
  logger.text.clear();
  EXPECT_EQ(load(), secret);
  EXPECT_EQ(logger.text, "");
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
  EXPECT_FALSE(std::filesystem::exists(path.string() + ".new"));
}

TEST_F(SecretFile, IsReplacedWhenItIsDamaged) {
  load();
  const std::string good = content();
  for (const std::string& bad : {std::string(), std::string("x"), good.substr(0, good.size() / 2),
                                 good.substr(0, good.size() - 1), good + "x\n",
                                 "token: abc\n" + good, std::string(good.size(), '\0')}) {
    expect_replaced(bad, "damaged; it is replaced");
    EXPECT_NE(content(), good);
  }
}

TEST_F(SecretFile, IsReplacedWhenOthersMayRead) {
  const auto secret = load();
  std::filesystem::permissions(path, std::filesystem::perms(0640));
  EXPECT_NE(load(), secret);
  EXPECT_THAT(logger.text, HasSubstr("others may read this secret"));
  EXPECT_EQ(std::filesystem::status(path).permissions(), std::filesystem::perms(0600));
}

TEST_F(SecretFile, IsNotNeeded) {
  path = folder / "nowhere" / "server.secret";
  const auto secret = load();
  EXPECT_NE(secret, quic::ServerSecret{});
  EXPECT_THAT(logger.text, HasSubstr("No such file or directory; the server works without"));
  EXPECT_NE(load(), secret);
}

TEST_F(SecretFile, IsMadeAfterACrashInTheMiddle) {
  write("");
  std::filesystem::rename(path, path.string() + ".new");
  const auto secret = load();
  EXPECT_EQ(load(), secret);
}

}  // namespace
}  // namespace qdt::server
