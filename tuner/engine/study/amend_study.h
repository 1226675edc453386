#pragma once
// Another search space for a study that has begun.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/spec/spec.h"

namespace tune::engine {

struct AmendRequest {
  std::filesystem::path store;
  Spec spec;              // `study` is the study's name; a built-in trainer has been applied
  std::string spec_text;  // as written
  std::map<std::string, Json> assume = {};  // what earlier trials had of the parameters that are new
  bool force = false;  // even where the best trial, or all of them, are no points of the new space
  std::string who;
};

struct AmendReport {
  std::vector<std::string> changes;         // a line each; empty: the spec is the study's already
  std::map<std::string, Json> assumed;      // in force
  int trials = 0;                           // of the search, without deleted ones and exact repeats
  std::map<int, std::string> outside = {};  // those of them that are no points of the new space, and why
  std::vector<std::string> notices = {};
};

// The study has this spec from now on, and earlier trials stay in use where they are points of its space.
// The old document stays in the study's event "spec_amended". Throws Error(kConflict) when somebody works on
// the study, for changes that are no amendment (SpecAmendment), and without `force` where the best or the
// promoted trial would be outside; Error(kUsage) for a new parameter of which nothing says what earlier
// trials had; Error(kNotFound).
AmendReport amend_study(const AmendRequest& request, const Clock& clock);

}  // namespace tune::engine
