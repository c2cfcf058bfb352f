#include "program.h"

#include <algorithm>
#include <array>
#include <random>
#include <string_view>
#include <vector>

// libFuzzer's own; not there in a program that only replays.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                                              std::size_t max_size);

namespace qdt::fuzz {
namespace {

constexpr std::uint8_t kLong = 255;
constexpr std::size_t kMaxBytes = 64 * 1024;

constexpr std::array<std::string_view, 39> kWords = {"\"mtu\":",
                                                     "\"caps\":[",
                                                     "\"direct\",",
                                                     "\"resume\",",
                                                     "\"ipv6\",",
                                                     "\"close\",",
                                                     "\"ping\",",
                                                     "\"routes\",",
                                                     "true",
                                                     "null",
                                                     "-1",
                                                     "1e999",
                                                     "[[[[[[[[",
                                                     "{\"\":",
                                                     "\\ud800",
                                                     "18446744073709551616",
                                                     "10.8.0.0/0",
                                                     "::/0",
                                                     "fd00::1",
                                                     "content-length",
                                                     "x-qdt-token",
                                                     ":path",
                                                     "transfer-encoding",
                                                     "\"version\":1,",
                                                     "connect-ip",
                                                     "authorization",
                                                     "proxy-authorization",
                                                     "Concealed ",
                                                     ", realm=\"r\"",
                                                     "k=AAAA, ",
                                                     "s=2055",
                                                     "qdt",
                                                     "v=2, ",
                                                     "caps=(sealed direct)",
                                                     "nonce=:",
                                                     "AAAAAAAAAAAAAAAAAAAAAA==:",
                                                     "?1",
                                                     "%2A",
                                                     "10.8.0.0/24"};

std::vector<Program::Step> steps_of(Program& program) {
  std::vector<Program::Step> steps;
  while (const auto step = program.next()) steps.push_back(*step);
  return steps;
}

std::size_t write(Bytes input, std::uint8_t settings, const std::vector<Bytes>& steps,
                  MutableBytes out) {
  if (out.empty()) return 0;
  std::size_t used = 0;
  out[used++] = input.empty() ? std::uint8_t{0} : settings;
  for (const Bytes step : steps) {
    if (used + step.size() > out.size()) break;
    append(out.subspan(used), step);
    used += step.size();
  }
  return used;
}

}  // namespace

Program::Program(Bytes input) : rest_(input) {
  if (input.empty()) return;
  settings_ = input[0];
  rest_ = input.subspan(1);
}

std::uint8_t Program::terms(std::uint8_t kind) const {
  const auto first = Program(*this).next();
  const bool has_terms = first && first->kind == kind && !first->arguments.empty();
  return has_terms ? first->arguments[0] : std::uint8_t{0};
}

std::optional<Program::Step> Program::next() {
  if (rest_.empty()) return std::nullopt;
  ByteReader reader(rest_);
  const std::uint8_t kind = reader.byte();
  std::size_t length = reader.byte();
  if (length == kLong) {
    length = std::size_t{reader.byte()} << 8;
    length |= reader.byte();
  }
  const Bytes arguments = reader.take(length);
  const Bytes all = rest_.first(rest_.size() - reader.rest().size());
  rest_ = reader.rest();
  return Step{kind, arguments, all};
}

void Program::append_step(ByteWriter& out, std::uint8_t kind, Bytes arguments) {
  out.byte(kind);
  if (arguments.size() < kLong) {
    out.byte(arguments.size());
  } else {
    out.byte(kLong).byte(arguments.size() >> 8 & 0xff).byte(arguments.size() & 0xff);
  }
  out.append(arguments);
}

std::uint64_t read_number(ByteReader& from) {
  const std::uint8_t first = from.byte();
  if (first < 0xc0) return first;
  if (first < 0xfe) {
    // 2^n, and one less and one more.
    const unsigned index = first - 0xc0u;
    const std::uint64_t power = std::uint64_t{1} << (4 + index / 3 * 3 % 60);
    return power + index % 3 - 1;
  }
  std::uint64_t number = 0;
  for (int i = first == 0xfe ? 2 : 8; i > 0; --i) number = number << 8 | from.byte();
  return number;
}

void change(ByteVector& bytes, ByteReader& changes) {
  while (!changes.empty()) {
    const std::uint8_t kind = changes.byte();
    std::size_t at = changes.byte();
    if ((kind & 0x80) != 0) at = at << 8 | changes.byte();
    at %= bytes.size() + 1;
    const auto place = bytes.begin() + static_cast<std::ptrdiff_t>(at);
    const std::size_t rest = bytes.size() - at;
    switch (kind % 8) {
      case 0:
        if (rest > 0) *place = changes.byte();
        break;
      case 1: bytes.insert(place, changes.byte()); break;
      case 2:
        bytes.erase(place, place + static_cast<std::ptrdiff_t>(
                                       std::min<std::size_t>(rest, changes.byte())));
        break;
      case 3: {
        const std::string_view word = kWords[changes.byte() % kWords.size()];
        bytes.insert(place, word.begin(), word.end());
        break;
      }
      case 4: {
        const std::uint8_t fill = changes.byte();
        bytes.insert(place, std::size_t{1} << (changes.byte() % 14), fill);
        break;
      }
      case 5: {
        const Bytes piece = changes.take(changes.byte());
        bytes.insert(place, piece.begin(), piece.end());
        break;
      }
      case 6: bytes.resize(at); break;
      case 7: {
        const ByteVector piece(place, place + static_cast<std::ptrdiff_t>(
                                                  std::min<std::size_t>(rest, changes.byte())));
        for (unsigned i = changes.byte() % 64u; i > 0 && bytes.size() < kMaxBytes; --i) {
          bytes.insert(bytes.end(), piece.begin(), piece.end());
        }
        break;
      }
    }
    if (bytes.size() > kMaxBytes) bytes.resize(kMaxBytes);
  }
}

std::size_t mutate_program(std::uint8_t* data, std::size_t size, std::size_t max_size,
                           unsigned seed) {
  std::minstd_rand random(seed);
  const auto below = [&random](std::size_t end) { return end == 0 ? 0 : random() % end; };
  const unsigned choice = static_cast<unsigned>(below(10));
  if (choice < 3 || size < 3) return LLVMFuzzerMutate(data, size, max_size);

  const ByteVector input(data, data + size);
  Program program(input);
  const auto steps = steps_of(program);
  if (steps.empty()) return LLVMFuzzerMutate(data, size, max_size);
  std::vector<Bytes> all;
  for (const Program::Step& step : steps) all.push_back(step.bytes);
  const std::size_t at = below(all.size());
  const auto place = all.begin() + static_cast<std::ptrdiff_t>(at);
  ByteWriter changed;
  switch (choice) {
    case 3: all.erase(place); break;
    case 4: all.insert(place, all[below(all.size())]); break;
    case 5: std::swap(all[at], all[below(all.size())]); break;
    case 6: {  // another kind, the same arguments
      Program::append_step(changed, static_cast<std::uint8_t>(below(32)), steps[at].arguments);
      all[at] = changed.bytes;
      break;
    }
    case 7: {  // a new one
      std::array<std::uint8_t, 24> arguments;
      for (std::uint8_t& byte : arguments) byte = static_cast<std::uint8_t>(random());
      Program::append_step(changed, static_cast<std::uint8_t>(below(32)),
                           Bytes(arguments).first(below(arguments.size())));
      all.insert(place, changed.bytes);
      break;
    }
    default: {  // other arguments, of another length perhaps
      ByteVector arguments(steps[at].arguments.begin(), steps[at].arguments.end());
      const std::size_t before = arguments.size();
      arguments.resize(before + 32 + before / 2);
      arguments.resize(LLVMFuzzerMutate(arguments.data(), before, arguments.size()));
      Program::append_step(changed, steps[at].kind, arguments);
      all[at] = changed.bytes;
      break;
    }
  }
  return write(input, input[0], all, {data, max_size});
}

std::size_t cross_programs(Bytes a, Bytes b, MutableBytes out, unsigned seed) {
  std::minstd_rand random(seed);
  Program first(a);
  Program second(b);
  const auto first_steps = steps_of(first);
  const auto second_steps = steps_of(second);
  std::vector<Bytes> all;
  const std::size_t head = first_steps.empty() ? 0 : random() % (first_steps.size() + 1);
  const std::size_t tail = second_steps.empty() ? 0 : random() % second_steps.size();
  for (std::size_t i = 0; i < head; ++i) all.push_back(first_steps[i].bytes);
  for (std::size_t i = tail; i < second_steps.size(); ++i) all.push_back(second_steps[i].bytes);
  for (std::size_t i = head; i < first_steps.size(); ++i) all.push_back(first_steps[i].bytes);
  return write(a, a.empty() ? std::uint8_t{0} : a[0], all, out);
}

}  // namespace qdt::fuzz
