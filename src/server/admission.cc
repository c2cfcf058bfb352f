#include "server/admission.h"

#include <algorithm>
#include <cmath>

namespace qdt::server {
namespace {

using wire::HandshakeResult;

// An IPv6 customer has at least a /64 (RFC 6177), and may use any address in it.
IpAddress limited_unit(const IpAddress& from) {
  return from.is_v4() ? from : Prefix(from, 64).address();
}

}  // namespace

HandshakeResult Admission::judge(std::string_view method, std::string_view token,
                                 const IpAddress& from, Timestamp now) {
  if (!is_ready()) return HandshakeResult::kNotReady;
  if (method != "POST") return HandshakeResult::kMethod;

  const bool is_authorized = wire::secrets_match(token, options_.token);
  {
    const std::scoped_lock lock(mutex_);
    if (!may_try(from, now)) return HandshakeResult::kRateLimited;
    if (!is_authorized) return HandshakeResult::kUnauthorized;
    if (!all_.take(now)) return HandshakeResult::kRateLimited;
  }
  const bool is_busy = options_.max_sessions > 0 && sessions() >= options_.max_sessions;
  return is_busy ? HandshakeResult::kBusy : HandshakeResult::kOk;
}

std::chrono::seconds Admission::retry_after() const {
  constexpr double kMaxSeconds = 3600;
  double seconds = 1;
  for (const tunnel::RateLimit& limit : {options_.rate, options_.address_rate}) {
    if (!limit.is_unlimited()) seconds = std::max(seconds, std::ceil(1 / limit.per_second));
  }
  return std::chrono::seconds(static_cast<std::int64_t>(std::min(seconds, kMaxSeconds)));
}

bool Admission::may_try(const IpAddress& from, Timestamp now) {
  if (options_.address_rate.is_unlimited()) return true;
  forget_old_addresses(now);
  const auto [entry, is_new] =
      addresses_.try_emplace(limited_unit(from), options_.address_rate, now);
  return entry->second.take(now);
}

void Admission::forget_old_addresses(Timestamp now) {
  const bool is_full = addresses_.size() >= kMaxAddresses;
  if (now < next_clean_up_ && !is_full) return;
  next_clean_up_ = now + std::max<Duration>(options_.address_ttl / 4, 1s);
  std::erase_if(addresses_, [&](const auto& entry) {
    return now - entry.second.last_use() >= options_.address_ttl;
  });
  // Still full: that many addresses have each completed a QUIC handshake within the ttl. Forgetting
  // one gives it a fresh bucket, which is the smaller harm.
  if (addresses_.size() >= kMaxAddresses) addresses_.erase(addresses_.begin());
}

bool Admission::reserve_session(bool replaces) {
  const std::size_t before = sessions_.fetch_add(1, std::memory_order_relaxed);
  if (replaces || options_.max_sessions == 0 || before < options_.max_sessions) return true;
  release_session();
  return false;
}

}  // namespace qdt::server
