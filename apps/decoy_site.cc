#include "decoy_site.h"

#include <utility>

#include "server/site.h"

namespace qdt::apps {
namespace {

Result<server::Site> make_site(const ops::DecoyConfig& config) {
  using Kind = ops::DecoyConfig::Kind;
  if (config.kind == Kind::kProxy) return server::Site{server::Decoy::proxy(config.proxy), {}};
  if (config.kind == Kind::kRoot) return server::load_site(config.root);
  const bool is_status = config.kind == Kind::kStatus;
  return server::Site{
      is_status ? server::Decoy::status_page(config.status) : server::Decoy::plain_page(), {}};
}

}  // namespace

Result<DecoySite> make_decoy(const ops::DecoyConfig& config) {
  if (config.kind == ops::DecoyConfig::Kind::kOff) return DecoySite{};
  auto site = make_site(config);
  if (!site) return fail(site);
  site->decoy.name_server(config.server);
  return DecoySite{std::make_shared<const server::Decoy>(std::move(site->decoy)),
                   std::move(site->notes)};
}

}  // namespace qdt::apps
