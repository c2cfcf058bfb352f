#include "ops/profiler.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <exception>
#include <future>

namespace qdt::ops {
namespace {

using testing::HasSubstr;

class Profiles : public testing::Test {
 protected:
  HttpResponse get(
      const std::string& path, std::multimap<std::string, std::string> query = {},
      std::function<bool(Duration)> wait = [](Duration) { return true; }) {
    return profiler_.routes().at(path).answer({.query = std::move(query), .wait = std::move(wait)});
  }

  Profiler profiler_;
};

TEST_F(Profiles, OfTheProcessorLastAsLongAsAskedFor) {
  Duration waited{};
  const HttpResponse response = get("/debug/pprof/profile", {{"seconds", "7"}}, [&](Duration time) {
    waited = time;
    return true;
  });
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(waited, 7s);
  // gperftools' format: words of this machine, the first 0, then 3 header words.
  EXPECT_EQ(response.body.substr(0, 16), std::string("\0\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0", 16));
}

TEST_F(Profiles, NameAProgramThatCannotBeOpened) {
  const HttpResponse response = get("/debug/pprof/profile");
  EXPECT_THAT(response.body, HasSubstr(" ops_test@live\n"));
  EXPECT_THAT(response.body, testing::Not(HasSubstr("/ops_test\n")));
}

// gperftools tells a profile's sum.
TEST_F(Profiles, LeaveNoLineOfTheirOwnInTheLog) {
  testing::internal::CaptureStderr();
  EXPECT_EQ(get("/debug/pprof/profile").status, 200);
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

TEST_F(Profiles, Take30SecondsUnlessToldOtherwise) {
  Duration waited{};
  get("/debug/pprof/profile", {}, [&](Duration time) {
    waited = time;
    return true;
  });
  EXPECT_EQ(waited, 30s);
}

TEST_F(Profiles, AreBounded) {
  for (const char* seconds : {"0", "301", "-1", "1.5", "x", ""}) {
    EXPECT_EQ(get("/debug/pprof/profile", {{"seconds", seconds}}).status, 400) << seconds;
  }
}

TEST_F(Profiles, AreTakenOneAtATime) {
  int status = 0;
  get("/debug/pprof/profile", {}, [&](Duration) {
    status =
        std::async(std::launch::async, [&] { return get("/debug/pprof/profile").status; }).get();
    return true;
  });
  EXPECT_EQ(status, 409);
  EXPECT_EQ(get("/debug/pprof/profile").status, 200);
}

TEST_F(Profiles, EndWhenNobodyWaitsForThem) {
  EXPECT_EQ(get("/debug/pprof/profile", {}, [](Duration) { return false; }).status, 503);
  EXPECT_EQ(get("/debug/pprof/profile").status, 200);
}

TEST_F(Profiles, ComeWithTheCommandLine) {
  EXPECT_THAT(get("/debug/pprof/cmdline").body, HasSubstr("ops_test"));
}

class Symbols : public Profiles {
 protected:
  std::string post(std::string body) {
    return profiler_.routes().at("/debug/pprof/symbol").answer({.body = std::move(body)}).body;
  }
};

TEST_F(Symbols, AreThereAtAll) {
  EXPECT_EQ(get("/debug/pprof/symbol").body, "num_symbols: 1\n");
}

TEST_F(Symbols, AreLookedUpByAddress) {
  char address[32];
  std::snprintf(address, sizeof address, "%p", reinterpret_cast<void*>(&std::terminate));
  EXPECT_EQ(post(std::string(address) + "+0x1+0x+nonsense+" + address),
            std::string(address) + "\tstd::terminate()\n" + address + "\tstd::terminate()\n");
}

}  // namespace
}  // namespace qdt::ops
