// The Authorization header field of a request: what was read is written and read again, and nothing
// that a fuzzer makes is a proof.

#include "wire/concealed_auth.h"

#include "invariant.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace qdt;
  const std::string_view field = as_text({data, size});
  const auto auth = wire::parse_concealed_auth(field);
  if (!auth) return 0;
  fuzz::require(field.size() <= wire::kMaxConcealedAuthBytes, "the field is bounded");
  fuzz::require(!auth->key_id.empty() && auth->key_id.size() <= wire::kMaxKeyIdBytes,
                "the key ID is bounded");
  fuzz::require(wire::parse_concealed_auth(wire::write_concealed_auth(*auth)) == *auth,
                "what was written is read");
  fuzz::require(!wire::is_proven(*auth, wire::ConcealedExport{}), "nobody proves by guessing");
  return 0;
}
