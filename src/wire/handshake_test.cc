#include "wire/handshake.h"

#include <gtest/gtest.h>

namespace qdt::wire {
namespace {

constexpr std::string_view kRequest =
    R"({"version":1,"client_nonce":"PF6BtAxexo4Eo0Bsl9Y8+w","mtu":1350,)"
    R"("caps":["fragment","aead"],"client_id":"laptop","platform":"linux"})";
constexpr std::string_view kResponse =
    R"({"version":1,"session_id":12345678901234567890,"server_nonce":"PHUwvbceNHiGsrQbkcl2cg",)"
    R"("mtu":1350,"client_ip":"10.8.0.2","gateway_ip":"10.8.0.1","cidr":"10.8.0.0/24",)"
    R"("dns":["1.1.1.1"]})";

// The same, from a server that takes up every cap.
constexpr std::string_view kFullResponse =
    R"({"version":1,"session_id":7,"server_nonce":"PHUwvbceNHiGsrQbkcl2cg","mtu":1350,)"
    R"("client_ip":"10.8.0.2","gateway_ip":"10.8.0.1","cidr":"10.8.0.0/24","dns":["1.1.1.1"],)"
    R"("caps":["resume","ipv6","routes","dns_domains"],"client_ip6":"fd00:8::2","gateway_ip6":"fd00:8::1",)"
    R"("cidr6":"fd00:8::/64","routes":["192.168.7.0/24","2001:db8:7::/48"],)"
    R"("dns_domains":["corp.example","7.168.192.in-addr.arpa"],)"
    R"("resume_token":"b3BhcXVl"})";
constexpr Capabilities kAllCaps{.ping = true,
                                .close = true,
                                .aes_256_gcm = true,
                                .resume = true,
                                .ipv6 = true,
                                .routes = true,
                                .dns_domains = true};

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const std::size_t at = out.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return out.replace(at, from.size(), to);
}

// `count` times the same JSON string, without brackets.
std::string list_of(std::size_t count, const std::string& text) {
  std::string list;
  for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "\"" : ",\"") + text + '"';
  return list;
}

// A peer's members with the cap.
std::string with_direct_ids(std::string_view json, const std::string& ids) {
  const bool is_request = json.contains("client_nonce");
  const std::string members =
      (is_request ? R"("caps":["direct","ping"],"direct_ids":)" : R"("direct_ids":)") + ids;
  return is_request ? replaced(json, R"("caps":["fragment","aead"])", members)
                    : replaced(replaced(json, R"("caps":[)", R"("caps":["direct",)"), R"("dns":)",
                               members + R"(,"dns":)");
}

// So many of them, in an array.
std::string direct_ids(std::size_t count) {
  std::string ids;
  for (std::size_t i = 0; i < count; ++i) {
    ids += std::string(i == 0 ? "" : ",") + "\"AAAA" + static_cast<char>('a' + i) + "AAAAAA=\"";
  }
  return "[" + ids + "]";
}

// Unsound forms of `direct_ids`; null is none.
const std::string kBadDirectIds[] = {
    "null",
    "[]",
    "{}",
    "7",
    R"("wAECAwQFBgc=")",
    "[7]",
    R"(["wAECAwQFBgc=",7])",
    R"(["wAECAwQFB!c="])",
    R"(["wAECAwQFBgcI"])",
    R"(["wAECAwQFBg=="])",
    R"([""])",
    R"(["wAECAwQFBgc=","wAECAwQFBgc="])",
    R"(["wAECAwQFBgc=","wQECAwQFBgc=","wAECAwQFBgc"])",
    direct_ids(9),
};

std::string with_resume_token(const std::string& json) {
  return replaced(kRequest, "\"platform\"", "\"resume_token\":" + json + ",\"platform\"");
}

TEST(ConnectRequest, IsReadAsExistingPeersWriteIt) {
  const auto request = parse_connect_request(kRequest);
  ASSERT_TRUE(request);
  EXPECT_EQ(request->client_nonce[0], 0x3c);
  EXPECT_EQ(request->mtu, 1350u);
  EXPECT_EQ(request->client_id, "laptop");
  EXPECT_EQ(request->platform, "linux");
  EXPECT_EQ(request->caps, Capabilities{});
}

TEST(ConnectRequest, NeedsOnlyVersionAndNonce) {
  const auto request =
      parse_connect_request(R"({"version":1,"client_nonce":"PF6BtAxexo4Eo0Bsl9Y8+w=="})");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->mtu, kDefaultMtu);
}

TEST(ConnectRequest, IgnoresWhatItDoesNotKnow) {
  const auto request = parse_connect_request(
      replaced(kRequest, R"(["fragment","aead"])", R"(["ping","x-new"],"later":{"a":[1,null]})"));
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->caps.ping);
  EXPECT_FALSE(request->caps.close);
}

TEST(ConnectRequest, RefusesABadBody) {
  for (const std::string& body :
       {std::string(""), std::string("[]"), std::string("{"), std::string(kRequest) + "x",
        replaced(kRequest, "\"version\":1", "\"version\":2"),
        replaced(kRequest, "\"version\":1", "\"version\":\"1\""),
        replaced(kRequest, "\"version\":1,", ""), replaced(kRequest, "1350", "\"big\""),
        replaced(kRequest, "\"laptop\"", "7"), replaced(kRequest, "\"aead\"", "3"),
        std::string(kMaxConnectBodyBytes + 1, ' ')}) {
    const auto request = parse_connect_request(body);
    ASSERT_FALSE(request) << body;
    EXPECT_EQ(request.error(), HandshakeResult::kBadRequest) << body;
  }
}

TEST(ConnectRequest, RefusesABadNonce) {
  for (const char* nonce :
       {"\"\"", "\"PF6B\"", "\"PF6BtAxexo4Eo0Bsl9Y8-w\"", "7", "\"PF6BtAxexo4Eo0Bsl9Y8+wAA\""}) {
    const auto request =
        parse_connect_request(replaced(kRequest, "\"PF6BtAxexo4Eo0Bsl9Y8+w\"", nonce));
    ASSERT_FALSE(request) << nonce;
    EXPECT_EQ(request.error(), HandshakeResult::kBadNonce);
  }
}

TEST(ConnectRequest, TakesAMissingOrNonPositiveMtuForTheDefault) {
  for (const char* mtu : {"0", "-5", "null"}) {
    EXPECT_EQ(parse_connect_request(replaced(kRequest, "1350", mtu))->mtu, kDefaultMtu);
  }
  EXPECT_EQ(parse_connect_request(replaced(kRequest, "1350", "18446744073709551615"))->mtu, 65535u);
}

TEST(ConnectRequest, RefusesAnMtuThatCarriesNothing) {
  EXPECT_EQ(parse_connect_request(replaced(kRequest, "1350", "576"))->mtu, 576u);
  for (const char* mtu : {"1", "68", "575"}) {
    EXPECT_EQ(parse_connect_request(replaced(kRequest, "1350", mtu)).error(),
              HandshakeResult::kBadRequest);
  }
}

TEST(ConnectRequest, MakesNamesFitForALog) {
  const auto request =
      parse_connect_request(replaced(kRequest, "laptop", "a\\nb\\u0007\\u001b[2J"));
  EXPECT_EQ(request->client_id, "\"a?b??[2J\"");
  const auto sentence =
      parse_connect_request(replaced(kRequest, "laptop", "me from 192.0.2.1:5 opened with x"));
  EXPECT_EQ(sentence->client_id, "\"me from 192.0.2.1:5 opened with x\"");
  const auto longer = parse_connect_request(replaced(kRequest, "laptop", std::string(500, 'x')));
  EXPECT_EQ(longer->client_id.size(), 66u);
}

TEST(ConnectRequest, SurvivesTheRoundTrip) {
  const ConnectRequest sent{.client_nonce = {1, 2, 3},
                            .mtu = 1400,
                            .caps = kAllCaps,
                            .client_id = "laptop",
                            .platform = "linux",
                            .resume_token = "b3BhcXVl"};
  const std::string body = to_json(sent);
  EXPECT_NE(
      body.find(
          R"(["fragment","aead","ping","close","aes-256-gcm","resume","ipv6","routes","dns_domains"])"),
      std::string::npos);
  const auto received = parse_connect_request(body);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->client_nonce, sent.client_nonce);
  EXPECT_EQ(received->mtu, sent.mtu);
  EXPECT_EQ(received->caps, sent.caps);
  EXPECT_EQ(received->resume_token, sent.resume_token);
}

TEST(ConnectRequest, WritesNoResumeTokenUnlessItHasOne) {
  EXPECT_EQ(to_json(ConnectRequest{}).find("resume_token"), std::string::npos);
  EXPECT_EQ(parse_connect_request(kRequest)->resume_token, "");
}

TEST(ConnectRequest, RefusesAResumeTokenThatNobodyGave) {
  const std::string longest(128, 'x');
  EXPECT_EQ(parse_connect_request(with_resume_token('"' + longest + '"'))->resume_token, longest);
  for (const std::string& token :
       {std::string("7"), std::string("[]"), std::string(R"("a b")"), std::string(R"("a\n")"),
        std::string(R"("\u00e9")"), '"' + longest + "x\""}) {
    const auto request = parse_connect_request(with_resume_token(token));
    ASSERT_FALSE(request) << token;
    EXPECT_EQ(request.error(), HandshakeResult::kBadRequest);
  }
}

TEST(ConnectRequest, HasDirectIdsWithTheCap) {
  const auto request =
      parse_connect_request(with_direct_ids(kRequest, R"(["wAECAwQFBgc=","wQECAwQFBgc"])"));
  ASSERT_TRUE(request);
  EXPECT_TRUE(request->caps.direct);
  ASSERT_EQ(request->direct_ids.size(), 2u);
  EXPECT_EQ(request->direct_ids[0], (DirectId{0xc0, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(request->direct_ids[1], (DirectId{0xc1, 1, 2, 3, 4, 5, 6, 7}));
  EXPECT_EQ(parse_connect_request(to_json(*request))->direct_ids, request->direct_ids);
}

TEST(ConnectRequest, TakesEightDirectIds) {
  const auto request = parse_connect_request(with_direct_ids(kRequest, direct_ids(8)));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->direct_ids.size(), 8u);
}

TEST(ConnectRequest, RefusesTheDirectCapWithoutSoundIds) {
  for (const std::string& ids : kBadDirectIds) {
    const auto request = parse_connect_request(with_direct_ids(kRequest, ids));
    ASSERT_FALSE(request) << ids;
    EXPECT_EQ(request.error(), HandshakeResult::kBadRequest);
  }
  EXPECT_FALSE(parse_connect_request(replaced(kRequest, "fragment", "direct")));
}

TEST(ConnectRequest, IgnoresDirectIdsWithoutTheCap) {
  for (const std::string& ids : kBadDirectIds) {
    const auto request =
        parse_connect_request(replaced(with_direct_ids(kRequest, ids), R"("direct",)", ""));
    ASSERT_TRUE(request) << ids;
    EXPECT_FALSE(request->caps.direct);
    EXPECT_TRUE(request->direct_ids.empty());
  }
  EXPECT_FALSE(to_json(ConnectRequest{.direct_ids = {{1}}}).contains("direct"));
}

TEST(ConnectResponse, IsReadWithoutLosingPrecision) {
  const auto response = parse_connect_response(kResponse, kAllCaps);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->session_id, 12345678901234567890u);
  EXPECT_EQ(response->client_ip.to_string(), "10.8.0.2");
  EXPECT_EQ(response->cidr.to_string(), "10.8.0.0/24");
  ASSERT_EQ(response->dns.size(), 1u);
  EXPECT_EQ(response->caps, Capabilities{});
}

TEST(ConnectResponse, SurvivesTheRoundTrip) {
  auto sent = *parse_connect_response(kResponse, kAllCaps);
  sent.session_id = ~std::uint64_t{0};
  sent.caps.close = true;
  const auto received = parse_connect_response(to_json(sent), kAllCaps);
  ASSERT_TRUE(received);
  EXPECT_EQ(received->session_id, sent.session_id);
  EXPECT_EQ(received->server_nonce, sent.server_nonce);
  EXPECT_EQ(received->caps, sent.caps);
}

TEST(ConnectResponse, HasTheMembersOfItsCaps) {
  const auto response = parse_connect_response(kFullResponse, kAllCaps);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->ipv6->client_ip.to_string(), "fd00:8::2");
  EXPECT_EQ(response->ipv6->gateway_ip.to_string(), "fd00:8::1");
  EXPECT_EQ(response->ipv6->cidr.to_string(), "fd00:8::/64");
  ASSERT_EQ(response->routes.size(), 2u);
  EXPECT_EQ(response->routes[1].to_string(), "2001:db8:7::/48");
  ASSERT_EQ(response->dns_domains.size(), 2u);
  EXPECT_EQ(response->dns_domains[0], "corp.example");
  EXPECT_EQ(response->resume_token, "b3BhcXVl");

  const auto again = parse_connect_response(to_json(*response), kAllCaps);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->ipv6, response->ipv6);
  EXPECT_EQ(again->routes, response->routes);
  EXPECT_EQ(again->dns_domains, response->dns_domains);
  EXPECT_EQ(again->resume_token, response->resume_token);
}

TEST(ConnectResponse, IgnoresMembersOfCapsThatWereNotAgreedOn) {
  for (const auto& [body, offered] :
       {std::pair{std::string(kFullResponse), Capabilities{.close = true}},
        std::pair{replaced(kFullResponse, R"("resume","ipv6","routes","dns_domains")", ""),
                  kAllCaps},
        std::pair{replaced(kFullResponse, "fd00:8::2", "rubbish"), Capabilities{}}}) {
    const auto response = parse_connect_response(body, offered);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_EQ(response->caps, Capabilities{});
    EXPECT_FALSE(response->ipv6);
    EXPECT_TRUE(response->routes.empty());
    EXPECT_TRUE(response->dns_domains.empty());
    EXPECT_EQ(response->resume_token, "");
  }
}

TEST(ConnectResponse, MayTakeUpACapAndHaveNothingToGive) {
  const auto response = parse_connect_response(
      replaced(kResponse, "\"dns\"", R"("caps":["resume","ipv6","routes","dns_domains"],"dns")"),
      kAllCaps);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_TRUE(response->caps.ipv6);
  EXPECT_FALSE(response->ipv6);
}

TEST(ConnectResponse, AnswersNoCapsToAPlainPeer) {
  EXPECT_EQ(to_json(*parse_connect_response(kResponse, kAllCaps)).find("caps"), std::string::npos);
}

TEST(ConnectResponse, SaysWhichMemberIsWrong) {
  const std::pair<std::string, const char*> cases[] = {
      {"nonsense", "JSON"},
      {replaced(kResponse, "\"version\":1", "\"version\":3"), "version"},
      {replaced(kResponse, "12345678901234567890", "-1"), "session_id"},
      {replaced(kResponse, "12345678901234567890", "1.5"), "session_id"},
      {replaced(kResponse, "PHUwvbceNHiGsrQbkcl2cg", "x"), "server_nonce"},
      {replaced(kResponse, "1350", "68"), "mtu"},
      {replaced(kResponse, "10.8.0.2", "0.0.0.0"), "client_ip"},
      {replaced(kResponse, "10.8.0.2", "fe80::1"), "client_ip"},
      {replaced(kResponse, "10.8.0.2", "127.0.0.1"), "client_ip"},
      {replaced(kResponse, "10.8.0.1", "224.0.0.1"), "gateway_ip"},
      {replaced(kResponse, "10.8.0.1", "255.255.255.255"), "unusable gateway_ip"},
      {replaced(kResponse, "10.8.0.0/24", "10.9.0.0/24"), "cidr"},
      {replaced(kResponse, "10.8.0.0/24", "10.8.0.0/33"), "cidr"},
      {replaced(kResponse, "[\"1.1.1.1\"]", "\"1.1.1.1\""), "dns"},
      {replaced(kResponse, "1.1.1.1", "dns.example"), "dns"},
      {replaced(kResponse, "1.1.1.1", "127.0.0.53"), "dns"},
      {replaced(kResponse, "1.1.1.1", "fe80::53"), "dns"},
      {replaced(kResponse, "\"1.1.1.1\"", list_of(17, "1.1.1.1")), "dns"},
      {replaced(kResponse, "10.8.0.0/24", "0.0.0.0/0"), "cidr"},
      {replaced(kResponse, "10.8.0.1", "10.8.0.2"), "gateway_ip"},
  };
  for (const auto& [body, word] : cases) {
    const auto response = parse_connect_response(body, kAllCaps);
    ASSERT_FALSE(response) << body;
    EXPECT_NE(response.error().message.find(word), std::string::npos) << response.error().message;
  }
}

TEST(ConnectResponse, SaysWhichMemberOfACapIsWrong) {
  const std::pair<std::string, const char*> cases[] = {
      {replaced(kFullResponse, "fd00:8::2", "10.8.0.2"), "IPv6 client_ip6"},
      {replaced(kFullResponse, "\"fd00:8::2\"", "8"), "IPv6 client_ip6"},
      {replaced(kFullResponse, "fd00:8::2", "::ffff:10.8.0.2"), "IPv6 client_ip6"},
      {replaced(kFullResponse, "fd00:8::2", "::"), "client_ip6"},
      {replaced(kFullResponse, "fd00:8::2", "::1"), "client_ip6"},
      {replaced(kFullResponse, "fd00:8::2", "ff02::1"), "client_ip6"},
      {replaced(kFullResponse, "fd00:8::2", "fe80::2"), "client_ip6"},
      {replaced(kFullResponse, "client_ip6", "client_ip7"), "client_ip6"},
      {replaced(kFullResponse, "fd00:8::1", "ff02::1"), "gateway_ip6"},
      {replaced(kFullResponse, "fd00:8::1", "fd00:8::2"), "gateway_ip6"},
      {replaced(kFullResponse, "gateway_ip6", "gateway_ip7"), "gateway_ip6"},
      {replaced(kFullResponse, "fd00:8::2", "fd00:9::2"), "cidr6"},
      {replaced(kFullResponse, "fd00:8::1", "fd00:9::1"), "cidr6"},
      {replaced(kFullResponse, "fd00:8::/64", "fd00:8::1/64"), "cidr6"},
      {replaced(kFullResponse, "fd00:8::/64", "fd00::/8"), "cidr6"},
      {replaced(kFullResponse, "fd00:8::/64", "fd00:8::/129"), "cidr6"},
      {replaced(kFullResponse, "cidr6", "cidr7"), "cidr6"},
      {replaced(kFullResponse, "1350", "1279"), "mtu"},
      {replaced(kFullResponse, "\"192.168.7.0/24\"", "7"), "routes"},
      {replaced(kFullResponse, "[\"192.168.7.0/24\",\"2001:db8:7::/48\"]", "{}"), "routes"},
      {replaced(kFullResponse, "192.168.7.0/24", "192.168.7.1/24"), "routes"},
      {replaced(kFullResponse, "192.168.7.0/24", "0.0.0.0/0"), "routes"},
      {replaced(kFullResponse, "192.168.7.0/24", "128.0.0.0/1"), "routes"},
      {replaced(kFullResponse, "192.168.7.0/24", "127.0.0.0/8"), "routes"},
      {replaced(kFullResponse, "192.168.7.0/24", "224.1.0.0/16"), "routes"},
      {replaced(kFullResponse, "2001:db8:7::/48", "2000::/3"), "routes"},
      {replaced(kFullResponse, "2001:db8:7::/48", "fe80::/64"), "routes"},
      {replaced(kFullResponse, "2001:db8:7::/48", "ff02::/16"), "routes"},
      {replaced(kFullResponse, "\"192.168.7.0/24\"", list_of(64, "192.168.7.0/24")), "routes"},
      {replaced(kFullResponse, "\"corp.example\"", "7"), "dns_domains"},
      {replaced(kFullResponse, "corp.example", ""), "dns_domains"},
      {replaced(kFullResponse, "corp.example", "."), "dns_domains"},
      {replaced(kFullResponse, "corp.example", "a;b"), "dns_domains"},
      {replaced(kFullResponse, "corp.example", "10.0.0.1"), "dns_domains"},
      {replaced(kFullResponse, "corp.example", "a\\nnameserver b"), "dns_domains"},
      {replaced(kFullResponse, "corp.example", std::string(254, 'x')), "dns_domains"},
      {replaced(kFullResponse, "\"corp.example\"", list_of(32, "corp.example")), "dns_domains"},
      {replaced(kFullResponse, "\"corp.example\"", list_of(31, std::string(63, 'a') + ".example")),
       "dns_domains"},
      {replaced(kFullResponse, "\"b3BhcXVl\"", "7"), "resume_token"},
      {replaced(kFullResponse, "b3BhcXVl", "a\\u001b[2J"), "resume_token"},
      {replaced(kFullResponse, "b3BhcXVl", std::string(129, 'x')), "resume_token"},
  };
  for (const auto& [body, word] : cases) {
    const auto response = parse_connect_response(body, kAllCaps);
    ASSERT_FALSE(response) << body;
    EXPECT_NE(response.error().message.find(word), std::string::npos) << response.error().message;
  }
}

constexpr Capabilities kDirectCap{.close = true, .direct = true};

TEST(ConnectResponse, HasDirectIdsWithTheCap) {
  const auto response =
      parse_connect_response(with_direct_ids(kFullResponse, R"(["wAECAwQFBgc="])"), kDirectCap);
  ASSERT_TRUE(response) << response.error().message;
  EXPECT_EQ(response->direct_ids, (std::vector<DirectId>{{0xc0, 1, 2, 3, 4, 5, 6, 7}}));
  const auto again = parse_connect_response(to_json(*response), kDirectCap);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->direct_ids, response->direct_ids);
}

TEST(ConnectResponse, RefusesTheDirectCapWithoutSoundIds) {
  for (const std::string& ids : kBadDirectIds) {
    const auto response = parse_connect_response(with_direct_ids(kFullResponse, ids), kDirectCap);
    ASSERT_FALSE(response) << ids;
    EXPECT_TRUE(response.error().message.contains("direct_ids")) << response.error().message;
  }
}

TEST(ConnectResponse, IgnoresTheDirectCapUnlessItWasOffered) {
  for (const std::string& ids : kBadDirectIds) {
    const auto response = parse_connect_response(with_direct_ids(kFullResponse, ids), kAllCaps);
    ASSERT_TRUE(response) << response.error().message;
    EXPECT_FALSE(response->caps.direct);
    EXPECT_TRUE(response->direct_ids.empty());
    EXPECT_FALSE(to_json(*response).contains("direct"));
  }
}

TEST(ConnectResponse, ShowsNothingOfAPeerThatATerminalActsOn) {
  const auto response =
      parse_connect_response(replaced(kResponse, "1.1.1.1", "\\u001b[2J"), kAllCaps);
  ASSERT_FALSE(response);
  EXPECT_EQ(response.error().message.find('\x1b'), std::string::npos);
}

TEST(ConnectResponse, ClearsHostBitsOfTheCidr) {
  EXPECT_EQ(parse_connect_response(replaced(kResponse, "10.8.0.0/24", "10.8.0.1/24"), kAllCaps)
                ->cidr.to_string(),
            "10.8.0.0/24");
}

TEST(Handshake, HasAStatusForEveryResult) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(HandshakeResult::kCount); ++i) {
    const auto status = handshake_status(static_cast<HandshakeResult>(i));
    EXPECT_NE(status.status, 500);
    EXPECT_EQ(status.body.empty(), status.status == 200);
  }
}

}  // namespace
}  // namespace qdt::wire
