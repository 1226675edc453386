#include "tuner/compare/comparison_keys.h"

#include "tuner/compare/comparison.h"
#include "tuner/core/error.h"
#include "tuner/spec/spec_text_rules.h"

namespace tune::compare {
namespace {

using enum ValueKind;

// A row of the spec's own table.
KeyRule spec_key(std::string_view name) {
  const KeyRule* row = find_key(spec_table(), name);
  TUNE_CHECK(row != nullptr, std::string(name));
  return *row;
}

// A row of the spec's own, said of something else.
KeyRule described(KeyRule row, std::string_view description) {
  row.description = description;
  return row;
}

// A comparison has one objective, and says which.
KeyRule objective_key() {
  KeyRule row = described(spec_key("objective"), "What is compared, and what each search improves.");
  row.required = true;
  return row;
}

const ObjectTable& search_table() {
  static const ObjectTable table{
      {spec_key("parameters"), spec_key("strategy"), spec_key("early_stopping"), spec_key("limits")}};
  return table;
}

const ObjectTable& approach_table() {
  static const ObjectTable table{
      {{.name = "name",
        .kind = kText,
        .description = "Name of the approach, in tables and in the names of its studies.",
        .required = true,
        .text = &kApproachName},
       {.name = "trainer",
        .kind = kMap,
        .description = "Keys of the trainer that are this approach's own: model, recipe, weights, anchors."},
       described(spec_key("command"),
                 "A program of its own that trains this approach, in place of the trainer "
                 "or the command at the top, with placeholders as in a spec."),
       described(spec_key("environment"), "Environment variables of its trials, beside those at the top."),
       described(spec_key("metrics"), "How its metrics are read from the log, in place of those at the top."),
       spec_key("fixed"),
       described(spec_key("objective"), "What its search improves, in place of the one at the top."),
       {.name = "search",
        .kind = kObject,
        .description = "What is tuned. Without it the approach is trained as it is.",
        .object = &search_table()},
       {.name = "table",
        .kind = kText,
        .description = "The table that its rows stand in: recipes as published, or improved ones.",
        .default_json = "\"improved\"",
        .choices = {"published", "improved"}},
       {.name = "deviations",
        .kind = kArray,
        .description = "Of a published recipe: where this departs from it, a sentence each, under its table.",
        .least_items = 1,
        .text = &kNonEmpty,
        .item = kText},
       {.name = "note", .kind = kText, .description = "A sentence under the table.", .text = &kNonEmpty}}};
  return table;
}

const ObjectTable& limits_table() {
  static const ObjectTable table = [] {
    ObjectTable shared;
    const ObjectTable& of_study = *find_key(spec_table(), "limits")->object;
    for (const char* name : {"parallel", "trial_time"}) shared.keys.push_back(*find_key(of_study, name));
    for (const char* name : kBudgetLimits) shared.keys.push_back(*find_key(of_study, name));
    for (KeyRule& key : shared.keys) {
      if (key.name == "gpu_hours")
        key.description = "Device hours that the whole comparison may take, probing and predicting too.";
      if (key.name == "cost_usd")
        key.description =
            "US dollars that the whole comparison may cost, probing and predicting too, at "
            "cost.usd_per_hour.";
    }
    return shared;
  }();
  return table;
}

const ObjectTable& cost_table() {
  static const ObjectTable table{{*find_key(*find_key(spec_table(), "cost")->object, "usd_per_hour"),
                                  {.name = "date",
                                   .kind = kText,
                                   .description = "The day of that price, such as \"2026-11-21\".",
                                   .required = true,
                                   .text = &kDayText}}};
  return table;
}

const ObjectTable& controls_table() {
  static const ObjectTable table{
      {{.name = "best_of_seeds",
        .kind = kAny,
        .description =
            "Whether as many seeds at default hyperparameters are run as a search's device time pays for.",
        .default_json = "true"},
       {.name = "random_search",
        .kind = kAny,
        .description = "Whether each search is also made by random points.",
        .default_json = "true"}}};
  return table;
}

const ObjectTable& test_table() {
  static const ObjectTable table = [] {
    const ObjectTable& objective = *find_key(spec_table(), "objective")->object;
    return ObjectTable{
        {described(
             spec_key("command"),
             "A program that tests one model: run once for each when all training has ended. {{output_dir}} "
             "within an element stands for the model's folder; {{trial_file}}, {{checkpoint_dir}} and "
             "{{seed}} are those of its training. Without it the trials print the metric themselves."),
         described(spec_key("environment"), "Environment variables of the command."),
         described(spec_key("metrics"), "How the metric is read from what the command prints."),
         described(*find_key(objective, "metric"),
                   "Name of the metric that the models are compared by; its last value counts."),
         *find_key(objective, "goal")}};
  }();
  return table;
}

}  // namespace

const ObjectTable& comparison_table() {
  static const ObjectTable table{
      {spec_key("$schema"),
       {.name = "comparison",
        .kind = kText,
        .description = "Name of the comparison; its studies' names begin with it.",
        .required = true,
        .text = &kStudyName},
       objective_key(),
       spec_key("trainer"),
       described(spec_key("command"),
                 "A program of your own that trains, in place of the trainer, with "
                 "placeholders as in a spec. An approach may have one instead."),
       spec_key("environment"),
       spec_key("metrics"),
       {.name = "test",
        .kind = kObject,
        .description = "How models are tested that tune-train cannot score on test images: one number each.",
        .object = &test_table()},
       spec_key("fixed"),
       {.name = "seeds",
        .kind = kInteger,
        .description = "Training runs of each row, each with a seed of its own.",
        .default_json = "3",
        .minimum = 1,
        .maximum = 1000},
       {.name = "seed",
        .kind = kInteger,
        .description = "Seed of every random number of the comparison.",
        .default_json = "0",
        .minimum = 0,
        .maximum = 1e9},
       {.name = "resamples",
        .kind = kInteger,
        .description = "How often the test images are drawn anew for the intervals.",
        .default_json = "1000",
        .minimum = 100,
        .maximum = 100000},
       {.name = "controls",
        .kind = kObject,
        .description = "What each search is held against.",
        .object = &controls_table()},
       {.name = "limits",
        .kind = kObject,
        .description = "Limits of every study, and the budget of all together.",
        .object = &limits_table()},
       spec_key("resources"),
       spec_key("notify"),
       {.name = "cost",
        .kind = kObject,
        .description = "What the machine costs, and when it cost that.",
        .object = &cost_table()},
       {.name = "approaches",
        .kind = kArray,
        .description = "What is compared.",
        .required = true,
        .least_items = 1,
        .object = &approach_table(),
        .item = kObject}}};
  return table;
}

OrderedJson comparison_schema() {
  OrderedJson schema{{"$schema", kSchemaDraft}, {"title", "tune: specification of a comparison, version 1"}};
  schema.update(object_schema(comparison_table()));
  OrderedJson& approach = schema["properties"]["approaches"]["items"];
  require_an_end(approach["properties"]["search"]);
  for (OrderedJson* trained : {&schema, &approach})
    (*trained)["not"] = {{"required", {"trainer", "command"}}};
  return schema;
}

OrderedJson file_schema() {
  return {{"$schema", kSchemaDraft},
          {"title", "tune: a search (tune --spec FILE), or a comparison (tune compare FILE)"},
          {"type", "object"},
          {"if", {{"required", {"comparison"}}}},
          {"then", comparison_schema()},
          {"else", spec_schema()}};
}

}  // namespace tune::compare
