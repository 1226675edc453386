#pragma once
// All that a task brings, as one row of a table: how it trains, what it does with finished models, its tables
// of hyperparameters and models.
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/loop/device.h"
#include "trainer/loop/recipe.h"
#include "trainer/loop/training.h"
#include "trainer/loop/trial_file.h"
#include "trainer/served/served_model.h"
#include "trainer/weights/state_dict.h"
#include "trainer/weights/weight_file.h"
#include "tuner/cli/command_line/command_line.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::loop {

using tune::cli::Option;

// What a command was asked. Made by the command line, which has checked the options' names.
struct Request {
  std::map<std::string, std::vector<std::string>> values;  // of options that were given or have a default
  bool as_json = false;
  std::ostream& notes;  // progress and warnings
  bool notes_are_terminal = false;
  std::function<bool()> interrupted = [] { return false; };

  bool has(const std::string& option) const { return values.contains(option); }
  const std::string& text(const std::string& option) const;  // of one that is required, or was given
  // Throw Error(kUsage) naming the option and the range. Without the option: `fallback`.
  std::int64_t integer(const std::string& option, std::int64_t least, std::int64_t most,
                       std::int64_t fallback, const std::string& hint = "") const;
  double number(const std::string& option, double least, double most, double fallback) const;
};

// The threads that --threads asks for; without it all cores.
int threads_for(const Request& request);

// Either form, as Request::as_json says; the other may be empty.
struct Answer {
  OrderedJson json;
  std::string text;                             // the same for a person
  int indent = 2;                               // of the JSON; -1: one line
  std::optional<Error> failure = std::nullopt;  // how the command ends after it has printed this
};

// A command that a task offers: evaluate, predict, score, audit, advise or export.
struct Offer {
  std::string_view command;
  std::vector<Option> options;
  Answer (*answer)(const Request& request);
  bool stops_on_signal = false;       // asks Request::interrupted; else a signal ends the program
  std::string json_description = "";  // what more there is to say of --json than that it is one object
};

// A weights file as a model of a task would take it.
struct FittedWeights {
  weights::WeightFile file;
  weights::FitReport report;
};

// The key of a score by which models are compared, and what stands beside it there.
struct PrimaryNumber {
  std::string name;  // "" where there is none
  bool maximize = true;
  std::string files = "detections";  // the option of `score` that takes what `predict` writes
  std::string second = {};           // another number of a score; "" for none
  std::string of_class = {};         // the number of each of its classes; "" for none
  bool is_share = false;             // it lies between 0 and 1
};

// How data lies on the disk, for people who are to bring some.
struct DataForm {
  std::string description;  // in a sentence or two; "" where a task reads none
  std::string example;      // a tree, a line for each file or folder
};

// A finished model that is to answer requests.
struct ServeRequest {
  std::filesystem::path model;      // a folder, or what else the task takes for a model
  std::filesystem::path base = {};  // of an adapter, where it does not lie where its folder says
  std::map<std::string, std::filesystem::path> adapters = {};  // by the name that they are asked for by
  int threads = 1;
  std::ostream& notes;
};

struct Task {
  std::string name;  // trainer.task in the spec, "task" in a promoted model.json
  std::string unit;  // of its examples: "images"
  // Reads the data and builds the model; what a person should know goes to `notes`. Throws Error(kBadData)
  // for the data, Error(kBadSpec) for the trial.
  std::unique_ptr<Training> (*start)(const TrialFile& trial, const Compute& compute, std::ostream& notes);
  OrderedJson (*trainer_keys)();  // [{"name", "kind", "description", ...}], as docs/contributing.md says
  const std::vector<Recipe>& (*recipes)();
  // [{"name", "description", ...}]; among the rest "parameters", "multiply_adds", "image_size", and of
  // weights to start from "weight_names" (how files of them are called, beside the model's own name) and
  // "weights_from" (where people get them).
  OrderedJson (*models)();
  std::vector<Offer> offers = {};
  // What a model of that name would take of a weights file. nullptr: the task starts from no weights.
  FittedWeights (*fit_weights)(const std::filesystem::path& file, const std::string& model) = nullptr;
  PrimaryNumber primary = {};  // of its `score`
  DataForm data = {};
  // The precision that a trial's hyperparameters ask for, or that the task takes by itself; nullptr, or
  // nullopt: the faster one, by a probe. Throws Error(kBadSpec) as `start` does.
  std::optional<Precision> (*precision)(const TrialFile& trial, const Compute& compute) = nullptr;
  // Opens a model for `tune-train serve`. nullptr: its models answer nobody. Throws Error(kNotFound) and
  // Error(kBadData) as the task's `predict` does.
  served::ServedModel (*serve)(const ServeRequest& request) = nullptr;
};

// Rows of Task::trainer_keys(). Every task has the second, by which `tune` finds the recipe of a spec.
OrderedJson trainer_key(const char* name, const char* kind, const char* description);
OrderedJson recipe_key(const std::vector<Recipe>& recipes);

bool offers(const Task& task, std::string_view command);
// Throws Error(kUsage) where the task has no such command, and says what it has.
const Offer& offer_of(const Task& task, std::string_view command);

// Its part of `tune-train describe --json`.
OrderedJson describe(const Task& task);

// Throws Error(kBadSpec) for a key of `trainer` that the task does not know.
void check_trainer_keys(const Task& task, const Json& trainer);

}  // namespace tune::trainer::loop
