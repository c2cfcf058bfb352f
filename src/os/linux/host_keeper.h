#pragma once

#include <string>
#include <vector>

#include "os/linux/netlink.h"
#include "os/linux/undo_journal.h"
#include "os/upkeep.h"

namespace qdt::os {

/// Compares the host with the desired state of a journal, and puts back what differs, whoever
/// changed it. What it puts back is undone in the end like any change.
class HostKeeper {
 public:
  HostKeeper(UndoJournal& journal, Netlink& netlink) : journal_(journal), netlink_(netlink) {}

  /// Adds to `upkeep` what was put back, and what could not be.
  void keep(Upkeep& upkeep);
  /// The changes that the latest keep() put back, in words.
  const std::vector<std::string>& put_back() const { return put_back_; }

  /// The device that had the index `was` has been made again, and has the index `now`.
  void move_device(int was, int now);
  /// The device is to have this MTU from now on.
  void set_mtu(int link_index, std::size_t mtu);

 private:
  Result<Change> keep_step(const RestoreSysctl& step);
  Result<Change> keep_step(const RestoreForwarding& step);
  Result<Change> keep_step(const RestoreLink& step);
  Result<Change> keep_step(const DeleteAddress& step);
  Result<Change> keep_step(const DeleteRoute& step);
  Result<Change> keep_step(const DeleteRule& step);
  Result<Change> keep_step(const DeleteNftTable& step);
  template <typename Other>
  Result<Change> keep_step(const Other&) {
    return Change::kNotNeeded;  // name servers have a keeper of their own
  }
  /// Whether a packet to anywhere takes the rules in `wanted`; where another rule takes it first,
  /// ours go before that one.
  void keep_precedence(bool is_v6, const std::vector<UndoStep>& wanted, Upkeep& upkeep);
  void keep_own_table(bool is_v6, std::uint32_t table, const std::vector<DeleteRoute>& routes,
                      Upkeep& upkeep);
  Result<Change> go_before(std::uint32_t priority, bool is_v6, const std::vector<UndoStep>& wanted);

  UndoJournal& journal_;
  Netlink& netlink_;
  std::vector<std::string> put_back_;
};

}  // namespace qdt::os
