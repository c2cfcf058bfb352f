#include "ops/profiler.h"

#include <gperftools/profiler.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>

#include "os/loaded_symbols.h"
#include "os/process_usage.h"
#include "os/scratch_file.h"
#include "os/silenced_libraries.h"

namespace qdt::ops {
namespace {

constexpr int kDefaultSeconds = 30;
constexpr int kMaxSeconds = 300;
constexpr const char* kBinary = "application/octet-stream";

HttpResponse refuse(int status, std::string why) {
  return {.status = status, .body = std::move(why) + "\n"};
}

template <typename Number>
std::optional<Number> parse(std::string_view text, int base) {
  Number number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int> seconds(const HttpRequest& request) {
  const auto parameter = request.query.find("seconds");
  if (parameter == request.query.end()) return kDefaultSeconds;
  const auto number = parse<int>(parameter->second, 10);
  if (!number || *number < 1 || *number > kMaxSeconds) return std::nullopt;
  return number;
}

// A profile ends with the process's mappings. pprof prefers to take names from the program's file
// where it can open it, but the reader of debug information in `go tool pprof` leaves functions of
// C++ nameless. So the program is given a name that cannot be opened, and pprof asks symbols().
std::string with_remote_names(std::string profile) {
  const std::string path = os::program_path();
  if (path.empty()) return profile;
  const std::string name = path.substr(path.rfind('/') + 1) + "@live";
  for (std::size_t at = 0; (at = profile.find(path + "\n", at)) != std::string::npos;) {
    profile.replace(at, path.size(), name);
  }
  return profile;
}

HttpResponse command_line(const HttpRequest&) {
  return {.body = os::command_line()};
}

// pprof's symbol protocol: a GET asks whether there are names; a POST asks for those of the
// addresses in its body, joined by plus signs.
HttpResponse symbols(const HttpRequest& request) {
  if (request.body.empty()) return {.body = "num_symbols: 1\n"};

  HttpResponse response;
  std::string_view rest = request.body;
  while (!rest.empty()) {
    const std::string_view word = rest.substr(0, rest.find('+'));
    rest.remove_prefix(std::min(word.size() + 1, rest.size()));
    if (!word.starts_with("0x")) continue;
    const auto address = parse<std::uintptr_t>(word.substr(2), 16);
    if (!address) continue;
    const std::string name = os::symbol_at(*address);
    if (!name.empty()) response.body.append(word).append("\t").append(name).append("\n");
  }
  return response;
}

}  // namespace

HttpRoutes Profiler::routes() {
  HttpRoutes routes;
  routes["/debug/pprof/profile"] = {
      .answer = [this](const HttpRequest& request) { return cpu_profile(request); },
      .takes_time = true};
  routes["/debug/pprof/cmdline"] = {.answer = command_line};
  routes["/debug/pprof/symbol"] = {.answer = symbols, .methods = HttpMethods::kGetAndPost};
  return routes;
}

HttpResponse Profiler::cpu_profile(const HttpRequest& request) {
  const auto duration = seconds(request);
  if (!duration) return refuse(400, "seconds has to be a whole number from 1 to 300");

  const std::unique_lock running(running_, std::try_to_lock);
  if (!running) return refuse(409, "a profile is being taken; try again when it is complete");

  const auto file = os::ScratchFile::create();
  if (!file) return refuse(500, file.error().message);
  if (ProfilerStart(file->path().c_str()) == 0) {
    return refuse(409, "gperftools does not start; is the environment's CPUPROFILE set?");
  }
  const bool is_wanted = request.wait(std::chrono::seconds(*duration));
  {
    const os::SilencedLibraries silence;
    ProfilerStop();
  }
  if (!is_wanted) return refuse(503, "nobody waits for the profile");

  auto content = file->read();
  if (!content) return refuse(500, content.error().message);
  return {.content_type = kBinary, .body = with_remote_names(std::move(*content))};
}

}  // namespace qdt::ops
