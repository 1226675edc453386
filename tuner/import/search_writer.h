#pragma once
// One definition of a request becomes one spec.
#include <string>

#include "tuner/import/amt_import.h"
#include "tuner/import/amt_request.h"
#include "tuner/import/search_draft.h"

namespace tune::amt {

// Its share of what the whole job has once.
struct Share {
  std::size_t index = 0, of = 1;
};

// The job's name, and the definition's where there are several.
std::string study_name(const Request& request, const Definition& definition, Share share);

// Writes whatever of the definition is sound. Adds problems for what only a spec refuses.
void write_search(const Request& request, const Definition& definition, Share share,
                  const ImportOptions& options, SpecProblems& problems, SearchDraft& draft);

}  // namespace tune::amt
