#pragma once
// Tells the commands of a comparison's `notify` how it stands.
#include <set>
#include <string>

#include "store/comparison_facts.h"
#include "store/comparison_store.h"
#include "tuner/compare/comparison_run.h"
#include "tuner/engine/study/notifier.h"

namespace tune::compare {

// Of the comparison as a whole: its end, a failure, its budget. What is better than all before it is told by
// the studies that search. Each key is recorded among the comparison's facts before a command is told, so
// none is told twice, and again with what became of it. Owned by the run of the comparison, on its thread.
class ComparisonNotices {
 public:
  // Throws Error(kEnvironment) where a variable is not set that a command is to get.
  ComparisonNotices(const ComparisonRequest& request, const std::filesystem::path& store,
                    store::ComparisonFacts& facts, const ComparisonHooks& hooks,
                    const engine::Interruption& interruption);

  // Never waits. A failure is told even where it cannot be recorded.
  void tell(store::ComparisonStore& record, const engine::Notice& notice);
  // Waits until every command has ended, and says which have failed.
  void finish(store::ComparisonStore& record);

 private:
  store::ComparisonFacts& facts_;
  const ComparisonHooks& hooks_;
  engine::Notifier notifier_;
};

}  // namespace tune::compare
