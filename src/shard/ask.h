#pragma once

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <ranges>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "os/clock.h"

namespace qdt::shard {

/// A question under way to several shards. Each writes its own answer, without a lock; whoever asks
/// reads them once all are there.
template <typename Answer, typename Asked>
class Question {
 public:
  /// Adds a little to the answer, and says whether it is whole; if not, it is called again after
  /// the next batch. On the thread of the one that is asked.
  using Step = std::function<bool(Asked& asked, Timestamp now, Answer& answer)>;

  Question(Step step, std::size_t count)
      : step_(std::move(step)), answers_(count), missing_(count) {}

  static void put(const std::shared_ptr<Question>& question, std::size_t place, Asked& asked) {
    asked.post([question, place](Asked& one, Timestamp now) {
      if (question->work(place, one, now)) return;
      put(question, place, one);
    });
  }

  Result<std::vector<Answer>> wait(Timestamp deadline) {
    std::unique_lock lock(mutex_);
    const bool has_all = is_answered_.wait_for(
        lock, std::max(deadline - os::now(), Duration::zero()), [this] { return missing_ == 0; });
    is_abandoned_ = true;
    if (has_all) return std::move(answers_);
    return fail("ask the shards: " + std::to_string(missing_) + " of " +
                    std::to_string(answers_.size()) + " have not answered in time",
                ErrorCode::kTimeout);
  }

 private:
  // Whether there is nothing more to do.
  bool work(std::size_t place, Asked& asked, Timestamp now) {
    {
      const std::scoped_lock lock(mutex_);
      if (is_abandoned_) return true;
    }
    if (!step_(asked, now, answers_[place])) return false;
    const std::scoped_lock lock(mutex_);
    --missing_;
    is_answered_.notify_one();
    return true;
  }

  const Step step_;
  std::vector<Answer> answers_;
  std::mutex mutex_;
  std::condition_variable is_answered_;
  std::size_t missing_;
  bool is_abandoned_ = false;
};

/// Asks every one of `asked`, each on its own thread and in steps between two of its batches, and
/// waits for all answers, in order, until `deadline`; then the error is kTimeout, and what is still
/// under way ends by itself. A step is to be short: packets wait for it. `asked` are things with a
/// post(), shards or what stands for them, by pointers; they outlive the question's last step. Not
/// on their threads.
template <typename Answer, std::ranges::sized_range Range, typename Step>
Result<std::vector<Answer>> ask(const Range& asked, Step step, Timestamp deadline) {
  using Asked = std::remove_reference_t<decltype(**std::ranges::begin(asked))>;
  const auto question =
      std::make_shared<Question<Answer, Asked>>(std::move(step), std::ranges::size(asked));
  std::size_t place = 0;
  for (const auto& one : asked) Question<Answer, Asked>::put(question, place++, *one);
  return question->wait(deadline);
}

}  // namespace qdt::shard
