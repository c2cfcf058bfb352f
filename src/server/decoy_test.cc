#include "server/decoy.h"

#include <gtest/gtest.h>

namespace qdt::server {
namespace {

constexpr std::chrono::sys_seconds kNow{std::chrono::seconds(784111777)};

quic::Response ask(const Decoy& decoy, const std::string& method, const std::string& path,
                   const quic::HeaderFields& headers = {}) {
  quic::Message request;
  request.method = method;
  request.path = path;
  request.headers = headers;
  return decoy.answer(request, kNow);
}

std::string header(const quic::Response& response, std::string_view name) {
  for (const auto& [field, value] : response.headers) {
    if (field == name) return value;
  }
  return "";
}

Decoy::Page page(const std::string& body) {
  return {.status = 200,
          .headers = {{"content-type", "text/html"},
                      {"last-modified", "Sat, 05 Nov 1994 00:00:00 GMT"},
                      {"etag", "\"2eba-5\""}},
          .body = std::make_shared<const std::string>(body)};
}

Decoy small_site() {
  return Decoy::site({{"/index.html", page("start")},
                      {"/a b/index.html", page("inner")},
                      {"/files/one.txt", page("one")}});
}

TEST(Decoy, DatesAreOfRfc9110) {
  EXPECT_EQ(http_date(kNow), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(http_date(std::chrono::sys_seconds{}), "Thu, 01 Jan 1970 00:00:00 GMT");
}

TEST(Decoy, PlainPageIsTheSameForEveryPathAndMethod) {
  const Decoy decoy = Decoy::plain_page();
  const quic::Response first = ask(decoy, "GET", "/");
  EXPECT_EQ(first.status, 200);
  ASSERT_TRUE(first.page);
  EXPECT_EQ(header(first, "content-length"), std::to_string(first.page->size()));
  for (const char* method : {"GET", "POST", "PUT", "OPTIONS", "x"}) {
    for (const char* path : {"/", "/connect", "/nothing", "*", ""}) {
      const quic::Response other = ask(decoy, method, path);
      EXPECT_EQ(other.status, first.status) << method << path;
      EXPECT_EQ(other.headers, first.headers) << method << path;
      EXPECT_EQ(other.page, first.page) << method << path;
    }
  }
}

TEST(Decoy, HeadHasTheHeadersAndNoBody) {
  const Decoy decoy = Decoy::plain_page();
  const quic::Response head = ask(decoy, "HEAD", "/");
  EXPECT_EQ(head.headers, ask(decoy, "GET", "/").headers);
  EXPECT_FALSE(head.page);
  EXPECT_EQ(head.body, "");
}

TEST(Decoy, NoServerIsNamedUnlessAskedFor) {
  Decoy decoy = Decoy::plain_page();
  EXPECT_EQ(header(ask(decoy, "GET", "/"), "server"), "");
  decoy.set_server_header("nginx");
  EXPECT_EQ(ask(decoy, "GET", "/").headers.front(),
            (std::pair<std::string, std::string>{"server", "nginx"}));
}

TEST(Decoy, StatusIsForEveryPath) {
  const Decoy decoy = Decoy::status_page(404);
  EXPECT_EQ(ask(decoy, "GET", "/").status, 404);
  EXPECT_EQ(ask(decoy, "POST", "/connect").status, 404);
  EXPECT_TRUE(ask(decoy, "GET", "/").page->contains("<h1>404 Not Found</h1>"));
}

TEST(Decoy, StatusWithoutContentHasNone) {
  const quic::Response response = ask(Decoy::status_page(204), "GET", "/");
  EXPECT_EQ(response.headers, (quic::HeaderFields{{"date", "Sun, 06 Nov 1994 08:49:37 GMT"}}));
  EXPECT_FALSE(response.page);
}

TEST(Decoy, TooManyHeadersAreSaidToBeThat) {
  quic::Message request{.method = "GET", .path = "/"};
  request.is_too_long = true;
  for (const Decoy& decoy : {Decoy::plain_page(), Decoy::status_page(404), Decoy::site({}),
                             Decoy::proxy({IpAddress::v4(1), 80})}) {
    EXPECT_EQ(decoy.answer(request, {}).status, 431);
  }
}

TEST(Decoy, SiteHasItsPages) {
  const Decoy decoy = small_site();
  EXPECT_EQ(*ask(decoy, "GET", "/").page, "start");
  EXPECT_EQ(*ask(decoy, "GET", "/index.html?x=1").page, "start");
  EXPECT_EQ(*ask(decoy, "GET", "/a%20b/").page, "inner");
  EXPECT_EQ(*ask(decoy, "GET", "//files/./one.txt").page, "one");
  EXPECT_EQ(*ask(decoy, "GET", "/files/../%69ndex.html").page, "start");
}

TEST(Decoy, SiteAnswersConnectAsAnyPathThatItLacks) {
  const Decoy decoy = small_site();
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "FOO"}) {
    const quic::Response connect = ask(decoy, method, "/connect");
    const quic::Response other = ask(decoy, method, "/missing");
    EXPECT_EQ(connect.status, other.status) << method;
    EXPECT_EQ(connect.headers, other.headers) << method;
  }
  EXPECT_EQ(ask(decoy, "GET", "/connect").status, 404);
  EXPECT_EQ(ask(decoy, "POST", "/connect").status, 404);
  EXPECT_EQ(ask(decoy, "PUT", "/connect").status, 405);
}

TEST(Decoy, SiteTakesNoPostForAPage) {
  EXPECT_EQ(ask(small_site(), "POST", "/").status, 405);
  EXPECT_EQ(ask(small_site(), "CONNECT", "/").status, 405);
}

TEST(Decoy, SiteSendsToTheFolder) {
  const quic::Response moved = ask(small_site(), "GET", "/a%20b");
  EXPECT_EQ(moved.status, 301);
  EXPECT_EQ(header(moved, "location"), "/a%20b/");
  EXPECT_EQ(ask(small_site(), "GET", "/files/").status, 403);
}

TEST(Decoy, SiteHasNothingAboveItsRoot) {
  for (const char* path : {"/../etc/passwd", "/%2e%2e/etc/passwd", "/files/..%2f..%2fetc", "*", "",
                           "etc", "/%", "/%0", "/%zz", "/%00"}) {
    EXPECT_EQ(ask(small_site(), "GET", path).status, 400) << path;
  }
}

TEST(Decoy, SiteSparesWhatTheVisitorHas) {
  const Decoy decoy = small_site();
  const quic::Response same = ask(decoy, "GET", "/", {{"if-none-match", "\"2eba-5\""}});
  EXPECT_EQ(same.status, 304);
  EXPECT_FALSE(same.page);
  EXPECT_EQ(header(same, "etag"), "\"2eba-5\"");
  EXPECT_EQ(header(same, "content-length"), "");
  EXPECT_EQ(ask(decoy, "GET", "/", {{"if-none-match", "\"other\""}}).status, 200);
  EXPECT_EQ(ask(decoy, "GET", "/", {{"if-modified-since", "Sat, 05 Nov 1994 00:00:00 GMT"}}).status,
            304);
}

}  // namespace
}  // namespace qdt::server
