#pragma once
// Trains a comparison's studies within its budget.
#include <cstddef>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "store/comparison_store.h"
#include "tuner/compare/comparison.h"
#include "tuner/compare/comparison_ledger.h"
#include "tuner/compare/comparison_notices.h"
#include "tuner/compare/comparison_run.h"

namespace tune::compare {

// What the study of an approach gives to be frozen, without numbers: the winner of a search, else every run
// that completed. Nothing of a study that is not there.
std::vector<store::FrozenModel> completed_models(const std::filesystem::path& store,
                                                 const Comparison& comparison, const ComparisonLedger& ledger,
                                                 std::size_t approach, StudyRole role);

// One study after the other, each continued where it was interrupted; what the budget does not pay for is
// left out, recorded and said. Owned by the run of the comparison, on its thread. It freezes and scores
// nothing.
class ComparisonTraining {
 public:
  struct Parts {
    const std::filesystem::path& store;
    const Comparison& comparison;
    const std::string& version;  // of this program
    store::ComparisonFacts& facts;
    store::ComparisonStore& record;  // of those facts
    const ComparisonLedger& ledger;
    const ComparisonHooks& hooks;
    ComparisonNotices& notices;
    const Clock& clock;
    engine::Interruption& interruption;
  };
  explicit ComparisonTraining(const Parts& parts) : parts_(parts) {}

  // Every study of the approach. Throws Error(kInterrupted) for a signal; what run_study() throws.
  void train(std::size_t approach);

 private:
  struct SearchEnd {
    int trials = 0;
    int whole_trainings = 0;  // that its device time pays for
    std::optional<ParameterSet> winner;
  };
  // Whether the study ran, or is there.
  bool run_role(std::size_t approach, StudyRole role, std::optional<int> trials,
                const ParameterSet& winner = {});
  SearchEnd search_end(std::size_t approach, StudyRole role) const;
  bool is_done(const Spec& spec) const;
  // Sooner than when all training has ended: a trial that did not print the test's metric has no score.
  void require_printed_scores(std::size_t approach, StudyRole role) const;
  // A search that went on has another winner now, and what was made of the one before is no part of the
  // comparison any more.
  void set_aside_if_other(const std::string& name, const Spec& spec);
  // Whether a study that has ended at its share of the budget has more of it now.
  bool take_up_cut(const std::string& name, const Spec& spec, std::optional<double> share);
  // Says and records that a study has ended at its share of the budget, not at a limit of its own.
  void note_cut(const std::string& name, const Spec& spec);
  void record_for_lack_of_budget(std::map<std::string, std::string>& cut, const std::string& study,
                                 const std::string& what);

  const Parts parts_;
};

}  // namespace tune::compare
