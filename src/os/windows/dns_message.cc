#include "os/windows/dns_message.h"

#include <algorithm>
#include <cctype>

namespace qdt::os {
namespace {

constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kMaxNameBytes = 253;
constexpr std::size_t kMaxLabelBytes = 63;
constexpr std::uint16_t kInternet = 1;
constexpr std::uint16_t kRecursionDesired = 0x0100;
constexpr std::uint16_t kIsAnswer = 0x8000;

void append_be(std::vector<std::uint8_t>& to, std::uint16_t value) {
  to.push_back(static_cast<std::uint8_t>(value >> 8));
  to.push_back(static_cast<std::uint8_t>(value));
}

/// Reads a message from its front; once it has ended too early, everything is 0.
class Reader {
 public:
  explicit Reader(Bytes message) : rest_(message) {}

  template <std::unsigned_integral T>
  T number() {
    const Bytes bytes = take(sizeof(T));
    return bytes.empty() ? T{0} : load_be<T>(bytes.data());
  }
  Bytes take(std::size_t count) {
    is_good_ &= count <= rest_.size();
    if (!is_good_) return {};
    const Bytes taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }
  // A name ends with an empty label, or with a pointer to the rest of it, which is skipped, too.
  void skip_name() {
    while (is_good_) {
      const auto length = number<std::uint8_t>();
      if ((length & 0xc0) == 0xc0) {
        take(1);
        return;
      }
      if (length > kMaxLabelBytes) is_good_ = false;
      if (length == 0) return;
      take(length);
    }
  }
  bool is_good() const { return is_good_; }

 private:
  Bytes rest_;
  bool is_good_ = true;
};

bool is_same_letter(std::uint8_t one, std::uint8_t other) {
  return std::tolower(one) == std::tolower(other);
}

void take_record(Reader& reader, DnsType type, DnsAnswer& answer) {
  reader.skip_name();
  const auto record_type = reader.number<std::uint16_t>();
  const auto record_class = reader.number<std::uint16_t>();
  reader.number<std::uint32_t>();  // time to live
  const Bytes content = reader.take(reader.number<std::uint16_t>());
  if (record_type != static_cast<std::uint16_t>(type) || record_class != kInternet) return;
  if (type == DnsType::kA && content.size() == 4) {
    answer.addresses.push_back(IpAddress::v4(content.first<4>()));
  } else if (type == DnsType::kAaaa && content.size() == 16) {
    answer.addresses.push_back(IpAddress::v6(content.first<16>()));
  }
}

}  // namespace

std::vector<std::uint8_t> make_dns_query(std::uint16_t id, std::string_view name, DnsType type) {
  if (name.ends_with('.')) name.remove_suffix(1);
  if (name.empty() || name.size() > kMaxNameBytes) return {};
  std::vector<std::uint8_t> query;
  for (const std::uint16_t word : {id, kRecursionDesired, std::uint16_t{1}, std::uint16_t{0},
                                   std::uint16_t{0}, std::uint16_t{0}}) {
    append_be(query, word);
  }
  while (!name.empty()) {
    const std::string_view label = name.substr(0, name.find('.'));
    if (label.empty() || label.size() > kMaxLabelBytes) return {};
    query.push_back(static_cast<std::uint8_t>(label.size()));
    query.insert(query.end(), label.begin(), label.end());
    name.remove_prefix(std::min(label.size() + 1, name.size()));
  }
  query.push_back(0);
  append_be(query, static_cast<std::uint16_t>(type));
  append_be(query, kInternet);
  return query;
}

std::optional<DnsAnswer> parse_dns_answer(Bytes message, std::uint16_t id, std::string_view name,
                                          DnsType type) {
  Reader reader(message);
  const auto answered_id = reader.number<std::uint16_t>();
  const auto flags = reader.number<std::uint16_t>();
  const auto questions = reader.number<std::uint16_t>();
  const auto answers = reader.number<std::uint16_t>();
  reader.take(4);  // how many records follow that we do not look at
  if (answered_id != id || (flags & kIsAnswer) == 0 || questions != 1) return std::nullopt;

  const std::vector<std::uint8_t> query = make_dns_query(id, name, type);
  if (query.empty()) return std::nullopt;
  const Bytes question = Bytes(query).subspan(kHeaderBytes);
  if (!std::ranges::equal(reader.take(question.size()), question, is_same_letter)) {
    return std::nullopt;
  }
  DnsAnswer answer{.code = static_cast<std::uint8_t>(flags & 0x0f), .addresses = {}};
  for (int i = 0; i < answers && reader.is_good(); ++i) take_record(reader, type, answer);
  if (!reader.is_good()) return std::nullopt;
  return answer;
}

}  // namespace qdt::os
