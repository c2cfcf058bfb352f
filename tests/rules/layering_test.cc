// The dependency rules of docs/architecture.md, checked against every #include in the tree.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

namespace qdt {
namespace {

namespace fs = std::filesystem;
using Names = std::set<std::string>;

// The folders that each folder may include besides itself. Arrows point one way.
const std::map<std::string, Names> kMayInclude = {
    {"base", {}},
    {"wire", {"base"}},
    {"quic", {"base", "wire"}},
    {"access", {"base", "wire"}},
    {"plane", {"base", "wire", "quic"}},
    {"tunnel", {"base", "wire", "quic", "plane", "access"}},
    {"os", {"base"}},
    {"shard", {"base", "wire", "quic", "plane", "access", "tunnel", "os"}},
    {"server", {"base", "wire", "quic", "plane", "access", "tunnel", "os", "shard"}},
    {"client", {"base", "wire", "quic", "plane", "tunnel", "os", "shard"}},
    {"load", {"base", "wire", "quic", "plane", "tunnel", "os", "client"}},
    {"ops", {"base", "wire", "tunnel", "os"}},
    {"users", {"base", "wire", "access", "os"}},
    {"control", {"base", "wire", "access", "tunnel", "os", "ops", "users"}},
};

struct Include {
  std::string file;  // relative to src
  std::string folder;
  std::string path;
  bool is_system;  // in angle brackets
};

struct Source {
  std::string file;
  std::string folder;
  std::vector<std::string> lines;
  bool is_test() const { return file.find("_test.") != std::string::npos; }
};

const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    std::vector<Source> found;
    const fs::path root = fs::path(QDT_SOURCE_DIR) / "src";
    for (const auto& entry : fs::recursive_directory_iterator(root)) {
      const std::string extension = entry.path().extension().string();
      if (extension != ".h" && extension != ".cc") continue;
      const fs::path file = fs::relative(entry.path(), root);
      Source source{.file = file.generic_string(), .folder = file.begin()->string()};
      std::ifstream stream(entry.path());
      for (std::string line; std::getline(stream, line);) source.lines.push_back(line);
      found.push_back(std::move(source));
    }
    return found;
  }();
  return all;
}

std::vector<Include> includes() {
  static const std::regex pattern(R"(^\s*#\s*include\s*([<"])([^>"]+)[>"])");
  std::vector<Include> found;
  for (const Source& source : sources()) {
    for (const std::string& line : source.lines) {
      std::smatch match;
      if (!std::regex_search(line, match, pattern)) continue;
      found.push_back({source.file, source.folder, match[2], match[1] == "<"});
    }
  }
  return found;
}

bool starts_with_any(const std::string& text, const Names& prefixes) {
  return std::ranges::any_of(prefixes,
                             [&](const auto& prefix) { return text.starts_with(prefix); });
}

TEST(Layering, SeesTheWholeTree) {
  EXPECT_GT(sources().size(), 50u);
  EXPECT_GT(includes().size(), 300u);
}

TEST(Layering, EveryFolderIncludesOnlyWhatIsBelowIt) {
  for (const Include& include : includes()) {
    if (include.is_system) continue;
    const std::string target = include.path.substr(0, include.path.find('/'));
    const bool is_test_support =
        target == "support" && (include.file.find("_test.") != std::string::npos ||
                                include.file.find("_fixture.") != std::string::npos);
    if (target == include.folder || is_test_support) continue;
    const auto allowed = kMayInclude.find(include.folder);
    ASSERT_NE(allowed, kMayInclude.end()) << "src/" << include.folder << " is in no layer";
    EXPECT_TRUE(allowed->second.contains(target))
        << "src/" << include.file << " includes " << include.path;
  }
}

TEST(Layering, OpsSeesOfTheTunnelOnlyItsCounters) {
  for (const Include& include : includes()) {
    if (include.folder != "ops" || !include.path.starts_with("tunnel/")) continue;
    EXPECT_EQ(include.path, "tunnel/counters.h") << include.file;
  }
}

// Other carriers than HTTP/3 have the same decisions and the same reception.
TEST(Layering, SessionsAreGrantedWhateverCarriesTheRequest) {
  std::size_t seen = 0;
  for (const Include& include : includes()) {
    const bool is_grant = include.file.starts_with("server/grant.");
    const bool is_reception = starts_with_any(
        include.file, {"server/reception.", "server/exchange.", "server/waiting_answers."});
    if (include.is_system || (!is_grant && !is_reception)) continue;
    ++seen;
    const Names carriers = {"quic/connection", "quic/endpoint", "server/http3_exchange"};
    EXPECT_FALSE(starts_with_any(include.path, carriers))
        << "src/" << include.file << " includes " << include.path;
    EXPECT_FALSE(is_grant && starts_with_any(include.path, {"quic/", "tunnel/", "plane/"}))
        << "src/" << include.file << " includes " << include.path;
  }
  EXPECT_GT(seen, 20u);
}

TEST(Layering, EachThirdPartyLibraryHasOnePlace) {
  const std::map<std::string, Names> places = {
      {"ngtcp2/", {"quic/"}},
      {"nghttp3/", {"quic/"}},
      {"gnutls/",
       {"quic/", "wire/seal.", "wire/aead.", "wire/ed25519.", "wire/hkdf.", "wire/header_mask."}},
      {"intel-ipsec-mb.h", {"wire/ipsec_mb."}},
      {"nlohmann/",
       {"wire/handshake", "wire/vectors_test", "wire/direct_vectors_test",
        "wire/proof_vectors_test", "os/linux/", "os/windows/", "ops/", "load/", "control/",
        "client/status."}},
      {"yaml-cpp/", {"ops/"}},
      {"fmt/", {"load/", "ops/"}},
      {"prometheus/", {"ops/"}},
      {"microhttpd.h", {"ops/http_server."}},
      {"sqlite3.h", {"users/database."}},
      {"gperftools/", {"ops/"}},
      {"libmnl/", {"os/linux/"}},
      {"nftables/", {"os/linux/"}},
      {"ares.h", {"os/linux/"}},
      {"systemd/", {"os/linux/"}},
      {"idn2.h", {"os/linux/"}},
      {"seccomp.h", {"os/linux/"}},
  };
  for (const Include& include : includes()) {
    if (!include.is_system) continue;
    for (const auto& [library, folders] : places) {
      if (!include.path.starts_with(library)) continue;
      EXPECT_TRUE(starts_with_any(include.file, folders))
          << "src/" << include.file << " includes " << include.path;
    }
  }
}

TEST(Layering, OnlyOsKnowsTheSystem) {
  const Names system = {"sys/",      "netinet/",   "arpa/",      "linux/",     "net/",
                        "netdb.h",   "unistd.h",   "fcntl.h",    "poll.h",     "pthread.h",
                        "ifaddrs.h", "dlfcn.h",    "sched.h",    "spawn.h",    "csignal",
                        "signal.h",  "windows.h",  "winsock2.h", "winsock.h",  "ws2tcpip.h",
                        "mswsock.h", "mstcpip.h",  "iphlpapi.h", "netioapi.h", "fwp",
                        "windns.h",  "winternl.h", "winsvc.h",   "wintrust.h", "shlobj.h"};
  for (const Include& include : includes()) {
    if (!include.is_system || include.folder == "os") continue;
    EXPECT_FALSE(starts_with_any(include.path, system))
        << "src/" << include.file << " includes <" << include.path << ">";
  }
}

// It runs on virtual time, whatever the order of events.
TEST(Layering, TheClientsMachineKnowsNeitherSystemNorTunnel) {
  const Names machine = {"client/machine.",    "client/events.",  "client/ending.",
                         "client/race.",       "client/backoff.", "client/reconnect.",
                         "client/host_health."};
  const Names below = {"base/", "wire/"};
  for (const Include& include : includes()) {
    if (include.is_system || !starts_with_any(include.file, machine)) continue;
    EXPECT_TRUE(starts_with_any(include.path, machine) || starts_with_any(include.path, below))
        << "src/" << include.file << " includes " << include.path;
  }
}

TEST(Layering, OnlyOsAsksWhichPlatformItIsOn) {
  static const std::regex pattern(R"(^\s*#\s*(if|elif).*(_WIN32|__linux__|__APPLE__|__unix__))");
  for (const Source& source : sources()) {
    if (source.folder == "os") continue;
    for (const std::string& line : source.lines) {
      EXPECT_FALSE(std::regex_search(line, pattern)) << "src/" << source.file << ": " << line;
    }
  }
}

TEST(Layering, HeadersShowNoThirdPartyType) {
  const Names third_party = {"ngtcp2/",   "nghttp3/",  "gnutls/",          "nlohmann/",
                             "yaml-cpp/", "fmt/",      "prometheus/",      "microhttpd.h",
                             "libmnl/",   "nftables/", "intel-ipsec-mb.h", "sqlite3.h"};
  // Headers that say of themselves that they are their folder's own affair.
  const Names internal = {"quic/path.h", "quic/engine.h",   "quic/packet_protection.h", "os/linux/",
                          "os/windows/", "ops/yaml_tree.h", "ops/config_value.h"};
  for (const Include& include : includes()) {
    if (!include.file.ends_with(".h") || starts_with_any(include.file, internal)) continue;
    EXPECT_FALSE(include.is_system && starts_with_any(include.path, third_party))
        << "src/" << include.file << " includes <" << include.path << ">";
  }
}

TEST(Layering, SessionsAndTheirForwarderKnowPlanesButNotQuic) {
  const Names names = {"session.",   "session_table.", "session_ring.",
                       "forwarder.", "base_plane.",    "packet_source."};
  std::size_t files = 0;
  for (const Source& source : sources()) {
    if (source.folder != "tunnel") continue;
    if (!starts_with_any(source.file.substr(source.file.find('/') + 1), names)) continue;
    ++files;
    for (const std::string& line : source.lines) {
      EXPECT_EQ(line.find("quic::"), std::string::npos) << "src/" << source.file << ": " << line;
      EXPECT_EQ(line.find("\"quic/"), std::string::npos) << "src/" << source.file << ": " << line;
    }
  }
  EXPECT_GE(files, names.size()) << "one of them has another name now";
}

}  // namespace
}  // namespace qdt
