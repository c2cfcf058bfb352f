#include "os/linux/desired_state.h"

#include <algorithm>

#include "os/linux/nftables.h"

namespace qdt::os {
namespace {

bool contains(std::span<const UndoStep> steps, const UndoStep& step) {
  return std::ranges::find(steps, step) != steps.end();
}

// Whether both are about one setting or link, which can be in one state alone.
bool is_same_subject(const UndoStep& one, const UndoStep& other) {
  const auto* sysctl = std::get_if<RestoreSysctl>(&one);
  const auto* other_sysctl = std::get_if<RestoreSysctl>(&other);
  if (sysctl && other_sysctl) return sysctl->name == other_sysctl->name;
  const auto* link = std::get_if<RestoreLink>(&one);
  const auto* other_link = std::get_if<RestoreLink>(&other);
  if (link && other_link) return link->wrote.index == other_link->wrote.index;
  return one == other;
}

struct Rank {
  int operator()(const DeleteNftTable&) const { return 0; }
  // Before the settings of single interfaces, which it changes.
  int operator()(const RestoreForwarding&) const { return 1; }
  int operator()(const RestoreSysctl&) const { return 2; }
  int operator()(const RestoreLink&) const { return 3; }
  int operator()(const DeleteAddress&) const { return 4; }
  int operator()(const DeleteRoute&) const { return 5; }
  int operator()(const DeleteRule&) const { return 6; }
  template <typename Other>
  int operator()(const Other&) const {
    return 7;
  }
};

}  // namespace

KeptTable::KeptTable(std::string name, std::function<Result<void>()> make)
    : name_(std::move(name)), make_(std::move(make)), text_(nft_table_text(name_).value_or("")) {}

Result<Change> KeptTable::keep() {
  const auto text = nft_table_text(name_);
  if (text && *text == text_) return Change::kNotNeeded;
  if (auto made = make_(); !made) return fail(made);
  text_ = nft_table_text(name_).value_or("");
  return Change::kMade;
}

void DesiredState::add(const UndoStep& step) {
  std::erase(made_, step);  // the newest of what is about one setting counts
  made_.push_back(step);
  // Made otherwise than we know how to: as it is printed, it can be read.
  if (const auto* table = std::get_if<DeleteNftTable>(&step)) {
    const std::string name = "inet " + table->name;
    const std::string text = nft_table_text(table->name).value_or("");
    set_table(table->name, [commands = "add table " + name + "\ndelete table " + name + "\n" +
                                       text] { return run_nft(commands); });
  }
}

void DesiredState::add_found(const UndoStep& step) {
  std::erase_if(found_, [&](const UndoStep& other) { return is_same_subject(step, other); });
  found_.push_back(step);
}

void DesiredState::set_table(const std::string& name, std::function<Result<void>()> make) {
  std::erase_if(tables_, [&](const KeptTable& table) { return table.name() == name; });
  tables_.emplace_back(name, std::move(make));
  generation.reset();
}

void DesiredState::replace(const UndoStep& step, const UndoStep& with) {
  std::ranges::replace(made_, step, with);
}

std::vector<UndoStep> DesiredState::wanted(std::span<const UndoStep> journal) const {
  std::vector<UndoStep> wanted;
  const auto want = [&](const UndoStep& step) {
    std::erase_if(wanted, [&](const UndoStep& older) { return is_same_subject(older, step); });
    wanted.push_back(step);
  };
  std::ranges::for_each(found_, want);
  for (const UndoStep& step : made_) {
    if (contains(journal, step)) want(step);
  }
  std::ranges::stable_sort(wanted, {},
                           [](const UndoStep& step) { return std::visit(Rank(), step); });
  return wanted;
}

KeptTable* DesiredState::find_table(const std::string& name) {
  const auto place = std::ranges::find(tables_, name, &KeptTable::name);
  return place == tables_.end() ? nullptr : &*place;
}

}  // namespace qdt::os
