#include "wire/link.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "wire/base64.h"

namespace qdt::wire {
namespace {

using ::testing::HasSubstr;

const std::string kS = "s=" + encode_base64url(Ed25519PublicKey{1});
const std::string kE = "e=" + encode_base64url(TicketSecret{2});
const std::string kK = "k=" + encode_base64url(Ed25519Seed{3});
const std::string kSecrets = kS + "&" + kE;

std::string error(const std::string& text) {
  const auto link = parse_link(text);
  return link ? "" : link.error().message;
}

TEST(Link, IsReadAsItWasWritten) {
  const Link ticket{.server = {.host = "vpn.example.org", .port = 443},
                    .name = "anna",
                    .server_keys = {{1}, {9}},
                    .secret = TicketSecret{2}};
  EXPECT_EQ(parse_link(write_link(ticket)), ticket);
  const Link key{.server = {.host = "[2001:db8::1]", .port = 8443},
                 .name = "Anna-2.laptop_x",
                 .server_keys = {{1}},
                 .secret = Ed25519Seed{3}};
  EXPECT_EQ(parse_link(write_link(key)), key);
  EXPECT_EQ(write_link(ticket).substr(0, 28), "qdt://vpn.example.org#anna?s");
}

TEST(Link, BearsWhatMessengersAndPeopleDoToIt) {
  const std::string link = "qdt://vpn.example.org:443#anna?" + kSecrets;
  EXPECT_EQ(error(" \t" + link + "\r\n"), "");
  EXPECT_EQ(error("QDT" + link.substr(3)), "");
  EXPECT_EQ(error("qdt://VPN.Example.org#anna?" + kE + "&" + kS), "");
  EXPECT_EQ(error(link + "&from=a-newer-version"), "");
  EXPECT_EQ(parse_link("qdt://VPN.example.org#a?" + kSecrets)->server.host, "vpn.example.org");
}

TEST(Link, SaysWhatIsWrong) {
  const std::string begin = "qdt://h#n?";
  const std::pair<std::string, std::string> cases[] = {
      {"", "there is nothing"},
      {" \n", "there is nothing"},
      {"qdt:", "begin with qdt://"},
      {"https://h#n?" + kSecrets, "begin with qdt://"},
      {"vless://h#n?" + kSecrets, "begin with qdt://"},
      {"qdt:/h#n?" + kSecrets, "begin with qdt://"},
      {"\"qdt://h#n?" + kSecrets + "\"", "begin with qdt://"},
      {"qdt://h", "what follows # is missing"},
      {"qdt://h?" + kSecrets, "what follows # is missing"},
      {"qdt://#n?" + kSecrets, "no host"},
      {"qdt://:443#n?" + kSecrets, "no host"},
      {"qdt://h:#n?" + kSecrets, "no host, or no port"},
      {"qdt://h:0#n?" + kSecrets, "no host, or no port"},
      {"qdt://h:65536#n?" + kSecrets, "no host, or no port"},
      {"qdt://h:x#n?" + kSecrets, "no host, or no port"},
      {"qdt://user@h#n?" + kSecrets, "no host"},
      {"qdt://h/path#n?" + kSecrets, "no host"},
      {"qdt://2001:db8::1#n?" + kSecrets, "no host"},
      {"qdt://[2001:db8::1#n?" + kSecrets, "no host"},
      {"qdt://h#n", "what follows ? is missing"},
      {"qdt://h#?" + kSecrets, "the name"},
      {"qdt://h#.n?" + kSecrets, "the name"},
      {"qdt://h#-n?" + kSecrets, "the name"},
      {"qdt://h#../../etc/passwd?" + kSecrets, "the name"},
      {"qdt://h#a/b?" + kSecrets, "the name"},
      {"qdt://h#a b?" + kSecrets, "the name"},
      {"qdt://h#%41?" + kSecrets, "the name"},
      {"qdt://h#\xc3\xa4?" + kSecrets, "the name"},
      {"qdt://h#" + std::string(33, 'a') + "?" + kSecrets, "the name"},
      {begin, "s, the server's key, is missing"},
      {begin + "s", "has no value"},
      {begin + kSecrets + "&", "has no value"},
      {begin + "&" + kSecrets, "has no value"},
      {begin + kE, "s, the server's key, is missing"},
      {begin + "s=&" + kE, "s is no key"},
      {begin + "s=abc&" + kE, "s is no key"},
      {begin + kS.substr(0, kS.size() - 1) + "&" + kE, "s is no key"},
      {begin + kS + "A&" + kE, "s is no key"},
      {begin + "s=ed25519:" + kS.substr(2) + "&" + kE, "s is no key"},
      {begin + kS + "&" + kS + "&" + kS + "&" + kS + "&" + kSecrets, "more than 4 keys"},
      {begin + kS, "neither e nor k"},
      {begin + kSecrets + "&" + kK, "both e and k"},
      {begin + kSecrets + "&" + kE, "e comes twice"},
      {begin + kS + "&" + kK + "&" + kK, "k comes twice"},
      {begin + kS + "&e=", "e is cut short"},
      {begin + kS + "&" + kE.substr(0, kE.size() - 1), "e is cut short"},
      {begin + kS + "&" + kE + "AAAA", "e is cut short"},
      {begin + kS + "&" + kE + "=", "e is cut short"},
      {begin + kS + "&e=" + kK.substr(2), "e is cut short"},
      {begin + kS + "&k=" + kE.substr(2), "k is cut short"},
      {begin + kS + "&" + kK.substr(0, 20), "k is cut short"},
      {begin + kSecrets + "&x=" + std::string(1024, 'x'), "more than 1024"},
  };
  for (const auto& [text, told] : cases) EXPECT_THAT(error(text), HasSubstr(told)) << text;
}

TEST(Link, IsNotRepeatedInAnError) {
  const std::string secret = "c2VjcmV0LXNlY3JldC1z";
  EXPECT_EQ(error("qdt://h#n?" + kS + "&e=" + secret).find(secret), std::string::npos);
  EXPECT_EQ(error("qdt://h#n?" + kS + "&k=" + secret).find(secret), std::string::npos);
}

TEST(Link, FitsAQrCodeThatAPhoneReads) {
  const Link link{.server = {.host = "vpn.a-long-domain-name.example.org", .port = 8443},
                  .name = "somebody-with-a-long-name",
                  .server_keys = {{1}},
                  .secret = TicketSecret{2}};
  EXPECT_LT(write_link(link).size(), 180u);  // version 8 of a QR code, with low correction
}

TEST(Ticket, ProvesItselfByAKeyOfItsOwn) {
  EXPECT_EQ(derive_ticket_seed({1}), derive_ticket_seed({1}));
  EXPECT_NE(derive_ticket_seed({1}), derive_ticket_seed({2}));
}

}  // namespace
}  // namespace qdt::wire
