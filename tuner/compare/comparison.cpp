#include "tuner/compare/comparison.h"

#include <algorithm>
#include <set>

#include "tuner/compare/comparison_keys.h"
#include "tuner/core/edit_distance.h"
#include "tuner/metrics/regex_objection.h"
#include "tuner/spec/spec_file.h"
#include "tuner/spec/spec_sections.h"

namespace tune::compare {
namespace {

const std::string kApproaches = "/approaches", kSharedTrainer = "/trainer", kSharedCommand = "/command",
                  kTest = "/test";

// A deviation is one from something published: it would mean nothing for a recipe that nobody published.
void read_table(const std::string& pointer, Approach& approach, SpecProblems& problems) {
  if (read_value<std::string>(problems, pointer + "/table").value_or("") == "published")
    approach.table = ApproachTable::kPublished;
  const std::string place = pointer + "/deviations";
  const OrderedJson* list = problems.find(place);
  if (list == nullptr) return;
  for (std::size_t i = 0; i < list->size(); ++i)
    approach.deviations.push_back(read_value<std::string>(problems, element_pointer(place, i)).value_or(""));
  const bool is_misspelt =
      problems.contains(pointer + "/table") && problems.find(pointer + "/table") == nullptr;
  if (approach.table != ApproachTable::kPublished && !is_misspelt)
    problems.add_at_key(place, "only a published recipe has deviations",
                        "say \"table\": \"published\" beside it, or write a \"note\" instead");
}

void read_approaches(Comparison& comparison, SpecProblems& problems) {
  const OrderedJson* list = problems.find(kApproaches);
  if (list == nullptr) return;
  std::set<std::string> names;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string pointer = element_pointer(kApproaches, i);
    Approach approach;
    approach.name = read_value<std::string>(problems, pointer + "/name").value_or("");
    approach.note = read_value<std::string>(problems, pointer + "/note").value_or("");
    approach.has_search = problems.contains(pointer + "/search");
    approach.is_program = problems.contains(pointer + "/command") ||
                          (problems.contains(kSharedCommand) && !problems.contains(pointer + kSharedTrainer));
    read_table(pointer, approach, problems);
    if (!approach.name.empty() && !names.insert(approach.name).second)
      problems.add(pointer + "/name", "the approach " + in_quotes(approach.name) + " is there twice",
                   "give one of them another name");
    comparison.approaches.push_back(std::move(approach));
  }
}

// Whether it is said, once, what trains each approach: tune-train, or a program of its own.
bool check_trainers(const Comparison& comparison, SpecProblems& problems) {
  const std::string exclusive = "\"trainer\" and \"command\" exclude each other";
  const bool trainer = problems.contains(kSharedTrainer), command = problems.contains(kSharedCommand);
  bool is_sound = !(trainer && command);
  if (!is_sound)
    problems.add_at_key(kSharedCommand, exclusive,
                        "keep the one that trains most; an approach may have a \"command\" in its place");
  bool is_missing = false;
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
    const std::string pointer = element_pointer(kApproaches, i);
    const bool own_trainer = problems.contains(pointer + kSharedTrainer),
               own_command = problems.contains(pointer + kSharedCommand);
    is_missing |= !own_command && !trainer && !command;
    if (!own_trainer || (!own_command && trainer) || (!trainer && !command && !own_command)) continue;
    is_sound = false;
    if (own_command)
      problems.add_at_key(pointer + kSharedCommand, exclusive, "keep the one that trains this approach");
    else
      problems.add_at_key(pointer + kSharedTrainer, "the \"command\" at the top trains this approach too",
                          "put \"trainer\" at the top, and \"command\" into the approaches that it trains");
  }
  if (is_missing)
    problems.add("", "there is neither \"trainer\" nor \"command\", so nothing would train",
                 "add \"trainer\": {\"task\": ..., \"data\": ...} or \"command\": [\"python3\", "
                 "\"train.py\", \"--lr={{lr}}\"]");
  return is_sound && !is_missing;
}

// What makes the runs comparable is said once, for all.
void check_shared_keys(const Comparison& comparison, SpecProblems& problems) {
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i)
    for (const char* key : {"task", "data", "validation", "test", "split"}) {
      const std::string pointer = element_pointer(kApproaches, i) + "/trainer/" + key;
      if (problems.contains(pointer))
        problems.add_at_key(pointer, in_quotes(key) + " is the same for all approaches",
                            "move it to the trainer at the top");
    }
}

bool read_flag(SpecProblems& problems, const std::string& pointer) {
  const OrderedJson* value = problems.find(pointer);
  if (value == nullptr) return true;
  if (!value->is_boolean()) {
    problems.add(pointer, "must be true or false, but is " + describe_value(*value));
    return true;
  }
  return value->get<bool>();
}

// The fractions of a split that has a test part.
bool has_test_part(const OrderedJson& split) {
  if (!split.is_object() || !split.contains("fractions") || !split["fractions"].is_array()) return false;
  const OrderedJson& fractions = split["fractions"];
  return fractions.size() == 3 && fractions[2].is_number() && fractions[2].get<double>() > 0;
}

Limits read_budget(SpecProblems& problems) {
  Limits budget;
  budget.gpu_hours = read_value<double>(problems, "/limits/gpu_hours");
  budget.cost_usd = read_value<double>(problems, "/limits/cost_usd");
  if (problems.contains("/limits/cost_usd") && !problems.contains("/cost/usd_per_hour"))
    problems.add("/limits/cost_usd", "there is no price to count dollars with",
                 "add \"cost\": {\"usd_per_hour\": 3.06, \"date\": \"2026-11-21\"}");
  return budget;
}

// Whether the trainer at the top names test images, or cuts them from its data.
bool has_test_images(const SpecProblems& problems) {
  const OrderedJson* split = problems.find(kSharedTrainer + "/split");
  return problems.contains(kSharedTrainer + kTest) || (split != nullptr && has_test_part(*split));
}

// As the spec of a study that has this command and this objective: its reader knows all of the rules.
OrderedJson as_spec(const OrderedJson& test) {
  OrderedJson spec{{"study", "test"},
                   {"objective", {{"metric", test.value("metric", "")}, {"goal", test.value("goal", "")}}},
                   {"parameters", OrderedJson::object()},
                   {"strategy", {{"name", "random"}}},
                   {"limits", {{"trials", 1}}}};
  for (const char* key : {"command", "environment", "metrics"})
    if (test.contains(key)) spec[key] = test[key];
  return spec;
}

OwnTest read_own_test(const Comparison& comparison, SpecProblems& problems) {
  OwnTest test;
  if (has_test_images(problems))
    problems.add_at_key(kTest, "there are two tests: this one, and the test images of \"trainer\"",
                        "leave one of them out");
  if (!problems.is_sound(kTest)) return test;
  const OrderedJson& section = *problems.find(kTest);
  for (const char* key : {"environment", "metrics"})
    if (section.contains(key) && !section.contains("command"))
      problems.add_at_key(kTest + "/" + key, "there is no \"command\" in \"test\" that this could be for",
                          "what the trials print is read by the \"metrics\" of their own command");
  try {
    const Spec spec = parse_spec(as_spec(section).dump(), comparison.file, comparison.folder,
                                 SpecUse::kAskTell, metrics::regex_objection);
    test = {spec.objective.metric, spec.objective.goal, spec.command, spec.environment, spec.metrics};
  } catch (const SpecError& error) {
    const std::string objective = "/objective";
    for (const Problem& problem : error.problems())
      problems.add(kTest + (problem.pointer.starts_with(objective) ? problem.pointer.substr(objective.size())
                                                                   : problem.pointer),
                   problem.message, problem.hint);
  }
  return test;
}

// The trials' own metric tests them: it must be read from each, and must choose nothing.
void check_printed_test(const Comparison& comparison, SpecProblems& problems) {
  const std::string& metric = comparison.own_test->metric;
  if (!comparison.own_test->command.empty() || metric.empty()) return;
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
    const OrderedJson study = study_spec_document(comparison, i, StudyRole::kDefaults, 1);
    if (study.at("objective").value("metric", "") == metric)
      return problems.add(kTest + "/metric", "the models are chosen by this metric, so it is no test of them",
                          "name one that the trials print of data that nothing was chosen by");
    std::vector<std::string> names;
    if (study.contains("metrics"))
      for (const OrderedJson& one : study["metrics"]) names.push_back(one.at("name"));
    if (!comparison.approaches[i].is_program || names.empty()) continue;
    if (std::find(names.begin(), names.end(), metric) == names.end())
      problems.add(kTest + "/metric",
                   in_quotes(metric) + " is not among the metrics of the approach " +
                       in_quotes(comparison.approaches[i].name),
                   name_hint(metric, names, "its metrics are"));
  }
}

void require_test_of_programs(const Comparison& comparison, SpecProblems& problems) {
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
    if (!comparison.approaches[i].is_program) continue;
    const std::string own = element_pointer(kApproaches, i) + kSharedCommand;
    problems.add_at_key(problems.contains(own) ? own : kSharedCommand,
                        "nothing says how the models of this command are tested",
                        "add \"test\": {\"command\": [\"python3\", \"evaluate.py\", "
                        "\"--model={{output_dir}}\"], \"metric\": \"test:accuracy\", \"goal\": "
                        "\"maximize\"}; without a \"command\" there the trials print that metric");
    return;
  }
}

TestSet read_test_images(SpecProblems& problems) {
  TestSet test;
  const OrderedJson* split = problems.find(kSharedTrainer + "/split");
  const auto own = read_value<std::string>(problems, kSharedTrainer + "/test");
  const auto data = read_value<std::string>(problems, kSharedTrainer + "/data");
  const bool third = split != nullptr && has_test_part(*split);
  const bool by_image = split != nullptr && split->is_object() && split->contains("grouping") &&
                        split->at("grouping") == "image";
  test.data = own.value_or(data.value_or(""));
  test.validation_leaks = by_image;
  if (own && third)
    problems.add(kSharedTrainer + "/test", "there are two test sets: this one, and the third part of split",
                 "leave one of them out");
  if (third) {
    Json cut = *split;
    if (!cut.contains("grouping")) cut["grouping"] = "content";
    test.split = std::move(cut);
    test.leaks = by_image;
  }
  if (!own && !third && problems.is_sound(kSharedTrainer) && problems.contains(kSharedTrainer))
    problems.add(kSharedTrainer, "there are no test images",
                 "name a data set in \"test\", or give \"split\" a third part: {\"fractions\": [0.64, 0.16, "
                 "0.2]}");
  if (!data && problems.is_sound(kSharedTrainer) && problems.contains(kSharedTrainer))
    problems.add(kSharedTrainer, "\"data\" is missing", "name the data set to train on");
  return test;
}

// A mistake that a study's spec shows, where it was made. What is wrong there is said already, or above it.
void add_problem(const Comparison& comparison, std::size_t approach, const Problem& problem,
                 SpecProblems& problems) {
  const std::string pointer = comparison_pointer(comparison.document, approach, problem.pointer);
  for (std::string place = pointer;; place.erase(place.rfind('/'))) {
    if (problems.contains(place) && problems.find(place) == nullptr) return;
    if (place.empty()) break;
  }
  problems.add(pointer, problem.message, problem.hint);
}

void check_studies(const Comparison& comparison, SpecProblems& problems) {
  for (std::size_t i = 0; i < comparison.approaches.size(); ++i) {
    if (comparison.approaches[i].name.empty()) continue;
    std::vector<StudyRole> roles{StudyRole::kDefaults};
    const std::string search = element_pointer(kApproaches, i) + "/search";
    if (problems.find(search) != nullptr && problems.find(search + "/parameters") != nullptr)
      roles.push_back(StudyRole::kSearch);
    for (const StudyRole role : roles) {
      const std::optional<int> trials =
          role == StudyRole::kSearch ? std::nullopt : std::optional(comparison.seeds);
      try {
        parse_spec(study_spec_document(comparison, i, role, trials).dump(), comparison.file,
                   comparison.folder, SpecUse::kRun, metrics::regex_objection);
      } catch (const SpecError& error) {
        for (const Problem& problem : error.problems()) add_problem(comparison, i, problem, problems);
      }
    }
    const std::string longest = study_name(comparison, i, StudyRole::kRandomTuned);
    constexpr std::size_t kLongestStudy = 64;
    if (longest.size() > kLongestStudy)
      problems.add(element_pointer(kApproaches, i) + "/name",
                   "the study " + in_quotes(longest) + " would have a name of more than 64 characters",
                   "shorten this name, or the comparison's");
  }
}

void read_all(Comparison& comparison, SpecProblems& problems) {
  comparison.name = read_value<std::string>(problems, "/comparison").value_or("");
  read_approaches(comparison, problems);
  check_shared_keys(comparison, problems);
  comparison.seeds = read_value<int>(problems, "/seeds").value_or(comparison.seeds);
  comparison.resamples = read_value<int>(problems, "/resamples").value_or(comparison.resamples);
  comparison.seed = static_cast<std::uint64_t>(read_value<double>(problems, "/seed").value_or(0));
  comparison.best_of_seeds = read_flag(problems, "/controls/best_of_seeds");
  comparison.random_search = read_flag(problems, "/controls/random_search");
  comparison.usd_per_hour = read_value<double>(problems, "/cost/usd_per_hour");
  comparison.price_date = read_value<std::string>(problems, "/cost/date").value_or("");
  comparison.resources = read_resources(problems);
  comparison.parallel = read_value<int>(problems, "/limits/parallel");
  comparison.budget = read_budget(problems);
  comparison.notify = read_notify(problems);
  const auto is_broken = [&](const std::string& key) {
    return problems.contains(key) && problems.find(key) == nullptr;
  };
  const bool has_trainers = problems.find(kApproaches) != nullptr && check_trainers(comparison, problems);
  if (problems.contains(kTest)) {
    comparison.own_test = read_own_test(comparison, problems);
  } else {
    comparison.test = read_test_images(problems);
    if (has_trainers) require_test_of_programs(comparison, problems);
  }
  const bool is_whole = problems.find("/objective") != nullptr && has_trainers &&
                        !is_broken(kSharedTrainer) && !is_broken(kSharedCommand) && !comparison.name.empty();
  if (!is_whole) return;
  check_studies(comparison, problems);
  if (comparison.own_test && problems.is_sound("")) check_printed_test(comparison, problems);
}

}  // namespace

Comparison parse_comparison(const std::string& text, const std::string& name,
                            const std::filesystem::path& folder) {
  const PositionedJson source = parse_with_positions(text);
  if (!source.is_complete) throw SpecError(name, source.problems);
  SpecProblems problems(source);
  check_against_table(source.value, comparison_table(), "a comparison", problems);
  Comparison comparison;
  comparison.folder = std::filesystem::absolute(folder).lexically_normal();
  comparison.file = name;
  comparison.text = text;
  comparison.document = source.value;
  if (source.value.is_object()) read_all(comparison, problems);
  problems.refuse_any(name);
  return comparison;
}

Comparison read_comparison(const std::filesystem::path& file) {
  std::error_code unknown;
  if (std::filesystem::is_directory(file, unknown))
    throw SpecError(file.string(), {{0, 0, "", "this is a folder", "name the file in it"}});
  return parse_comparison(read_spec_file(file), file.string(), std::filesystem::absolute(file).parent_path());
}

}  // namespace tune::compare
