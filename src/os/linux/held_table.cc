#include "os/linux/held_table.h"

namespace qdt::os {

Result<void> HeldTable::set(const Form& form, Transaction& transaction) {
  const std::string plain = form(name_, "");
  if (plain == rules_) return {};
  const bool is_plain = is_set() && !owner_;
  if (!is_plain) {
    // The new one stands before the old one goes.
    auto owner = NftOwner::run(form(name_ + (is_first_ ? ".2" : ".1"), "flags owner;"));
    if (owner) {
      owner_ = std::move(*owner);
      is_first_ = !is_first_;
      rules_ = plain;
      return {};
    }
    if (owner_) return fail(owner);
  }
  const auto made = transaction.install_table(name_, [plain] { return run_nft(plain); });
  if (!made) return fail(made);
  rules_ = plain;
  return {};
}

void HeldTable::drop() {
  owner_.reset();
  rules_.clear();
}

}  // namespace qdt::os
