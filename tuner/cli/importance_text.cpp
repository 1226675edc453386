#include "tuner/cli/importance_text.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/plural_text.h"
#include "tuner/spec/spec.h"

namespace tune::cli {
namespace {

std::string percent(double share) {
  const std::string text = std::to_string(std::lround(100 * share));
  return std::string(text.size() < 3 ? 3 - text.size() : 0, ' ') + text + " %";
}

}  // namespace

strategies::Importance study_importance(const std::optional<SearchSpace>& space, const History& history) {
  if (space) return strategies::importance(*space, history);
  // The best trial of a study that another version began is shown all the same.
  strategies::Importance unknown;
  unknown.trials = history.trials.size();
  unknown.objection = "the stored spec cannot be read by this version";
  return unknown;
}

std::optional<strategies::Importance> second_importance(const std::optional<SearchSpace>& space,
                                                        const History& history) {
  if (!history.second) return std::nullopt;
  History by_second = history;
  by_second.objective = *history.second;
  by_second.second.reset();
  for (auto& trial : by_second.trials) {
    TrialView view = *trial;
    view.values.erase(view.values.begin(), view.values.begin() + (view.values.empty() ? 0 : 1));
    trial = std::make_shared<const TrialView>(std::move(view));
  }
  return study_importance(space, by_second);
}

report::ImportanceRows importance_rows(const strategies::Importance& importance) {
  report::ImportanceRows rows{importance.trials, importance.objection, {}, importance.interactions};
  for (const auto& parameter : importance.parameters)
    rows.shares.emplace_back(parameter.name, parameter.share);
  return rows;
}

std::string importance_text(const strategies::Importance& importance, const std::string& of) {
  if (importance.trials == 0) return {};
  const std::string head = "\nImportance, by the variance" + of + " that it explains";
  if (!importance.objection.empty()) return head + ": " + importance.objection + '\n';
  const std::string rest = "(several together)";
  std::size_t widest = rest.size();
  for (const auto& parameter : importance.parameters) widest = std::max(widest, parameter.name.size());
  const auto line = [&](const std::string& name, double share) {
    return "  " + name + std::string(widest - name.size(), ' ') + "  " + percent(share) + '\n';
  };
  std::string text = head + " in " + plural_text(importance.trials, "completed trial") + ":\n";
  for (const auto& parameter : importance.parameters) text += line(parameter.name, parameter.share);
  return text + line(rest, importance.interactions);
}

Json importance_json(const strategies::Importance& importance) {
  return report::importance_json(importance_rows(importance));
}

}  // namespace tune::cli
