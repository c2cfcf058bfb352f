#include "os/linux/resolved.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>

#include <cstring>
#include <string_view>

#include "os/host_network.h"
#include "os/linux/network_fixture.h"

namespace qdt::os {
namespace {

using testing::HasSubstr;

void use_bus(const char* address) {
  ::setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);  // NOLINT(concurrency-mt-unsafe): one thread
}

struct FakeOptions {
  std::string resolv_conf_mode = "stub";
  bool forgets_servers = false;
  bool is_in_another_network = false;
};

/// A process that passes for a system bus with systemd-resolved on it. It notes the calls that
/// change something in /run/resolved-says.
class FakeResolved {
 public:
  explicit FakeResolved(FakeOptions options = {}) : options_(std::move(options)) {
    const UniqueFd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un address{.sun_family = AF_UNIX, .sun_path = "/run/bus"};
    EXPECT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(listener.get(), 8), 0);
    use_bus("unix:path=/run/bus");
    process_ = ::fork();
    if (process_ == 0) run(listener.get());
  }
  FakeResolved(const FakeResolved&) = delete;
  FakeResolved& operator=(const FakeResolved&) = delete;
  ~FakeResolved() {
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
  }

 private:
  [[noreturn]] void run(int listener) {
    if (options_.is_in_another_network) ::unshare(CLONE_NEWNET);
    for (;;) {
      sd_bus* bus = nullptr;
      const int connection = ::accept(listener, nullptr, nullptr);
      sd_bus_new(&bus);
      sd_bus_set_fd(bus, connection, connection);
      sd_bus_set_server(bus, 1, sd_id128_t{.qwords = {1, 1}});
      sd_bus_add_filter(bus, nullptr, on_message, this);
      sd_bus_start(bus);
      while (sd_bus_process(bus, nullptr) >= 0 && sd_bus_wait(bus, UINT64_MAX) >= 0) {
      }
      sd_bus_unref(bus);
    }
  }

  static int on_message(sd_bus_message* message, void* self, sd_bus_error*) {
    if (sd_bus_message_is_method_call(message, nullptr, nullptr) <= 0) return 0;
    return static_cast<FakeResolved*>(self)->answer(message, sd_bus_message_get_member(message));
  }

  int answer(sd_bus_message* message, std::string_view member) {
    if (member == "Hello") return sd_bus_reply_method_return(message, "s", ":1.1");
    if (member == "GetNameOwner") return sd_bus_reply_method_return(message, "s", ":1.2");
    if (member == "GetConnectionUnixProcessID") {
      return sd_bus_reply_method_return(message, "u", ::getpid());
    }
    if (member == "GetLink") return sd_bus_reply_method_return(message, "o", "/link");
    if (member == "Get") return answer_get(message);
    if (member == "SetLinkDNS") take_servers(message);
    std::ofstream says("/run/resolved-says", std::ios::app);
    says << member;
    if (member == "SetLinkDomains") tell_domains(message, says);
    says << std::endl;  // before whoever reads it has the answer
    return sd_bus_reply_method_return(message, "");
  }

  int answer_get(sd_bus_message* message) {
    const char* interface = nullptr;
    const char* name = nullptr;
    sd_bus_message_read(message, "ss", &interface, &name);
    if (std::string_view(name) != "DNS") {
      return sd_bus_reply_method_return(message, "v", "s", options_.resolv_conf_mode.c_str());
    }
    if (options_.forgets_servers) return sd_bus_reply_method_return(message, "v", "a(iay)", 0);
    return sd_bus_reply_method_return(message, "v", "a(iay)", 1, AF_INET, 4, server_[0], server_[1],
                                      server_[2], server_[3]);
  }

  void take_servers(sd_bus_message* message) {
    int link = 0;
    int family = 0;
    const void* bytes = nullptr;
    std::size_t count = 0;
    sd_bus_message_read(message, "i", &link);
    sd_bus_message_enter_container(message, 'a', "(iay)");
    sd_bus_message_enter_container(message, 'r', "iay");
    sd_bus_message_read(message, "i", &family);
    sd_bus_message_read_array(message, 'y', &bytes, &count);
    if (count == 4) std::memcpy(server_, bytes, 4);
  }

  // Those with true: `~corp.example`.
  static void tell_domains(sd_bus_message* message, std::ostream& says) {
    int link = 0;
    const char* domain = nullptr;
    int is_for_routing = 0;
    sd_bus_message_read(message, "i", &link);
    sd_bus_message_enter_container(message, 'a', "(sb)");
    while (sd_bus_message_read(message, "(sb)", &domain, &is_for_routing) > 0) {
      says << " " << (is_for_routing != 0 ? "~" : "") << domain;
    }
  }

  FakeOptions options_;
  std::uint8_t server_[4] = {};
  pid_t process_ = -1;
};

/// Lets a host with one TUN device use 10.8.0.1 as its name server, and gives up again.
struct DnsTrial {
  std::string log;
  std::string resolv_conf;  ///< while in use
  bool is_put_back = false;

  DnsTrial() {
    const std::string before = read_text("/etc/resolv.conf");
    TestTun tun("qdt0");
    TestLogger logger;
    auto network = *open_host_network("qdt0", logger);
    EXPECT_TRUE(network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
    resolv_conf = read_text("/etc/resolv.conf");
    network.reset();
    log = logger.text;
    is_put_back = read_text("/etc/resolv.conf") == before;
  }
};

TEST(Resolved, TakesTheNameServersAndGivesThemBack) {
  in_fresh_network([] {
    FakeResolved resolved;
    const DnsTrial trial;
    EXPECT_THAT(trial.log, HasSubstr("name servers set to 10.8.0.1 by systemd-resolved\n"));
    EXPECT_THAT(trial.resolv_conf, HasSubstr("192.0.2.53"));
    EXPECT_EQ(read_text("/run/resolved-says"),
              "SetLinkDNS\nSetLinkDomains ~.\nSetLinkDefaultRoute\nRevertLink\n");
  });
}

const NameServerWish kSplit{.servers = {*IpAddress::parse("10.8.0.1")},
                            .domains = {"corp.example", "lan"}};

TEST(Resolved, IsAskedForSomeDomainsAlone) {
  in_fresh_network([] {
    FakeResolved resolved({.resolv_conf_mode = "foreign"});
    const std::string before = read_text("/etc/resolv.conf");
    TestTun tun("qdt0");
    TestLogger logger;
    auto network = *open_host_network("qdt0", logger);
    ASSERT_TRUE(network->use_dns(kSplit));
    EXPECT_THAT(read_text("/run/resolved-says"), HasSubstr("SetLinkDomains ~corp.example ~lan\n"));
    EXPECT_EQ(read_text("/etc/resolv.conf"), before);
    EXPECT_THAT(logger.text, HasSubstr("by systemd-resolved, for names of corp.example, lan"));
    const std::string told = read_text("/run/resolved-says");
    network->keep();
    EXPECT_EQ(read_text("/run/resolved-says"), told);
  });
}

TEST(Resolved, IsMissedWhereSomeDomainsAloneAreToBeAsked) {
  in_fresh_network([] {
    use_bus("unix:path=/run/nothing");
    const std::string before = read_text("/etc/resolv.conf");
    TestTun tun("qdt0");
    TestLogger logger;
    auto network = *open_host_network("qdt0", logger);
    const auto set = network->use_dns(kSplit);
    ASSERT_FALSE(set);
    EXPECT_THAT(set.error().message, HasSubstr("this needs systemd-resolved"));
    NameServerWish all = kSplit;
    all.may_take_all_names = true;
    ASSERT_TRUE(network->use_dns(all));
    EXPECT_THAT(read_text("/etc/resolv.conf"), HasSubstr("nameserver 10.8.0.1"));
    network.reset();
    EXPECT_EQ(read_text("/etc/resolv.conf"), before);
  });
}

TEST(Resolved, TakesOverWhenItAppears) {
  in_fresh_network([] {
    use_bus("unix:path=/run/bus");
    const std::string before = read_text("/etc/resolv.conf");
    TestTun tun("qdt0");
    TestLogger logger;
    auto network = *open_host_network("qdt0", logger);
    ASSERT_TRUE(network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
    EXPECT_THAT(read_text("/etc/resolv.conf"), HasSubstr("nameserver 10.8.0.1"));
    FakeResolved resolved;
    for (int i = 0; i < 5; ++i) network->keep();  // it is looked for at every fifth
    EXPECT_THAT(read_text("/run/resolved-says"), HasSubstr("SetLinkDNS"));
    EXPECT_EQ(read_text("/etc/resolv.conf"), before);
  });
}

TEST(Resolved, IsReplacedWhenItIsGoneForLong) {
  in_fresh_network([] {
    TestTun tun("qdt0");
    TestLogger logger;
    std::optional<FakeResolved> resolved(std::in_place);
    auto network = *open_host_network("qdt0", logger);
    ASSERT_TRUE(network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
    resolved.reset();
    ::unlink("/run/bus");
    for (int i = 0; i < 4; ++i) network->keep();
    EXPECT_THAT(read_text("/etc/resolv.conf"), testing::Not(HasSubstr("10.8.0.1")));
    network->keep();
    EXPECT_THAT(read_text("/etc/resolv.conf"), HasSubstr("nameserver 10.8.0.1"));
  });
}

TEST(Resolved, IsNotAskedForANameServerOnALink) {
  in_fresh_network([] {
    FakeResolved resolved;
    TestTun tun("qdt0");
    TestLogger logger;
    auto network = *open_host_network("qdt0", logger);
    ASSERT_TRUE(network->use_dns({.servers = {*NameServer::parse("fe80::53%qdt0")},
                                  .domains = {},
                                  .may_take_all_names = true}));
    EXPECT_THAT(read_text("/etc/resolv.conf"), HasSubstr("nameserver fe80::53%qdt0"));
    const std::string told = read_text("/run/resolved-says");
    for (int i = 0; i < 10; ++i) network->keep();
    EXPECT_EQ(read_text("/run/resolved-says"), told);
  });
}

TEST(Resolved, IsNotAllWhereProgramsReadResolvConf) {
  in_fresh_network([] {
    FakeResolved resolved({.resolv_conf_mode = "foreign"});
    const DnsTrial trial;
    EXPECT_THAT(trial.log, HasSubstr("by systemd-resolved and in /etc/resolv.conf"));
    EXPECT_THAT(trial.resolv_conf, HasSubstr("nameserver 10.8.0.1"));
    EXPECT_TRUE(trial.is_put_back);
  });
}

TEST(Resolved, IsPassedOverWhenItDoesNotKeepTheNameServers) {
  in_fresh_network([] {
    FakeResolved resolved({.forgets_servers = true});
    const DnsTrial trial;
    EXPECT_THAT(trial.log, HasSubstr("did not keep the name servers"));
    EXPECT_THAT(read_text("/run/resolved-says"), HasSubstr("RevertLink"));
    EXPECT_THAT(trial.resolv_conf, HasSubstr("nameserver 10.8.0.1"));
    EXPECT_TRUE(trial.is_put_back);
  });
}

TEST(Resolved, IsToldAgainAfterItsRestart) {
  in_fresh_network([] {
    TestTun tun("qdt0");
    TestLogger logger;
    std::optional<FakeResolved> resolved(std::in_place);
    auto network = *open_host_network("qdt0", logger);
    ASSERT_TRUE(network->use_dns(std::vector{*IpAddress::parse("10.8.0.1")}));
    const std::string told = read_text("/run/resolved-says");

    network->keep();
    resolved.reset();
    ::unlink("/run/bus");
    network->keep();  // while nobody is there to be told
    EXPECT_EQ(read_text("/run/resolved-says"), told);

    resolved.emplace();
    network->keep();
    EXPECT_EQ(read_text("/run/resolved-says"), told + told);
    EXPECT_THAT(logger.text, HasSubstr("set again by systemd-resolved"));
  });
}

TEST(Resolved, IsPassedOverInAnotherNetwork) {
  in_fresh_network([] {
    FakeResolved resolved({.is_in_another_network = true});
    const DnsTrial trial;
    EXPECT_THAT(trial.log, HasSubstr("resolved runs in another network namespace"));
    EXPECT_THAT(trial.resolv_conf, HasSubstr("nameserver 10.8.0.1"));
    EXPECT_EQ(read_text("/run/resolved-says"), "");
  });
}

TEST(Resolved, IsPassedOverWhereThereIsNoBus) {
  in_fresh_network([] {
    use_bus("unix:path=/run/nothing");
    EXPECT_FALSE(find_resolved(1));
    EXPECT_EQ(*revert_resolved(1), Change::kNotNeeded);
  });
}

}  // namespace
}  // namespace qdt::os
