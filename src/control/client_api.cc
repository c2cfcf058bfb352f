#include "control/client_api.h"

#include <memory>
#include <utility>

#include "control/answer.h"

namespace qdt::control {
namespace {

// Answered with the status before it is done.
ops::HttpRoute order(const std::shared_ptr<const ClientControl>& control,
                     std::function<void()> ClientControl::* deed) {
  return {.answer = [control, deed](const ops::HttpRequest& request) -> ops::HttpResponse {
            if (const auto ok = check_no_body(request); !ok) return refusal(ok.error());
            ops::HttpResponse before = answer(control->status());
            ((*control).*deed)();
            return before;
          },
          .methods = ops::HttpMethods::kPost};
}

}  // namespace

ops::HttpRoutes client_routes(ClientControl functions) {
  const auto control = std::make_shared<const ClientControl>(std::move(functions));
  ops::HttpRoutes routes;
  routes["/v1/status"] = {.answer = [control](const ops::HttpRequest&) -> ops::HttpResponse {
    return answer(control->status());
  }};
  routes["/v1/reconnect"] = order(control, &ClientControl::reconnect);
  routes["/v1/stop"] = order(control, &ClientControl::stop);
  return routes;
}

}  // namespace qdt::control
