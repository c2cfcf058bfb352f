#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/result.h"
#include "os/linux/change.h"

struct nft_ctx;

namespace qdt::os {

/// Owns the tables that its commands make with `flags owner` (Linux 5.12): nobody else can change
/// or delete them, `nft flush ruleset` passes them over, and they go with the object or with the
/// process, however it ends. It runs commands once: a second run might come by another socket,
/// which libnftables opens when somebody else changes tables at the same time.
class NftOwner {
 public:
  static Result<NftOwner> run(const std::string& commands);

  struct FreeContext {
    void operator()(nft_ctx* context) const;
  };

 private:
  explicit NftOwner(std::unique_ptr<nft_ctx, FreeContext> context) : context_(std::move(context)) {}
  std::unique_ptr<nft_ctx, FreeContext> context_;
};

/// Runs commands in nft(8)'s language as one transaction: all of them take effect, or none. Errors
/// quote nftables and name the kernel module that seems to be missing.
Result<void> run_nft(const std::string& commands);

/// The output of a command such as `list chains`, in JSON (libnftables-json(5)).
Result<std::string> list_nft(const std::string& command);

/// The table `inet NAME` in nft(8)'s language, without what packets change (counters). Equal texts
/// are equal tables.
Result<std::string> nft_table_text(const std::string& name);

/// A number that the kernel counts up with every change of any table, of this network namespace.
Result<std::uint32_t> nft_generation();

/// Deletes the table `inet NAME` with all that is in it.
Result<Change> delete_nft_table(const std::string& name);

}  // namespace qdt::os
