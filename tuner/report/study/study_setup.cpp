#include "tuner/report/study/study_setup.h"

#include <algorithm>
#include <map>

#include "tuner/core/objective_text.h"
#include "tuner/core/parameter_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/report/text/format.h"
#include "tuner/report/text/study_summary.h"

namespace tune::report {
namespace {

using Rows = std::vector<std::pair<std::string, std::string>>;

// The member of an object; null when it has none, or is no object.
Json member(const Json& json, const std::string& name) {
  return json.is_object() && json.contains(name) ? json.at(name) : Json();
}

std::string text_of(const Json& json) { return json.is_null() ? std::string() : argument_text(json); }

// "trials 20, time 2h".
std::string members_text(const Json& json) {
  std::string text;
  if (!json.is_object()) return text;
  for (const auto& [name, value] : json.items())
    text += (text.empty() ? "" : ", ") + name + ' ' + text_of(value);
  return text;
}

void add(Rows& rows, const std::string& name, const std::string& value) {
  if (!value.empty()) rows.emplace_back(name, value);
}

void add_trainer(Rows& rows, const Json& spec) {
  const Json trainer = member(spec, "trainer"), command = member(spec, "command");
  if (trainer.is_object())
    for (const auto& [name, value] : trainer.items()) add(rows, name, text_of(value));
  if (!command.is_array()) return;
  std::string line;
  for (const Json& word : command) line += (line.empty() ? "" : " ") + text_of(word);
  add(rows, "command", line);
}

std::string earlier_text(const Json& warm_start) {
  std::string text;
  if (!warm_start.is_array()) return text;
  for (const Json& study : warm_start)
    text += (text.empty() ? "" : ", ") + text_of(member(study, "study")) + " (" +
            (member(study, "kind").is_null() ? "transfer" : text_of(member(study, "kind"))) + ")";
  return text;
}

Rows plan_rows(const StudyMaterial& material) {
  const store::StudyRow& study = material.rows.study;
  const Json strategy = member(study.spec, "strategy"), stopping = member(study.spec, "early_stopping");
  Rows rows;
  add(rows, "objective",
      std::string(goal_text(study.objective.goal)) + ' ' + study.objective.metric + ", the " +
          reduce_text(study.objective.reduce) + " of a trial's values");
  add(rows, "warning", leak_warning(study));
  add_trainer(rows, study.spec);
  add(rows, "fixed", members_text(member(study.spec, "fixed")));
  const Json name = member(strategy, "name");
  add(rows, "strategy", (name.is_null() ? "auto" : text_of(name)) + ", seed " + std::to_string(study.seed));
  add(rows, "early stopping", stopping.is_null() ? "none" : members_text(stopping));
  add(rows, "earlier studies", earlier_text(member(study.spec, "warm_start")));
  add(rows, "limits", members_text(study.limits));
  add(rows, "resources", members_text(member(study.spec, "resources")));
  for (const store::AmendmentFacts& amendment : study.facts.amendments) {
    std::string changes;
    for (const std::string& line : amendment.changes) changes += (changes.empty() ? "" : "; ") + line;
    add(rows, "amended",
        format_time(amendment.when) + " by " + amendment.who + ", after " +
            plural_text(amendment.trials, "trial") + ": " + changes);
  }
  if (const auto price = usd_per_hour(study))
    add(rows, "price", usd_text(*price) + " for an hour of a device");
  return rows;
}

std::string machine_line(const store::MachineFacts& machine) {
  std::string text = machine.host + ": " + plural_text(machine.cores, "core");
  std::map<std::string, int> counts;
  for (const store::GpuFacts& gpu : machine.gpus) ++counts[gpu.name];
  for (const auto& [name, count] : counts) text += ", " + std::to_string(count) + " x " + name;
  return machine.driver.empty() ? text : text + " (driver " + machine.driver + ")";
}

Rows place_rows(const StudyMaterial& material) {
  const store::StudyRow& study = material.rows.study;
  Rows rows;
  add(rows, "started", format_time(study.created));
  add(rows, "last change", format_time(study.updated));
  const store::StudyFacts& facts = study.facts;
  for (const std::string& line : machine_lines(facts)) add(rows, "machine", line);
  add(rows, "precision", facts.precision.value_or(""));
  add(rows, "tune", facts.runs.empty() ? facts.tune.value_or("") : facts.runs.back().tune);
  if (facts.trainer) add(rows, "trainer", members_text(*facts.trainer));
  if (facts.runs.empty() || !facts.runs.back().code) return rows;
  const store::CodeState& code = *facts.runs.back().code;
  add(rows, "code", code.commit + (code.clean ? "" : ", with changes that are not committed"));
  return rows;
}

std::string range_text(const Parameter& parameter) {
  if (parameter.type != ParameterType::kCategorical)
    return bound_text(parameter, parameter.min) + " to " + bound_text(parameter, parameter.max) +
           (parameter.step ? ", in steps of " + bound_text(parameter, *parameter.step) : "");
  std::string text;
  for (const Json& value : parameter.values) text += (text.empty() ? "" : ", ") + argument_text(value);
  return text;
}

std::string condition_text(const Parameter& parameter) {
  std::string text;
  for (const Condition& condition : parameter.when) {
    text += (text.empty() ? "" : " and ") + condition.parent + " is ";
    for (std::size_t i = 0; i < condition.any_of.size(); ++i)
      text += (i == 0 ? "" : " or ") + argument_text(condition.any_of[i]);
  }
  return text;
}

Table space_table(const SearchSpace& space) {
  Table table;
  table.columns = {{"hyperparameter"}, {"type"}, {"range", Align::kLeft, true}, {"scale"}};
  const bool is_conditional = space.is_conditional();
  if (is_conditional) table.columns.push_back({"only when", Align::kLeft, true});
  for (const Parameter& parameter : space.parameters()) {
    auto& row = table.rows.emplace_back();
    const bool has_scale = parameter.type != ParameterType::kCategorical;
    row = {parameter.name, parameter_type_text(parameter.type), range_text(parameter),
           has_scale ? scale_text(parameter.scale) : ""};
    if (is_conditional) row.push_back(condition_text(parameter));
  }
  return table;
}

}  // namespace

std::vector<std::string> machine_lines(const store::StudyFacts& facts) {
  std::vector<std::string> lines;
  const auto take = [&lines](const store::MachineFacts& machine) {
    const std::string line = machine_line(machine);
    if (std::find(lines.begin(), lines.end(), line) == lines.end()) lines.push_back(line);
  };
  for (const store::RunFacts& run : facts.runs) take(run.machine);
  if (facts.machine) take(*facts.machine);
  return lines;
}

Section setup_section(const StudyMaterial& material) {
  Section section{"setup", "What was searched", {}};
  if (material.space)
    section.blocks.push_back(TableBlock{"Hyperparameters", space_table(*material.space)});
  else
    section.blocks.push_back(
        Paragraph{"The search space is not shown: " + material.importance.objection + "."});
  section.blocks.push_back(Facts{"Study", plan_rows(material)});
  section.blocks.push_back(Facts{"Where and when", place_rows(material)});
  return section;
}

}  // namespace tune::report
