#include "users/store_file.h"

#include "os/file.h"

namespace qdt::users {

Result<Store*> StoreFile::find() {
  if (store_) {
    // Nobody looks into a file that has lost its name.
    const auto revision = store_->revision();
    if (revision) return store_.get();
    if (revision.error().code != ErrorCode::kUnavailable || !os::file_exists(file_.path)) {
      return fail(revision);
    }
    store_.reset();
  }
  if (os::file_exists(file_.path)) return open();
  if (!was_open_) return nullptr;
  return fail(file_.path + ": it was deleted; put it back, or restart the server to begin anew",
              ErrorCode::kUnavailable);
}

Result<Store*> StoreFile::find_or_make() {
  auto found = find();
  if (!found || *found != nullptr) return found;
  return open();
}

// A damaged file in the place of a good one is somebody's mistake, to be mended by him: those who
// are known stay known.
Result<Store*> StoreFile::open() {
  file_.keeps_damage_aside = !was_open_;
  auto opened = open_sqlite_store(file_, random_, now_());
  if (!opened) return fail(opened);
  if (opened->damage) logger_.error(*opened->damage);
  store_ = std::move(opened->store);
  was_open_ = true;
  ++generation_;
  return store_.get();
}

}  // namespace qdt::users
