#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace qdt::ops {

/// A text as a QR code (ISO/IEC 18004) of the lowest error correction, which a screen needs no more
/// of, within the white margin that readers ask for.
class QrCode {
 public:
  /// Fails for an empty text, and for one of more than 2953 bytes.
  static Result<QrCode> of(std::string_view text);

  /// Modules on each side, the margin included.
  std::size_t size() const { return size_; }
  /// `x` and `y` are below size().
  bool is_dark(std::size_t x, std::size_t y) const { return modules_[y * size_ + x]; }

  /// Lines of half blocks, two rows of modules in each. `has_colours`: black on white, whatever the
  /// terminal's colours; otherwise for one with light letters on a dark ground.
  std::string to_text(bool has_colours) const;
  /// An image that scales.
  std::string to_svg() const;
  /// An image of 8 pixels for each module.
  Result<std::string> to_png() const;

 private:
  QrCode(std::size_t size, std::vector<bool> modules) : size_(size), modules_(std::move(modules)) {}

  std::size_t size_;
  std::vector<bool> modules_;
};

}  // namespace qdt::ops
