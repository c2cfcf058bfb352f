#include "wire/context_datagram.h"

#include <gtest/gtest.h>

#include <array>
#include <initializer_list>
#include <string>
#include <string_view>

#include "wire/hex_fixture.h"

namespace qdt::wire {
namespace {

const ContextTerms kAll{.fragment = true, .control = true, .sealed = {}};
constexpr std::array kTypes = {DatagramType::kData, DatagramType::kFragment, DatagramType::kPing,
                               DatagramType::kPong, DatagramType::kClose};

ContextTerms sealed_terms() {
  ContextTerms terms = kAll;
  terms.sealed.emplace();
  terms.sealed->client.key.fill(1);
  terms.sealed->server.key.fill(2);
  return terms;
}

Octets octets(std::initializer_list<std::uint8_t> header, std::string_view content = {}) {
  Octets all(header);
  all.insert(all.end(), content.begin(), content.end());
  return all;
}

Octets seal(ContextSealer& sealer, DatagramType type, std::string_view content) {
  Octets out(sealer.overhead(type) + content.size());
  EXPECT_EQ(sealer.seal(type, {}, as_bytes(content), out), out.size());
  return out;
}

Drop refusal(ContextOpener& opener, Bytes datagram) {
  Octets out(datagram.size());
  const auto opened = opener.open(datagram, out);
  return opened ? Drop::kCount : opened.error();
}

/// What a datagram opens to: its type's number, and the content.
std::string opened(ContextOpener& opener, Bytes datagram) {
  Octets out(datagram.size());
  const auto opened = opener.open(datagram, out);
  if (!opened) return "dropped: " + std::string(drop_label(opened.error()));
  return std::to_string(static_cast<int>(opened->type)) + " " +
         std::string(as_text(Bytes(out).first(opened->bytes)));
}

TEST(ContextDatagram, IsLaidOutAsDocumented) {
  ContextSealer sealer(kAll, Role::kClient);
  EXPECT_EQ(seal(sealer, DatagramType::kData, "packet"), octets({0}, "packet"));
  EXPECT_EQ(seal(sealer, DatagramType::kFragment, "piece"), octets({2}, "piece"));
  EXPECT_EQ(seal(sealer, DatagramType::kPing, "hi"), octets({4, 2}, "hi"));
  EXPECT_EQ(seal(sealer, DatagramType::kPong, "hi"), octets({4, 3}, "hi"));
  EXPECT_EQ(seal(sealer, DatagramType::kClose, ""), octets({4, 4}));
}

TEST(ContextDatagram, OpensWhatWasWritten) {
  for (const ContextTerms& terms : {kAll, sealed_terms()}) {
    for (const Role role : {Role::kClient, Role::kServer}) {
      ContextSealer sealer(terms, role);
      ContextOpener opener(terms, role == Role::kClient ? Role::kServer : Role::kClient);
      for (const DatagramType type : kTypes) {
        const std::string number = std::to_string(static_cast<int>(type));
        EXPECT_EQ(opened(opener, seal(sealer, type, "content")), number + " content");
        EXPECT_EQ(opened(opener, seal(sealer, type, "")), number + " ");
      }
    }
  }
}

TEST(ContextDatagram, JoinsPrefixAndBody) {
  for (const ContextTerms& terms : {kAll, sealed_terms()}) {
    ContextSealer sealer(terms, Role::kClient);
    ContextOpener opener(terms, Role::kServer);
    Octets out(64);
    out.resize(sealer.seal(DatagramType::kFragment, as_bytes("head"), as_bytes("body"), out));
    EXPECT_EQ(opened(opener, out), "1 headbody");
  }
}

TEST(ContextDatagram, CutAtEachLengthIsShorterOrRefused) {
  ContextSealer sealer(kAll, Role::kClient);
  ContextOpener opener(kAll, Role::kServer);
  for (const DatagramType type : kTypes) {
    const Octets whole = seal(sealer, type, "content");
    const std::size_t header_bytes = sealer.overhead(type);
    for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
      const Bytes cut = Bytes(whole).first(bytes);
      if (bytes < header_bytes) {
        EXPECT_EQ(refusal(opener, cut), Drop::kShort) << bytes;
      } else {
        EXPECT_EQ(opened(opener, cut), std::to_string(static_cast<int>(type)) + " " +
                                           std::string("content").substr(0, bytes - header_bytes));
      }
    }
  }
}

TEST(ContextDatagram, SealedAndCutAtEachLengthIsRefused) {
  ContextSealer sealer(sealed_terms(), Role::kClient);
  ContextOpener opener(sealed_terms(), Role::kServer);
  const Octets whole = seal(sealer, DatagramType::kData, "content");
  for (std::size_t bytes = 0; bytes < whole.size(); ++bytes) {
    EXPECT_EQ(refusal(opener, Bytes(whole).first(bytes)),
              bytes < kSealedOverhead ? Drop::kShort : Drop::kForged)
        << bytes;
  }
  EXPECT_EQ(opened(opener, whole), "0 content");
}

TEST(ContextDatagram, RefusesContextsThatAreNotAgreedOn) {
  ContextOpener all(kAll, Role::kServer);
  ContextOpener none(ContextTerms{}, Role::kServer);
  for (const std::uint8_t context : {1, 3, 5, 6, 7, 8, 62, 63}) {
    EXPECT_EQ(refusal(all, octets({context, 2}, "x")), Drop::kUnknownType) << int{context};
  }
  EXPECT_EQ(refusal(all, octets({0x80, 1, 0, 4, 2})), Drop::kUnknownType);
  EXPECT_EQ(refusal(none, octets({2}, "piece of a packet")), Drop::kUnknownType);
  EXPECT_EQ(refusal(none, octets({4, 2})), Drop::kUnknownType);
  EXPECT_EQ(opened(none, octets({0}, "packet")), "0 packet");
}

TEST(ContextDatagram, RefusesTypesThatAreNoMessages) {
  ContextOpener opener(kAll, Role::kServer);
  for (const std::uint8_t type : {0, 1, 5, 6, 255}) {
    EXPECT_EQ(refusal(opener, octets({4, type}, "x")), Drop::kUnknownType) << int{type};
  }
}

TEST(ContextDatagram, TakesAContextInEachForm) {
  ContextOpener opener(kAll, Role::kServer);
  EXPECT_EQ(opened(opener, octets({0x40, 0}, "packet")), "0 packet");
  EXPECT_EQ(opened(opener, octets({0x80, 0, 0, 2}, "piece")), "1 piece");
  EXPECT_EQ(opened(opener, octets({0xc0, 0, 0, 0, 0, 0, 0, 4, 2}, "hi")), "2 hi");
  for (const Octets& cut : {octets({0x40}), octets({0x80, 0, 0}), octets({0xc0, 0, 0, 0, 0, 0, 0}),
                            octets({0xc0, 0, 0, 0, 0, 0, 0, 4})}) {
    EXPECT_EQ(refusal(opener, cut), Drop::kShort) << cut.size();
  }
}

TEST(ContextDatagram, SealedTakesNoOtherContext) {
  ContextOpener opener(sealed_terms(), Role::kServer);
  for (const std::uint8_t context : {0, 2, 4, 62}) {
    EXPECT_EQ(refusal(opener, octets({context, 2}, std::string(60, 'x'))), Drop::kUnknownType);
  }
}

TEST(ContextDatagram, SealedTakesItsContextInALongForm) {
  ContextSealer sealer(sealed_terms(), Role::kClient);
  ContextOpener opener(sealed_terms(), Role::kServer);
  Octets datagram = seal(sealer, DatagramType::kPing, "hi");
  datagram.insert(datagram.begin(), 0x40);
  EXPECT_EQ(opened(opener, datagram), "2 hi");
}

TEST(ContextDatagram, SealedKnowsItsTypes) {
  ContextSealer sealer(sealed_terms(), Role::kClient);
  ContextOpener opener(sealed_terms(), Role::kServer);
  EXPECT_EQ(refusal(opener, seal(sealer, DatagramType{5}, "x")), Drop::kUnknownType);
  ContextTerms terms = sealed_terms();
  terms.fragment = false;
  ContextOpener whole(terms, Role::kServer);
  EXPECT_EQ(refusal(whole, seal(sealer, DatagramType::kFragment, "x")), Drop::kUnknownType);
}

TEST(ContextDatagram, RefusesEachFlippedBit) {
  ContextSealer sealer(sealed_terms(), Role::kClient);
  ContextOpener opener(sealed_terms(), Role::kServer);
  const Octets good = seal(sealer, DatagramType::kData, "hello");
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    Octets flipped = good;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
    EXPECT_NE(refusal(opener, flipped), Drop::kCount) << bit;
  }
  EXPECT_EQ(opened(opener, good), "0 hello") << "none of them moved the window";
}

TEST(ContextDatagram, RefusesReplays) {
  ContextSealer sealer(sealed_terms(), Role::kClient);
  ContextOpener opener(sealed_terms(), Role::kServer);
  const Octets first = seal(sealer, DatagramType::kData, "first");
  const Octets second = seal(sealer, DatagramType::kData, "second");
  EXPECT_EQ(opened(opener, second), "0 second");
  EXPECT_EQ(opened(opener, first), "0 first");
  EXPECT_EQ(refusal(opener, first), Drop::kReplayed);
  EXPECT_EQ(refusal(opener, second), Drop::kReplayed);

  ContextSealer later(sealed_terms(), Role::kClient, 2048 + 5);
  EXPECT_EQ(opened(opener, seal(later, DatagramType::kData, "later")), "0 later");
  ContextSealer old(sealed_terms(), Role::kClient, 5);
  EXPECT_EQ(refusal(opener, seal(old, DatagramType::kData, "too old")), Drop::kReplayed);
  EXPECT_EQ(opened(opener, seal(old, DatagramType::kData, "just not")), "0 just not");
}

TEST(ContextDatagram, AnotherDirectionsKeyDoesNotFit) {
  ContextSealer sealer(sealed_terms(), Role::kClient);
  ContextOpener opener(sealed_terms(), Role::kClient);
  EXPECT_EQ(refusal(opener, seal(sealer, DatagramType::kData, "x")), Drop::kForged);
}

TEST(ContextDatagram, SealerStopsAtTheLastCounter) {
  ContextSealer sealer(sealed_terms(), Role::kClient, ~std::uint64_t{0} - 1);
  seal(sealer, DatagramType::kData, "x");
  EXPECT_FALSE(sealer.is_exhausted());
  seal(sealer, DatagramType::kData, "x");
  EXPECT_TRUE(sealer.is_exhausted());
}

// A peer that knows no Ping acknowledges the QUIC packet, and nothing else.
TEST(ContextDatagram, APingForPlainPeersIsOfNoContext) {
  ContextSealer client(ContextTerms{}, Role::kClient);
  ContextSealer server(ContextTerms{}, Role::kServer);
  EXPECT_EQ(seal(client, DatagramType::kPing, "")[0] % 2, 0);
  EXPECT_EQ(seal(server, DatagramType::kPing, "")[0] % 2, 1);
  ContextOpener opener(kAll, Role::kServer);
  EXPECT_EQ(refusal(opener, seal(client, DatagramType::kPing, "")), Drop::kUnknownType);
}

}  // namespace
}  // namespace qdt::wire
