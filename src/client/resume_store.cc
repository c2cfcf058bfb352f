#include "client/resume_store.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "os/file.h"
#include "wire/handshake.h"

namespace qdt::client {
namespace {

constexpr std::string_view kHeader = "QDT resume 1\nserver ";
constexpr std::string_view kTokenLine = "\ntoken ";

}  // namespace

ResumeStore::ResumeStore(std::string path, std::string server, Write write, Logger& logger)
    : path_(std::move(path)),
      server_(std::move(server)),
      write_(std::move(write)),
      logger_(logger) {
  if (!path_.empty() && os::file_exists(path_)) load();
}

void ResumeStore::load() {
  const auto content = os::read_file(path_, os::kMaxTextFileBytes);
  if (!content) return logger_.warning(content.error().message);
  std::string_view rest = *content;
  const auto token_at = rest.find(kTokenLine);
  const bool is_whole = rest.starts_with(kHeader) && token_at != rest.npos && rest.ends_with('\n');
  const std::string_view token = is_whole
                                     ? rest.substr(token_at + kTokenLine.size(),
                                                   rest.size() - token_at - kTokenLine.size() - 1)
                                     : std::string_view{};
  const bool is_token =
      !token.empty() && token.size() <= wire::kMaxResumeTokenBytes &&
      std::ranges::all_of(token, [](char letter) { return letter > 0x20 && letter < 0x7f; });
  if (!is_token) {
    logger_.warning(path_ + " is damaged: the server will lend this client any address");
    return;
  }
  if (rest.substr(kHeader.size(), token_at - kHeader.size()) == server_) token_ = token;
}

void ResumeStore::keep(const std::string& token) {
  if (token == token_) return;
  token_ = token;
  if (path_.empty()) return;
  std::string content = token.empty() ? "" : std::string(kHeader) + server_;
  if (!token.empty()) content += std::string(kTokenLine) + token + "\n";
  fault_.look(write_(content), "; after a restart the server will lend this client any address",
              path_ + " is written again", logger_);
}

}  // namespace qdt::client
