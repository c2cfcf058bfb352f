#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace qdt::os {

/// A child process that answers questions about files of its own, which this process cannot reach
/// once it is in its sandbox. The child has no network, starts no program and changes files in a
/// few folders alone. It ends with this process, however that ends. If a signal ends it (SIGKILL, a
/// fault), another one takes its place: a second child does nothing but wait for that.
class SideProcess {
 public:
  /// The answer to a question; called in the child, for one question after the other.
  using Answer = std::function<std::string(std::string_view question)>;
  static constexpr std::size_t kMaxQuestionBytes = 96 << 10;
  static constexpr std::size_t kMaxAnswerBytes = 256 << 20;

  struct Plan {
    std::string title;                ///< in ps: "qdt-server: users"
    std::string watcher_title;        ///< of the second child
    std::string name;                 ///< of its thread, at most 15 letters
    std::vector<std::string> places;  ///< the folders that it may write
  };

  /// Before any thread. `make_answer` runs in each child, which has nothing open but the standard
  /// streams, and is limited already. What the kernel cannot limit is left as it is.
  static Result<std::unique_ptr<SideProcess>> start(const Plan& plan,
                                                    const std::function<Answer()>& make_answer);
  /// Ends the child, and waits for its latest answer.
  ~SideProcess();
  SideProcess(const SideProcess&) = delete;
  SideProcess& operator=(const SideProcess&) = delete;

  /// Asks, and waits: kTimeout where no answer comes until `deadline`, kUnavailable where the child
  /// is gone, or ended by a signal while it was asked: then it may have done what it was to do. Any
  /// thread; one asks at a time.
  Result<std::string> ask(std::string_view question, Timestamp deadline);

 private:
  struct State;
  explicit SideProcess(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace qdt::os
