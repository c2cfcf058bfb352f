#pragma once

#include <mutex>

#include "ops/http_server.h"

namespace qdt::ops {

/// CPU profiles of this process, as `go tool pprof http://HOST:PORT/debug/pprof/profile` fetches
/// them. They come from gperftools, which also writes a line about each to standard error.
class Profiler {
 public:
  /// The answers for /debug/pprof/. The profiler outlives them.
  HttpRoutes routes();

 private:
  HttpResponse cpu_profile(const HttpRequest& request);

  // gperftools has one profiler for the whole process.
  std::mutex running_;
};

}  // namespace qdt::ops
