#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/ip_address.h"
#include "wire/datagram.h"

namespace qdt::access {

/// Counts the sessions of each client, so that none has them all. A client is known by the address
/// that it comes from, by the site of that address (an IPv6 /48), and by its client_id behind the
/// address. Asked once for each session; any thread.
class ClientShares {
 public:
  struct Options {
    std::size_t max_of_client = 0;   ///< of one client_id behind one address; 0: any number
    std::size_t max_of_address = 0;  ///< together; IPv6: of a /64, and half as many again of a /48
  };

  explicit ClientShares(const Options& options) : options_(options) {}
  /// Other numbers from now on. Sessions that are there keep their places, and count.
  void use(const Options& options);
  std::size_t max_of_client() const {
    const std::scoped_lock lock(mutex_);
    return options_.max_of_client;
  }

  /// Takes a place for `session`; false when its client has as many as it may. One that `replaces`
  /// another session is never refused, as in SessionPlaces.
  bool take(wire::SessionId session, const IpAddress& from, std::string_view client_id,
            bool replaces);
  /// Nothing for a session that has no place.
  void give_back(wire::SessionId session);

 private:
  static constexpr std::size_t kUnits = 3;
  struct Unit {
    std::string key;
    std::size_t max = 0;
  };
  using Units = std::array<Unit, kUnits>;
  static Units units_of(const Options& options, const IpAddress& from, std::string_view client_id);

  mutable std::mutex mutex_;
  Options options_;
  std::map<std::string, std::size_t> counts_;
  std::unordered_map<wire::SessionId, Units> places_;
};

}  // namespace qdt::access
