#include "tuner/live/stored_spec.h"

#include "tuner/core/error.h"
#include "tuner/metrics/regex_objection.h"
#include "tuner/report/numbers/study_rows.h"

namespace tune::live {

Spec read_stored_spec(const store::StudyRow& row, const std::filesystem::path& folder,
                      const std::string& file) {
  if (!report::is_text_of_study(row))
    throw DamagedFile(file + ": the text of the spec of \"" + row.name +
                      "\" is not the spec that the study has");
  return parse_spec(row.spec_text, "the stored spec of " + row.name, folder, SpecUse::kRun,
                    metrics::regex_objection);
}

}  // namespace tune::live
