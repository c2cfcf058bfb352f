#include "os/program.h"

#include <algorithm>
#include <array>
#include <cwctype>
#include <string_view>

#include "os/clock.h"
#include "os/program_output.h"
#include "os/windows/command_words.h"
#include "os/windows/poll_handle.h"
#include "os/windows/system_error.h"
#include "os/windows/unique_handle.h"
#include "os/windows/wide.h"

namespace qdt::os {
namespace {

// A pipe cannot be waited for beside a process.
constexpr DWORD kLookEveryMilliseconds = 10;

// Takes what is in the pipe now, but for carriage returns.
void drain(HANDLE pipe, ProgramOutput& lines) {
  for (;;) {
    DWORD waiting = 0;
    if (::PeekNamedPipe(pipe, nullptr, 0, nullptr, &waiting, nullptr) == 0 || waiting == 0) return;
    std::array<char, 4096> piece;
    DWORD bytes = 0;
    const DWORD wanted = std::min<DWORD>(waiting, piece.size());
    if (::ReadFile(pipe, piece.data(), wanted, &bytes, nullptr) == 0 || bytes == 0) return;
    lines.add({piece.begin(), std::remove(piece.begin(), piece.begin() + bytes, '\r')});
  }
}

// Whether the child ended before `deadline`. What it started may hold the pipe open for ever, so
// its end counts, not that of its output.
// Nor is it waited for once this process is to stop: there is no way to ask it for its end.
bool wait_for_end(HANDLE child, HANDLE output, Timestamp deadline,
                  const std::optional<PollHandle>& stop, ProgramOutput& lines) {
  const auto is_told_to_stop = [&stop] {
    return stop && ::WaitForSingleObject(event_of(*stop), 0) == WAIT_OBJECT_0;
  };
  bool has_ended = false;
  while (!has_ended && os::now() < deadline && !is_told_to_stop()) {
    has_ended = ::WaitForSingleObject(child, kLookEveryMilliseconds) == WAIT_OBJECT_0;
    drain(output, lines);
  }
  return has_ended;
}

// "NAME=VALUE\0...\0\0": ours, but for those of the same name (which has no case), and the
// process's own.
std::wstring environment_with(const std::vector<std::string>& additions) {
  std::wstring block;
  std::vector<std::wstring> names;
  const auto name_of = [](std::wstring_view variable) {
    std::wstring name(variable.substr(0, variable.find(L'=', 1)));
    std::ranges::transform(name, name.begin(), [](wchar_t letter) {
      return static_cast<wchar_t>(std::towupper(static_cast<wint_t>(letter)));
    });
    return name;
  };
  for (const std::string& addition : additions) {
    const std::wstring variable = to_wide(addition);
    names.push_back(name_of(variable));
    block.append(variable).push_back(L'\0');
  }
  wchar_t* const own = ::GetEnvironmentStringsW();
  for (const wchar_t* at = own; at != nullptr && *at != L'\0';) {
    const std::wstring_view variable(at);
    at += variable.size() + 1;
    if (std::ranges::count(names, name_of(variable)) == 0) {
      block.append(variable).push_back(L'\0');
    }
  }
  if (own != nullptr) ::FreeEnvironmentStringsW(own);
  block.push_back(L'\0');
  return block;
}

// Both ends of a pipe for a child's output; it inherits the second.
Result<void> make_pipe(UniqueHandle& from_child, UniqueHandle& to_us) {
  SECURITY_ATTRIBUTES inherited{.nLength = sizeof inherited, .bInheritHandle = TRUE};
  HANDLE read = nullptr;
  HANDLE write = nullptr;
  if (::CreatePipe(&read, &write, &inherited, 1 << 16) == 0) return windows_error("make a pipe");
  from_child.reset(read);
  to_us.reset(write);
  ::SetHandleInformation(read, HANDLE_FLAG_INHERIT, 0);
  return {};
}

}  // namespace

Result<void> check_program(const std::string& path) {
  const DWORD attributes = ::GetFileAttributesW(native_path(path).c_str());
  if (attributes == INVALID_FILE_ATTRIBUTES) return windows_error("run " + path);
  if ((attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) return fail("run " + path + ": it is a folder");
  return {};
}

Result<void> run_program(const Program& program, Logger& logger) {
  const std::string& path = program.words[0];
  UniqueHandle from_child, to_us;
  if (auto ok = make_pipe(from_child, to_us); !ok)
    return fail("run " + path + ": " + ok.error().message);
  SECURITY_ATTRIBUTES inherited{.nLength = sizeof inherited, .bInheritHandle = TRUE};
  const UniqueHandle nothing(::CreateFileW(L"NUL", GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE,
                                           &inherited, OPEN_EXISTING, 0, nullptr));

  // With what it starts, it is killed as one.
  const UniqueHandle job(::CreateJobObjectW(nullptr, nullptr));
  STARTUPINFOW start{.cb = sizeof start,
                     .dwFlags = STARTF_USESTDHANDLES,
                     .hStdInput = nothing.get(),
                     .hStdOutput = to_us.get(),
                     .hStdError = to_us.get()};
  PROCESS_INFORMATION started{};
  std::wstring line = to_command_line(program.words);
  std::wstring environment = environment_with(program.environment);
  constexpr DWORD kFlags = CREATE_SUSPENDED | CREATE_NO_WINDOW | CREATE_UNICODE_ENVIRONMENT;
  if (::CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, kFlags, environment.data(),
                       nullptr, &start, &started) == 0) {
    return windows_error("run " + path);
  }
  const UniqueHandle child(started.hProcess);
  const UniqueHandle thread(started.hThread);
  ::AssignProcessToJobObject(job.get(), child.get());
  ::ResumeThread(thread.get());
  to_us.reset();

  ProgramOutput lines(path, logger);
  const Timestamp begun = os::now();
  const bool has_ended =
      wait_for_end(child.get(), from_child.get(), begun + program.limit, program.stop, lines);
  if (!has_ended) {
    ::TerminateJobObject(job.get(), 1);
    ::TerminateProcess(child.get(), 1);  // where it could not be put into the job
    const auto seconds = std::chrono::round<std::chrono::seconds>(os::now() - begun);
    return fail(path + ": killed, for it had not ended after " + std::to_string(seconds.count()) +
                " s; let it start what takes longer in the background");
  }
  DWORD status = 0;
  ::GetExitCodeProcess(child.get(), &status);
  if (status == 0) return {};
  return fail(path + ": ended with status " + std::to_string(status));
}

}  // namespace qdt::os
