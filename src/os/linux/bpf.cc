#include "os/linux/bpf.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

#include "os/linux/system_error.h"

namespace qdt::os::bpf {

Result<UniqueFd> call_kernel(int command, const bpf_attr& request, const std::string& what) {
  UniqueFd fd(static_cast<int>(::syscall(SYS_bpf, command, &request, sizeof request)));
  if (fd.is_open()) return fd;
  if (errno == EPERM) {
    return fail(what +
                ": not permitted; needs CAP_BPF: run as root, or give the service "
                "AmbientCapabilities=CAP_BPF");
  }
  return os_error(what);
}

Result<UniqueFd> make_array(std::size_t value_bytes, std::size_t values, const std::string& what) {
  bpf_attr request{};
  request.map_type = BPF_MAP_TYPE_ARRAY;
  request.key_size = sizeof(std::uint32_t);
  request.value_size = static_cast<std::uint32_t>(value_bytes);
  request.max_entries = static_cast<std::uint32_t>(values);
  request.map_flags = BPF_F_MMAPABLE;
  return call_kernel(BPF_MAP_CREATE, request, what);
}

Result<UniqueFd> load_program(std::span<const bpf_insn> program, const std::string& what) {
  bpf_attr request{};
  request.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
  request.insns = reinterpret_cast<std::uintptr_t>(program.data());
  request.insn_cnt = static_cast<std::uint32_t>(program.size());
  request.license = reinterpret_cast<std::uintptr_t>("MIT");
  return call_kernel(BPF_PROG_LOAD, request, what);
}

}  // namespace qdt::os::bpf
