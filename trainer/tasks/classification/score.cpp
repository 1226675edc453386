#include "trainer/tasks/classification/score.h"

#include <optional>
#include <sstream>

#include "trainer/metrics/classification_bootstrap.h"
#include "trainer/metrics/rank_correlation.h"
#include "trainer/tasks/classification/quality_json.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::classification {
namespace {

struct Resampled {
  std::size_t groups = 0;
  metrics::ResampledQuality quality;
};

std::vector<Scored> score_all(const std::vector<std::string>& names, Truth& truth) {
  ScoredExamples& examples = truth.examples;
  std::vector<Predictions> files;
  for (const std::string& file : names) {
    files.push_back(read_predictions(file, examples.items, examples.multi_label));
    add_classes(files.back(), file, examples);
  }
  std::vector<Scored> all;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Scored one{match(files[i], names[i], examples, truth.elsewhere), {}};
    one.quality = metrics::classification_quality(
        examples.truth, one.said.labels, examples.classes.size(), examples.multi_label,
        one.said.probabilities ? &*one.said.probabilities : nullptr);
    one.quality.spearman =
        metrics::rank_correlation({examples.classes, examples.truth, examples.multi_label}, one.said.labels);
    all.push_back(std::move(one));
  }
  return all;
}

Resampled resample(const std::vector<Scored>& all, const ScoredExamples& examples,
                   const loop::ScoreOptions& asked) {
  const auto groups = asked.groups.empty() ? every_one_alone(examples) : read_groups(asked.groups, examples);
  std::vector<std::vector<metrics::Labels>> predicted;
  for (const Scored& one : all) predicted.push_back(one.said.labels);
  return {groups.size(),
          metrics::bootstrap_quality(examples.truth, predicted, examples.classes.size(), examples.multi_label,
                                     groups, asked.resamples, asked.seed, [](std::size_t) {})};
}

void add_members(OrderedJson& json, const OrderedJson& members) {
  for (const auto& [key, value] : members.items()) json[key] = value;
}

OrderedJson to_json(const std::vector<Scored>& all, const ScoredExamples& examples,
                    const loop::ScoreOptions& asked, const std::optional<Resampled>& resampled) {
  const std::string unit = examples.items.plural();
  OrderedJson json{{"schema", 1}};
  if (all.size() == 1 && !resampled) {
    add_members(json, quality_json(examples.classes, all.front().quality, unit.c_str()));
  } else {
    json[unit] = examples.names.size();
    json["results"] = OrderedJson::array();
    for (const Scored& one : all) {
      OrderedJson result{{"predictions", one.said.file}};
      add_members(result, quality_json(examples.classes, one.quality, unit.c_str()));
      json["results"].push_back(std::move(result));
    }
  }
  if (resampled)
    json["resamples"] = {{"count", asked.resamples},
                         {"seed", asked.seed},
                         {"groups", resampled->groups},
                         {"accuracy", resampled->quality.accuracy},
                         {"macro_f1", resampled->quality.macro_f1}};
  json["form"] = examples.form;
  json["warnings"] = examples.warnings;
  return json;
}

void print_resamples(const std::vector<Scored>& all, const Resampled& resampled,
                     const loop::ScoreOptions& asked, const std::string& unit, std::ostream& out) {
  const auto& [accuracy, macro_f1] = resampled.quality;
  out << "\n95 % intervals of " << asked.resamples << " resamples of " << resampled.groups << " groups of "
      << unit << " (seed " << asked.seed << "):\n";
  for (std::size_t f = 0; f < all.size(); ++f)
    out << "  " << visible_text(all[f].said.file) << ": accuracy " << loop::interval_text(accuracy[f])
        << ", macro F1 " << loop::interval_text(macro_f1[f]) << "\n";
  for (std::size_t f = 1; f < all.size(); ++f)
    out << "  " << visible_text(all[f].said.file) << " minus " << visible_text(all[0].said.file)
        << ": accuracy " << loop::interval_of_differences(accuracy[f], accuracy[0]) << ", macro F1 "
        << loop::interval_of_differences(macro_f1[f], macro_f1[0]) << "\n";
}

}  // namespace

std::vector<loop::Option> score_options(const Items& items) {
  const std::string unit = items.plural();
  return {
      {"predictions", "FILE", "what `predict` writes, or a CSV; several are compared with the first", true,
       true},
      {"resamples", "N", "also 95 % intervals, by so many draws of " + unit + " with replacement"},
      {"seed", "N", "of those draws; 0 by default"},
      {"groups", "FILE",
       "a JSON object with \"groups\", such as `audit --json` prints: " + unit + " that are drawn together"}};
}

OrderedJson names_json(const metrics::Labels& labels, const ScoredExamples& examples) {
  OrderedJson names = OrderedJson::array();
  for (const int label : labels) names.push_back(examples.classes[static_cast<std::size_t>(label)]);
  return names;
}

loop::Answer answer_score(
    const loop::Request& request, const loop::ScoreOptions& asked, Truth truth,
    const std::function<void(const std::vector<Scored>&, const ScoredExamples&, OrderedJson&)>& more) {
  const std::vector<Scored> all = score_all(request.values.at("predictions"), truth);
  const ScoredExamples& examples = truth.examples;
  const std::string unit = examples.items.plural();
  for (const std::string& warning : examples.warnings) request.notes << "warning: " << warning << '\n';
  request.notes << std::flush;
  std::optional<Resampled> resampled;
  if (asked.resamples > 0) resampled = resample(all, examples, asked);
  if (request.as_json) {
    OrderedJson json = to_json(all, examples, asked, resampled);
    if (more) more(all, examples, json);
    return {json, "", resampled ? -1 : 2};
  }
  std::ostringstream text;
  for (const Scored& one : all) {
    if (all.size() > 1) text << (&one == &all.front() ? "" : "\n") << visible_text(one.said.file) << ": ";
    print_quality(examples.classes, one.quality, unit.c_str(), text);
  }
  if (resampled) print_resamples(all, *resampled, asked, unit, text);
  return {{}, text.str()};
}

}  // namespace tune::trainer::classification
