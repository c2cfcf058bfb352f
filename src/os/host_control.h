#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/logger.h"
#include "base/result.h"
#include "os/hook.h"
#include "os/host_network.h"
#include "os/kept_file.h"
#include "os/kill_switch.h"
#include "os/poller.h"
#include "os/tun_device.h"

namespace qdt::os {

/// Reads a server's files again, where there is the privilege for it: they may be root's alone.
/// It reads the operator's files at the operator's paths: no request names a path.
class HostFileReader {
 public:
  virtual ~HostFileReader() = default;

  enum class Part : std::uint8_t {
    kAll,          ///< the configuration, and every file that it names
    kCertificate,  ///< the certificate in force and its key, again
  };
  /// The contents of the files, which are sound.
  virtual Result<std::vector<std::string>> read(Part part) = 0;
  /// The name servers of the configuration that read(kAll) has found last.
  virtual std::vector<IpAddress> name_servers() const = 0;
  /// That configuration is in force from now on.
  virtual void adopt() = 0;
  /// file_stamp() of the certificate in force and its key.
  virtual std::uint64_t certificate_stamp() const = 0;
};

/// The part of the configuration that is about this host. It is settled before the first packet
/// comes from the network. Only the operator's own file, read again, changes it later.
struct HostPlan {
  enum class Role { kServer, kClient };

  Role role = Role::kClient;
  std::string program;       ///< qdt-server, qdt-client
  TunDevice::Options tun{};  ///< by its name, not a pattern
  bool is_steered = false;   ///< packets arrive at the queue of their address (os/steering.h)
  std::uint32_t ipv6_difference = 0;  ///< for that
  LeftoverNat leftover_nat = LeftoverNat::kUndone;
  /// A server's device has these; a client's those of its lease.
  std::vector<TunAddress> addresses;
  std::optional<ClientAccess> access;  ///< of a server's clients
  std::optional<NatOptions> nat;
  /// A client's tunnel takes everything, or some routes. Those are within `routes`; without that
  /// the server names any.
  bool takes_everything = false;
  std::optional<std::vector<Prefix>> routes;
  std::optional<KillSwitch::Options> kill_switch;
  /// A program and its arguments to run when the tunnel is up, and before it goes; empty: none.
  std::vector<std::string> up;
  std::vector<std::string> down;
  /// The file in which a server remembers which client has which lease; empty: none.
  std::string lease_path;
  /// The content of that file while it remembers nobody.
  std::string no_leases;
  /// A server's; outlives the plan.
  HostFileReader* files = nullptr;
};

/// A file is no longer than that, and there are no more of them.
inline constexpr std::size_t kMaxHostFileBytes = 24 << 20;  // a decoy's folder
inline constexpr std::size_t kMaxHostFiles = 4;

/// The work that needs privilege on this host while a program runs. On Linux a process of its own
/// does it (docs/architecture.md, Two processes). One thread. Its results do not outlive it.
class HostControl {
 public:
  virtual ~HostControl() = default;

  /// As open_host_network(). Once at a time.
  virtual Result<std::unique_ptr<HostNetwork>> open_network() = 0;
  /// As KillSwitch::raise(), with the plan's options.
  virtual Result<std::unique_ptr<KillSwitch>> raise_kill_switch() = 0;
  /// Makes the TUN device of the plan; again, when it was deleted.
  virtual Result<TunDevice> open_tun() = 0;
  /// Runs the plan's program for this moment, if there is one, to its end; `stop` as in Program.
  virtual Result<void> run_hook(const Hook& hook, std::optional<PollHandle> stop) = 0;
  /// HostFileReader::read(), now. Once `stop` is readable nobody waits for it.
  virtual Result<std::vector<std::string>> read_files(HostFileReader::Part part,
                                                      std::optional<PollHandle> stop) = 0;
  /// What read_files() has read last is in force from now on: HostFileReader::adopt(), and clients
  /// reach port 53 of its name servers, and of those before, which clients may have been told of.
  /// An error changes nothing. A server's.
  virtual Result<void> adopt_files(std::optional<PollHandle> stop) = 0;
  /// HostFileReader::certificate_stamp(). A server's.
  virtual Result<std::uint64_t> certificate_stamp() = 0;

  /// The name servers of this host's files, where this process may not read these itself any more,
  /// as when another /etc/resolv.conf has taken the place of the one that its sandbox lets it read.
  virtual std::vector<NameServer> name_servers_of_files() { return {}; }

  // Files that somebody may remove at any time, in folders that are root's alone. Who has the
  // privilege makes, opens and renames them; their contents are written by the caller.

  /// As StatusFile::write(), for the plan's device, where there is no control socket; empty: there
  /// is no status any more.
  virtual Result<void> show_status(std::string_view /*content*/) { return {}; }
  /// Keeps a note for the next start, to be read by nobody else (run_file_path(), "resume"); empty:
  /// none.
  virtual Result<void> keep_note(std::string_view content) = 0;
  /// The file at lease_path, made where it is missing.
  virtual Result<KeptFile> open_lease_file() = 0;
  /// As ControlSocket::release(), for the plan's device and role. Its file goes at the end, or
  /// stays with a crashed client's kill switch.
  virtual Result<PollHandle> open_control_socket() = 0;

  /// Leaves the control socket's file behind, so that whoever asks finds that the program crashed.
  virtual void leave_control_socket() {}

  /// Readable once has_ended() is worth asking. Nothing: it cannot end by itself.
  virtual std::optional<PollHandle> poll_handle() const { return std::nullopt; }
  /// Whether nobody looks after the host any more: why, in words.
  virtual std::optional<std::string> has_ended() { return std::nullopt; }
  /// The end, after those of what it returned: the host is as it was, or the error says what is
  /// known of it.
  virtual Result<void> close() { return {}; }
};

/// Before any thread. `make_logger` is for what is done to the host, which is told where it is
/// done. On Linux the calling process gets a child, which does it with the privilege of now,
/// whatever the caller gives up later; when the caller ends, however it does, the child puts the
/// host back (but for what outlives a crash: a kill switch, LeftoverNat::kKept) and ends, too.
Result<std::unique_ptr<HostControl>> start_host_control(
    HostPlan plan, const std::function<std::unique_ptr<Logger>()>& make_logger);

}  // namespace qdt::os
