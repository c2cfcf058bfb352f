#include "server/file_watch.h"

#include <gtest/gtest.h>

namespace qdt::server {
namespace {

constexpr Timestamp kStart{Duration(1h)};

// Looks once a second for so long; how often the files were to be read.
int look_for(FileWatch& watch, std::uint64_t stamp, Timestamp& now, Duration time) {
  int reads = 0;
  for (const Timestamp end = now + time; now < end; now += 1s) {
    if (!watch.look(stamp, now)) continue;
    ++reads;
    watch.on_read(true, now);
  }
  return reads;
}

TEST(FileWatch, ReadsNothingThatDoesNotChange) {
  FileWatch watch(1);
  Timestamp now = kStart;
  EXPECT_EQ(look_for(watch, 1, now, 1h), 0);
}

TEST(FileWatch, SeesWhatChangedBeforeItsFirstLook) {
  FileWatch watch(1);
  EXPECT_FALSE(watch.look(2, kStart));
  EXPECT_TRUE(watch.look(2, kStart + 2s));
}

TEST(FileWatch, ReadsAChangeOnceAfterAMoment) {
  FileWatch watch(1);
  EXPECT_FALSE(watch.look(2, kStart + 1s));
  EXPECT_FALSE(watch.look(2, kStart + 2s));
  EXPECT_TRUE(watch.look(2, kStart + 3s));
  EXPECT_FALSE(watch.on_read(true, kStart + 3s));
  Timestamp now = kStart + 4s;
  EXPECT_EQ(look_for(watch, 2, now, 1h), 0);
}

TEST(FileWatch, WaitsWhileTheFilesStillChange) {
  FileWatch watch(1);
  for (int i = 1; i < 5; ++i) EXPECT_FALSE(watch.look(1 + i, kStart + i * 1s));
  EXPECT_FALSE(watch.look(5, kStart + 5s));
  EXPECT_TRUE(watch.look(5, kStart + 6s));
}

TEST(FileWatch, DoesNotWaitForAnEndThatDoesNotCome) {
  FileWatch watch(1);
  for (int i = 1; i < 11; ++i) EXPECT_FALSE(watch.look(1 + i, kStart + i * 1s)) << i;
  EXPECT_TRUE(watch.look(12, kStart + 11s));
}

TEST(FileWatch, TriesWhatIsNotSoundAgainAndTellsOnceIfItStays) {
  FileWatch watch(1);
  int told = 0;
  int reads = 0;
  for (int i = 1; i < 100; ++i) {
    if (!watch.look(2, kStart + i * 1s)) continue;
    ++reads;
    told += watch.on_read(false, kStart + i * 1s);
  }
  EXPECT_EQ(told, 1);
  EXPECT_EQ(reads, 6);
}

TEST(FileWatch, SaysNothingOfAPairWhoseSecondFileComesInTime) {
  FileWatch watch(1);
  watch.look(2, kStart + 1s);
  EXPECT_TRUE(watch.look(2, kStart + 3s));
  EXPECT_FALSE(watch.on_read(false, kStart + 3s));
  EXPECT_FALSE(watch.look(3, kStart + 4s));  // the key
  EXPECT_TRUE(watch.look(3, kStart + 6s));
  EXPECT_FALSE(watch.on_read(true, kStart + 6s));
  EXPECT_FALSE(watch.look(3, kStart + 60s));
}

TEST(FileWatch, ReadsAgainWhatWasToldOnceItChanges) {
  FileWatch watch(1);
  watch.look(2, kStart + 1s);
  watch.on_read(false, kStart + 3s);
  EXPECT_TRUE(watch.on_read(false, kStart + 13s));
  EXPECT_FALSE(watch.look(2, kStart + 20s));
  EXPECT_FALSE(watch.look(3, kStart + 30s));
  EXPECT_TRUE(watch.look(3, kStart + 32s));
}

}  // namespace
}  // namespace qdt::server
