#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/name_server.h"
#include "base/result.h"

namespace qdt::os {

// The clients of a host that want name servers of theirs in /etc/resolv.conf, one above the other:
// the newest one's are in force, and when it goes, the next one's are; under them is the user's own
// file, which comes back when the last one goes, byte for byte. What somebody else writes meanwhile
// is the user's from then on. All clients share one record of it, `/run/qdt/resolv.conf.layers`,
// which is locked while one of them changes the file; the record goes with the last layer.

/// The wish of one client.
struct ResolvConfLayer {
  std::string owner;  ///< the name of its journal: one for each device and network namespace
  std::string tun_name;
  std::vector<NameServer> servers;
};

/// The outcome.
struct ResolvConfLayerState {
  bool is_recorded = true;           ///< false: the record cannot be written, and nothing was done
  std::string text;                  ///< the file now
  std::optional<std::string> users;  ///< the user's; nothing: there was no such file
  std::string on_top;                ///< the device whose name servers are in force
  bool was_changed = false;          ///< somebody else had changed the file
  bool is_original_lost = false;     ///< it was a dead client's, and nobody knows the user's
};

/// Puts a layer on top, or keeps it where it is, and makes the file say what the one on top wants;
/// changes nothing when it does. `known`: the user's file as this client knows it, for when the
/// record is lost. A failure leaves no new layer.
Result<ResolvConfLayerState> put_resolv_conf_layer(
    const ResolvConfLayer& layer, const std::optional<ResolvConfLayerState>& known = std::nullopt);

/// Whether the record still has the owner's layer: somebody may have emptied /run/qdt. Reads the
/// record without its lock.
bool is_resolv_conf_layer_recorded(const std::string& owner);

/// Takes the owner's layer away, tells what was done; an empty text when there was nothing to do.
Result<std::string> remove_resolv_conf_layer(const std::string& owner);

/// The user's file, whatever is in force above it; nothing when there is none.
std::optional<std::string> users_resolv_conf();

}  // namespace qdt::os
