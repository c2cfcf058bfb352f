#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/ip_address.h"

namespace qdt {

// The two sides of one description of a message between our own processes: each field goes through
// a MessageWriter or a MessageReader, so that what the one writes is what the other reads. Numbers
// are big-endian.

/// Makes the message, of `most` bytes or fewer.
class MessageWriter {
 public:
  static constexpr bool kReads = false;

  explicit MessageWriter(std::size_t most) : most_(most) {}

  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  void operator()(const T& number) {
    std::array<std::uint8_t, sizeof(T)> bytes{};
    store_be<T>(bytes.data(), number);
    raw(bytes);
  }
  void operator()(const bool& flag) { raw(std::array<std::uint8_t, 1>{flag}); }
  void raw(Bytes bytes) {
    // Not insert(), of which GCC 12 believes that it writes beyond an end.
    const std::size_t size = out_.size();
    out_.resize(size + bytes.size());
    std::ranges::copy(bytes, out_.begin() + static_cast<std::ptrdiff_t>(size));
  }
  void refuse() { is_refused_ = true; }

  bool is_good() const { return !is_refused_ && out_.size() <= most_; }
  std::vector<std::uint8_t> take() { return std::move(out_); }

 private:
  std::vector<std::uint8_t> out_;
  std::size_t most_;
  bool is_refused_ = false;
};

/// Takes it apart, and refuses one that is not exactly so.
class MessageReader {
 public:
  static constexpr bool kReads = true;

  explicit MessageReader(Bytes in) : in_(in) {}

  template <std::unsigned_integral T>
    requires(!std::same_as<T, bool>)
  void operator()(T& number) {
    const Bytes bytes = raw(sizeof(T));
    number = bytes.empty() ? T{} : load_be<T>(bytes.data());
  }
  void operator()(bool& flag) {
    std::uint8_t byte = 0;
    (*this)(byte);
    if (byte > 1) refuse();
    flag = byte == 1;
  }
  /// Empty where so many are not left.
  Bytes raw(std::size_t count) {
    if (in_.size() < count) {
      refuse();
      return {};
    }
    const Bytes bytes = in_.first(count);
    in_ = in_.subspan(count);
    return bytes;
  }
  void refuse() {
    is_refused_ = true;
    in_ = {};
  }
  bool is_good() const { return !is_refused_; }
  bool is_at_end() const { return is_good() && in_.empty(); }

 private:
  Bytes in_;
  bool is_refused_ = false;
};

/// A value that has a number, at most `most`.
template <std::unsigned_integral Wire, typename Archive, typename T>
void as(Archive& archive, T& value, std::size_t most) {
  if (!Archive::kReads && static_cast<std::uint64_t>(value) > most) return archive.refuse();
  auto number = static_cast<Wire>(value);
  archive(number);
  if (number > most) archive.refuse();
  value = static_cast<T>(number);
}

template <typename Archive, std::unsigned_integral T>
void field(Archive& archive, T& number) {
  archive(number);
}

/// As many bytes as the array has.
template <typename Archive, std::size_t N>
void field(Archive& archive, std::array<std::uint8_t, N>& bytes) {
  if constexpr (Archive::kReads) {
    const Bytes found = archive.raw(N);
    if (!found.empty()) std::ranges::copy(found, bytes.begin());
  } else {
    archive.raw(bytes);
  }
}

/// A text of at most `most` bytes, and 65,535.
template <typename Archive>
void field(Archive& archive, std::string& text, std::size_t most) {
  if constexpr (Archive::kReads) {
    std::uint16_t size = 0;
    archive(size);
    if (size > most) archive.refuse();
    text = as_text(archive.raw(archive.is_good() ? size : 0));
  } else {
    if (text.size() > most) return archive.refuse();
    archive(static_cast<std::uint16_t>(text.size()));
    archive.raw(as_bytes(text));
  }
}

template <typename Archive>
void field(Archive& archive, IpAddress& address) {
  if constexpr (Archive::kReads) {
    bool is_v6 = false;
    archive(is_v6);
    const Bytes bytes = archive.raw(is_v6 ? 16 : 4);
    if (bytes.empty()) return;
    address = is_v6 ? IpAddress::v6(bytes.first<16>()) : IpAddress::v4(bytes.first<4>());
    if (address.is_v6() != is_v6) archive.refuse();  // IPv4 has one form here
  } else {
    archive(address.is_v6());
    archive.raw(address.bytes());
  }
}

template <typename Archive>
void field(Archive& archive, Prefix& prefix) {
  IpAddress address = prefix.address();
  auto length = static_cast<std::uint8_t>(prefix.length());
  field(archive, address);
  archive(length);
  if constexpr (Archive::kReads) {
    if (length > address.bit_length()) return archive.refuse();
    prefix = Prefix(address, length);
    if (prefix.address() != address) archive.refuse();
  }
}

template <typename Archive, typename T>
void field(Archive& archive, std::optional<T>& value) {
  bool is_there = value.has_value();
  archive(is_there);
  if (Archive::kReads && is_there && !value) value.emplace();
  if (is_there) field(archive, *value);
}

/// At most `most` elements, and as many as `Count` holds; `each` is the field of one.
template <std::unsigned_integral Count = std::uint16_t, typename Archive, typename T, typename Each>
void list(Archive& archive, std::vector<T>& values, std::size_t most, Each each) {
  auto count =
      static_cast<Count>(std::min<std::size_t>(values.size(), std::numeric_limits<Count>::max()));
  archive(count);
  if (count > most) return archive.refuse();
  if constexpr (Archive::kReads) {
    for (Count i = 0; i < count && archive.is_good(); ++i) each(values.emplace_back());
  } else {
    for (T& value : values) each(value);
  }
}

template <std::unsigned_integral Count = std::uint16_t, typename Archive, typename T>
void list(Archive& archive, std::vector<T>& values, std::size_t most) {
  list<Count>(archive, values, most, [&](T& value) { field(archive, value); });
}

}  // namespace qdt
