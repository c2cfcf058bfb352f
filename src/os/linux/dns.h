#pragma once

#include <chrono>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/lasting_fault.h"
#include "base/logger.h"
#include "base/name_server.h"
#include "base/result.h"
#include "base/time.h"
#include "os/host_network.h"
#include "os/linux/resolv_conf_layers.h"
#include "os/linux/transaction.h"
#include "os/linux/undo_journal.h"

namespace qdt::os {

/// The name servers of one tunnel, in force on this host: by systemd-resolved, by the resolvconf
/// program or in /etc/resolv.conf, whichever works first. How to undo it is in the journal, which
/// outlives the object. One thread.
class HostDns {
 public:
  HostDns(std::string tun_name, UndoJournal& journal, Logger& logger)
      : tun_name_(std::move(tun_name)), journal_(journal), logger_(logger) {}

  /// As HostNetwork::use_dns(); `link_index` is the device through which the servers are reached.
  Result<void> use(const NameServerWish& wish, int link_index);
  /// Looks whether they still are in force: a file is read, resolved is asked. Sets them again
  /// where somebody has changed them, at most four times in a minute, and then once a minute: two
  /// programs that cannot agree are not to keep a host busy.
  void keep(int link_index);
  /// Before the journal is undone: what that needs is there.
  void prepare_to_end(int link_index);
  /// As HostNetwork::name_servers_outside().
  std::vector<NameServer> outside() const;

 private:
  /// The changes made for the wish.
  struct InForce {
    std::string way;  ///< in words
    int resolved_link = 0;
    bool by_resolved = false;
    bool by_resolvconf = false;
    std::optional<ResolvConfLayerState> file;  ///< nothing: the file is not ours to write
  };
  enum class Standing { kStands, kOtherClients, kLostRecord, kChanged };

  Result<void> set(int link_index);
  Result<void> set_file(InForce& done, Transaction& transaction);
  bool set_by_resolved(InForce& done, int link_index, Transaction& transaction);
  bool set_by_resolvconf(InForce& done, Transaction& transaction);
  /// Undoes what an earlier way did that this one does not need.
  void undo_other_ways(const InForce& done);
  void withdraw();
  Standing look(int link_index);
  Standing look_at_file();
  Standing look_at_resolved(int link_index);
  void set_again(int link_index);
  bool is_record_lost() const;
  void record_again(int link_index);
  void follow_other_clients();
  bool may_set_again();

  std::string tun_name_;
  UndoJournal& journal_;
  Logger& logger_;
  NameServerWish wish_;
  std::optional<InForce> in_force_;
  unsigned looks_ = 0;
  unsigned silent_looks_ = 0;         // resolved has not answered as many times
  bool is_resolved_refused_ = false;  // it runs, but cannot be used
  std::deque<Timestamp> set_again_;
  Timestamp next_recording_{};
  bool is_contested_ = false;
  LastingFault file_fault_;
};

/// Those that `resolv_conf` names; where that is resolved's stub, those that it asks itself, less
/// `ours`; behind another resolver of this host's also those that it asks, where that is known.
std::vector<NameServer> name_servers_behind(std::string_view resolv_conf,
                                            std::span<const NameServer> ours);

}  // namespace qdt::os
