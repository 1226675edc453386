#include "tuner/cli/checked_spec.h"

#include <ostream>

#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"
#include "tuner/metrics/regex_objection.h"

namespace tune::cli {
namespace {

void add_regex_problems(const Spec& spec, std::vector<Problem>& problems) {
  const auto check = [&](const std::string& regex, const std::string& pointer) {
    if (const auto objection = metrics::regex_objection(regex))
      problems.push_back({0, 0, pointer, objection->message, objection->hint});
  };
  for (std::size_t i = 0; i < spec.metrics.size(); ++i) {
    const std::string pointer = element_pointer("/metrics", i);
    if (!spec.metrics[i].regex.empty()) check(spec.metrics[i].regex, pointer + "/regex");
    if (spec.metrics[i].step) check(*spec.metrics[i].step, pointer + "/step");
  }
}

void throw_if_any(const Spec& spec, std::vector<Problem> problems) {
  if (problems.empty()) return;
  locate_problems(spec.text, problems);
  throw SpecError(spec.file, std::move(problems));
}

}  // namespace

void check_regexes(const Spec& spec) {
  std::vector<Problem> problems;
  add_regex_problems(spec, problems);
  throw_if_any(spec, std::move(problems));
}

CheckedSpec read_checked_spec(const std::filesystem::path& file) {
  CheckedSpec checked{read_spec(file), std::nullopt};
  std::vector<Problem> problems;
  add_regex_problems(checked.spec, problems);
  if (checked.spec.trainer) {
    checked.trainer = engine::find_builtin_trainer();
    for (Problem& problem : engine::trainer_problems(checked.spec, checked.trainer->description))
      problems.push_back(std::move(problem));
  }
  throw_if_any(checked.spec, std::move(problems));
  if (checked.trainer)
    engine::apply_builtin_trainer(checked.spec, *checked.trainer, checked.spec.file, checked.spec.text);
  return checked;
}

void print_warnings(const Spec& spec, std::ostream& out) {
  for (const Problem& warning : spec.warnings) {
    out << "warning: " << spec.file << ':' << warning.line << ':' << warning.column << ' '
        << visible_text(warning.pointer) << ": " << visible_text(warning.message) << '\n';
    if (!warning.hint.empty()) out << "  " << warning.hint << '\n';
  }
}

}  // namespace tune::cli
