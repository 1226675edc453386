#include "tuner/compare/comparison_notices.h"

#include <algorithm>

#include "tuner/core/error.h"

namespace tune::compare {
namespace {

constexpr const char* kBegun = "begun";

engine::Notifier::Parts parts_of(const Comparison& comparison, const std::filesystem::path& store,
                                 const engine::Interruption& interruption) {
  return {comparison.notify,
          comparison.folder,
          {{kStudyVariable, comparison.name}, {kStoreVariable, store.string()}},
          {{"comparison", comparison.name}, {"store", store.string()}},
          [&interruption] { return std::max(0, interruption.count.load() - 1); }};
}

std::string state_of(const engine::Delivery& told) {
  if (told.end == engine::Delivery::End::kFailed) return told.problem;
  return told.end == engine::Delivery::End::kTold ? "told" : "passed over";
}

}  // namespace

ComparisonNotices::ComparisonNotices(const ComparisonRequest& request, const std::filesystem::path& store,
                                     store::ComparisonFacts& facts, const ComparisonHooks& hooks,
                                     const engine::Interruption& interruption)
    : facts_(facts), hooks_(hooks), notifier_(parts_of(request.comparison, store, interruption)) {}

void ComparisonNotices::tell(store::ComparisonStore& record, const engine::Notice& notice) {
  if (!notifier_.wants(notice.on) || !facts_.told.emplace(notice.key, kBegun).second) return;
  try {
    record.update_facts(store::to_json(facts_));
  } catch (const Error&) {
    if (notice.on != NotifyOn::kFailed) throw;
  }
  notifier_.tell(notice);
}

void ComparisonNotices::finish(store::ComparisonStore& record) {
  notifier_.wait();
  const std::vector<engine::Delivery> all = notifier_.take_told();
  if (all.empty()) return;
  for (const engine::Delivery& told : all) {
    std::string& state = facts_.told[told.key];
    if (state == kBegun || told.end == engine::Delivery::End::kFailed) state = state_of(told);
    if (told.end == engine::Delivery::End::kFailed) hooks_.notice(told.problem);
  }
  record.update_facts(store::to_json(facts_));
}

}  // namespace tune::compare
