#include "trainer/tasks/classification/score.h"

#include <algorithm>
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

std::vector<Scored> score_all(std::vector<std::string> names,
                              const std::optional<endpoint::AskedEndpoint>& deployed,
                              const std::function<Predictions(const endpoint::AskedEndpoint&)>& said_by,
                              Truth& truth) {
  ScoredExamples& examples = truth.examples;
  std::vector<Predictions> files;
  for (const std::string& file : names)
    files.push_back(read_predictions(file, examples.items, examples.multi_label));
  if (deployed) {
    names.push_back(deployed->url());
    files.push_back(said_by(*deployed));
  }
  for (std::size_t i = 0; i < files.size(); ++i) add_classes(files[i], names[i], examples);
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
  std::vector<loop::Option> options{
      {"predictions", "FILE", "what `predict` writes, or a CSV; several are compared with the first", false,
       true},
      {"resamples", "N", "also 95 % intervals, by so many draws of " + unit + " with replacement"},
      {"seed", "N", "of those draws; 0 by default"},
      {"groups", "FILE",
       "a JSON object with \"groups\", such as `audit --json` prints: " + unit + " that are drawn together"}};
  for (const loop::Option& option : endpoint::endpoint_options()) options.push_back(option);
  return options;
}

Predictions ask_endpoint(const endpoint::AskedEndpoint& deployed, const std::vector<std::string>& names,
                         const std::function<endpoint::Question(std::size_t)>& question, bool multi_label,
                         const std::function<bool()>& interrupted) {
  Predictions said{{}, multi_label, names, {}, {}};
  for (const Json& answer : deployed.ask(names.size(), question, interrupted)) {
    try {
      if (said.classes.empty()) said.classes = answer.at("classes").get<std::vector<std::string>>();
      const auto probabilities = answer.at("probabilities").get<std::vector<double>>();
      if (probabilities.size() != said.classes.size())
        endpoint::refuse_answer(deployed, "its answers are of different classes");
      said.probabilities.insert(said.probabilities.end(), probabilities.begin(), probabilities.end());
      metrics::Labels labels;
      for (const Json& label : answer.at("labels")) {
        const auto place = std::find(said.classes.begin(), said.classes.end(), label.get<std::string>());
        if (place == said.classes.end())
          endpoint::refuse_answer(deployed, "its answers name classes that it does not have");
        labels.push_back(static_cast<int>(place - said.classes.begin()));
      }
      if (!multi_label && labels.size() != 1)
        endpoint::refuse_answer(deployed, "it says several classes, or none, where there is one");
      said.labels.push_back(std::move(labels));
    } catch (const Json::exception&) {
      endpoint::refuse_answer(deployed, "its answers hold no probabilities of classes");
    }
  }
  return said;
}

OrderedJson names_json(const metrics::Labels& labels, const ScoredExamples& examples) {
  OrderedJson names = OrderedJson::array();
  for (const int label : labels) names.push_back(examples.classes[static_cast<std::size_t>(label)]);
  return names;
}

loop::Answer answer_score(
    const loop::Request& request, const loop::ScoreOptions& asked, Truth truth,
    const std::function<Predictions(const endpoint::AskedEndpoint&)>& said_by,
    const std::function<void(const std::vector<Scored>&, const ScoredExamples&, OrderedJson&)>& more) {
  const auto deployed = endpoint::endpoint_or_files(request, "predictions");
  const std::vector<Scored> all =
      score_all(request.has("predictions") ? request.values.at("predictions") : std::vector<std::string>{},
                deployed, said_by, truth);
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
