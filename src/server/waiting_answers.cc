#include "server/waiting_answers.h"

#include <utility>

namespace qdt::server {

bool WaitingAnswers::add(Answer answer, Timestamp due) {
  if (by_time_.size() >= kMaxAnswers) return false;
  const auto [entry, is_new] = by_connection_.try_emplace(answer.connection);
  if (!is_new) return false;
  entry->second = by_time_.emplace(due, std::move(answer));
  return true;
}

void WaitingAnswers::give_up(const Exchange& exchange) {
  const auto found = by_connection_.find(exchange.connection());
  if (found == by_connection_.end()) return;
  Answer& answer = found->second->second;
  if (answer.exchange == &exchange) answer.is_wanted = false;
}

void WaitingAnswers::forget(const void* connection) {
  const auto found = by_connection_.find(connection);
  if (found == by_connection_.end()) return;
  by_time_.erase(found->second);
  by_connection_.erase(found);
}

std::optional<WaitingAnswers::Answer> WaitingAnswers::take_due(Timestamp now) {
  while (next() <= now) {
    Answer answer = std::move(by_time_.begin()->second);
    forget(answer.connection);
    if (answer.is_wanted) return answer;
  }
  return std::nullopt;
}

}  // namespace qdt::server
