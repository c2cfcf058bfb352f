#include "access/admission.h"

#include <algorithm>
#include <cmath>

#include "base/client_networks.h"

namespace qdt::access {
namespace {

using wire::HandshakeResult;

// The strangers that are remembered, each of which has completed a handshake and owes something.
constexpr std::size_t kStrangers = 65536;
constexpr std::size_t kClients = 16384;
// One IPv6 site is remembered for so many addresses.
constexpr std::size_t kAddressesPerSite = 4;

UserTable::Snapshot only_user(const Admission::Options& options) {
  std::vector<UserTable::Entry> entries;
  const bool is_nobody = options.token.empty() && options.devices.empty();
  if (!is_nobody) entries.push_back(Admission::entry_of(options));
  UserTable::Key key{};
  store_be<std::uint64_t>(key.data(), options.seed);
  return *UserTable::create(entries, key);
}

RateLimit times(const RateLimit& limit, double factor) {
  return {.per_second = limit.per_second * factor, .burst = limit.burst * factor};
}

// One more may come within that time.
std::chrono::seconds longest_interval(const Admission::Options& options) {
  constexpr double kMaxSeconds = 3600;
  double seconds = 1;
  for (const RateLimit& limit : {options.rate, options.address_rate}) {
    if (!limit.is_unlimited()) seconds = std::max(seconds, std::ceil(1 / limit.per_second));
  }
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, kMaxSeconds)));
}

}  // namespace

Admission::Budget::Budget(const Options& options, std::size_t addresses,
                          AttemptTable::Newcomer newcomer, const MaxWaiting& max_waiting)
    : max_waiting_(max_waiting),
      is_unlimited_(options.rate.is_unlimited()),
      addresses_({.limit = options.address_rate,
                  .ttl = options.address_ttl,
                  .entries = addresses,
                  .newcomer = newcomer,
                  .seed = options.seed}),
      sites_({.limit = times(options.address_rate, kAddressesOfSite),
              .ttl = options.address_ttl,
              .entries = addresses / kAddressesPerSite,
              .newcomer = newcomer,
              .seed = options.seed}),
      all_(options.rate) {}

void Admission::Budget::use(const Options& options) {
  is_unlimited_ = options.rate.is_unlimited();
  addresses_.use(options.address_rate, options.address_ttl);
  sites_.use(times(options.address_rate, kAddressesOfSite), options.address_ttl);
  all_ = PacedLimit(options.rate);
}

// The narrowest first: what an address is refused is not taken from the others.
std::optional<Duration> Admission::Budget::take(const IpAddress& from, Timestamp now) {
  const ClientNetworks networks(from);
  const auto of_address =
      addresses_.take(number_of(networks.customer), now, max_waiting_.of_address);
  if (!of_address) return std::nullopt;
  const auto of_site = from.is_v4()
                           ? Duration::zero()
                           : sites_.take(number_of(networks.site), now, max_waiting_.of_site);
  if (!of_site) return std::nullopt;
  if (is_unlimited_) return std::max(*of_address, *of_site);
  const auto of_all = all_.take(next_turn_of_all_, now, max_waiting_.of_all);
  if (!of_all) return std::nullopt;
  return std::max({*of_address, *of_site, *of_all});
}

// A table of clients forgets the one that has used least, and a client begins with a whole burst:
// with the token, there is nothing to be gained by many addresses that max_sessions does not bound.
Admission::Admission(const Options& options)
    : users_(only_user(options)),
      max_sessions_(options.max_sessions),
      retry_after_(longest_interval(options)),
      proven_(options, kClients, AttemptTable::Newcomer::kOwesNothing, {}),
      strangers_(options, kStrangers, AttemptTable::Newcomer::kInheritsDebt,
                 {.of_address = kMaxWaitingOfAddress,
                  .of_site = kMaxWaitingOfSite,
                  .of_all = kMaxWaiting}),
      shares_(options.shares) {}

void Admission::use_limits(const Options& options) {
  max_sessions_.store(options.max_sessions, std::memory_order_relaxed);
  retry_after_.store(longest_interval(options), std::memory_order_relaxed);
  shares_.use(options.shares);
  const std::scoped_lock lock(mutex_);
  proven_.use(options);
  strangers_.use(options);
}

Admission::Verdict Admission::judge(const UserTable& users, bool has_method,
                                    const Credential& credential, const IpAddress& from,
                                    Timestamp now) {
  // Before all else, so that the work is the same whatever comes of it.
  Verdict verdict{.who = users.find(credential)};
  if (!verdict.is_proven()) verdict.delay = delay_stranger(from, now);
  verdict.result = [&] {
    if (!is_ready()) return HandshakeResult::kNotReady;
    if (!has_method) return HandshakeResult::kMethod;
    if (!verdict.is_proven()) return HandshakeResult::kUnauthorized;
    {
      const std::scoped_lock lock(mutex_);
      if (!proven_.take(from, now)) return HandshakeResult::kRateLimited;
    }
    const std::size_t most = max_sessions();
    const bool is_ticket = verdict.who.device != nullptr && verdict.who.device->is_ticket;
    const bool is_busy = !is_ticket && most > 0 && sessions() >= most;
    return is_busy ? HandshakeResult::kBusy : HandshakeResult::kOk;
  }();
  return verdict;
}

std::optional<Duration> Admission::delay_stranger(const IpAddress& from, Timestamp now) {
  const std::scoped_lock lock(mutex_);
  const auto delay = strangers_.take(from, now);
  return delay ? std::optional(std::min(*delay, kMaxDelay)) : std::nullopt;
}

}  // namespace qdt::access
