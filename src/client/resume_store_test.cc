#include "client/resume_store.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "os/file.h"
#include "support/scratch_folder.h"

namespace qdt::client {
namespace {

class KeptLog final : public Logger {
 public:
  std::vector<std::string> lines;

 private:
  void write(LogLevel, std::string_view message) override { lines.emplace_back(message); }
};

class ResumeStoreTest : public ::testing::Test {
 protected:
  ResumeStore open(const std::string& server = "vpn.test:443") {
    return {path, server,
            [this](std::string_view content) {
              return content.empty() ? os::remove_file(path)
                                     : os::replace_private_file(path, content);
            },
            log};
  }
  void write(const std::string& content) { std::ofstream(path) << content; }

  testing::ScratchFolder folder;
  std::string path = folder.file("qdt0.resume");
  KeptLog log;
};

TEST_F(ResumeStoreTest, KeepsATokenForTheNextStart) {
  open().keep("c2VjcmV0");
  EXPECT_EQ(open().token(), "c2VjcmV0");
  EXPECT_FALSE(os::is_readable_by_others(path));
  EXPECT_TRUE(log.lines.empty());
}

TEST_F(ResumeStoreTest, TakesTheNewest) {
  open().keep("one");
  open().keep("two");
  EXPECT_EQ(open().token(), "two");
}

TEST_F(ResumeStoreTest, ShowsATokenToNoOtherServer) {
  open().keep("secret");
  EXPECT_EQ(open("other.test:443").token(), "");
}

TEST_F(ResumeStoreTest, ForgetsWhatIsOver) {
  open().keep("secret");
  open().keep("");
  EXPECT_FALSE(os::file_exists(path));
  EXPECT_EQ(open().token(), "");
}

TEST_F(ResumeStoreTest, ReportsADamagedFileAndForgetsIt) {
  for (const char* content : {"", "x", "QDT resume 1\nserver vpn.test:443\n",
                              "QDT resume 1\nserver vpn.test:443\ntoken \n",
                              "QDT resume 1\nserver vpn.test:443\ntoken sec",
                              "QDT resume 1\nserver vpn.test:443\ntoken a\1\n"}) {
    write(content);
    log.lines.clear();
    EXPECT_EQ(open().token(), "") << content;
    EXPECT_EQ(log.lines.size(), 1u) << content;
  }
  open().keep("new");
  EXPECT_EQ(open().token(), "new");
}

TEST_F(ResumeStoreTest, WorksWithoutAFile) {
  ResumeStore store("", "vpn.test:443", {}, log);
  store.keep("secret");
  EXPECT_EQ(store.token(), "secret");
  EXPECT_TRUE(log.lines.empty());
}

}  // namespace
}  // namespace qdt::client
