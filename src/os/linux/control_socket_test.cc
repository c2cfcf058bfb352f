#include "os/control_socket.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "os/file.h"
#include "os/linux/network_fixture.h"
#include "os/run_file.h"
#include "os/stream_socket.h"

namespace qdt::os {
namespace {

constexpr auto kServer = HostPlan::Role::kServer;

std::string path_of(const std::string& tun_name) {
  return *run_file_path(tun_name, "server.sock");
}

TEST(ControlSocket, IsThereWhileItLasts) {
  in_fresh_network([] {
    {
      const auto socket = ControlSocket::open("qdt0", kServer);
      ASSERT_TRUE(socket) << socket.error().message;
      EXPECT_TRUE(StreamConnection::connect_local(path_of("qdt0")));
      struct stat status{};
      ASSERT_EQ(::stat(path_of("qdt0").c_str(), &status), 0);
      EXPECT_EQ(status.st_mode & 07, 0u);  // of no use to others
    }
    EXPECT_FALSE(file_exists(path_of("qdt0")));
  });
}

// A user's own group may be one that all users are in, as "users" is on some systems.
TEST(ControlSocket, IsNotForTheGroupOfWhoStartsTheProgram) {
  in_fresh_network([] {
    constexpr gid_t kUsers = 100;
    ASSERT_EQ(::setegid(kUsers), 0) << "run the tests as root";
    const auto socket = ControlSocket::open("qdt0", kServer);
    ASSERT_TRUE(socket) << socket.error().message;
    struct stat status{};
    ASSERT_EQ(::stat(path_of("qdt0").c_str(), &status), 0);
    const bool is_for_its_group = (status.st_mode & 070) != 0;
    EXPECT_FALSE(is_for_its_group && status.st_gid == kUsers);
  });
}

TEST(ControlSocket, TakesThePlaceOfACrashedProgramsOwn) {
  in_fresh_network([] {
    {
      auto crashed = ControlSocket::open("qdt0", kServer);
      ASSERT_TRUE(crashed);
      crashed->leave();
    }
    EXPECT_TRUE(file_exists(path_of("qdt0")));
    const auto dead = StreamConnection::connect_local(path_of("qdt0"));
    ASSERT_FALSE(dead);
    EXPECT_EQ(dead.error().code, ErrorCode::kUnavailable);
    EXPECT_TRUE(ControlSocket::open("qdt0", kServer));
  });
}

TEST(ControlSocket, LeavesThatOfALivingProgramAlone) {
  in_fresh_network([] {
    const auto first = ControlSocket::open("qdt0", kServer);
    const auto second = ControlSocket::open("qdt0", kServer);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    EXPECT_TRUE(StreamConnection::connect_local(path_of("qdt0")));
  });
}

TEST(ControlSocket, IsFoundByItsRole) {
  in_fresh_network([] {
    const auto one = ControlSocket::open("qdt1", kServer);
    const auto other = ControlSocket::open("qdt0", kServer);
    const auto client = ControlSocket::open("qdt2", HostPlan::Role::kClient);
    const auto found = find_control_sockets(kServer);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_EQ(found[0].tun_name, "qdt0");
    EXPECT_EQ(found[1].path, path_of("qdt1"));
  });
}

TEST(ControlSocket, IsNotFoundElsewhere) {
  in_fresh_network([] {
    const auto socket = ControlSocket::open("qdt0", kServer);
    ASSERT_EQ(::unshare(CLONE_NEWNET), 0);
    EXPECT_TRUE(find_control_sockets(kServer).empty());
  });
}

}  // namespace
}  // namespace qdt::os
