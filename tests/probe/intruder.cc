// An attacker who has made the packet path do what he wants. Linked into the programs in front of
// writev(2), by which packets go into the TUN device, he does the deed that the environment
// names, once, from the thread that moves packets. For the namespace tests of the
// sandbox.

#include <fcntl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>

extern "C" ssize_t __real_writev(int fd, const iovec* pieces, int count);
extern "C" ssize_t __wrap_writev(int fd, const iovec* pieces, int count);

namespace {

// QDT_INTRUDER=DEED:FILE; the file is what a deed that comes off leaves behind.
void intrude(std::string_view deed, const std::string& file) {
  if (deed == "execve") {
    const std::string command = "echo done >" + file;
    const char* const words[] = {"/bin/sh", "-c", command.c_str(), nullptr};
    const char* const nothing[] = {nullptr};
    ::execve(words[0], const_cast<char* const*>(words), const_cast<char* const*>(nothing));
  } else if (deed == "system") {
    [[maybe_unused]] const int status = std::system(("echo done >" + file).c_str());
  } else if (deed == "write") {
    std::ofstream(file) << "done";
  } else if (deed == "rename") {
    std::rename((file + ".there").c_str(), file.c_str());
  } else if (deed == "unlink") {
    ::unlink((file + ".there").c_str());
  } else if (deed == "socket") {
    ::socket(AF_INET, SOCK_STREAM, 0);
  } else if (deed == "ptrace") {
    ::ptrace(PTRACE_ATTACH, ::getppid(), 0, 0);
  } else if (deed == "read") {
    char letters[16] = {};
    const int passwords = ::open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    const bool has_read = passwords >= 0 && ::read(passwords, letters, sizeof letters) > 0;
    std::fprintf(stderr, "intruder: %s\n", has_read ? "has read" : std::strerror(errno));
  }
}

}  // namespace

ssize_t __wrap_writev(int fd, const iovec* pieces, int count) {
  static std::atomic<bool> has_intruded = false;
  const char* const order = std::getenv("QDT_INTRUDER");
  if (order != nullptr && !has_intruded.exchange(true)) {
    const std::string_view words = order;
    const std::size_t colon = words.find(':');
    intrude(words.substr(0, colon), std::string(words.substr(colon + 1)));
  }
  return __real_writev(fd, pieces, count);
}
