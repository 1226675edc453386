#include "tuner/cli/importance_text.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/plural_text.h"
#include "tuner/live/study_importance.h"

namespace tune::cli {
namespace {

std::string percent(double share) {
  const std::string text = std::to_string(std::lround(100 * share));
  return std::string(text.size() < 3 ? 3 - text.size() : 0, ' ') + text + " %";
}

}  // namespace

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
  return report::importance_json(live::importance_rows(importance));
}

}  // namespace tune::cli
