#pragma once

// For tests only: a WindowsHostNetwork on a model of a host.

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "os/model_journal.h"
#include "os/windows/network_model.h"
#include "os/windows/windows_host_network.h"

namespace qdt::os {

class NetworkModelTest : public testing::Test {
 protected:
  inline static const std::array kBoth = {TunAddress{ip("10.8.0.2"), 32},
                                          TunAddress{ip("fd00::2"), 128}};

  UndoJournal journal() {
    return UndoJournal(std::make_unique<ModelJournalFile>(journal_text_, &is_disk_full_), "4711",
                       logger_);
  }
  /// The object under test, made when it is first asked for.
  HostNetwork& network() {
    if (!network_) {
      network_ = std::make_unique<WindowsHostNetwork>("qdt0", journal(), model_.open(), logger_);
    }
    return *network_;
  }
  void close() { network_.reset(); }
  /// Undoes what is in the journal, as the next start does.
  void clean_up() {
    const auto calls = model_.open();
    UndoJournal left = journal();
    left.undo_down_to(0, [&](const UndoStep& step) { return undo(step, *calls); }, logger_);
  }

  Result<void> configure_both() { return network().configure_tun(kBoth, 1400); }
  Result<void> everything() {
    if (auto ok = configure_both(); !ok) return ok;
    network().leave_outside({.destinations = {}, .server = ip("203.0.113.5"), .name_servers = {}});
    return network().route_everything_through_tunnel();
  }

  std::vector<std::string> take_changes() { return std::exchange(model_.changes, {}); }

  NetworkModel model_ = NetworkModel::with_network();
  NetworkModel::Host before_ = model_.host;
  std::string journal_text_;
  bool is_disk_full_ = false;
  ModelLogger logger_;
  std::unique_ptr<WindowsHostNetwork> network_;
};

}  // namespace qdt::os
