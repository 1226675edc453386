#include "tuner/import/script/range_guess.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "tuner/core/characters.h"

namespace tune::script {
namespace {

using Phrases = std::vector<std::string>;

// "_batch_size_", so that whole words can be looked for.
std::string spaced_name(const ScriptArgument& argument) {
  std::string name = "_";
  for (std::size_t i = 0; i < argument.name.size(); ++i) {
    const char c = argument.name[i];
    const bool begins_word = c >= 'A' && c <= 'Z' && i > 0 && argument.name[i - 1] >= 'a';  // batchSize
    if (begins_word) name += '_';
    name += is_letter_or_digit(c) ? lower_case(c) : '_';
  }
  return name + "_";
}

bool has_any(const std::string& name, const Phrases& words) {
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return name.find("_" + word + "_") != std::string::npos;
  });
}

// Without the last bits that arithmetic leaves: 3e-05 for 0.0003 / 10.
double rounded(double number) {
  char text[40];
  std::snprintf(text, sizeof text, "%.12g", number);
  return std::strtod(text, nullptr);
}

double power_of_two(double number, bool upwards) {
  const double exponent = std::log2(number);
  return std::exp2(upwards ? std::ceil(exponent) : std::floor(exponent));
}

OrderedJson range(double min, double max, const char* scale) {
  OrderedJson json{{"type", "float"}, {"min", rounded(min)}, {"max", rounded(max)}};
  if (*scale != '\0') json["scale"] = scale;
  return json;
}

OrderedJson whole_range(double min, double max, const char* scale) {
  OrderedJson json{
      {"type", "int"}, {"min", static_cast<std::int64_t>(min)}, {"max", static_cast<std::int64_t>(max)}};
  if (*scale != '\0') json["scale"] = scale;
  return json;
}

// Ranges by the default, which is 0 or less where there is none.
std::optional<Guess> around(double value, double factor, double min, double max) {
  if (value <= 0) return Guess{range(min, max, "log"), "usual values"};
  return Guess{range(value / factor, value * factor, "log"), "a decade to each side of the default"};
}

std::optional<Guess> learning_rate(double value) { return around(value, 10, 1e-5, 1e-1); }
std::optional<Guess> weight_decay(double value) {
  if (value > 0.3) return std::nullopt;  // "decay" may be that of a rate, 0.97 an epoch
  return around(value, 10, 1e-6, 1e-2);
}
std::optional<Guess> clipping(double value) { return around(value, 10, 0.1, 10); }
std::optional<Guess> regularization(double value) { return around(value, 10, 1e-3, 1e3); }

std::optional<Guess> powers(double value, double otherwise) {
  const double middle = value >= 1 ? value : otherwise;
  OrderedJson values = OrderedJson::array();
  for (double power = std::max(1.0, power_of_two(middle / 4, true)); power <= middle * 4; power *= 2)
    values.push_back(static_cast<std::int64_t>(power));
  return Guess{{{"type", "categorical"}, {"values", values}}, "powers of two around the default"};
}

std::optional<Guess> batch_size(double value) { return powers(value, 32); }
std::optional<Guess> rank(double value) { return powers(value, 16); }
std::optional<Guess> width(double value) {
  const double middle = value >= 1 ? value : 64;
  return Guess{whole_range(std::max(1.0, std::floor(middle / 4)), middle * 4, "log"),
               "a quarter to four times the default"};
}
std::optional<Guess> count(double value) {
  const double middle = value >= 1 ? value : 2;
  return Guess{whole_range(1, middle * 2, ""), "up to twice the default"};
}
std::optional<Guess> momentum(double) {
  return Guess{range(0.8, 0.99, "reverse_log"), "usual values, finer near 1"};
}
std::optional<Guess> second_moment(double) {
  return Guess{range(0.9, 0.9999, "reverse_log"), "usual values, finer near 1"};
}
std::optional<Guess> dropout(double) { return Guess{range(0, 0.5, ""), "usual values"}; }
std::optional<Guess> smoothing(double) { return Guess{range(0, 0.2, ""), "usual values"}; }
std::optional<Guess> share(double) { return Guess{range(0.5, 1, ""), "usual values"}; }
std::optional<Guess> decay_factor(double) { return Guess{range(0.1, 0.99, ""), "usual values"}; }

enum class Number { kFraction, kWhole };

struct Rule {
  Phrases any, none;  // one of these is in the name, and none of those
  Number number;
  std::optional<Guess> (*guess)(double value);
};

const std::vector<Rule>& rules() {
  static const std::vector<Rule> rules{
      {{"warmup", "warm_up"},
       {"steps", "epochs", "step", "epoch", "iters", "lr"},
       Number::kFraction,
       smoothing},
      {{"gamma", "lr_decay", "lr_factor", "decay_rate", "lr_decay_rate"},
       {},
       Number::kFraction,
       decay_factor},
      {{"lr", "learning_rate", "learningrate", "step_size"},
       {"min", "max", "final", "end", "step", "steps", "scheduler", "schedule", "policy", "factor", "mult",
        "patience", "warmup", "milestones", "drop"},
       Number::kFraction,
       learning_rate},
      {{"weight_decay", "wd", "l2", "l2_reg", "weightdecay", "decay"},
       {"lr", "ema", "steps"},
       Number::kFraction,
       weight_decay},
      {{"batch_size", "batch", "bs", "batchsize", "mini_batch_size", "minibatch"},
       {"eval", "test", "val", "valid", "validation", "norm", "idx", "batches", "inference"},
       Number::kWhole,
       batch_size},
      {{"beta2", "beta_2", "adam_beta2", "b2"}, {}, Number::kFraction, second_moment},
      {{"momentum", "beta1", "beta_1", "adam_beta1", "b1"},
       {"bn", "teacher", "ema", "decay"},
       Number::kFraction,
       momentum},
      {{"dropout", "drop", "drop_rate", "drop_path", "dropout_rate", "droprate", "drop_prob"},
       {"last", "lr", "epochs", "step"},
       Number::kFraction,
       dropout},
      {{"label_smoothing", "smoothing", "ls"}, {}, Number::kFraction, smoothing},
      {{"clip", "grad_norm", "max_grad_norm", "grad_clip", "gradient_clip", "clip_norm"},
       {},
       Number::kFraction,
       clipping},
      {{"lora_r", "lora_rank"}, {}, Number::kWhole, rank},
      {{"hidden", "hidden_size", "hidden_dim", "hidden_units", "units", "width", "embed_dim", "embedding_dim",
        "d_model", "num_filters", "filters", "n_estimators", "num_leaves"},
       {"layers", "image", "img", "input", "output"},
       Number::kWhole,
       width},
      {{"layers", "num_layers", "n_layers", "depth", "max_depth", "blocks", "min_samples_leaf"},
       {"freeze", "frozen", "train", "unfreeze"},
       Number::kWhole,
       count},
      {{"c", "alpha_reg", "reg_lambda", "reg_alpha", "l1"}, {}, Number::kFraction, regularization},
      {{"subsample", "colsample", "colsample_bytree", "max_features"}, {}, Number::kFraction, share},
  };
  return rules;
}

// Names whose choices are worth trying all.
const Phrases kChoices{"optimizer", "optim",        "opt",      "activation", "act",
                       "scheduler", "lr_scheduler", "schedule", "sched",      "kernel",
                       "init",      "initializer",  "pooling",  "booster"};
const Phrases kSwitches{"nesterov",  "amsgrad",    "augment",  "augmentation",  "batch_norm", "batchnorm",
                        "bn",        "layer_norm", "residual", "bidirectional", "balanced",   "class_weights",
                        "normalize", "use_bn"};
const Phrases kLengths{"epochs",    "epoch",     "num_epochs",  "max_epochs", "n_epochs",
                       "max_steps", "num_steps", "total_steps", "iterations", "num_iterations",
                       "max_iter",  "n_iter",    "train_steps"};

bool is_number(const ScriptArgument& argument) { return argument.value && argument.value->is_number(); }

std::optional<Number> number_of(const ScriptArgument& argument) {
  if (argument.type == "float") return Number::kFraction;
  if (argument.type == "int") return Number::kWhole;
  // A type of the script's own, which takes such a number as its default is.
  if (argument.type.empty() || argument.type == "str" || !is_number(argument)) return std::nullopt;
  return argument.value->is_number_float() ? Number::kFraction : Number::kWhole;
}

std::optional<Guess> guess_number(const ScriptArgument& argument) {
  const std::optional<Number> number = number_of(argument);
  const std::string name = spaced_name(argument);
  for (const Rule& rule : rules()) {
    if (!number || *number != rule.number || !has_any(name, rule.any) || has_any(name, rule.none)) continue;
    const double value = is_number(argument) ? argument.value->get<double>() : 0;
    std::optional<Guess> guess = rule.guess(value);
    if (!guess || !guess->range.contains("min")) return guess;
    if (value == 0) {
      if (is_number(argument) && guess->range["min"].get<double>() > 0)
        guess->reason += "; the default, 0, is left out";
      return guess;
    }
    // What is far from usual, such as a dropout of 5 (per cent?), means something else.
    const double min = guess->range["min"], max = guess->range["max"];
    return value >= min && value <= max ? guess : std::nullopt;
  }
  return std::nullopt;
}

bool is_truth_type(const std::string& type) {
  const std::string name = lower_case(type);
  return name.find("bool") != std::string::npos && name != "bool";
}

std::optional<Guess> guess_switch(const ScriptArgument& argument) {
  const std::string option = argument.option();
  OrderedJson values;
  if (argument.action == "store_true" || argument.action == "store_false")
    values = {option, nullptr};
  else if (argument.action == "BooleanOptionalAction" && option.starts_with("--"))
    values = {option, "--no-" + option.substr(2)};
  else if (argument.action.empty() && is_truth_type(argument.type))
    values = {true, false};
  if (values.is_null() || !has_any(spaced_name(argument), kSwitches)) return std::nullopt;
  return Guess{{{"type", "categorical"}, {"values", values}}, "on and off"};
}

std::optional<Guess> guess_choices(const ScriptArgument& argument) {
  if (argument.choices.size() < 2 || !has_any(spaced_name(argument), kChoices)) return std::nullopt;
  return Guess{{{"type", "categorical"}, {"values", argument.choices}}, "its choices"};
}

}  // namespace

std::optional<Guess> guess_range(const ScriptArgument& argument) {
  if (std::optional<Guess> guess = guess_switch(argument)) return guess;
  if (!argument.action.empty() || !argument.nargs.empty()) return std::nullopt;
  if (std::optional<Guess> guess = guess_choices(argument)) return guess;
  return argument.choices.empty() ? guess_number(argument) : std::nullopt;
}

bool is_length_of_training(const ScriptArgument& argument) {
  const std::string name = spaced_name(argument);
  return has_any(name, kLengths) &&
         !has_any(name, {"warmup", "freeze", "start", "patience", "eval", "log", "save"});
}

std::string objection_to_range(const ScriptArgument& argument) {
  if (argument.type == "bool")
    return "type=bool takes any text but \"\" for true: a switch (action=\"store_true\") can be searched";
  if (argument.type.empty() && argument.action.empty() && is_number(argument))
    return "without a type the script would get text: add type=" +
           std::string(argument.value->is_number_float() ? "float" : "int");
  if (!argument.nargs.empty() && argument.nargs != "?" && argument.action.empty())
    return "it takes several values";
  if (argument.choices.size() > 1) return "its choices are not searched by this name";
  return "no range is known by this name";
}

}  // namespace tune::script
