#include "server/site.h"

#include <cstdio>
#include <utility>

namespace qdt::server {
namespace {

struct ContentType {
  std::string_view ending;
  std::string_view type;
};
// As web servers have them (IANA's registry of media types).
constexpr ContentType kContentTypes[] = {{"html", "text/html"},
                                         {"htm", "text/html"},
                                         {"css", "text/css"},
                                         {"js", "application/javascript"},
                                         {"mjs", "application/javascript"},
                                         {"json", "application/json"},
                                         {"map", "application/json"},
                                         {"xml", "text/xml"},
                                         {"txt", "text/plain"},
                                         {"svg", "image/svg+xml"},
                                         {"png", "image/png"},
                                         {"jpg", "image/jpeg"},
                                         {"jpeg", "image/jpeg"},
                                         {"gif", "image/gif"},
                                         {"webp", "image/webp"},
                                         {"avif", "image/avif"},
                                         {"ico", "image/x-icon"},
                                         {"woff", "font/woff"},
                                         {"woff2", "font/woff2"},
                                         {"ttf", "font/ttf"},
                                         {"wasm", "application/wasm"},
                                         {"pdf", "application/pdf"},
                                         {"zip", "application/zip"},
                                         {"mp3", "audio/mpeg"},
                                         {"mp4", "video/mp4"},
                                         {"webm", "video/webm"}};

std::string_view content_type(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.rfind('.');
  if (dot != std::string_view::npos) {
    std::string ending(name.substr(dot + 1));
    for (char& letter : ending) {
      if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
    }
    for (const auto& [known, type] : kContentTypes) {
      if (known == ending) return type;
    }
  }
  return "application/octet-stream";
}

// Changes with the file, and tells nothing else of it.
std::string entity_tag(const os::FolderFile& file) {
  char text[64];
  std::snprintf(text, sizeof text, "\"%llx-%zx\"", static_cast<unsigned long long>(file.modified),
                file.content.size());
  return text;
}

}  // namespace

Site make_site(os::FolderContent content) {
  std::map<std::string, Decoy::Page, std::less<>> pages;
  for (os::FolderFile& file : content.files) {
    const std::chrono::sys_seconds modified{std::chrono::seconds(file.modified)};
    quic::HeaderFields headers = {{"content-type", std::string(content_type(file.path))},
                                  {"last-modified", http_date(modified)},
                                  {"etag", entity_tag(file)}};
    pages.emplace(
        "/" + file.path,
        Decoy::Page{.status = 200,
                    .headers = std::move(headers),
                    .body = std::make_shared<const std::string>(std::move(file.content))});
  }
  return {Decoy::site(std::move(pages)), std::move(content.notes)};
}

Result<Site> load_site(const std::string& folder) {
  auto content = os::read_folder(folder);
  if (!content) return fail(content);
  return make_site(std::move(*content));
}

}  // namespace qdt::server
