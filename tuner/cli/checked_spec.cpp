#include "tuner/cli/checked_spec.h"

#include <ostream>

#include "tuner/core/visible_text.h"
#include "tuner/engine/attempt/set_up_check.h"
#include "tuner/engine/study/trainer_check.h"
#include "tuner/metrics/regex_objection.h"

namespace tune::cli {

CheckedSpec read_checked_spec(const std::filesystem::path& file) {
  CheckedSpec checked{read_spec(file, SpecUse::kRun, metrics::regex_objection), std::nullopt};
  if (!checked.spec.trainer) {
    warn_of_set_up(checked.spec);
    return checked;
  }
  checked.trainer = engine::find_builtin_trainer();
  std::vector<Problem> problems = engine::trainer_problems(checked.spec, checked.trainer->description);
  if (!problems.empty()) {
    locate_problems(checked.spec.text, problems);
    throw SpecError(checked.spec.file, std::move(problems));
  }
  engine::apply_builtin_trainer(checked.spec, *checked.trainer, checked.spec.file, checked.spec.text);
  return checked;
}

void warn_of_set_up(Spec& spec) {
  engine::SetUpProblems found = engine::set_up_problems(spec);
  std::vector<Problem> problems = std::move(found.fatal);
  problems.insert(problems.end(), found.warnings.begin(), found.warnings.end());
  locate_problems(spec.text, problems);
  spec.warnings.insert(spec.warnings.end(), problems.begin(), problems.end());
}

void print_warnings(const Spec& spec, std::ostream& out) {
  for (const Problem& warning : spec.warnings) {
    out << "warning: " << visible_text(spec.file) << ':' << warning.line << ':' << warning.column << ' '
        << visible_text(warning.pointer) << ": " << visible_text(warning.message) << '\n';
    if (!warning.hint.empty()) out << "  " << visible_text(warning.hint) << '\n';
  }
}

}  // namespace tune::cli
