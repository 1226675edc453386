#include "trainer/tasks/image_classification/advice/report.h"

#include <algorithm>
#include <iomanip>
#include <ostream>

#include "tuner/core/plural_text.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::image_classification {
namespace {

constexpr std::size_t kShownDoubts = 10;

std::vector<std::size_t> images_of_classes_in(const Dataset& set) {
  std::vector<std::size_t> counts(set.classes.size(), 0);
  for (const std::size_t image : training_examples_of(set))
    for (const int label : set.examples[image].labels) ++counts[static_cast<std::size_t>(label)];
  return counts;
}

OrderedJson estimate_json(const Estimate& estimate) {
  return {
      {"accuracy", estimate.value}, {"standard_error", estimate.standard_error}, {"images", estimate.images}};
}

OrderedJson classes_json_of(const Dataset& set) {
  OrderedJson rows = OrderedJson::array();
  const std::vector<std::size_t> counts = images_of_classes_in(set);
  for (std::size_t c = 0; c < counts.size(); ++c)
    rows.push_back({{"name", set.classes[c]}, {"images", counts[c]}});
  return rows;
}

OrderedJson copies_json(const Measurements& measured) {
  const Copies& copies = measured.copies;
  OrderedJson json{{"compared", copies.compared},
                   {"equal", copies.equal},
                   {"leaks", copies.leaks},
                   {"searched_for_overlaps", copies.searched_overlaps ? measured.sample.size() : 0}};
  json["overlapping"] = copies.searched_overlaps ? OrderedJson(copies.overlapping) : OrderedJson();
  return json;
}

const Example& example_of(const AdvisedSet& advised, std::size_t in_sample) {
  return advised.set.examples[advised.measured.sample[in_sample]];
}

OrderedJson doubts_json(const AdvisedSet& advised) {
  if (advised.measured.neighbours == 0) return nullptr;
  OrderedJson rows = OrderedJson::array();
  for (const LabelDoubt& doubt : advised.measured.doubts) {
    OrderedJson neighbours = OrderedJson::array();
    for (const std::size_t other : doubt.neighbours) neighbours.push_back(example_of(advised, other).name);
    const Example& example = example_of(advised, doubt.image);
    rows.push_back({{"name", example.name},
                    {"label", label_text(advised.set, example)},
                    {"suggested", advised.set.classes[static_cast<std::size_t>(doubt.suggested)]},
                    {"strength", doubt.strength},
                    {"neighbours", neighbours}});
  }
  return {{"images", advised.measured.sample.size()},
          {"neighbours", advised.measured.neighbours},
          {"strong_share", advised.facts.strong_doubts},
          {"doubts", rows}};
}

OrderedJson nearness_json(const Measurements& measured) {
  if (!measured.nearness) return nullptr;
  return {{"folds", measured.folds},
          {"weights", estimate_json(measured.nearness->pretrained)},
          {"random", estimate_json(measured.nearness->random)},
          {"chance", measured.nearness->chance},
          {"similar", !is_different(*measured.nearness)}};
}

OrderedJson settings_json(const std::vector<Setting>& settings, const char* key) {
  OrderedJson rows = OrderedJson::array();
  for (const Setting& setting : settings)
    rows.push_back({{"name", setting.name}, {key, setting.value}, {"reason", setting.reason}});
  return rows;
}

OrderedJson decisions_json(const AdvisedSet& advised) {
  const Advice& advice = advised.advice;
  OrderedJson strategy{{"value", strategy_name(advice.strategy.strategy)},
                       {"rule", advice.strategy.rule},
                       {"reason", advice.strategy.reason}};
  strategy["table"] =
      advice.strategy.of_table ? OrderedJson(strategy_name(*advice.strategy.of_table)) : OrderedJson();
  return {{"model", {{"value", advised.model}, {"rule", advised.model_rule}}},
          {"strategy", strategy},
          {"objective", {{"value", advice.objective}, {"reason", advice.objective_reason}}},
          {"searched", settings_json(advice.searched, "range")},
          {"fixed", settings_json(advice.fixed, "value")},
          {"budget",
           {{"trials", advice.budget.trials},
            {"epochs", advice.budget.epochs},
            {"batch_size", advice.budget.batch_size},
            {"minutes", advice.budget.minutes},
            {"reason", advice.budget.reason}}},
          {"remarks", advice.remarks}};
}

void print_findings(const AdvisedSet& advised, std::ostream& out) {
  const Measurements& measured = advised.measured;
  const Copies& copies = measured.copies;
  out << plural_text(measured.images, "image") << " to train on, " << advised.set.classes.size()
      << " classes of " << advised.facts.smallest_class << " to " << advised.facts.largest_class
      << " images\n"
      << "equal files: " << copies.equal << "; overlapping crops: "
      << (copies.searched_overlaps ? std::to_string(copies.overlapping) + " images"
                                   : std::string("not known"))
      << "\n";
  if (copies.leaks > 0)
    out << "leaks: " << plural_text(copies.leaks, "finding") << " of the same surface in different parts\n";
  if (measured.nearness) {
    const Nearness& nearness = *measured.nearness;
    out << std::fixed << std::setprecision(3) << "a linear probe, cross-validated on "
        << measured.sample.size() << " images: " << nearness.pretrained.value << " +- "
        << nearness.pretrained.standard_error << " with these weights, " << nearness.random.value << " +- "
        << nearness.random.standard_error << " with random ones, " << nearness.chance << " by chance\n";
  }
  if (measured.neighbours > 0)
    out << "labels that the nearest " << measured.neighbours
        << " images contradict: " << measured.doubts.size() << " of " << measured.sample.size() << "\n";
  for (std::size_t i = 0; i < std::min(kShownDoubts, measured.doubts.size()); ++i) {
    const LabelDoubt& doubt = measured.doubts[i];
    const Example& example = example_of(advised, doubt.image);
    out << "  " << std::fixed << std::setprecision(2) << doubt.strength << "  " << visible_text(example.name)
        << ": " << visible_text(label_text(advised.set, example)) << ", perhaps "
        << visible_text(advised.set.classes[static_cast<std::size_t>(doubt.suggested)]) << "\n";
  }
  if (measured.doubts.size() > kShownDoubts) out << "  (all of them by --json, or as pictures by --page)\n";
  for (const std::string& limit : measured.limits) out << "note: " << visible_text(limit) << "\n";
}

void print_decisions(const AdvisedSet& advised, std::ostream& out) {
  const Advice& advice = advised.advice;
  out << "\nadvice\n  model     " << advised.model << ": " << advised.model_rule << "\n  strategy  "
      << strategy_name(advice.strategy.strategy) << ": " << advice.strategy.rule << "\n            "
      << visible_text(advice.strategy.reason) << "\n  objective " << advice.objective << ": "
      << advice.objective_reason << "\n";
  for (const Setting& setting : advice.searched)
    out << "  search    " << setting.name << " " << setting.value.dump() << ": " << setting.reason << "\n";
  for (const Setting& setting : advice.fixed)
    out << "  fix       " << setting.name << " " << setting.value.dump() << ": " << setting.reason << "\n";
  out << std::fixed << std::setprecision(0) << "  budget    " << plural_text(advice.budget.trials, "trial")
      << " of " << plural_text(advice.budget.epochs, "epoch") << ", about "
      << std::max(1.0, advice.budget.minutes) << " minutes one after the other (" << std::setprecision(1)
      << advised.measured.images_per_second << " images/s on the " << advised.device << ")\n";
  if (advice.splits_by_content)
    out << "  split     by content, as crops overlap: image by image the scores would flatter\n";
  for (const std::string& remark : advice.remarks) out << "  remark    " << remark << "\n";
  if (!advised.weights) {
    out << "  weights   none were given. Weights of photographs are worth a great deal on small sets; with "
           "--weights they are measured.\n";
    for (const std::string& source : advised.other_weights)
      out << "            " << visible_text(source) << "\n";
  }
}

}  // namespace

OrderedJson advised_spec(const AdvisedSet& advised) {
  const Advice& advice = advised.advice;
  OrderedJson spec;
  spec["objective"] = {{"metric", advice.objective}, {"goal", "maximize"}};
  for (const Setting& setting : advice.searched) spec["parameters"][setting.name] = setting.value;
  for (const Setting& setting : advice.fixed) spec["fixed"][setting.name] = setting.value;
  OrderedJson& trainer = spec["trainer"];
  trainer = {
      {"task", "image_classification"}, {"model", advised.model}, {"data", advised.choice.data.string()}};
  if (advised.weights) trainer["weights"] = advised.weights->string();
  if (!advised.choice.images.empty()) trainer["images"] = advised.choice.images.string();
  if (advised.choice.classes_from == ClassesFrom::kFileName) trainer["classes_from"] = "file_name";
  const bool has_validation =
      std::any_of(advised.set.examples.begin(), advised.set.examples.end(),
                  [](const Example& example) { return example.part == "validation"; });
  if (advice.splits_by_content && !has_validation) trainer["split"] = {{"grouping", "content"}};
  spec["strategy"] = {{"name", "auto"}, {"seed", 1}};
  constexpr std::int64_t kWorthStopping = 10;  // epochs: of shorter trainings little is saved
  if (advice.strategy.strategy != Strategy::kFeatures && advice.budget.epochs >= kWorthStopping)
    spec["early_stopping"] = {{"rule", "median"}};
  spec["limits"] = {{"trials", advice.budget.trials}};
  return spec;
}

OrderedJson advice_json(const AdvisedSet& advised) {
  return {{"schema", 1},
          {"task", "image_classification"},
          {"data", advised.choice.data.string()},
          {"form", advised.set.form},
          {"images", advised.measured.images},
          {"classes", classes_json_of(advised.set)},
          {"multi_label", advised.set.multi_label},
          {"copies", copies_json(advised.measured)},
          {"labels", doubts_json(advised)},
          {"nearness", nearness_json(advised.measured)},
          {"images_per_second", advised.measured.images_per_second},
          {"threads", advised.threads},
          {"device", advised.device},
          {"limits", advised.measured.limits},
          {"weights", advised.weights ? OrderedJson(advised.weights->string()) : OrderedJson()},
          {"other_weights", advised.other_weights},
          {"advice", decisions_json(advised)},
          {"spec", advised_spec(advised)},
          {"seconds", advised.seconds}};
}

void print_advice(const AdvisedSet& advised, std::ostream& out) {
  print_findings(advised, out);
  print_decisions(advised, out);
}

}  // namespace tune::trainer::image_classification
