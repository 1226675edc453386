#pragma once
// A tuning job of SageMaker becomes a spec, or several.
#include <optional>
#include <string>
#include <vector>

#include "tuner/import/import_report.h"
#include "tuner/import/path_map.h"
#include "tuner/spec/spec.h"

namespace tune::amt {

// What a request cannot say.
struct ImportOptions {
  std::vector<std::string> command;    // empty: what the request tells of it
  PathMap paths;                       // where the data lies
  std::optional<double> usd_per_hour;  // of one GPU
  std::string definition;              // that one of several; "": all
  RegexCheck check;                    // of regexes, as for specs
};

struct ImportedSearch {
  std::string study, definition;
  OrderedJson spec;
  bool is_trainable = false;  // whether the spec says how a trial is trained
};

struct Import {
  std::vector<ImportedSearch> searches;
  ImportReport report;
};

// `name` is the file's, for messages. Throws SpecError with everything that is wrong with the request, by
// SageMaker's own rules and by those of specs, at its places in the request; Error(kUsage) for a definition
// that is not there.
Import import_request(const std::string& text, const std::string& name, const ImportOptions& options);

}  // namespace tune::amt
