#include "server/decoy.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <optional>
#include <utility>
#include <vector>

namespace qdt::server {
namespace {

using Page = Decoy::Page;

// The shortest page that web servers come with, so that it is nobody's own.
constexpr std::string_view kPlainPage = "<html><body><h1>It works!</h1></body></html>\n";

struct Phrase {
  int status;
  std::string_view words;
};
// RFC 9110 section 15.
constexpr Phrase kPhrases[] = {{200, "OK"},
                               {301, "Moved Permanently"},
                               {400, "Bad Request"},
                               {401, "Unauthorized"},
                               {403, "Forbidden"},
                               {404, "Not Found"},
                               {405, "Method Not Allowed"},
                               {410, "Gone"},
                               {418, "I'm a teapot"},
                               {429, "Too Many Requests"},
                               {431, "Request Header Fields Too Large"},
                               {451, "Unavailable For Legal Reasons"},
                               {500, "Internal Server Error"},
                               {502, "Bad Gateway"},
                               {503, "Service Unavailable"},
                               {504, "Gateway Timeout"}};

std::string title_of(int status) {
  std::string title = std::to_string(status);
  for (const Phrase& phrase : kPhrases) {
    if (phrase.status == status) title.append(" ").append(phrase.words);
  }
  return title;
}

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

bool has_content(int status) {
  return status >= 200 && status != 204 && status != 205 && status != 304;
}

// Percent escapes undone (RFC 3986 section 2.1); nothing where one is broken or stands for NUL.
std::optional<std::string> unescaped(std::string_view text) {
  std::string plain;
  plain.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      plain += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const char* digits = text.data() + i + 1;
    std::uint8_t byte = 0;
    const char* end = std::from_chars(digits, digits + 2, byte, 16).ptr;
    if (end != digits + 2 || byte == 0) return std::nullopt;
    plain += static_cast<char>(byte);
    i += 2;
  }
  return plain;
}

std::string escaped(std::string_view path) {
  constexpr std::string_view kPlain = "-._~/!$&'()*+,;=:@";
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string text;
  for (const char letter : path) {
    const bool is_alphanumeric = (letter >= '0' && letter <= '9') ||
                                 (letter >= 'a' && letter <= 'z') ||
                                 (letter >= 'A' && letter <= 'Z');
    if (is_alphanumeric || kPlain.contains(letter)) {
      text += letter;
      continue;
    }
    const auto byte = static_cast<unsigned char>(letter);
    text.append("%") += kDigits[byte >> 4];
    text += kDigits[byte & 0xf];
  }
  return text;
}

// The path that a request's target names, without "//", "." and ".." (RFC 3986 section 5.2.4); it
// ends in "/" when it names a folder. Nothing when it is no path, or leads above the root.
std::optional<std::string> path_of(std::string_view target) {
  target = target.substr(0, target.find_first_of("?#"));
  if (!target.starts_with('/')) return std::nullopt;
  const auto plain = unescaped(target);
  if (!plain) return std::nullopt;

  std::vector<std::string_view> segments;
  bool is_folder = true;
  for (std::string_view rest = *plain; !rest.empty();) {
    rest.remove_prefix(1);
    const std::string_view segment = rest.substr(0, rest.find('/'));
    rest.remove_prefix(segment.size());
    is_folder = segment.empty() || segment == "." || segment == "..";
    if (!is_folder) segments.push_back(segment);
    if (segment != "..") continue;
    if (segments.empty()) return std::nullopt;
    segments.pop_back();
  }
  std::string path;
  for (const std::string_view segment : segments) path.append("/").append(segment);
  if (is_folder) path += '/';
  return path;
}

Page error_page(int status) {
  const std::string title = title_of(status);
  return {.status = status,
          .headers = {{"content-type", "text/html"}},
          .body = shared("<html>\n<head><title>" + title + "</title></head>\n<body><h1>" + title +
                         "</h1></body>\n</html>\n")};
}

std::string_view header(const Page& page, std::string_view name) {
  for (const auto& [field, value] : page.headers) {
    if (field == name) return value;
  }
  return {};
}

// RFC 9110 section 13: a condition on the tag goes before one on the date, which is only compared.
bool is_unchanged(const Page& page, const quic::Message& request) {
  const std::string_view tag = header(page, "etag");
  const std::string_view tags = request.header("if-none-match");
  if (!tags.empty()) return tags == "*" || (!tag.empty() && tags.contains(tag));
  const std::string_view date = header(page, "last-modified");
  return !date.empty() && request.header("if-modified-since") == date;
}

}  // namespace

std::string http_date(std::chrono::sys_seconds moment) {
  constexpr std::array<const char*, 7> kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(moment);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss time(moment - day);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02u %s %04d %02d:%02d:%02d GMT",
                kDays[std::chrono::weekday(day).c_encoding()], unsigned{date.day()},
                kMonths[unsigned{date.month()} - 1], int{date.year()},
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return text;
}

Decoy Decoy::plain_page() {
  Decoy decoy;
  decoy.page_ = {.status = 200,
                 .headers = {{"content-type", "text/html"}},
                 .body = shared(std::string(kPlainPage))};
  return decoy;
}

Decoy Decoy::status_page(int status) {
  Decoy decoy;
  decoy.page_ = error_page(status);
  return decoy;
}

Decoy Decoy::site(std::map<std::string, Page, std::less<>> pages) {
  Decoy decoy;
  decoy.pages_ = std::move(pages);
  decoy.is_site_ = true;
  return decoy;
}

Decoy Decoy::proxy(const SocketAddress& upstream) {
  Decoy decoy;
  decoy.page_ = error_page(502);
  decoy.upstream_ = upstream;
  return decoy;
}

quic::Response Decoy::answer(const quic::Message& request, std::chrono::sys_seconds now) const {
  const Page page = look_up(request);
  quic::Response response{.status = page.status};
  if (!server_header_.empty()) response.headers.emplace_back("server", server_header_);
  response.headers.emplace_back("date", http_date(now));
  const bool has_body = has_content(page.status);
  for (const auto& field : page.headers) {
    if (has_body || field.first != "content-type") response.headers.push_back(field);
  }
  if (!has_body) return response;
  response.headers.emplace_back("content-length", std::to_string(page.body->size()));
  if (request.method != "HEAD") response.page = page.body;
  return response;
}

Page Decoy::look_up(const quic::Message& request) const {
  const bool is_fetch = request.method == "GET" || request.method == "HEAD";
  if (request.method == "CONNECT" || request.method == "TRACE") return error_page(405);
  if (request.is_too_long) return error_page(431);  // RFC 6585 section 5
  if (!is_site_) return page_;

  const auto path = path_of(request.path);
  if (!path) return error_page(400);
  const bool is_folder = path->ends_with('/');
  const auto found = pages_.find(is_folder ? *path + "index.html" : *path);
  if (found != pages_.end()) {
    if (!is_fetch) return error_page(405);
    Page page = found->second;
    if (is_unchanged(page, request)) page.status = 304;
    return page;
  }
  if (!is_fetch && request.method != "POST") return error_page(405);
  const std::string folder = is_folder ? *path : *path + '/';
  const auto inside = pages_.lower_bound(folder);
  const bool is_known = inside != pages_.end() && inside->first.starts_with(folder);
  if (!is_known) return error_page(404);
  if (is_folder) return error_page(403);
  Page moved = error_page(301);
  moved.headers.emplace_back("location", escaped(folder));
  return moved;
}

}  // namespace qdt::server
