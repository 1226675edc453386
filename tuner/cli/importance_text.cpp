#include "tuner/cli/importance_text.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/spec.h"

namespace tune::cli {
namespace {

std::string percent(double share) {
  const std::string text = std::to_string(std::lround(100 * share));
  return std::string(text.size() < 3 ? 3 - text.size() : 0, ' ') + text + " %";
}

}  // namespace

strategies::Importance study_importance(const store::StudyStore& study) {
  const store::StudyRow row = study.study();
  const History history = study.load_history();
  try {
    // The text, since the order of parameters counts, and without a trainer, since none is started.
    const Spec spec =
        parse_spec(row.spec_text, "the stored spec of " + row.name, row.folder, SpecUse::kAskTell);
    return strategies::importance(spec.space, history);
  } catch (const SpecError&) {
    // The best trial of a study that another version began is shown all the same.
    strategies::Importance unknown;
    unknown.trials = history.trials.size();
    unknown.objection = "the stored spec cannot be read by this version";
    return unknown;
  }
}

std::string importance_text(const strategies::Importance& importance) {
  if (importance.trials == 0) return {};
  const std::string head = "\nImportance, by the variance that it explains";
  if (!importance.objection.empty()) return head + ": " + importance.objection + '\n';
  const std::string rest = "(several together)";
  std::size_t widest = rest.size();
  for (const auto& parameter : importance.parameters) widest = std::max(widest, parameter.name.size());
  const auto line = [&](const std::string& name, double share) {
    return "  " + name + std::string(widest - name.size(), ' ') + "  " + percent(share) + '\n';
  };
  std::string text = head + " in " + std::to_string(importance.trials) + " completed trials:\n";
  for (const auto& parameter : importance.parameters) text += line(parameter.name, parameter.share);
  return text + line(rest, importance.interactions);
}

Json importance_json(const strategies::Importance& importance) {
  Json parameters = Json::array();
  for (const auto& parameter : importance.parameters)
    parameters.push_back({{"name", parameter.name}, {"share", parameter.share}});
  Json json = {{"trials", importance.trials}, {"parameters", parameters}};
  if (importance.objection.empty())
    json["interactions"] = importance.interactions;
  else
    json["reason"] = importance.objection;
  return json;
}

}  // namespace tune::cli
