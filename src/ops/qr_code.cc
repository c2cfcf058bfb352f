#include "ops/qr_code.h"

#include <png.h>
#include <qrencode.h>

#include <cstdint>
#include <memory>
#include <utility>

namespace qdt::ops {
namespace {

constexpr std::size_t kMargin = 4;
constexpr std::size_t kMaxBytes = 2953;
constexpr std::size_t kPixelsOfModule = 8;

struct Freed {
  void operator()(QRcode* code) const { ::QRcode_free(code); }
};

}  // namespace

Result<QrCode> QrCode::of(std::string_view text) {
  if (text.empty() || text.size() > kMaxBytes) {
    return fail("a QR code holds 1 to " + std::to_string(kMaxBytes) + " bytes, and not " +
                std::to_string(text.size()));
  }
  const auto* bytes = reinterpret_cast<const unsigned char*>(text.data());
  const std::unique_ptr<QRcode, Freed> code(
      ::QRcode_encodeData(static_cast<int>(text.size()), bytes, 0, QR_ECLEVEL_L));
  if (!code) return fail("make a QR code: out of memory");
  const auto width = static_cast<std::size_t>(code->width);
  const std::size_t size = width + 2 * kMargin;
  std::vector<bool> modules(size * size);
  for (std::size_t y = 0; y < width; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      // The other bits say what a module is for.
      modules[(y + kMargin) * size + x + kMargin] = (code->data[y * width + x] & 1) != 0;
    }
  }
  return QrCode(size, std::move(modules));
}

std::string QrCode::to_text(bool has_colours) const {
  std::string text;
  for (std::size_t y = 0; y < size_; y += 2) {
    if (has_colours) text += "\x1b[30;107m";
    for (std::size_t x = 0; x < size_; ++x) {
      // What is drawn is dark with colours, and light without.
      const bool upper = is_dark(x, y) == has_colours;
      const bool lower = (y + 1 < size_ && is_dark(x, y + 1)) == has_colours;
      if (upper) {
        text += lower ? "\u2588" : "\u2580";
      } else {
        text += lower ? "\u2584" : " ";
      }
    }
    if (has_colours) text += "\x1b[0m";
    text += '\n';
  }
  return text;
}

std::string QrCode::to_svg() const {
  const std::string size = std::to_string(size_);
  std::string path;
  for (std::size_t y = 0; y < size_; ++y) {
    for (std::size_t x = 0; x < size_; ++x) {
      if (is_dark(x, y)) path += "M" + std::to_string(x) + " " + std::to_string(y) + "h1v1h-1z";
    }
  }
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size + " " + size +
         "\" shape-rendering=\"crispEdges\"><rect width=\"" + size + "\" height=\"" + size +
         "\" fill=\"#fff\"/><path d=\"" + path + "\"/></svg>\n";
}

Result<std::string> QrCode::to_png() const {
  const std::size_t side = size_ * kPixelsOfModule;
  std::vector<std::uint8_t> pixels(side * side);
  for (std::size_t y = 0; y < side; ++y) {
    for (std::size_t x = 0; x < side; ++x) {
      pixels[y * side + x] = is_dark(x / kPixelsOfModule, y / kPixelsOfModule) ? 0 : 255;
    }
  }
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.width = image.height = static_cast<png_uint_32>(side);
  image.format = PNG_FORMAT_GRAY;
  png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string png(bytes, '\0');
  if (!::png_image_write_to_memory(&image, png.data(), &bytes, 0, pixels.data(), 0, nullptr)) {
    return fail(std::string("make a PNG: ") + image.message);
  }
  png.resize(bytes);
  return png;
}

}  // namespace qdt::ops
