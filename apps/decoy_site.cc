#include "decoy_site.h"

#include <charconv>
#include <optional>
#include <utility>

#include "os/folder.h"
#include "server/site.h"

namespace qdt::apps {
namespace {

// A field of a packed folder: its length in digits, a colon, and its bytes.
void put(std::string& packed, std::string_view field) {
  packed += std::to_string(field.size()) + ":";
  packed += field;
}

std::optional<std::string> take(std::string_view& packed) {
  std::size_t length = 0;
  const auto [end, error] = std::from_chars(packed.data(), packed.data() + packed.size(), length);
  const auto digits = static_cast<std::size_t>(end - packed.data());
  if (error != std::errc() || digits >= packed.size() || packed[digits] != ':') return std::nullopt;
  packed.remove_prefix(digits + 1);
  if (length > packed.size()) return std::nullopt;
  std::string field(packed.substr(0, length));
  packed.remove_prefix(length);
  return field;
}

Result<server::Site> make_site(const ops::DecoyConfig& config) {
  using Kind = ops::DecoyConfig::Kind;
  if (config.kind == Kind::kProxy) return server::Site{server::Decoy::proxy(config.proxy), {}};
  if (config.kind == Kind::kRoot) return server::load_site(config.root);
  const bool is_status = config.kind == Kind::kStatus;
  return server::Site{
      is_status ? server::Decoy::status_page(config.status) : server::Decoy::plain_page(), {}};
}

DecoySite named(server::Site site, const ops::DecoyConfig& config) {
  site.decoy.set_server_header(config.server);
  return {std::make_shared<const server::Decoy>(std::move(site.decoy)), std::move(site.notes)};
}

}  // namespace

Result<DecoySite> make_decoy(const ops::DecoyConfig& config) {
  if (config.kind == ops::DecoyConfig::Kind::kOff) return DecoySite{};
  auto site = make_site(config);
  if (!site) return fail(site);
  return named(std::move(*site), config);
}

Result<std::string> read_decoy(const ops::DecoyConfig& config) {
  if (config.kind != ops::DecoyConfig::Kind::kRoot) return "";
  const auto folder = os::read_folder(config.root);
  if (!folder) return fail(folder);
  std::string packed;
  for (const os::FolderFile& file : folder->files) {
    put(packed, file.path);
    put(packed, std::to_string(file.modified));
    put(packed, file.content);
  }
  for (const std::string& note : folder->notes) {
    put(packed, "");  // no file has that path
    put(packed, note);
  }
  return packed;
}

Result<DecoySite> make_decoy(const ops::DecoyConfig& config, std::string_view packed) {
  if (config.kind != ops::DecoyConfig::Kind::kRoot) return make_decoy(config);
  os::FolderContent folder;
  while (!packed.empty()) {
    auto path = take(packed);
    auto second = take(packed);
    if (!path || !second) return fail("read " + config.root + ": it came in pieces");
    if (path->empty()) {
      folder.notes.push_back(std::move(*second));
      continue;
    }
    auto content = take(packed);
    if (!content) return fail("read " + config.root + ": it came in pieces");
    os::FolderFile file{.path = std::move(*path), .content = std::move(*content)};
    std::from_chars(second->data(), second->data() + second->size(), file.modified);
    folder.files.push_back(std::move(file));
  }
  return named(server::make_site(std::move(folder)), config);
}

}  // namespace qdt::apps
