#include "tuner/import/search_draft.h"

#include <array>
#include <utility>

namespace tune::amt {
namespace {

constexpr std::array kSections{"study",          "objective",   "parameters", "fixed",     "trainer",
                               "command",        "environment", "metrics",    "strategy",  "warm_start",
                               "early_stopping", "limits",      "retry",      "resources", "cost"};

}  // namespace

SearchDraft::SearchDraft(std::string study, ImportReport& report)
    : study_(std::move(study)), report_(report) {
  // Names that are numbers are keys too, so no section begins as an array by itself.
  for (const char* section : {"parameters", "fixed", "environment"}) spec_[section] = OrderedJson::object();
}

void SearchDraft::put(const std::string& to, OrderedJson value, const std::string& from, std::string note) {
  report_.mapped.push_back({study_, from, to, value, std::move(note), 0});
  origins_[to] = from;
  spec_[OrderedJson::json_pointer(to)] = std::move(value);
}

void SearchDraft::ignore(const std::string& from, OrderedJson value, std::string reason) {
  report_.ignored.push_back({from, std::move(value), std::move(reason), 0});
}

void SearchDraft::leave_out(const std::string& from, OrderedJson value, std::string reason) {
  report_.unmapped.push_back({from, std::move(value), std::move(reason), 0});
}

std::string SearchDraft::origin_of(std::string to) const {
  while (!to.empty()) {
    if (const auto origin = origins_.find(to); origin != origins_.end()) return origin->second;
    to.erase(to.rfind('/'));
  }
  return {};
}

OrderedJson SearchDraft::spec() const {
  OrderedJson spec = OrderedJson::object();
  for (const char* section : kSections)
    if (const auto found = spec_.find(section);
        found != spec_.end() && !(found->is_structured() && found->empty()))
      spec[section] = *found;
  if (!spec.contains("parameters")) spec["parameters"] = OrderedJson::object();
  return spec;
}

}  // namespace tune::amt
