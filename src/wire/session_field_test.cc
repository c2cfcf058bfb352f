#include "wire/session_field.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace qdt::wire {
namespace {

const std::string kRequest =
    "v=2, nonce=:AAECAwQFBgcICQoLDA0ODw==:, caps=(ping resume direct), mtu=1400, "
    "direct=(:AAECAwQFBgc=: :CAkKCwwNDg8=:), resume=\"abc\", name=\"laptop\", platform=\"linux\"";
const std::string kAnswer =
    "v=2, nonce=:AAECAwQFBgcICQoLDA0ODw==:, caps=(ping resume), mtu=1350, resume=\"xyz\", "
    "gateway=(\"10.8.0.1\" \"fd00:8::1\"), dns=(\"10.8.0.1\"), domains=(\"corp.example\"), "
    "key=:" +
    std::string(42, 'A') + "E=:, proof=:" + std::string(85, 'B') + "A==:";
constexpr SessionCaps kOffered{.ping = true, .resume = true, .direct = true};

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const std::size_t at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

std::string why_refused(const auto& result) {
  return result ? "not refused" : result.error().message;
}

struct Change {
  std::string from;
  std::string to;
  std::string reason;
};

TEST(SessionRequest, IsReadAndWritten) {
  const auto request = parse_session_request(kRequest);
  ASSERT_TRUE(request) << why_refused(request);
  EXPECT_EQ(request->nonce[15], 15);
  EXPECT_EQ(request->caps, kOffered);
  EXPECT_EQ(request->mtu, 1400u);
  EXPECT_EQ(request->direct_ids,
            (std::vector<DirectId>{{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9, 10, 11, 12, 13, 14, 15}}));
  EXPECT_EQ(request->resume_token, "abc");
  EXPECT_EQ(request->name, "laptop");
  EXPECT_EQ(request->platform, "linux");
  EXPECT_EQ(write_session_field(*request), kRequest);
}

TEST(SessionRequest, NamesTheKeyOfADeviceThatEnrols) {
  SessionRequest request{.nonce = {1}, .mtu = 1350, .name = "laptop", .enrol = Ed25519PublicKey{7}};
  const auto read = parse_session_request(write_session_field(request));
  ASSERT_TRUE(read) << why_refused(read);
  EXPECT_EQ(*read, request);
  EXPECT_FALSE(parse_session_request(
      "v=2, nonce=:AAECAwQFBgcICQoLDA0ODw==:, enrol=:AAECAwQFBgcICQoLDA0ODw==:"));
}

TEST(SessionRequest, NeedsLittle) {
  const auto request = parse_session_request("nonce=:AAECAwQFBgcICQoLDA0ODw==:,v=2");
  ASSERT_TRUE(request) << why_refused(request);
  EXPECT_EQ(request->caps, SessionCaps());
  EXPECT_EQ(request->mtu, 1350u);
}

TEST(SessionRequest, IgnoresWhatItDoesNotKnow) {
  const auto request = parse_session_request(replaced(kRequest, "(ping", "(warp;x=1 ping") +
                                             ", later=(1 2.5 @3 %\"%c3%bc\");p, key=1");
  EXPECT_EQ(request, *parse_session_request(kRequest));
}

TEST(SessionRequest, IgnoresMembersOfCapsThatItLacks) {
  const auto request =
      parse_session_request(replaced(replaced(replaced(kRequest, " resume direct)", " shared_id)"),
                                              "direct=(:AAECAwQFBgc=", "direct=(:"),
                                     "\"abc\"", "7"));
  ASSERT_TRUE(request) << why_refused(request);
  EXPECT_EQ(request->caps, SessionCaps{.ping = true});
  EXPECT_TRUE(request->direct_ids.empty());
  EXPECT_TRUE(request->resume_token.empty());
}

TEST(SessionRequest, RefusesWhatIsMissingOrOfAnotherForm) {
  const std::string head = "the peer's field qdt has ";
  const Change changes[] = {
      {"v=2, ", "", head + "another version than 2 in v"},
      {"v=2", "v=1", head + "another version than 2 in v"},
      {"v=2", "v=3", head + "another version than 2 in v"},
      {"v=2", "v=2.0", head + "another type in v"},
      {"v=2", "v=(2)", head + "another type in v"},
      {"v=2", "v", head + "another type in v"},
      {"nonce", "ponce", head + "nothing in nonce"},
      {"Dw==:", "DxA=:", head + "another length in nonce"},
      {":AAECAwQFBgcICQoLDA0ODw==:", "\"AAECAwQFBgcICQoLDA0ODw\"", head + "another type in nonce"},
      {"(ping resume", "(\"ping\" resume", head + "another type in caps"},
      {"(ping resume direct)", "ping", head + "no list in caps"},
      {"1400", "575", head + "a number out of bounds in mtu"},
      {"1400", "65536", head + "a number out of bounds in mtu"},
      {"1400", "-1400", head + "a number out of bounds in mtu"},
      {"direct=(", "direct=();x=(", "the peer's field qdt is no dictionary"},
      {"(:AAECAwQFBgc=: :CAkKCwwNDg8=:)", "()", head + "too few or many in direct"},
      {"(:AAECAwQFBgc=: :CAkKCwwNDg8=:)", "(:AA==:)", head + "another length in direct"},
      {":CAkKCwwNDg8=:", ":AAECAwQFBgc=:", head + "one ID twice in direct"},
      {"\"abc\"", "\"a c\"", head + "no token in resume"},
      {"\"abc\"", "\"\"", head + "no token in resume"},
      {"\"abc\"", "\"" + std::string(129, 'a') + "\"", head + "no token in resume"},
      {"\"abc\"", "abc", head + "another type in resume"},
      {"\"laptop\"", "laptop", head + "another type in name"},
      {"\"linux\"", "1", head + "another type in platform"},
      {"mtu=1400", "v=2", "the peer's field qdt is no dictionary"},
      {"\"linux\"", "\"linux", "the peer's field qdt is no dictionary"},
  };
  for (const auto& [from, to, reason] : changes) {
    EXPECT_EQ(why_refused(parse_session_request(replaced(kRequest, from, to))), reason) << to;
  }
}

TEST(SessionRequest, NamesAreFitForALog) {
  const auto request = parse_session_request(replaced(kRequest, "laptop", "a b\\\"; c=1"));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->name, "\"a b?; c=1\"");
  SessionRequest ours;
  ours.mtu = 1350;
  ours.name = "B\xc3\xbcro\n";
  EXPECT_TRUE(write_session_field(ours).ends_with("name=\"B??ro?\""));
}

TEST(SessionAnswer, IsReadAndWritten) {
  const auto answer = parse_session_answer(kAnswer, kOffered);
  ASSERT_TRUE(answer) << why_refused(answer);
  EXPECT_EQ(answer->caps, (SessionCaps{.ping = true, .resume = true}));
  EXPECT_EQ(answer->resume_token, "xyz");
  EXPECT_EQ(answer->gateways,
            (std::vector{*IpAddress::parse("10.8.0.1"), *IpAddress::parse("fd00:8::1")}));
  EXPECT_EQ(answer->dns, std::vector{*IpAddress::parse("10.8.0.1")});
  EXPECT_EQ(answer->domains, std::vector<std::string>{"corp.example"});
  ASSERT_TRUE(answer->key);
  EXPECT_EQ((*answer->key)[31], 1);
  EXPECT_EQ(write_session_field(*answer), kAnswer);
}

TEST(SessionAnswer, HasNoCapThatWasNotOffered) {
  const auto answer = parse_session_answer(
      replaced(kAnswer, "(ping resume)", "(ping close resume direct shared_id sealed)"),
      {.ping = true, .shared_id = true});
  ASSERT_TRUE(answer) << why_refused(answer);
  EXPECT_EQ(answer->caps, SessionCaps{.ping = true});
  EXPECT_TRUE(answer->resume_token.empty());
}

TEST(SessionAnswer, RefusesWhatIsMissingOrOfAnotherForm) {
  const std::string head = "the peer's field qdt has ";
  const std::string unusable = head + "an unusable address, ";
  const Change changes[] = {
      {"ping resume", "ping direct", head + "too few or many in direct"},
      {"\"fd00:8::1\"", "\"10.8.0.3\"", head + "two addresses of one kind in gateway"},
      {"\"fd00:8::1\"", "\"fd00:8::1\" \"fd00:8::1\"", head + "too many addresses in gateway"},
      {"\"fd00:8::1\"", "\"fe80::1\"", unusable + "\"fe80::1\", in gateway"},
      {"dns=(\"10.8.0.1\")", "dns=\"10.8.0.1\"", head + "no list in dns"},
      {"dns=(\"10.8.0.1\")", "dns=(\"127.0.0.1\")", unusable + "127.0.0.1, in dns"},
      {"dns=(\"10.8.0.1\")", "dns=(\"10.8.0\")", unusable + "10.8.0, in dns"},
      {"corp.example", "corp..example", head + "an unusable name, corp..example, in domains"},
      {"corp.example", "10.8.0.1", head + "an unusable name, 10.8.0.1, in domains"},
      {"key=", "yek=", head + "no proof, or no key to it, in key"},
      {"proof=", "foorp=", head + "no proof, or no key to it, in key"},
      {"E=:", ":", head + "another length in key"},
      {"BA==:", ":", head + "another length in proof"},
  };
  for (const auto& [from, to, reason] : changes) {
    const std::string field = replaced(kAnswer, from, to);
    EXPECT_EQ(why_refused(parse_session_answer(field, kOffered)), reason) << to;
  }
}

TEST(SessionAnswer, BoundsItsLists) {
  const auto with = [](std::string_view key, const std::string& text, std::size_t count) {
    std::string list;
    for (std::size_t i = 0; i < count; ++i) list += " \"" + text + "\"";
    return parse_session_answer(
        "v=2, nonce=:AAECAwQFBgcICQoLDA0ODw==:, " + std::string(key) + "=(" + list + ")", {});
  };
  EXPECT_TRUE(with("dns", "10.8.0.1", 16));
  EXPECT_FALSE(with("dns", "10.8.0.1", 17));
  EXPECT_TRUE(with("domains", "a.example", 32));
  EXPECT_FALSE(with("domains", "a.example", 33));
  const std::string long_name = std::string(63, 'a') + "." + std::string(64 - 1, 'b') + ".c";
  EXPECT_TRUE(with("domains", long_name, 15));
  EXPECT_FALSE(with("domains", long_name, 16));
}

TEST(SessionField, RefusesAFieldCutInAValue) {
  std::size_t cuts = 0;
  for (std::size_t bytes = 0; bytes < kAnswer.size(); ++bytes) {
    const std::string cut = kAnswer.substr(0, bytes);
    const std::string_view last = std::string_view(cut).substr(cut.rfind(", ") + 1);
    const bool is_whole = kAnswer.substr(bytes).starts_with(", ");
    if (is_whole || !last.contains('=')) continue;  // a key alone is one that nobody knows
    ++cuts;
    EXPECT_FALSE(parse_session_answer(cut, kOffered)) << cut;
  }
  EXPECT_GT(cuts, 200u);
}

}  // namespace
}  // namespace qdt::wire
