#include "trainer/tasks/language_model/recipes.h"

#include <algorithm>
#include <array>
#include <set>

#include "trainer/loop/plan.h"
#include "trainer/tasks/language_model/given_values.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

using loop::choice, loop::flag, loop::json_value, loop::real, loop::whole;
using loop::Hyperparameter;
using loop::Recipe;

constexpr const char *kLora = "lora_config", *kTrainerConfig = "sft_config",
                     *kModelConfig = "model_init_config";
// Where a strategy says "steps", and nothing says how many: as Hugging Face's Trainer has it.
constexpr std::int64_t kUsualSteps = 500;
// Evaluations by steps that never come, but for the one at the end.
constexpr std::int64_t kNever = 1'000'000'000;

// Names of other products, and ours.
struct Alias {
  const char *alias, *name;
};
constexpr std::array kAliases{Alias{"num_train_epochs", "epochs"},
                              Alias{"epoch", "epochs"},
                              Alias{"per_device_train_batch_size", "batch_size"},
                              Alias{"per_device_eval_batch_size", "eval_batch_size"},
                              Alias{"gradient_accumulation_steps", "accumulate"},
                              Alias{"adam_beta1", "beta1"},
                              Alias{"adam_beta2", "beta2"},
                              Alias{"adam_epsilon", "epsilon"},
                              Alias{"max_seq_length", "max_length"},
                              Alias{"label_smoothing_factor", "label_smoothing"}};
// Theirs for the keys of lora_config.
constexpr std::array kLoraAliases{Alias{"lora_r", "r"}, Alias{"lora_alpha", "alpha"},
                                  Alias{"lora_dropout", "dropout"}};

std::vector<Hyperparameter> own_rows() {
  return {
      real("learning_rate", 1e-4, 1e-8, 1, "log", "of the optimizer"),
      weighty(choice("optimizer", {"adamw", "adam", "sgd", "rmsprop", "adagrad", "adadelta"},
                     "adamw decouples the weight decay from the gradient")),
      real("weight_decay", 0, 0, 0.999, "log", "on matrices; biases and norms have none"),
      real("momentum", 0.9, 0, 0.999, "reverse_log", "of SGD and RMSprop"),
      real("beta1", 0.9, 0, 0.999, "reverse_log", "decay of Adam's mean of gradients"),
      real("beta2", 0.999, 0, 0.99999, "reverse_log", "decay of Adam's mean of squared gradients"),
      real("epsilon", 1e-8, 1e-12, 1, "log", "added to the divisor of all optimizers but SGD"),
      weighty(flag("use_lora", true, "trains low-rank adapters; false: all weights")),
      weighty(whole("lora_config.r", 8, 1, 4096, "log", "rank of the adapters")),
      real("lora_config.alpha", 8, 1e-6, 1e6, "log",
           "what they add is multiplied by alpha / r; lora_alpha is the same"),
      real("lora_config.dropout", 0, 0, 0.95, "linear", "of their input; lora_dropout is the same"),
      weighty(json_value(
          "lora_config.target_modules",
          "a list of the layers that have one, or \"all-linear\"; q_proj and v_proj where it is not given")),
      choice("lora_config.bias", {"none", "all", "lora_only"}, "biases that are trained too"),
      flag("lora_config.use_rslora", false, "alpha is divided by the root of r"),
      json_value("lora_config.modules_to_save",
                 "a list of modules that are trained whole, such as \"lm_head\""),
      flag("lora_config.fan_in_fan_out", false,
           "of layers that lay weights the other way round: these models have none"),
      json_value(kLora, "the same as one object; what it does not say has PEFT's defaults"),
      flag("merge_adapters", false, "the exported model is the base with its adapters added in"),
      weighty(
          whole("max_length", 0, 0, 1 << 20, "log",
                "tokens of an example; what is longer is cut and counted. 0: the model's, and at most 1024")),
      weighty(flag("packing", false,
                   "short examples share a row of max_length tokens, and do not see one another")),
      choice("train_sampling_strategy", {"group_by_length", "random", "sequential"},
             "which examples share a batch: those of about the same length, any, or as the data has them"),
      real("label_smoothing", 0, 0, 0.9, "linear", "the part of the probability that all tokens share"),
      weighty(whole("eval_batch_size", 8, 1, 512, "log", "examples in a batch of an evaluation")),
      weighty(flag("gradient_checkpointing", false,
                   "computes layers again in the backward pass, for less memory")),
      weighty(choice(
          "attn_implementation", {"sdpa", "eager", "flash_attention_2"},
          "sdpa takes the fastest kernel that the device has; flash_attention_2 asks for flash attention "
          "and bf16")),
      weighty(flag("bf16", false, "trains in bfloat16; the base is held so too, unless it is trained")),
      flag("fp16", false, "half precision, which is not offered: bf16 needs no scaling of losses"),
      weighty(flag("predict_with_generate", false,
                   "evaluations generate answers too, and report exact match and ROUGE-L of them")),
      weighty(whole("max_new_tokens", 64, 1, 1 << 16, "log", "of a generated answer in evaluations")),
      weighty(whole("generated_examples", 32, 1, 1 << 20, "log",
                    "that answers are generated for: the first ones")),
      choice("eval_strategy", {"", "epoch", "steps", "no", "none"},
             "when it is evaluated; steps: every eval_steps, else every logging_steps; no: at the end alone"),
      choice("logging_strategy", {"", "epoch", "steps", "no", "none"}, "when losses are printed, likewise"),
      choice("save_strategy", {"", "epoch", "steps", "no", "none"},
             "when checkpoints are kept beside those of evaluations"),
      loop::text("lr_scheduler_type", "", "Hugging Face's names of schedules, in place of lr_scheduler"),
      loop::weighty(loop::text("optim", "", "Hugging Face's names of optimizers, in place of optimizer")),
      json_value(kTrainerConfig, "an object of further hyperparameters, under any of these names"),
      json_value(kModelConfig, "an object: attn_implementation, dtype or torch_dtype, use_cache")};
}

// Those of the plan, with what language models do well with.
std::vector<Hyperparameter> plan_rows() {
  std::vector<Hyperparameter> rows = loop::plan_hyperparameters("examples");
  for (Hyperparameter& row : rows) {
    if (row.name == "epochs") row.default_value = 3;
    if (row.name == "batch_size") row.min = 1;
    if (row.name == "accumulate") row.max = 4096;
    if (row.name == "lr_scheduler") row.default_value = "linear";
    if (row.name == "warmup_epochs") row.default_value = 0.0;
    if (row.name == "max_grad_norm" || row.name == "gradient_clip") row.default_value = 1.0;
  }
  return rows;
}

std::vector<Hyperparameter> all_rows() {
  std::vector<Hyperparameter> rows = own_rows();
  for (Hyperparameter& row : plan_rows()) rows.push_back(std::move(row));
  const auto add_alias = [&](const char* alias, const std::string& name) {
    Hyperparameter row =
        *std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.name == name; });
    row.name = alias;
    row.description = "another name of " + name;
    rows.push_back(std::move(row));
  };
  for (const Alias& alias : kAliases) add_alias(alias.alias, alias.name);
  for (const Alias& alias : kLoraAliases) add_alias(alias.alias, std::string(kLora) + "." + alias.name);
  return rows;
}

loop::MetricDefinition metric(const char* name, const char* goal, const std::string& in_line) {
  // The step of the optimizer where a line has one, else the epoch.
  return {name, goal, "'" + in_line + "': ([0-9.]+)", "'epoch': (?:[0-9.]+, 'step': )?([0-9]+)"};
}

// What stands in lines for each metric.
struct Line {
  const char *metric, *goal, *key;
};
constexpr std::array kLines{Line{kLoss, "minimize", "eval_loss"},
                            Line{kPerplexity, "minimize", "eval_perplexity"},
                            Line{kAccuracy, "maximize", "eval_token_accuracy"},
                            Line{kExactMatch, "maximize", "eval_exact_match"},
                            Line{kRougeL, "maximize", "eval_rougeL"},
                            Line{kTrainLoss, "minimize", "train_loss"}};

// The given hyperparameters under our names, each once.
class Collected {
 public:
  void add(const std::string& name, const Json& value, const std::string& place) {
    const auto found = places_.find(name);
    if (found != places_.end() && json_[name] != value)
      throw Error(ExitCode::kBadSpec,
                  place + " is " + value.dump() + ", yet " + found->second + " is " + json_[name].dump(),
                  "both name the same: leave one of them out");
    json_[name] = value;
    places_.emplace(name, place);
  }
  const Json& json() const { return json_; }
  bool has(const std::string& name) const { return json_.contains(name); }

 private:
  Json json_ = Json::object();
  std::map<std::string, std::string> places_;
};

std::string schedule_named(const std::string& name) {
  if (name == "constant_with_warmup") return "constant";
  return GivenValue(name, "lr_scheduler_type").one_of({"linear", "cosine", "constant"});
}

std::string optimizer_named(const std::string& name) {
  if (name.starts_with("adamw")) {
    if (name == "adamw" || name == "adamw_torch" || name == "adamw_torch_fused" || name == "adamw_hf")
      return "adamw";
  } else if (name == "sgd" || name == "adagrad" || name == "rmsprop") {
    return name;
  }
  throw Error(ExitCode::kBadSpec, "optim is \"" + name + "\", which is not offered",
              "adamw_torch, adamw_torch_fused, sgd, rmsprop or adagrad");
}

// A text that stands for a truth value or a number is taken as one where the row is one.
Json in_type(const Hyperparameter& row, const Json& value, const std::string& place) {
  const GivenValue given(value, place);
  if (row.type == loop::HyperparameterType::kBool) return given.flag();
  if (!value.is_string()) return value;
  if (row.type == loop::HyperparameterType::kInt)
    return given.whole(static_cast<std::int64_t>(row.min), static_cast<std::int64_t>(row.max));
  if (row.type == loop::HyperparameterType::kFloat) return given.number(row.min, row.max);
  return value;
}

// Reads the trial's parameters into values under our names, and lora_config.
class Reader {
 public:
  void read(const Json& parameters) {
    for (const auto& [name, value] : parameters.items()) {
      if (value.is_null()) continue;
      if (name == kTrainerConfig)
        for_object(value, name, [&](const auto& key, const auto& one) { take(key, one, name + "." + key); });
      else if (name == kModelConfig)
        for_object(value, name,
                   [&](const auto& key, const auto& one) { take_of_model(key, one, name + "." + key); });
      else
        take(name, value, name);
    }
  }
  Collected values;
  Json lora = Json::object();
  std::optional<loop::Precision> dtype;
  std::vector<std::string> notes;

 private:
  template <typename Take>
  static void for_object(const Json& value, const std::string& name, Take take) {
    if (!value.is_object())
      throw Error(ExitCode::kBadSpec, name + " is " + value.dump(), "it must be an object");
    for (const auto& [key, one] : value.items())
      if (!one.is_null()) take(key, one);
  }

  void take_lora(const std::string& key, const Json& value, const std::string& place) {
    if (lora.contains(key) && lora[key] != value)
      throw Error(ExitCode::kBadSpec,
                  place + " is " + value.dump() + ", yet lora_config." + key + " is " + lora[key].dump(),
                  "both name the same: leave one of them out");
    lora[key] = value;
  }

  void take(const std::string& name, const Json& value, const std::string& place) {
    if (name == kLora)
      return for_object(value, place,
                        [&](const auto& key, const auto& one) { take_lora(key, one, place + "." + key); });
    const std::string dotted = std::string(kLora) + ".";
    if (name.starts_with(dotted)) return take_lora(name.substr(dotted.size()), value, place);
    for (const Alias& alias : kLoraAliases)
      if (name == alias.alias) return take_lora(alias.name, value, place);
    std::string own = name;
    for (const Alias& alias : kAliases)
      if (name == alias.alias) own = alias.name;
    if (name == "evaluation_strategy") own = "eval_strategy";
    if (name == "lr_scheduler_type" && value.is_string() && value != "")
      return values.add("lr_scheduler", schedule_named(value), place);
    if (name == "optim" && value.is_string() && value != "")
      return values.add("optimizer", optimizer_named(value), place);
    if (name == "group_by_length")
      return values.add("train_sampling_strategy",
                        GivenValue(value, place).flag() ? "group_by_length" : "random", place);
    // A fraction of all steps, as Hugging Face's Trainer reads it.
    if (name == "warmup_steps" && value.is_number() && value > 0 && value < 1) own = "warmup_ratio";
    const std::vector<Hyperparameter>& rows = language_model_recipes().front().hyperparameters;
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const auto& one) { return one.name == own; });
    if (row == rows.end()) {
      std::vector<std::string> names;
      for (const Hyperparameter& known : rows) names.push_back(known.name);
      throw Error(ExitCode::kBadSpec, "unknown hyperparameter \"" + place + "\"",
                  name_hint(name, names, "hyperparameters"));
    }
    values.add(own, in_type(*row, value, place), place);
  }

  void take_of_model(const std::string& key, const Json& value, const std::string& place) {
    if (key == "use_cache") {
      GivenValue(value, place).flag();
      notes.push_back(place + ": a training has no cache of keys and values, and generation always has one");
    } else if (key == "dtype" || key == "torch_dtype") {
      const std::string name = GivenValue(value, place).one_of({"auto", "float32", "bfloat16", "float16"});
      if (name == "float16")
        throw Error(ExitCode::kBadSpec, place + " is float16, in which nothing is trained here",
                    "bfloat16 or float32");
      if (name != "auto") dtype = name == "bfloat16" ? loop::Precision::kBf16 : loop::Precision::kFp32;
    } else if (key == "attn_implementation") {
      take(key, value, place);
    } else {
      throw Error(ExitCode::kBadSpec, std::string(kModelConfig) + " has no key \"" + key + "\"",
                  name_hint(key, {"attn_implementation", "dtype", "torch_dtype", "use_cache"}, "keys"));
    }
  }
};

void read_precision(const Reader& reader, Asked& asked, bool wants_flash, bool on_gpu) {
  const bool bf16 = asked.values.flag("bf16");
  if (asked.values.flag("fp16"))
    throw Error(ExitCode::kBadSpec, "fp16 is true, and half precision is not offered",
                "\"bf16\": true needs no scaling of losses, and takes as little memory");
  if (bf16 && reader.dtype == loop::Precision::kFp32)
    throw Error(ExitCode::kBadSpec, "bf16 is true, yet model_init_config asks for float32",
                "leave one of them out");
  if (bf16 || reader.dtype == loop::Precision::kBf16) asked.precision = loop::Precision::kBf16;
  if (asked.values.given("bf16") && !bf16) asked.precision = loop::Precision::kFp32;
  if (reader.dtype == loop::Precision::kFp32) asked.precision = loop::Precision::kFp32;
  if (!wants_flash) return;
  // The product that has this name trains in bf16 with it.
  if (!on_gpu)
    asked.notes.emplace_back(
        "flash_attention_2 is for GPUs: on a CPU, LibTorch's scaled dot product takes a flash kernel of its "
        "own");
  else if (!asked.precision)
    asked.precision = loop::Precision::kBf16;
}

std::int64_t steps_by(const std::string& strategy, std::int64_t steps, std::int64_t otherwise,
                      std::int64_t never) {
  if (strategy.empty()) return steps;
  if (strategy == "epoch") return 0;
  if (strategy == "steps") return steps > 0 ? steps : otherwise > 0 ? otherwise : kUsualSteps;
  return never;
}

// A number that a strategy leaves without meaning.
void check_strategy(const loop::Hyperparameters& values, const char* strategy, const char* steps) {
  const std::string& named = values.text(strategy);
  if (named.empty() || named == "steps" || !values.changed(steps)) return;
  throw Error(ExitCode::kBadSpec,
              std::string(steps) + " is " + values.values().at(steps).dump() + ", yet " + strategy +
                  " is \"" + named + "\"",
              std::string("say \"") + strategy + "\": \"steps\", or leave " + steps + " out");
}

}  // namespace

const std::vector<Recipe>& language_model_recipes() {
  static const std::vector<Recipe> recipes = [] {
    Recipe recipe{
        "fine-tune", "AdamW with a linear schedule, on adapters or on all weights", all_rows(), {}, {}, {}};
    for (const Line& line : kLines) {
      recipe.metrics.push_back(metric(line.metric, line.goal, line.key));
      if (line.metric != std::string(kTrainLoss)) recipe.metric_names.emplace_back(line.metric);
    }
    recipe.loss_names = {kTrainLoss};
    return std::vector<Recipe>{recipe};
  }();
  return recipes;
}

Asked asked_of(const Json& parameters, bool on_gpu) {
  Reader reader;
  reader.read(parameters);
  Asked asked{.values = {language_model_recipes().front().hyperparameters, reader.values.json()}};
  asked.notes = reader.notes;
  if (asked.values.flag("use_lora")) {
    asked.lora = lora_settings(reader.lora, kLora);
    if (asked.lora->fan_in_fan_out) {
      asked.notes.emplace_back(
          "lora_config.fan_in_fan_out is true, yet no layer of these models lays its weights that way: taken "
          "as false");
      asked.lora->fan_in_fan_out = false;
    }
  } else if (!reader.lora.empty()) {
    throw Error(ExitCode::kBadSpec, "use_lora is false, yet lora_config is given", "leave one of them out");
  } else if (asked.values.flag("merge_adapters")) {
    throw Error(ExitCode::kBadSpec, "use_lora is false, yet merge_adapters is true",
                "without adapters there is nothing to merge: leave it out");
  }
  const std::string& attention = asked.values.text("attn_implementation");
  asked.attention = attention == "eager" ? nn::Attention::kEager : nn::Attention::kSdpa;
  read_precision(reader, asked, attention == "flash_attention_2", on_gpu);
  for (const auto& [strategy, steps] :
       {std::pair("eval_strategy", "eval_steps"), std::pair("logging_strategy", "logging_steps"),
        std::pair("save_strategy", "save_steps")})
    check_strategy(asked.values, strategy, steps);
  plan_of(asked);  // what contradicts itself is said before the data is read
  return asked;
}

loop::Plan plan_of(const Asked& asked) {
  const loop::Hyperparameters& values = asked.values;
  loop::Plan plan = loop::make_plan(values);
  plan.log_steps = steps_by(values.text("logging_strategy"), plan.log_steps, 0, 0);
  plan.evaluation_steps =
      steps_by(values.text("eval_strategy"), plan.evaluation_steps, plan.log_steps, kNever);
  plan.checkpoint_steps = steps_by(values.text("save_strategy"), plan.checkpoint_steps, 0, 0);
  plan.schedule.base = values.number("learning_rate");
  plan.optimizer.kind = loop::optimizer_kind(values.text("optimizer"));
  plan.optimizer.weight_decay = values.number("weight_decay");
  const bool has_momentum = plan.optimizer.kind == loop::OptimizerKind::kSgd ||
                            plan.optimizer.kind == loop::OptimizerKind::kRmsprop;
  plan.optimizer.momentum = has_momentum ? values.number("momentum") : 0;
  plan.optimizer.beta1 = values.number("beta1");
  plan.optimizer.beta2 = values.number("beta2");
  plan.optimizer.epsilon = values.number("epsilon");
  return plan;
}

Recipe recipe_for(const Recipe& recipe, bool validates, bool on_request) {
  Recipe own = recipe;
  const auto lacks = [&](const std::string& name) {
    if (name == kTrainLoss) return false;
    return !validates || (!on_request && (name == kExactMatch || name == kRougeL));
  };
  std::erase_if(own.metrics, [&](const loop::MetricDefinition& one) { return lacks(one.name); });
  std::erase_if(own.metric_names, lacks);
  return own;
}

std::vector<std::string> metric_lines(const loop::Report& report, bool by_steps) {
  std::string line = "{";
  for (const Line& each : kLines)
    if (const auto value = report.metrics.find(each.metric); value != report.metrics.end())
      line += "'" + std::string(each.key) + "': " + loop::fixed_point(value->second) + ", ";
  line +=
      "'epoch': " + (by_steps ? loop::fixed_point(report.epochs_done) : std::to_string(report.epoch) + ".0");
  if (by_steps) line += ", 'step': " + std::to_string(report.step);
  return {line + "}"};
}

std::vector<std::string> loss_lines(const loop::Report& report) {
  return {"{'loss': " + loop::fixed_point(report.losses.front()) + ", 'learning_rate': " +
          loop::fixed_point(report.learning_rate) + ", 'epoch': " + loop::fixed_point(report.epochs_done) +
          ", 'step': " + std::to_string(report.step) + "}"};
}

}  // namespace tune::trainer::language_model
