#include "os/linux/nftables.h"

#include <fcntl.h>
#include <sys/socket.h>
// After <sys/socket.h>: it brings kernel headers that need its types.
#include <arpa/inet.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <nftables/libnftables.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string_view>
#include <system_error>

#include "os/linux/netlink_attribute.h"
#include "os/linux/system_error.h"
#include "os/linux/unique_fd.h"

namespace qdt::os {
namespace {

constexpr std::string_view kNoSuchThing = "No such file or directory";
constexpr std::string_view kModules =
    "; if the kernel is short of a module: modprobe -a nf_tables nft_chain_nat nft_masq nft_socket "
    "nft_fib_inet";

using Context = std::unique_ptr<nft_ctx, NftOwner::FreeContext>;

Result<Context> open_context() {
  // libnftables ends the process when it gets no socket, so ask first.
  const UniqueFd probe(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  if (!probe.is_open() && errno == EPROTONOSUPPORT) {
    return fail("open nftables: the kernel has no netfilter; modprobe nf_tables");
  }
  if (!probe.is_open()) return os_error("open nftables");

  Context context(nft_ctx_new(NFT_CTX_DEFAULT));
  if (!context) return fail("open nftables: out of memory");
  nft_ctx_buffer_output(context.get());
  nft_ctx_buffer_error(context.get());
  return context;
}

// libmnl opens its sockets without FD_CLOEXEC: a program that is started meanwhile would hold one
// open, and with it the tables that it owns.
void keep_sockets_from_programs() {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", error)) {
    const int fd = std::atoi(entry.path().filename().c_str());
    int protocol = 0;
    socklen_t bytes = sizeof protocol;
    int domain = 0;
    if (::getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &bytes) < 0 || domain != AF_NETLINK) {
      continue;
    }
    if (::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &bytes) < 0) continue;
    if (protocol == NETLINK_NETFILTER) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
  }
}

// nft explains itself in several lines: the complaint, the place, a marker below it.
std::string first_line(std::string_view text) {
  constexpr std::string_view kLabel = "Error: ";
  if (const auto label = text.find(kLabel); label != std::string_view::npos) {
    text.remove_prefix(label + kLabel.size());
  }
  return std::string(text.substr(0, text.find('\n')));
}

std::string explain(const std::string& complaint) {
  if (complaint.contains("Operation not permitted")) {
    return complaint + "; " + std::string(kNeedsNetAdmin);
  }
  // The kernel answers ENOENT or EOPNOTSUPP for an expression or chain type that it does not know.
  if (complaint.contains("Could not process rule") &&
      (complaint.contains(kNoSuchThing) || complaint.contains("not supported"))) {
    return complaint + std::string(kModules);
  }
  return complaint;
}

Result<void> run(nft_ctx* context, const std::string& commands) {
  if (nft_run_cmd_from_buffer(context, commands.c_str()) == 0) return {};
  return fail("nftables: " + explain(first_line(nft_ctx_get_error_buffer(context))));
}

}  // namespace

void NftOwner::FreeContext::operator()(nft_ctx* context) const {
  nft_ctx_free(context);
}

Result<NftOwner> NftOwner::run(const std::string& commands) {
  auto context = open_context();
  if (!context) return fail(context);
  keep_sockets_from_programs();
  if (const auto done = os::run(context->get(), commands); !done) return fail(done);
  return NftOwner(std::move(*context));
}

Result<void> run_nft(const std::string& commands) {
  const auto context = open_context();
  if (!context) return fail(context);
  return run(context->get(), commands);
}

Result<std::string> list_nft(const std::string& command) {
  const auto context = open_context();
  if (!context) return fail(context);
  nft_ctx_output_set_flags(context->get(), NFT_CTX_OUTPUT_JSON | NFT_CTX_OUTPUT_STATELESS);
  if (nft_run_cmd_from_buffer(context->get(), command.c_str()) != 0) {
    return fail("nftables: " + command + ": " +
                explain(first_line(nft_ctx_get_error_buffer(context->get()))));
  }
  return std::string(nft_ctx_get_output_buffer(context->get()));
}

Result<std::string> nft_table_text(const std::string& name) {
  const auto context = open_context();
  if (!context) return fail(context);
  nft_ctx_output_set_flags(context->get(), NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_NUMERIC_ALL);
  const std::string command = "list table inet " + name;
  if (nft_run_cmd_from_buffer(context->get(), command.c_str()) != 0) {
    return fail("nftables: " + command + ": " +
                explain(first_line(nft_ctx_get_error_buffer(context->get()))));
  }
  return std::string(nft_ctx_get_output_buffer(context->get()));
}

Result<std::uint32_t> nft_generation() {
  const std::string doing = "ask nftables for its generation";
  const UniqueFd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER));
  struct {
    nlmsghdr header;
    nfgenmsg body;
  } request{};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_GETGEN;
  request.header.nlmsg_flags = NLM_F_REQUEST;
  if (::send(socket.get(), &request, sizeof request, 0) < 0) return os_error(doing);
  alignas(nlmsghdr) std::array<char, 1024> buffer{};
  const ssize_t bytes = ::recv(socket.get(), buffer.data(), buffer.size(), 0);
  if (bytes < 0) return os_error(doing);
  const auto& reply = *reinterpret_cast<const nlmsghdr*>(buffer.data());
  const bool is_whole = mnl_nlmsg_ok(&reply, static_cast<int>(bytes));
  const nlattr* number = is_whole && reply.nlmsg_type != NLMSG_ERROR
                             ? find_attribute(reply, sizeof(nfgenmsg), NFTA_GEN_ID)
                             : nullptr;
  if (number == nullptr) return fail(doing + ": it does not tell");
  return ntohl(mnl_attr_get_u32(number));
}

Result<Change> delete_nft_table(const std::string& name) {
  const auto deleted = run_nft("delete table inet " + name + "\n");
  if (deleted) return Change::kMade;
  if (deleted.error().message.contains(kNoSuchThing)) return Change::kNotNeeded;
  return fail(deleted);
}

}  // namespace qdt::os
