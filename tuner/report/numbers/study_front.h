#pragma once
// The front of a study with two objectives.
#include <array>
#include <optional>
#include <vector>

#include "tuner/core/preference.h"
#include "tuner/report/numbers/study_rows.h"

namespace tune::report {

struct StudyFront {
  std::array<Objective, 2> objectives;
  // Completed trials that no other one beats in both, the best by the first objective first; of equals the
  // first.
  std::vector<store::TrialRow> trials;
  std::optional<Preference> preference;  // the spec's
  // The place of the trial that it takes; nullopt where the spec prefers nothing, or no trial keeps to its
  // bounds.
  std::optional<std::size_t> preferred;

  bool has(int trial) const;
};

// nullopt for a study with one objective.
std::optional<StudyFront> study_front(const StudyRows& rows);

}  // namespace tune::report
