// What the trainer has to say of a comparison, before anything is run.
#include <filesystem>
#include <set>
#include <tuple>

#include "tuner/compare/comparison_run.h"
#include "tuner/core/error.h"
#include "tuner/core/json_positions.h"
#include "tuner/engine/study/trainer_check.h"

namespace tune::compare {

namespace fs = std::filesystem;

void check_comparison(const Comparison& comparison, const Json& description) {
  std::vector<Problem> problems;
  std::set<std::tuple<std::string, std::string>> seen;
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
    if (comparison.approaches[i].is_program) continue;  // nobody knows what it takes
    std::vector<StudyRole> roles{StudyRole::kDefaults};
    if (comparison.approaches[i].has_search) roles.push_back(StudyRole::kSearch);
    for (const StudyRole role : roles) {
      const bool own_limits = role == StudyRole::kSearch;
      const OrderedJson document = study_spec_document(
          comparison, i, role, own_limits ? std::nullopt : std::optional(comparison.seeds));
      const Spec spec = parse_spec(document.dump(), comparison.file, comparison.folder);
      for (Problem& problem : engine::trainer_problems(spec, description)) {
        problem.pointer = comparison_pointer(comparison.document, i, problem.pointer);
        if (seen.emplace(problem.pointer, problem.message).second) problems.push_back(std::move(problem));
      }
    }
  }
  if (!comparison.own_test && !comparison.task.scores_models)
    problems.push_back(
        {0, 0, "/trainer/task",
         "the task \"" + comparison.task.name +
             "\" does not both predict and score, so tune-train cannot test its models",
         "add \"test\" with a command that does, without \"test\" and a third part of \"split\" in "
         "the trainer: {\"command\": [\"python3\", \"evaluate.py\", \"{{output_dir}}\"], \"metric\": "
         "\"test:accuracy\", \"goal\": \"maximize\"}"});
  const fs::path test = comparison.folder / comparison.test.data;
  if (!comparison.own_test && !comparison.test.split && !fs::exists(test))
    problems.push_back({0, 0, "/trainer/test", "there is no " + test.lexically_normal().string(),
                        "relative paths start in the comparison's folder"});
  if (problems.empty()) return;
  locate_problems(comparison.text, problems);
  throw SpecError(comparison.file, std::move(problems));
}

}  // namespace tune::compare
