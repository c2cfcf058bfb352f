#include "ops/http_exchange.h"

#include <httplib.h>

#include <algorithm>

namespace qdt::ops {
namespace {

/// The stream that cpp-httplib reads from and writes to: no socket, so that nothing waits for a
/// slow one.
class TextStream final : public httplib::Stream {
 public:
  explicit TextStream(std::string_view input) : input_(input) {}

  ssize_t read(char* out, std::size_t size) override {
    if (input_.empty()) return -1;
    const std::size_t bytes = std::min(size, input_.size());
    std::copy_n(input_.begin(), bytes, out);
    input_.remove_prefix(bytes);
    return static_cast<ssize_t>(bytes);
  }

  ssize_t write(const char* data, std::size_t size) override {
    output_.append(data, size);
    return static_cast<ssize_t>(size);
  }

  std::string take_output() { return std::move(output_); }

  // Nothing depends on these, since no handler streams and none looks at addresses.
  bool is_readable() const override { return true; }
  bool is_writable() const override { return true; }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  // The library only checks whether select() could take it.
  socket_t socket() const override { return 0; }

 private:
  std::string_view input_;
  std::string output_;
};

/// One request: cpp-httplib parses it, routes it and writes the response. The library's own server
/// loop is not used, since it takes a port that another process listens on (SO_REUSEPORT), has a
/// thread wait for each client, and bounds neither their number nor the time of a request.
class Exchange final : private httplib::Server {
 public:
  Exchange(const HttpRoutes& routes, std::function<bool(Duration)> wait)
      : routes_(routes), wait_(std::move(wait)) {
    set_payload_max_length(kMaxHttpBodyBytes);
    for (const auto& [path, route] : routes) {
      Get(path, [&](const httplib::Request& request, httplib::Response& response) {
        answer(route, request, {}, response);
      });
      if (!route.allows_post) continue;
      // With a content reader, because without one the library cuts forms off at 8 KiB.
      Post(path, [&](const httplib::Request& request, httplib::Response& response,
                     const httplib::ContentReader& read) {
        std::string body;
        const bool is_complete = read([&](const char* data, std::size_t size) {
          body.append(data, size);
          return body.size() <= kMaxHttpBodyBytes;
        });
        if (!is_complete) {
          response.status = 413;
          return;
        }
        answer(route, request, std::move(body), response);
      });
    }
    set_error_handler(httplib::Server::Handler(
        [this](const httplib::Request& request, httplib::Response& response) {
          explain(request, response);
        }));
  }

  std::string run(std::string_view request) {
    TextStream stream(request);
    process(stream);
    return stream.take_output();
  }

 private:
  // cpp-httplib 0.16 added the addresses of the two ends.
  template <typename Stream>
  void process(Stream& stream) {
    bool is_closed = false;
    // Ranges let a short request ask for a response many times over.
    const auto drop_ranges = [](httplib::Request& request) { request.ranges.clear(); };
    if constexpr (requires { process_request(stream, true, is_closed, drop_ranges); }) {
      process_request(stream, true, is_closed, drop_ranges);
    } else {
      process_request(stream, "", 0, "", 0, true, is_closed, drop_ranges);
    }
  }

  void answer(const HttpRoute& route, const httplib::Request& request, std::string body,
              httplib::Response& response) {
    HttpRequest ours;
    ours.query.insert(request.params.begin(), request.params.end());
    ours.body = std::move(body);
    ours.wait = wait_;
    HttpResponse result = route.answer(ours);
    response.status = result.status;
    response.set_content(result.body, result.content_type);
  }

  void explain(const httplib::Request& request, httplib::Response& response) const {
    if (!response.body.empty()) return;
    if (response.status == 404 && routes_.contains(request.path)) response.status = 405;
    std::string text;
    switch (response.status) {
      case 404:
        text = "not found; there are:\n";
        for (const auto& [path, route] : routes_) text += path + "\n";
        break;
      case 405: text = "method not allowed\n"; break;
      case 413: text = "body too large\n"; break;
      case 500: text = "internal error\n"; break;
      default: text = "bad request\n"; break;
    }
    response.set_content(text, "text/plain; charset=utf-8");
  }

  const HttpRoutes& routes_;
  const std::function<bool(Duration)> wait_;
};

}  // namespace

std::string answer_http(const HttpRoutes& routes, std::string_view request,
                        std::function<bool(Duration)> wait) {
  return Exchange(routes, std::move(wait)).run(request);
}

}  // namespace qdt::ops
