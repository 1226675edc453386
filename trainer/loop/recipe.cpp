#include "trainer/loop/recipe.h"

#include <cctype>
#include <cstdio>

#include "tuner/core/error.h"

namespace tune::trainer::loop {

const Recipe& recipe_named(const std::vector<Recipe>& recipes, const std::string& name) {
  std::string known;
  for (const Recipe& recipe : recipes) {
    if (recipe.name == name) return recipe;
    known += (known.empty() ? "" : " or ") + recipe.name;
  }
  throw Error(ExitCode::kBadSpec, "unknown recipe \"" + name + "\"", known);
}

MetricDefinition plain_metric(const std::string& name, const std::string& goal) {
  std::string regex = " ";  // else it would be found at the end of a longer name, too
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != ':') regex += '\\';
    regex += c;
  }
  return {name, goal, regex + "=(-?[0-9.]+)", kHeadRegex};
}

std::string fixed_point(double number) {
  char text[400];
  std::snprintf(text, sizeof text, "%.6f", number);
  return text;
}

OrderedJson describe(const Recipe& recipe) {
  OrderedJson hyperparameters = OrderedJson::array(), metrics = OrderedJson::array();
  for (const Hyperparameter& row : recipe.hyperparameters) hyperparameters.push_back(describe(row));
  for (const MetricDefinition& metric : recipe.metrics)
    metrics.push_back(
        {{"name", metric.name}, {"goal", metric.goal}, {"regex", metric.regex}, {"step", metric.step}});
  return {{"name", recipe.name},
          {"description", recipe.description},
          {"hyperparameters", hyperparameters},
          {"metrics", metrics}};
}

}  // namespace tune::trainer::loop
