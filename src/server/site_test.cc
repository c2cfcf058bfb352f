#include "server/site.h"

#include <gtest/gtest.h>

namespace qdt::server {
namespace {

quic::Response get(const Decoy& decoy, const std::string& path) {
  quic::Message request;
  request.method = "GET";
  request.path = path;
  return decoy.answer(request, std::chrono::sys_seconds{});
}

TEST(Site, FilesHaveTheHeadersOfFiles) {
  const Site site = make_site({.files = {{"style.CSS", "body {}", 0x2eba}}, .notes = {"note"}});
  const quic::Response response = get(site.decoy, "/style.CSS");
  EXPECT_EQ(response.headers,
            (quic::HeaderFields{{"date", "Thu, 01 Jan 1970 00:00:00 GMT"},
                                {"content-type", "text/css"},
                                {"last-modified", "Thu, 01 Jan 1970 03:19:22 GMT"},
                                {"etag", "\"2eba-7\""},
                                {"content-length", "7"}}));
  EXPECT_EQ(*response.page, "body {}");
  EXPECT_EQ(site.notes, std::vector<std::string>{"note"});
}

TEST(Site, UnknownEndingsAreBytes) {
  const Site site = make_site({.files = {{"dot.d/file", "", 0}, {"x.unknown", "", 0}}});
  EXPECT_EQ(get(site.decoy, "/dot.d/file").headers[1].second, "application/octet-stream");
  EXPECT_EQ(get(site.decoy, "/x.unknown").headers[1].second, "application/octet-stream");
}

}  // namespace
}  // namespace qdt::server
