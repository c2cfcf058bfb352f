#include "os/linux/host_process.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <thread>

#include "os/file.h"
#include "os/linux/host_message.h"
#include "os/linux/network_fixture.h"
#include "os/linux/remote_host_control.h"
#include "os/run_file.h"

namespace qdt::os {
namespace {

const IpAddress kInner = *IpAddress::parse("10.8.0.2");

// The changes that were made, in words, from both threads.
class Diary {
 public:
  void add(const std::string& line) {
    const std::lock_guard lock(mutex_);
    lines_.push_back(line);
  }
  std::vector<std::string> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(lines_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

class FakeNetwork final : public HostNetwork {
 public:
  explicit FakeNetwork(Diary& diary) : diary_(diary) {}
  ~FakeNetwork() override { diary_.add(leaves_nat_ ? "put back but for NAT" : "put back"); }

  Result<void> configure_tun(std::span<const TunAddress> addresses, std::size_t mtu) override {
    diary_.add("addresses " + std::to_string(addresses.size()) + " mtu " + std::to_string(mtu));
    return {};
  }
  Result<void> set_tun_mtu(std::size_t) override { return fail("the device is busy"); }
  Result<void> enable_forwarding() override { return done("forwarding"); }
  Result<void> enable_ipv6_forwarding() override { return done("IPv6 forwarding"); }
  Result<void> limit_clients(const ClientAccess& access) override {
    std::string line = "deny " + access.denied.at(0).to_string();
    for (const IpAddress& server : access.name_servers) line += " but " + server.to_string();
    return done(line);
  }
  Result<void> install_nat(const NatOptions& nat) override {
    return done("NAT " + nat.pool.to_string());
  }
  void leave_nat() override { leaves_nat_ = true; }
  std::vector<std::string> forwarding_obstacles() override { return {"a policy", "a rule"}; }
  void leave_outside(const Outside& outside) override { outside_ = outside; }
  Result<void> route_everything_through_tunnel() override {
    return done("everything but " + outside_.destinations.at(0).to_string());
  }
  Result<void> route_only(std::span<const Prefix> destinations) override {
    return done("only " + destinations[0].to_string());
  }
  Result<void> use_dns(const NameServerWish& wish) override {
    return done("dns " + wish.servers.at(0).to_string());
  }
  Upkeep keep() override {
    Upkeep upkeep;
    upkeep.count(HostPart::kRoute);
    return upkeep;
  }
  Result<void> adopt_device() override { return done("adopted"); }
  std::vector<std::string> ignored_routes() const override { return {"192.0.2.0/24 dev eth0"}; }
  std::vector<NameServer> name_servers_outside() override { return {kInner}; }

 private:
  Result<void> done(const std::string& what) {
    diary_.add(what);
    return {};
  }

  Diary& diary_;
  Outside outside_;
  bool leaves_nat_ = false;
};

class FakeKillSwitch final : public KillSwitch {
 public:
  explicit FakeKillSwitch(Diary& diary) : diary_(diary) {}
  void keep(Upkeep& upkeep) override { upkeep.count(HostPart::kTable); }
  bool outlives_process() const override { return true; }
  void lower() override { diary_.add("lowered"); }

 private:
  Diary& diary_;
};

class FakeControl final : public HostControl {
 public:
  explicit FakeControl(Diary& diary) : diary_(diary) {}
  Result<std::unique_ptr<HostNetwork>> open_network() override {
    return std::make_unique<FakeNetwork>(diary_);
  }
  Result<std::unique_ptr<KillSwitch>> raise_kill_switch() override {
    return std::make_unique<FakeKillSwitch>(diary_);
  }
  Result<TunDevice> open_tun() override { return fail("no device here"); }
  // As long as nobody stops it.
  Result<void> run_hook(const Hook&, std::optional<PollHandle> stop) override {
    diary_.add("hook");
    pollfd polled{.fd = static_cast<int>(*stop), .events = POLLIN, .revents = 0};
    ::poll(&polled, 1, 10'000);
    diary_.add("stopped");
    return {};
  }
  Result<std::vector<std::string>> read_files(HostFileReader::Part part,
                                              std::optional<PollHandle>) override {
    if (part == HostFileReader::Part::kCertificate) return std::vector<std::string>{"new"};
    return std::vector<std::string>{"token: secret", std::string(100'000, 'k'), ""};
  }
  Result<void> adopt_files(std::optional<PollHandle>) override {
    diary_.add("adopted files");
    return {};
  }
  Result<std::uint64_t> certificate_stamp() override { return 0x0123456789abcdef; }
  Result<void> keep_note(std::string_view content) override {
    diary_.add("note " + std::string(content));
    return {};
  }
  Result<KeptFile> open_lease_file() override {
    return KeptFile::adopt("leases", ::memfd_create("leases", MFD_CLOEXEC));
  }
  Result<PollHandle> open_control_socket() override { return fail("no socket here"); }

 private:
  Diary& diary_;
};

// A main process and its host process as two threads of this one.
struct Pair {
  explicit Pair(HostPlan of) : plan(std::move(of)) {
    auto links = HostLink::make_pair();
    main = std::make_unique<RemoteHostControl>(std::move(links->first), 0);
    thread = std::thread([this, link = std::move(links->second)]() mutable {
      FakeControl control(diary);
      end = serve_host(link, control, plan, logger);
    });
  }
  ~Pair() { finish(); }
  MainEnd finish() {
    main.reset();
    if (thread.joinable()) thread.join();
    return end;
  }

  HostPlan plan;
  TestLogger logger;
  Diary diary;
  std::unique_ptr<RemoteHostControl> main;
  std::thread thread;
  MainEnd end = MainEnd::kOrderly;
};

const HostPlan kClient{.role = HostPlan::Role::kClient, .takes_everything = true};
const HostPlan kServer{.role = HostPlan::Role::kServer,
                       .leftover_nat = LeftoverNat::kKept,
                       .access = ClientAccess{.denied = {*Prefix::parse("169.254.0.0/16")}},
                       .nat = NatOptions{.pool = *Prefix::parse("10.8.0.0/24")}};
using Lines = std::vector<std::string>;

TEST(HostProcess, DoesWhatAClientAsksForAndPutsItBack) {
  Pair pair(kClient);
  auto network = *pair.main->open_network();
  EXPECT_TRUE(network->configure_tun(kInner, 24, 1400));
  EXPECT_EQ(network->set_tun_mtu(1300).error().message, "the device is busy");
  network->leave_outside({.destinations = {*Prefix::parse("192.0.2.0/24")}});
  EXPECT_TRUE(network->route_everything_through_tunnel());
  EXPECT_TRUE(network->use_dns(NameServerWish{.servers = {kInner}, .domains = {}}));
  EXPECT_EQ(network->keep().repairs[static_cast<std::size_t>(HostPart::kRoute)], 1u);
  EXPECT_EQ(network->ignored_routes(), Lines{"192.0.2.0/24 dev eth0"});
  EXPECT_EQ(network->name_servers_outside(), std::vector<NameServer>{kInner});
  network.reset();
  EXPECT_EQ(pair.diary.take(), (Lines{"addresses 1 mtu 1400", "everything but 192.0.2.0/24",
                                      "dns 10.8.0.2", "put back"}));
  EXPECT_EQ(pair.finish(), MainEnd::kOrderly);
}

TEST(HostProcess, TakesNatAndAccessFromItsPlan) {
  Pair pair(kServer);
  auto network = *pair.main->open_network();
  EXPECT_TRUE(network->limit_clients({.answers_only = false}));
  EXPECT_TRUE(network->install_nat({.pool = *Prefix::parse("192.0.2.0/24")}));
  EXPECT_EQ(network->forwarding_obstacles(), (Lines{"a policy", "a rule"}));
  EXPECT_FALSE(network->use_dns(NameServerWish{}));
  network.reset();
  EXPECT_EQ(pair.diary.take(), (Lines{"deny 169.254.0.0/16", "NAT 10.8.0.0/24", "put back"}));
}

TEST(HostProcess, PublishesNothingThatWasNotBegun) {
  auto links = HostLink::make_pair();
  TestLogger logger;
  Diary diary;
  FakeControl control(diary);
  EXPECT_TRUE(links->first.send(*encode(1, request::PublishNote{})));
  EXPECT_TRUE(links->first.send(as_bytes("rubbish")));  // the end
  serve_host(links->second, control, kClient, logger);
  const auto parcel = links->first.receive(HostLink::Wait::kNone, true);
  ASSERT_TRUE(parcel);
  EXPECT_FALSE(*decode_answer<Nothing>(parcel->bytes));
}

TEST(HostProcess, OpensTheLeaseFile) {
  Pair pair(kServer);
  auto file = pair.main->open_lease_file();
  ASSERT_TRUE(file) << file.error().message;
  EXPECT_TRUE(file->replace("10.8.0.2"));
  EXPECT_EQ(file->read(), "10.8.0.2");
}

TEST(HostProcess, CutsALeaseFileThatGrowsTooLarge) {
  Pair pair(kServer);
  auto leases = pair.main->open_lease_file();
  const UniqueFd file(static_cast<int>(leases->release()));
  ASSERT_EQ(::ftruncate(file.get(), off_t{1} << 40), 0);
  for (int i = 0; i < 2; ++i) {
    EXPECT_TRUE(pair.main->certificate_stamp());  // it looks before the second
  }
  EXPECT_EQ(::lseek(file.get(), 0, SEEK_END), off_t{2} * kMaxFileBytes);
}

TEST(HostProcess, PublishesNoFileThatIsTooLarge) {
  in_fresh_network([] {
    std::filesystem::create_directory("/run/qdt");
    Pair pair({.role = HostPlan::Role::kClient, .tun = {.name = "qdt0"}});
    const std::string path = *run_file_path("qdt0", "resume");
    EXPECT_TRUE(pair.main->keep_note("a token"));
    for (int i = 0; i < 50; ++i) {  // it may look at the file at any moment, and cuts it then
      EXPECT_FALSE(pair.main->keep_note(std::string(kMaxTextFileBytes + 1, 'x')));
    }
    EXPECT_EQ(read_text(path), "a token");
  });
}

TEST(HostProcess, PutsTheHostBackWhenTheMainProcessIsGone) {
  Pair pair(kServer);
  auto network = *pair.main->open_network();
  EXPECT_TRUE(pair.main->close());  // the socket goes, as with its process
  pair.thread.join();
  EXPECT_EQ(pair.end, MainEnd::kCrashed);
  EXPECT_EQ(pair.diary.take(), Lines{"put back but for NAT"});
}

TEST(HostProcess, LowersAKillSwitchOnlyWhenAsked) {
  {
    Pair pair(kClient);
    auto kill_switch = *pair.main->raise_kill_switch();
    Upkeep upkeep;
    kill_switch->keep(upkeep);
    EXPECT_TRUE(upkeep.has_repairs());
    pair.finish();
    EXPECT_EQ(pair.diary.take(), Lines{});
  }
  Pair pair(kClient);
  auto kill_switch = *pair.main->raise_kill_switch();
  kill_switch->lower();
  EXPECT_EQ(pair.diary.take(), Lines{"lowered"});
}

TEST(HostProcess, PassesFilesOn) {
  Pair pair(kServer);
  const auto files = pair.main->read_files(HostFileReader::Part::kAll, {});
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 3u);
  EXPECT_EQ(files->at(0), "token: secret");
  EXPECT_EQ(files->at(1), std::string(100'000, 'k'));
  EXPECT_EQ(files->at(2), "");
  EXPECT_EQ(*pair.main->read_files(HostFileReader::Part::kCertificate, {}), Lines{"new"});
  EXPECT_EQ(*pair.main->certificate_stamp(), 0x0123456789abcdefu);
}

// The operator's file, as it is read again.
class FakeFiles final : public HostFileReader {
 public:
  Result<std::vector<std::string>> read(Part) override { return fail("not asked"); }
  std::vector<IpAddress> name_servers() const override { return servers; }
  void adopt() override {}
  std::uint64_t certificate_stamp() const override { return 0; }

  std::vector<IpAddress> servers;
};

// A client that is connected goes on asking the one that it was told of.
TEST(HostProcess, LetsClientsReachNewNameServersAndTheOnesBefore) {
  FakeFiles files;
  files.servers = {*IpAddress::parse("10.8.0.1")};
  HostPlan plan = kServer;
  plan.files = &files;
  plan.access->name_servers = files.servers;
  Pair pair(plan);
  auto network = *pair.main->open_network();
  EXPECT_TRUE(network->limit_clients({}));
  EXPECT_TRUE(pair.main->adopt_files({}));
  files.servers = {*IpAddress::parse("192.0.2.53")};
  EXPECT_TRUE(pair.main->adopt_files({}));
  EXPECT_EQ(pair.diary.take(),
            (Lines{"deny 169.254.0.0/16 but 10.8.0.1", "adopted files",
                   "deny 169.254.0.0/16 but 192.0.2.53 but 10.8.0.1", "adopted files"}));
}

TEST(HostProcess, EndsAHookThatIsToEnd) {
  Pair pair(kClient);
  auto waker = Waker::open();
  waker->wake();
  EXPECT_TRUE(pair.main->run_hook({}, waker->poll_handle()));
  EXPECT_EQ(pair.diary.take(), (Lines{"hook", "stopped"}));
  EXPECT_TRUE(pair.main->open_network());  // StopHook was no request of its own
}

TEST(HostProcess, EndsWithAMainProcessThatSendsRubbish) {
  auto links = HostLink::make_pair();
  TestLogger logger;
  Diary diary;
  FakeControl control(diary);
  EXPECT_TRUE(links->first.send(*encode(1, request::OpenNetwork{})));
  EXPECT_TRUE(links->first.send(as_bytes("rubbish")));
  EXPECT_EQ(serve_host(links->second, control, kClient, logger), MainEnd::kRefused);
  EXPECT_EQ(diary.take(), Lines{"put back"});
}

TEST(HostProcess, TellsOfSoManyRefusalsAndNoMore) {
  Pair pair(kServer);
  {
    const auto network = *pair.main->open_network();
    for (int i = 0; i < 100; ++i) EXPECT_FALSE(network->use_dns(NameServerWish{}));
  }
  pair.finish();
  EXPECT_EQ(std::ranges::count(pair.logger.text, '\n'), 16);
}

TEST(HostProcess, TakesNoDescriptors) {
  auto links = HostLink::make_pair();
  const int standard_error = 2;
  EXPECT_TRUE(links->first.send(*encode(1, request::Keep{}), {&standard_error, 1}));
  const auto parcel = links->second.receive(HostLink::Wait::kForever, false);
  ASSERT_TRUE(parcel);
  EXPECT_TRUE(parcel->descriptors.empty());
}

TEST(RemoteHostControl, TellsOfAHostProcessThatIsGone) {
  auto links = HostLink::make_pair();
  RemoteHostControl control(std::move(links->first), 0);
  EXPECT_FALSE(control.has_ended());
  links->second.close();
  EXPECT_TRUE(control.has_ended());
  EXPECT_FALSE(control.open_network());
  EXPECT_FALSE(control.close());
}

TEST(RemoteHostControl, WaitsForTheAnswerToWhatItAskedBefore) {
  auto links = HostLink::make_pair();
  HostQuestions questions(std::move(links->first));
  EXPECT_FALSE(questions.ask(request::Keep{}, 1ms));
  EXPECT_TRUE(questions.is_behind());
  EXPECT_FALSE(questions.ask(request::KeepKillSwitch{}, 1ms));  // asks nothing meanwhile
  EXPECT_TRUE(links->second.send(encode_answer<Kept>(1, Kept{.ignored_routes = {"late"}})));
  const auto kept = questions.ask(request::Keep{}, 1ms);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->ignored_routes, Lines{"late"});
  EXPECT_FALSE(questions.is_behind());
}

TEST(RemoteHostControl, BelievesNoAnswerOfAnotherKind) {
  auto links = HostLink::make_pair();
  HostQuestions questions(std::move(links->first));
  EXPECT_TRUE(links->second.send(encode_answer<Nothing>(1, Nothing{})));
  EXPECT_FALSE(questions.ask(request::OpenTun{}, 1ms));
}

}  // namespace
}  // namespace qdt::os
