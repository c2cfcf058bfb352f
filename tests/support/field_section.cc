#include "support/field_section.h"

#include <nghttp3/nghttp3.h>

#include <memory>
#include <string>

namespace qdt::testing {
namespace {

// Owns what nghttp3 hands out, and gives it back by `kDelete`.
template <typename T, void (*kDelete)(T*)>
struct Deleter {
  void operator()(T* object) const { kDelete(object); }
};
using Decoder = std::unique_ptr<nghttp3_qpack_decoder,
                                Deleter<nghttp3_qpack_decoder, nghttp3_qpack_decoder_del>>;
using StreamContext =
    std::unique_ptr<nghttp3_qpack_stream_context,
                    Deleter<nghttp3_qpack_stream_context, nghttp3_qpack_stream_context_del>>;

std::string take_text(nghttp3_rcbuf* buffer) {
  const nghttp3_vec bytes = nghttp3_rcbuf_get_buf(buffer);
  std::string text(as_text({bytes.base, bytes.len}));
  nghttp3_rcbuf_decref(buffer);
  return text;
}

}  // namespace

std::optional<quic::HeaderFields> read_field_section(Bytes section) {
  const nghttp3_mem* memory = nghttp3_mem_default();
  nghttp3_qpack_decoder* new_decoder = nullptr;
  nghttp3_qpack_stream_context* new_context = nullptr;
  if (nghttp3_qpack_decoder_new(&new_decoder, 0, 0, memory) != 0) return std::nullopt;
  const Decoder decoder(new_decoder);
  if (nghttp3_qpack_stream_context_new(&new_context, 0, memory) != 0) return std::nullopt;
  const StreamContext context(new_context);

  quic::HeaderFields fields;
  while (true) {
    nghttp3_qpack_nv field{};
    std::uint8_t flags = 0;
    const auto read = nghttp3_qpack_decoder_read_request(decoder.get(), context.get(), &field,
                                                         &flags, section.data(), section.size(), 1);
    if (read < 0) return std::nullopt;
    section = section.subspan(static_cast<std::size_t>(read));
    if ((flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT) != 0) {
      std::string name = take_text(field.name);
      fields.emplace_back(std::move(name), take_text(field.value));
    }
    if ((flags & NGHTTP3_QPACK_DECODE_FLAG_FINAL) != 0) return fields;
    if (read == 0 && (flags & NGHTTP3_QPACK_DECODE_FLAG_EMIT) == 0) return std::nullopt;
  }
}

}  // namespace qdt::testing
