#include "server/lease_file.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "os/file.h"
#include "wire/base64.h"
#include "wire/seal.h"

namespace qdt::server {
namespace {

constexpr std::string_view kHeading =
    "# Made by qdt-server: whose leases are kept, 1. May be deleted while the server is stopped.\n";
constexpr std::string_view kInUse = "-";
constexpr std::string_view kDigest = "digest ";

constexpr std::string_view kConsequence =
    "; the server works without this file, but after its next restart clients get new addresses";

// A disk that is full may have room again.
constexpr Duration kRetryAfter = 10s;

// The text before the first `end`, which is removed too; nothing when there is none.
std::optional<std::string_view> take_until(std::string_view& text, char end) {
  const std::size_t at = text.find(end);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view taken = text.substr(0, at);
  text.remove_prefix(at + 1);
  return taken;
}

// `ADDRESS TOKEN-DIGEST SECONDS`, the last since 1970, or "-" for a lease in use.
std::optional<LeaseBook::Entry> parse_entry(std::string_view line, const Moment& now) {
  const auto address = IpAddress::parse(take_until(line, ' ').value_or(""));
  const auto digest = wire::decode_base64(take_until(line, ' ').value_or(""));
  LeaseBook::Entry entry;
  if (!address || !digest || digest->size() != entry.token.size()) return std::nullopt;
  entry.address = *address;
  std::ranges::copy(*digest, entry.token.begin());
  if (line == kInUse) return entry;

  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), seconds);
  constexpr std::int64_t kLatest = std::int64_t{1} << 40;  // far enough, and no overflow below
  const bool is_number = error == std::errc() && end == line.data() + line.size();
  if (!is_number || seconds < 0 || seconds > kLatest) return std::nullopt;
  // A clock that was set back makes no lease younger than it can be.
  const std::chrono::seconds age =
      std::clamp(now.wall - std::chrono::sys_seconds(std::chrono::seconds(seconds)),
                 std::chrono::seconds(0), std::chrono::seconds(24h * 365));
  entry.ended_at = now.time - age;
  return entry;
}

std::string digest_line(std::string_view text) {
  return std::string(kDigest) + wire::encode_base64(wire::secret_digest(text)) + "\n";
}

}  // namespace

std::string to_text(const std::vector<LeaseBook::Entry>& entries, const Moment& now) {
  std::string text(kHeading);
  for (const LeaseBook::Entry& entry : entries) {
    text += entry.address.to_string() + " " + wire::encode_base64(entry.token) + " ";
    if (entry.ended_at) {
      const auto age = std::chrono::duration_cast<std::chrono::seconds>(now.time - *entry.ended_at);
      text += std::to_string((now.wall - age).time_since_epoch().count()) + "\n";
    } else {
      text.append(kInUse).append("\n");
    }
  }
  return text + digest_line(text);
}

Result<std::vector<LeaseBook::Entry>> parse_leases(std::string_view text, const Moment& now) {
  if (!text.starts_with(kHeading)) return fail("it is not a file of leases");
  const std::size_t digest_at = text.rfind(kDigest);
  if (digest_at == std::string_view::npos || digest_at < kHeading.size()) {
    return fail("its end is missing");
  }
  std::string_view lines = text.substr(0, digest_at);
  if (text.substr(digest_at) != digest_line(lines)) return fail("its digest does not fit");

  lines.remove_prefix(kHeading.size());
  std::vector<LeaseBook::Entry> entries;
  while (!lines.empty()) {
    const auto entry = parse_entry(take_until(lines, '\n').value_or(""), now);
    if (!entry) return fail("it has a line that is no lease");
    entries.push_back(*entry);
  }
  return entries;
}

Result<std::vector<LeaseBook::Entry>> find_leases(std::string_view text, const Moment& now) {
  auto whole = parse_leases(text, now);
  if (whole) return whole;
  // An end in the middle of a write leaves one of two copies whole: the last, or that in front.
  for (const std::size_t at : {text.rfind(kHeading), std::size_t{0}}) {
    if (at == std::string_view::npos) continue;
    const std::string_view rest = text.substr(at);
    const std::size_t digest_at = rest.find(kDigest, kHeading.size());
    const std::size_t end = rest.find('\n', digest_at);
    if (digest_at == std::string_view::npos || end == std::string_view::npos) continue;
    if (auto one = parse_leases(rest.substr(0, end + 1), now)) return one;
  }
  return whole;
}

void LeaseFile::load(const Moment& now) {
  if (!os::file_exists(path_)) return;
  auto file = os::KeptFile::open(path_);
  if (!file) return fault_.look(fail(file), kConsequence, "", logger_);
  file_ = std::move(*file);
  const auto text = file_->read();
  const auto entries = text ? find_leases(*text, now) : fail(text);
  if (!entries) {
    const std::string why =
        text ? path_ + ": damaged: " + entries.error().message : entries.error().message;
    logger_.warning(why + "; clients get new addresses, and the file is replaced");
    saved_version_ = UINT64_MAX;
    return;
  }
  const std::size_t left_out = book_.restore(*entries, now.time);
  if (left_out > 0) {
    logger_.warning(path_ + ": " + std::to_string(left_out) +
                    " leases are not of pool_cidr any more; their clients get new addresses");
  }
  logger_.info(path_ + ": " + std::to_string(entries->size() - left_out) +
               " leases are kept for their clients");
}

Result<void> LeaseFile::write(const Moment& now) {
  if (!file_ || file_->was_removed()) {
    auto file = open_();
    if (!file) return fail(file);
    file_ = std::move(*file);
  }
  return file_->replace(to_text(book_.entries(now.time), now));
}

void LeaseFile::save(const Moment& now) {
  const std::uint64_t version = book_.version();
  if (version == saved_version_) return;
  if (fault_.is_there() && now.time < tried_at_ + kRetryAfter) return;
  tried_at_ = now.time;
  const auto ok = write(now);
  if (ok) saved_version_ = version;
  fault_.look(ok, kConsequence, path_ + " is written again", logger_);
}

}  // namespace qdt::server
