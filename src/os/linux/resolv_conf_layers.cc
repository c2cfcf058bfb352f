#include "os/linux/resolv_conf_layers.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "os/file.h"
#include "os/linux/json_bytes.h"
#include "os/linux/resolv_conf.h"
#include "os/linux/system_error.h"
#include "os/linux/undo_journal.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

using Json = nlohmann::json;

/// Longer than any client holds the lock: it writes two small files.
constexpr int kLockTries = 150;
constexpr auto kLockPause = std::chrono::milliseconds(20);
/// The last texts of ours: the file has one of them when a client died between record and file.
constexpr std::size_t kRememberedTexts = 4;

struct Process {
  long id = 0;
  std::string start;  // tells it from a later one of the same number
};

struct Layer {
  ResolvConfLayer wish;
  Process process;
};

/// One resolv.conf: namespaces may have one each.
struct Record {
  std::string path;
  std::string id;
  std::optional<std::string> users;
  std::vector<std::string> texts;  // ours, the newest first
  std::vector<std::string> made;   // folders
  std::vector<Layer> layers;       // the one on top last
};

// The time at which a process began, in the kernel's ticks; empty when there is none (proc(5)).
std::string start_of(long process) {
  const auto status = read_file("/proc/" + std::to_string(process) + "/stat");
  if (!status) return {};
  std::size_t at = status->rfind(')');
  constexpr int kFieldsBehindName = 20;
  for (int i = 0; i < kFieldsBehindName && at != std::string::npos; ++i) {
    at = status->find(' ', at + 1);
  }
  if (at == std::string::npos) return {};
  return status->substr(at + 1, status->find(' ', at + 1) - at - 1);
}

bool is_alive(const Process& process) {
  return !process.start.empty() && start_of(process.id) == process.start;
}

// Whether somebody will still take it away: its process, or who cleans up behind that.
bool is_due(const Layer& layer) {
  return is_alive(layer.process) ||
         file_exists(std::string(kJournalDirectory) + "/" + layer.wish.owner);
}

Json json_of(const Layer& layer) {
  Json servers = Json::array();
  for (const NameServer& server : layer.wish.servers) servers.push_back(server.to_string());
  return {{"owner", layer.wish.owner},
          {"device", layer.wish.tun_name},
          {"servers", servers},
          {"process", layer.process.id},
          {"start", layer.process.start}};
}

Layer layer_of(const Json& json) {
  Layer layer{.wish = {.owner = json.at("owner"), .tun_name = json.at("device"), .servers = {}},
              .process = {.id = json.at("process"), .start = json.at("start")}};
  for (const Json& text : json.at("servers")) {
    if (const auto server = NameServer::parse(text.get<std::string>())) {
      layer.wish.servers.push_back(*server);
    }
  }
  return layer;
}

Json json_of(const Record& record) {
  Json texts = Json::array();
  for (const std::string& text : record.texts) texts.push_back(text_from_bytes(text));
  Json layers = Json::array();
  for (const Layer& layer : record.layers) layers.push_back(json_of(layer));
  return {{"path", text_from_bytes(record.path)},
          {"id", record.id},
          {"users", record.users ? Json(text_from_bytes(*record.users)) : Json()},
          {"texts", texts},
          {"made", record.made},
          {"layers", layers}};
}

Record record_of(const Json& json) {
  Record record{.path = bytes_from_text(json.at("path").get<std::string>()),
                .id = json.at("id"),
                .users = std::nullopt,
                .texts = {},
                .made = json.at("made"),
                .layers = {}};
  if (const Json& users = json.at("users"); !users.is_null()) {
    record.users = bytes_from_text(users.get<std::string>());
  }
  for (const Json& text : json.at("texts")) {
    record.texts.push_back(bytes_from_text(text.get<std::string>()));
  }
  for (const Json& layer : json.at("layers")) record.layers.push_back(layer_of(layer));
  return record;
}

std::string path_of_records() {
  return std::string(kJournalDirectory) + "/resolv.conf.layers";
}

/// All records, locked for as long as the object lives.
class Records {
 public:
  /// Nothing where there can be no such file; an error when somebody holds on to it.
  enum class Missing { kMade, kLeft };
  static Result<std::optional<Records>> open(Missing missing);
  Records(Records&&) noexcept = default;
  Records& operator=(Records&&) = delete;
  /// The file goes with the last record.
  ~Records() {
    if (file_.is_open() && records_.empty()) ::unlink(path_.c_str());
  }

  std::vector<Record>& all() { return records_; }
  /// On file when this returns; a failure leaves there what was.
  Result<void> save();
  bool could_save() const { return could_save_; }

 private:
  Records(std::string path, UniqueFd file) : path_(std::move(path)), file_(std::move(file)) {}
  void load();

  std::string path_;
  UniqueFd file_;
  std::string content_;
  std::vector<Record> records_;
  bool could_save_ = true;
};

Result<std::optional<Records>> Records::open(Missing missing) {
  const std::string path = path_of_records();
  for (int i = 0; i < kLockTries; ++i) {
    const int make = missing == Missing::kMade ? O_CREAT : 0;
    UniqueFd file(::open(path.c_str(), O_RDWR | make | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!file.is_open()) return std::nullopt;
    if (::flock(file.get(), LOCK_EX | LOCK_NB) < 0) {
      std::this_thread::sleep_for(kLockPause);
      continue;
    }
    struct stat status{};
    if (::fstat(file.get(), &status) < 0 || status.st_nlink == 0) continue;  // just removed
    Records records(path, std::move(file));
    records.load();
    return records;
  }
  return fail("lock " + path + ": another client holds it");
}

void Records::load() {
  char piece[16384];
  for (;;) {
    const ssize_t bytes =
        ::pread(file_.get(), piece, sizeof piece, static_cast<off_t>(content_.size()));
    if (bytes <= 0) break;
    content_.append(piece, static_cast<std::size_t>(bytes));
  }
  const Json json = Json::parse(content_, /*cb=*/nullptr, /*allow_exceptions=*/false);
  if (!json.is_array()) return;
  for (const Json& one : json) {
    try {
      records_.push_back(record_of(one));
    } catch (const Json::exception&) {  // a member that is missing, or of another type
    }
  }
}

Result<void> Records::save() {
  Json json = Json::array();
  for (const Record& record : records_) json.push_back(json_of(record));
  std::string content = json.dump();
  if (content == content_) return {};
  const std::size_t length = content.size();
  // JSON takes spaces behind it: whoever dies between the two calls leaves it whole.
  content.resize(std::max(length, content_.size()), ' ');
  const ssize_t written = ::pwrite(file_.get(), content.data(), content.size(), 0);
  if (written == static_cast<ssize_t>(content.size())) {
    content.resize(length);
    content_ = std::move(content);
    [[maybe_unused]] const int result = ::ftruncate(file_.get(), static_cast<off_t>(length));
    return {};
  }
  const int error = written < 0 ? errno : ENOSPC;
  could_save_ = false;
  if (::pwrite(file_.get(), content_.data(), content_.size(), 0) >= 0) {
    [[maybe_unused]] const int result =
        ::ftruncate(file_.get(), static_cast<off_t>(content_.size()));
  }
  return os_error("write " + path_, error);
}

bool is_marked(std::string_view content) {
  return content.starts_with(kResolvConfMark);
}

bool is_ours(const Record& record, const std::optional<std::string>& content) {
  return content &&
         (std::ranges::find(record.texts, *content) != record.texts.end() || is_marked(*content));
}

std::string_view network_of(std::string_view owner) {
  const std::size_t end = owner.rfind('.');
  const std::size_t dot = end == owner.npos ? end : owner.rfind('.', end - 1);
  return dot == owner.npos ? owner : owner.substr(dot);
}

/// Takes the record of this file out, or makes one: an editor may have given it another inode.
Record take_record(std::vector<Record>& records, const ResolvConfFile& file,
                   const std::string& owner) {
  const auto is_file = [&](const Record& record) {
    return !file.id.empty() && record.id == file.id;
  };
  auto found = std::ranges::find_if(records, is_file);
  const auto shares_network = [&](const Record& record) {
    return std::ranges::any_of(record.layers, [&](const Layer& layer) {
      return network_of(layer.wish.owner) == network_of(owner);
    });
  };
  const auto is_followed = [&](const Record& record) {
    const bool has_layer = std::ranges::any_of(
        record.layers, [&](const Layer& layer) { return layer.wish.owner == owner; });
    return has_layer || shares_network(record);
  };
  if (found == records.end()) found = std::ranges::find_if(records, is_followed);
  if (found == records.end()) {
    return {.path = {}, .id = {}, .users = file.content, .texts = {}, .made = {}, .layers = {}};
  }
  Record record = std::move(*found);
  records.erase(found);
  return record;
}

// The file behind a link that leads elsewhere now is not to be left with a text of ours.
void put_back_at_old_place(const Record& record, const ResolvConfFile& file) {
  if (record.path.empty() || record.path == file.path) return;
  const auto content = read_file(record.path);
  if (!content || std::ranges::find(record.texts, *content) == record.texts.end()) return;
  const ResolvConfFile old{.path = record.path, .id = record.id, .content = *content};
  [[maybe_unused]] const auto put_back =
      record.users ? write_resolv_conf(old, *record.users) : remove_resolv_conf(old, record.made);
}

/// Takes what somebody else has written for the user's. Whether somebody has.
bool take_note(Record& record, const ResolvConfFile& file) {
  if (is_ours(record, file.content)) {
    // Lines added behind ours are the user's as well.
    for (const std::string& text : record.texts) {
      if (*file.content == text || !file.content->starts_with(text)) continue;
      const std::string added = file.content->substr(text.size());
      std::string& users = record.users ? *record.users : record.users.emplace();
      if (users.ends_with(added)) return true;
      if (!users.empty() && !users.ends_with('\n')) users += '\n';
      users += added;
      return true;
    }
    return std::ranges::find(record.texts, *file.content) == record.texts.end();
  }
  put_back_at_old_place(record, file);
  record.users = file.content;
  if (file.content) record.made.clear();
  return true;
}

void remember(Record& record, const std::string& text) {
  std::erase(record.texts, text);
  record.texts.insert(record.texts.begin(), text);
  if (record.texts.size() > kRememberedTexts) record.texts.resize(kRememberedTexts);
}

/// Makes the file what the layer on top wants; what it is called, in the record first.
Result<void> write_top(Record& record, const ResolvConfFile& file, Records& records) {
  const Layer& top = record.layers.back();
  const std::string text =
      resolv_conf_text(top.wish.tun_name, top.wish.servers, record.users.value_or(""));
  remember(record, text);
  record.path = file.path;
  record.id = file.id;
  if (auto ok = records.save(); !ok || file.content == text) return ok;
  const std::vector<std::string> made_before = record.made;
  if (auto ok = write_resolv_conf(file, text, &record.made); !ok) return ok;
  const auto now = look_at_resolv_conf();
  if (!now) return fail(now);
  if (now->content != text) {
    return fail(std::string(kResolvConf) +
                " is not what was just written to it; what else writes it?");
  }
  if (now->id == record.id && record.made == made_before) return {};
  record.id = now->id;
  return records.save();
}

Layer* find_layer(Record& record, const std::string& owner) {
  const auto found = std::ranges::find_if(
      record.layers, [&](const Layer& layer) { return layer.wish.owner == owner; });
  return found == record.layers.end() ? nullptr : &*found;
}

void forget_dead_layers(Record& record, const std::string& but) {
  std::erase_if(record.layers, [&](const Layer& layer) {
    return layer.wish.owner != but && !is_alive(layer.process);
  });
}

Result<void> put_back(const Record& record, const ResolvConfFile& file) {
  return record.users ? write_resolv_conf(file, *record.users)
                      : remove_resolv_conf(file, record.made);
}

/// Removes what nobody will ever take away, and all else of this owner's.
void forget_others(std::vector<Record>& records, const std::string& owner) {
  for (Record& other : records) {
    std::erase_if(other.layers,
                  [&](const Layer& layer) { return layer.wish.owner == owner || !is_due(layer); });
  }
  std::erase_if(records, [](const Record& record) { return record.layers.empty(); });
}

/// Writes the file as it is to be once a layer has gone. A text of somebody else's is left alone:
/// the clients that still have a layer look at it themselves.
Result<void> take_from_file(Record& record, const ResolvConfFile& file, bool is_ours,
                            Records& records) {
  if (!is_ours) return {};
  take_note(record, file);
  return record.layers.empty() ? put_back(record, file) : write_top(record, file, records);
}

}  // namespace

Result<ResolvConfLayerState> put_resolv_conf_layer(
    const ResolvConfLayer& layer, const std::optional<ResolvConfLayerState>& known) {
  auto opened = Records::open(Records::Missing::kMade);
  if (!opened) return fail(opened);
  const auto file = look_at_resolv_conf();
  if (!file) return fail(file);
  if (!*opened) return ResolvConfLayerState{.is_recorded = false, .users = file->content};

  Records& records = **opened;
  ResolvConfLayerState state;
  // Taken out while it is worked on.
  Record record = take_record(records.all(), *file, layer.owner);
  const Record before = record;
  const bool is_new = record.layers.empty() && record.texts.empty();
  if (is_new && known) {
    record.users = known->users;
    record.texts = {known->text};
  } else if (is_new && file->content && is_marked(*file->content)) {
    record.users = without_name_servers(*file->content);
    record.texts = {*file->content};
    state.is_original_lost = true;
  }
  state.was_changed = take_note(record, *file) && (!is_new || known);
  forget_dead_layers(record, layer.owner);
  if (Layer* mine = find_layer(record, layer.owner)) {
    mine->wish = layer;
  } else {
    const long self = ::getpid();
    record.layers.push_back({.wish = layer, .process = {.id = self, .start = start_of(self)}});
  }
  forget_others(records.all(), layer.owner);
  records.all().push_back(record);
  const auto written = write_top(records.all().back(), *file, records);
  if (!written) {
    records.all().back() = before;
    if (before.layers.empty()) records.all().pop_back();
    if (!records.could_save()) {
      return ResolvConfLayerState{.is_recorded = false, .users = record.users};
    }
    [[maybe_unused]] const auto saved = records.save();
    return fail(written);
  }
  const Record& done = records.all().back();
  state.text = done.texts.front();
  state.users = done.users;
  state.on_top = done.layers.back().wish.tun_name;
  return state;
}

Result<std::string> remove_resolv_conf_layer(const std::string& owner) {
  auto opened = Records::open(Records::Missing::kLeft);
  if (!opened) return fail(opened);
  if (!*opened) return "";
  std::vector<Record>& all = (**opened).all();
  const auto found = std::ranges::find_if(
      all, [&](Record& record) { return find_layer(record, owner) != nullptr; });
  if (found == all.end()) return "";
  const auto file = look_at_resolv_conf();
  if (!file) return fail(file);

  const Record before = *found;
  const bool is_file_ours = is_ours(*found, file->content);
  const bool is_put_back = file->content == found->users;
  std::erase_if(found->layers, [&](const Layer& layer) { return layer.wish.owner == owner; });
  forget_dead_layers(*found, "");
  const auto undone = take_from_file(*found, *file, is_file_ours, **opened);
  if (!undone) {
    *found = before;
    [[maybe_unused]] const auto saved = (**opened).save();
    return fail(undone);
  }
  const std::string next = found->layers.empty() ? "" : found->layers.back().wish.tun_name;
  if (found->layers.empty()) all.erase(found);
  if (auto ok = (**opened).save(); !ok && !all.empty()) return fail(ok);
  if (!is_file_ours) {
    return is_put_back
               ? ""
               : std::string(kResolvConf) + " left as it is: somebody else has changed it since";
  }
  return std::string(kResolvConf) +
         (next.empty() ? " put back" : ": the name servers are those of " + next);
}

bool is_resolv_conf_layer_recorded(const std::string& owner) {
  return read_file(path_of_records()).value_or("").contains(Json(owner).dump());
}

std::optional<std::string> users_resolv_conf() {
  const auto file = look_at_resolv_conf();
  if (!file) return std::nullopt;
  if (!file->content || !is_marked(*file->content)) return file->content;
  auto opened = Records::open(Records::Missing::kLeft);
  if (opened && *opened) {
    for (const Record& record : (**opened).all()) {
      if (record.id == file->id) return record.users;
    }
  }
  return without_name_servers(*file->content);
}

}  // namespace qdt::os
