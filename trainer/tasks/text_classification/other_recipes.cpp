#include "trainer/tasks/text_classification/other_recipes.h"

#include <algorithm>

#include "tuner/core/error.h"

namespace tune::trainer::text_classification {
namespace {

using loop::choice, loop::flag, loop::real, loop::whole;
using loop::Hyperparameter, loop::Hyperparameters;

constexpr double kMostSteps = 1e9;

std::vector<Hyperparameter> with(std::vector<Hyperparameter> rows,
                                 const std::vector<Hyperparameter>& shared) {
  rows.insert(rows.end(), shared.begin(), shared.end());
  return rows;
}

[[noreturn]] void contradict(const std::string& what, const std::string& cure) {
  throw Error(ExitCode::kBadSpec, what, cure);
}

void note_unused(const Hyperparameters& values, const char* name, const char* why, Asked& asked) {
  if (values.given(name))
    asked.notes.push_back(std::string("hyperparameter ") + name + " is taken, but changes nothing: " + why);
}

// warmup_steps, which below 1 is a part of all steps, or warmup_ratio, which is nothing else.
void ask_warmup(const Hyperparameters& values, Asked& asked) {
  const double steps = values.number("warmup_steps"), ratio = values.number("warmup_ratio");
  if (steps > 0 && ratio > 0)
    contradict("warmup_steps is " + shortest(steps) + ", yet warmup_ratio is " + shortest(ratio),
               "leave one of them out");
  asked.parameters["warmup_epochs"] = 0;
  if (steps >= 1)
    asked.parameters["warmup_steps"] = static_cast<std::int64_t>(steps);
  else
    asked.parameters["warmup_ratio"] = std::max(steps, ratio);
}

void ask_schedule(const Hyperparameters& values, Asked& asked) {
  const std::string& kind = values.text("lr_scheduler_type");
  asked.parameters["lr_scheduler"] = kind == "constant_with_warmup" ? "constant" : kind;
  ask_warmup(values, asked);
  if (kind == "constant" && (values.number("warmup_steps") > 0 || values.number("warmup_ratio") > 0))
    contradict("lr_scheduler_type is \"constant\", yet a warm-up is given",
               "write constant_with_warmup, or leave the warm-up out");
}

}  // namespace

std::vector<Hyperparameter> hugging_face_hyperparameters(const std::vector<Hyperparameter>& shared) {
  return with(
      {weighty(whole("num_train_epochs", 3, 0, 10000, "log",
                     "passes over the training texts; 0 exports the untrained model")),
       weighty(whole("per_device_train_batch_size", 8, 1, 1024, "log", "texts in a batch")),
       whole("per_device_eval_batch_size", 8, 1, 4096, "log", "not used: memory decides"),
       weighty(whole("gradient_accumulation_steps", 1, 1, 64, "log",
                     "batches whose gradients make one step of the optimizer")),
       real("learning_rate", 5e-5, 1e-6, 1, "log", "of the optimizer"),
       weighty(choice("optim", {"adamw_torch_fused", "adamw_torch", "sgd", "rmsprop", "adagrad"},
                      "the optimizer")),
       real("weight_decay", 0, 0, 0.999, "linear", "on weights; biases and normalisation have none"),
       real("adam_beta1", 0.9, 0, 0.999, "reverse_log", "decay of Adam's mean of gradients"),
       real("adam_beta2", 0.999, 0, 0.99999, "reverse_log", "decay of Adam's mean of squared gradients"),
       real("adam_epsilon", 1e-8, 1e-12, 1, "log", "added to the divisor"),
       real("max_grad_norm", 1, 0, 1e6, "linear", "largest norm of the gradient; 0: no limit"),
       choice("lr_scheduler_type", {"linear", "cosine", "constant", "constant_with_warmup"},
              "how the learning rate falls"),
       real("warmup_steps", 0, 0, kMostSteps, "linear",
            "steps of the optimizer over which the rate rises from 0; below 1 a part of all"),
       real("warmup_ratio", 0, 0, 1, "linear", "the same as a part of all steps"),
       real("label_smoothing_factor", 0, 0, 0.9, "linear",
            "the part of the probability that all classes share"),
       choice("eval_strategy", {"epoch", "steps", "no"},
              "evaluates after each epoch, after eval_steps, or at the end alone"),
       weighty(whole("eval_steps", 0, 0, kMostSteps, "linear",
                     "with eval_strategy steps, after so many of the optimizer; 0: as logging_steps")),
       whole("early_stopping_patience", 0, 0, kMostSteps, "linear",
             "ends the training after so many evaluations in a row without a better objective; 0: never"),
       real("early_stopping_threshold", 0, 0, 1e6, "linear",
            "how much better the objective has to be to count for early_stopping_patience")},
      shared);
}

Asked asked_of_hugging_face(const Hyperparameters& values) {
  Asked asked;
  const std::string &optimizer = values.text("optim"), &strategy = values.text("eval_strategy");
  asked.parameters = {{"epochs", values.integer("num_train_epochs")},
                      {"batch_size", values.integer("per_device_train_batch_size")},
                      {"accumulate", values.integer("gradient_accumulation_steps")},
                      {"learning_rate", values.number("learning_rate")},
                      {"optimizer", optimizer.starts_with("adamw") ? "adamw" : optimizer},
                      {"momentum", 0},
                      {"weight_decay", values.number("weight_decay")},
                      {"beta1", values.number("adam_beta1")},
                      {"beta2", values.number("adam_beta2")},
                      {"epsilon", values.number("adam_epsilon")},
                      {"max_grad_norm", values.number("max_grad_norm")},
                      {"label_smoothing", values.number("label_smoothing_factor")}};
  ask_schedule(values, asked);
  std::int64_t steps = values.integer("eval_steps");
  if (strategy != "steps" && steps > 0)
    contradict("eval_steps is " + std::to_string(steps) + ", yet eval_strategy is \"" + strategy + "\"",
               "write \"eval_strategy\": \"steps\", or leave eval_steps out");
  if (strategy == "steps" && steps == 0) steps = values.integer("logging_steps");
  if (strategy == "steps" && steps == 0)
    contradict("eval_strategy is \"steps\", yet neither eval_steps nor logging_steps is given",
               "say after how many steps, as in \"eval_steps\": 100");
  if (strategy == "no") steps = static_cast<std::int64_t>(kMostSteps);
  asked.parameters["eval_steps"] = steps;
  if (values.integer("early_stopping_patience") > 0 || values.given("early_stopping_threshold"))
    for (const char* name : {"early_stopping_patience", "early_stopping_threshold"})
      asked.parameters[name] = values.values().at(name);
  note_unused(values, "per_device_eval_batch_size",
              "evaluations take batches of as many texts as suits memory", asked);
  return asked;
}

std::vector<Hyperparameter> tensorflow_hyperparameters(const std::vector<Hyperparameter>& shared) {
  return with(
      {weighty(whole("epochs", 10, 0, 10000, "log",
                     "passes over the training texts; 0 exports the untrained model")),
       weighty(whole("batch_size", 32, 2, 1024, "log", "texts in a batch")),
       real("learning_rate", 1e-3, 1e-6, 0.5, "log", "of the optimizer"),
       weighty(choice("optimizer", {"adam", "adamw", "sgd", "nesterov", "rmsprop", "adagrad", "adadelta"},
                      "nesterov is SGD with Nesterov's momentum")),
       real("beta_1", 0.9, 0, 0.999, "reverse_log", "decay of Adam's mean of gradients"),
       real("beta_2", 0.999, 0, 0.99999, "reverse_log", "decay of Adam's mean of squared gradients"),
       real("momentum", 0.9, 0, 0.999, "reverse_log", "of sgd, nesterov and rmsprop"),
       real("epsilon", 1e-7, 1e-12, 1, "log", "added to the divisor of all but sgd and nesterov"),
       real("rho", 0.95, 0, 0.99999, "reverse_log",
            "decay of the mean of squared gradients in adadelta and rmsprop"),
       real("initial_accumulator_value", 1e-4, 0, 1, "linear",
            "what Adagrad's sum of squared gradients begins at"),
       real("warmup_steps_fraction", 0.1, 0, 1, "linear", "of adamw: the part of all steps of its warm-up"),
       weighty(flag("train_only_on_top_layer", false, "the head alone is trained")),
       weighty(flag("train_only_top_layer", false, "another name of train_only_on_top_layer")),
       choice("reinitialize_top_layer", {"Auto", "True", "False"},
              "Auto keeps the head of weights that were trained on the same classes"),
       real("dropout_rate", 0.2, 0, 0.95, "linear", "of the head's input"),
       real("regularizers_l2", 1e-4, 0, 0.49, "log", "L2 penalty on the head's weights"),
       real("validation_split_ratio", 0.2, 0, 0.999, "linear", "not used: trainer.split decides"),
       choice("binary_mode", {"False", "True"}, "not used: two classes are two answers"),
       choice("eval_metric", {"accuracy", "auc", "precision", "recall"},
              "not used: the spec's objective decides"),
       flag("early_stopping", false, "ends a training that no longer improves"),
       whole("early_stopping_patience", 5, 1, 10000, "linear", "epochs in a row without an improvement"),
       real("early_stopping_min_delta", 0, 0, 1e6, "linear", "the least improvement")},
      shared);
}

Asked asked_of_tensorflow(const Hyperparameters& values) {
  Asked asked;
  const std::string &optimizer = values.text("optimizer"), &head = values.text("reinitialize_top_layer");
  const bool warms_up = optimizer == "adamw";
  asked.parameters = {
      {"epochs", values.integer("epochs")},
      {"batch_size", values.integer("batch_size")},
      {"learning_rate", values.number("learning_rate")},
      {"lr_scheduler", warms_up ? "linear" : "constant"},
      {"warmup_epochs",
       warms_up ? values.number("warmup_steps_fraction") * static_cast<double>(values.integer("epochs")) : 0},
      {"optimizer", optimizer == "nesterov" ? "sgd" : optimizer},
      {"nesterov", optimizer == "nesterov"},
      {"momentum", values.number("momentum")},
      {"beta1", values.number("beta_1")},
      {"beta2", values.number("beta_2")},
      {"epsilon", values.number("epsilon")},
      {"alpha", values.number("rho")},
      {"initial_accumulator", values.number("initial_accumulator_value")},
      {"max_grad_norm", 0},
      // The penalty's gradient is twice its factor times the weight.
      {"weight_decay", 0},
      {"head_weight_decay", 2 * values.number("regularizers_l2")},
      {"dropout", values.number("dropout_rate")}};
  asked.head = head == "Auto" ? "auto" : head == "True" ? "new" : "keep";
  if (values.flag("train_only_on_top_layer") || values.flag("train_only_top_layer")) {
    if (values.given("freeze") && values.text("freeze") != "features")
      contradict("train_only_on_top_layer is true, yet freeze is \"" + values.text("freeze") + "\"",
                 "leave one of them out");
    asked.parameters["freeze"] = "features";
  }
  if (values.flag("early_stopping")) {
    asked.parameters["early_stopping_patience"] = values.integer("early_stopping_patience");
    asked.parameters["early_stopping_threshold"] = values.number("early_stopping_min_delta");
  }
  note_unused(values, "validation_split_ratio", "\"split\" in trainer decides", asked);
  note_unused(values, "binary_mode", "two classes are two answers", asked);
  note_unused(values, "eval_metric", "the spec's objective decides", asked);
  return asked;
}

}  // namespace tune::trainer::text_classification
