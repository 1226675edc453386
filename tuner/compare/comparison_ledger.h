#pragma once
// What a comparison's studies have taken of its budget, and what one of them may take.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "store/comparison_facts.h"
#include "store/study_store.h"
#include "tuner/compare/comparison.h"

namespace tune::compare {

// How many whole trainings the device time of an ended study would have paid for, at what its completed
// trials took on average: what another way to spend that time may have. At most as many as the study had
// trials, and that many where none completed.
int whole_trainings(const std::vector<store::TrialRow>& trials,
                    const std::vector<store::AttemptRow>& attempts);

// Looks at the studies anew each time it is asked, and keeps nothing. Owned by the run of the comparison, on
// its thread; writes nothing.
class ComparisonLedger {
 public:
  // `facts` are the comparison's, as they are whenever something is asked.
  ComparisonLedger(const std::filesystem::path& store, const Comparison& comparison,
                   const store::ComparisonFacts& facts, const Clock& clock)
      : store_folder_(store), comparison_(comparison), facts_(facts), clock_(clock) {}

  std::optional<store::StudyStore> study_store(
      const std::string& study) const;  // nullopt where there is none
  // Whether the comparison has more budget now than `document`, a file of the same comparison, gave it.
  bool has_more_budget_than(const Json& document) const;
  // What the study may take of the comparison's budget, in device seconds; nullopt without one.
  std::optional<double> share_of_budget(const std::string& study) const;
  // What one trial of the approach takes: as its studies have it so far, else as predicted for `study`; 0
  // where nobody knows.
  double trial_seconds(std::size_t approach, const std::string& study) const;

 private:
  double budget_seconds(const Limits& budget) const;
  double spent_beside(const std::string& study) const;  // by everything else
  double spent_by(const std::string& study) const;

  const std::filesystem::path store_folder_;
  const Comparison& comparison_;
  const store::ComparisonFacts& facts_;
  const Clock& clock_;
};

}  // namespace tune::compare
