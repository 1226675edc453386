#include "tuner/spec/requirement.h"

#include <algorithm>

#include "tuner/core/objective_text.h"
#include "tuner/spec/spec_file.h"
#include "tuner/spec/spec_keys.h"
#include "tuner/spec/spec_problems.h"

namespace tune {
namespace {

namespace fs = std::filesystem;

std::string absolute(const std::string& path, const fs::path& folder) {
  return (folder / path).lexically_normal().string();
}

std::vector<std::string> texts_in(const Json& object, const char* key) {
  return object.value(key, std::vector<std::string>());
}

// A path within the version's folder.
bool leads_out(const std::string& path) {
  const fs::path normal = fs::path(path).lexically_normal();
  return normal.is_absolute() || normal.empty() || *normal.begin() == "..";
}

void check_bounds(const std::string& pointer, SpecProblems& problems) {
  const OrderedJson* metrics = problems.find(pointer);
  if (metrics == nullptr) return;
  for (const auto& item : metrics->items()) {
    const std::string place = member_pointer(pointer, item.key());
    const OrderedJson* bound = problems.find(place);
    if (bound == nullptr) continue;
    if (!bound->contains("min") && !bound->contains("max"))
      problems.add(place, "there is no bound", "give \"min\", \"max\" or both");
    else if (bound->contains("min") && bound->contains("max") && problems.is_sound(place) &&
             bound->at("min").get<double>() > bound->at("max").get<double>())
      problems.add(
          place,
          "no number is at least " + bound->at("min").dump() + " and at most " + bound->at("max").dump(),
          "swap them");
  }
}

}  // namespace

Requirement requirement_from(const Json& require, const fs::path& folder) {
  Requirement requirement;
  requirement.approved = require.contains("approval");
  if (require.contains("test")) requirement.test = absolute(require.at("test"), folder);
  requirement.options = texts_in(require, "options");
  requirement.scores = require.value("scores", "");
  const Json metrics = require.value("metrics", Json::object());
  for (const auto& [metric, bound] : metrics.items()) {
    MetricBound& one = requirement.metrics.emplace_back();
    one.metric = metric;
    if (bound.contains("min")) one.min = bound.at("min").get<double>();
    if (bound.contains("max")) one.max = bound.at("max").get<double>();
  }
  if (require.contains("not_worse")) {
    const Json& json = require.at("not_worse");
    NotWorse& rule = requirement.not_worse.emplace();
    rule.metric = json.at("metric");
    rule.margin = json.at("margin");
    rule.goal = goal_from(json.value("goal", goal_text(rule.goal)));
    rule.than = json.value("than", "");
    rule.level = json.value("level", rule.level);
    rule.resamples = json.value("resamples", rule.resamples);
  }
  for (const std::string& path : texts_in(require, "smoke"))
    requirement.smoke.push_back(absolute(path, folder));
  return requirement;
}

Json requirement_json(const Requirement& requirement) {
  Json json = Json::object();
  if (requirement.approved) json["approval"] = "approved";
  if (!requirement.test.empty()) json["test"] = requirement.test;
  if (!requirement.options.empty()) json["options"] = requirement.options;
  if (!requirement.scores.empty()) json["scores"] = requirement.scores;
  for (const MetricBound& bound : requirement.metrics) {
    Json& one = json["metrics"][bound.metric] = Json::object();
    if (bound.min) one["min"] = *bound.min;
    if (bound.max) one["max"] = *bound.max;
  }
  if (const auto& rule = requirement.not_worse) {
    json["not_worse"] = {{"metric", rule->metric},
                         {"margin", rule->margin},
                         {"goal", goal_text(rule->goal)},
                         {"level", rule->level},
                         {"resamples", rule->resamples}};
    if (!rule->than.empty()) json["not_worse"]["than"] = rule->than;
  }
  if (!requirement.smoke.empty()) json["smoke"] = requirement.smoke;
  return json;
}

void check_requirement(const std::string& pointer, SpecProblems& problems) {
  const OrderedJson* require = problems.find(pointer);
  if (require == nullptr || !require->is_object()) return;
  const auto has = [&](const char* key) { return require->contains(key); };
  const auto at = [&](const char* key) { return pointer + "/" + key; };
  if (!has("approval") && !has("metrics") && !has("not_worse") && !has("smoke"))
    problems.add(pointer, "nothing is required",
                 "give \"metrics\", \"not_worse\", \"smoke\" or \"approval\"");
  if (has("test") && has("scores"))
    problems.add_at_key(at("scores"), "\"test\" and \"scores\" exclude each other",
                        "numbers come from a held-out set or from a file of the version");
  for (const char* key : {"metrics", "not_worse"})
    if (has(key) && !has("test") && !has("scores"))
      problems.add_at_key(at(key), "nothing says where the numbers come from",
                          "name a held-out set, \"test\": \"data/test\", or a file that the trainer leaves "
                          "in its output, \"scores\": \"scores.json\"");
  if (has("options") && !has("test"))
    problems.add_at_key(at("options"), "\"options\" goes with \"test\"", "leave it out");
  const OrderedJson* scores = problems.find(at("scores"));
  if (scores != nullptr && leads_out(scores->get<std::string>()))
    problems.add(at("scores"), "it is no file of the version",
                 "name it as it lies in $TUNE_OUTPUT_DIR: \"scores.json\"");
  check_bounds(at("metrics"), problems);
}

Requirement read_requirement(const fs::path& file) {
  const std::string text = read_spec_file(file);
  const PositionedJson source = parse_with_positions(text);
  if (!source.is_complete) throw SpecError(file.string(), source.problems);
  SpecProblems problems(source);
  check_against_table(source.value, requirement_table(), "a requirement", problems);
  check_requirement("", problems);
  problems.refuse_any(file.string());
  return requirement_from(Json(source.value), fs::absolute(file).parent_path());
}

}  // namespace tune
