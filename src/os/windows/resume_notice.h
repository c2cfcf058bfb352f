#pragma once

#include "os/windows/system_headers.h"

namespace qdt::os {

/// Sets an event object whenever this machine wakes from sleep, for as long as the object lives:
/// a wait does not count the time asleep, so whoever waits has to look at the clock again.
class ResumeNotice {
 public:
  /// `event` outlives the object. Where Windows gives no notice, nothing is ever set.
  explicit ResumeNotice(HANDLE event);
  ResumeNotice(const ResumeNotice&) = delete;
  ResumeNotice& operator=(const ResumeNotice&) = delete;
  ~ResumeNotice();

 private:
  void* registration_ = nullptr;
};

}  // namespace qdt::os
