#include "trainer/loop/plan.h"

#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

// The name that the first version gave to max_grad_norm: specs that were written for it go on.
constexpr const char *kClip = "max_grad_norm", *kOldClip = "gradient_clip";

double clip_of(const Hyperparameters& values) {
  const double clip = values.number(kClip), old = values.number(kOldClip);
  if (values.given(kClip) && values.given(kOldClip) && clip != old)
    throw Error(ExitCode::kBadSpec,
                std::string(kClip) + " is " + shortest(clip) + ", yet its older name " + kOldClip + " is " +
                    shortest(old),
                std::string("leave ") + kOldClip + " out");
  return values.given(kOldClip) ? old : clip;
}

EarlyStopping early_stopping_of(const Hyperparameters& values) {
  const EarlyStopping stopping{values.integer("early_stopping_patience"),
                               values.number("early_stopping_threshold")};
  if (stopping.patience == 0 && stopping.threshold > 0)
    throw Error(ExitCode::kBadSpec,
                "early_stopping_threshold is " + shortest(stopping.threshold) +
                    ", yet without early_stopping_patience no training stops early",
                "say after how many evaluations without an improvement a training ends, as in "
                "\"early_stopping_patience\": 3");
  return stopping;
}

}  // namespace

std::vector<Hyperparameter> plan_hyperparameters(const std::string& unit) {
  constexpr double kMostSteps = 1e9, kMostNorm = 1e6;
  std::vector<Hyperparameter> rows{
      whole("epochs", 20, 0, 10000, "log",
            "passes over the training " + unit + "; 0 exports the untrained model"),
      whole("batch_size", 8, 2, 512, "log", unit + " in a batch"),
      whole("accumulate", 1, 1, 64, "log", "batches whose gradients make one step of the optimizer")};
  for (Hyperparameter& row : schedule_hyperparameters()) rows.push_back(std::move(row));
  for (Hyperparameter& row : std::vector<Hyperparameter>{
           real(kClip, 10, 0, kMostNorm, "linear", "largest norm of the gradient; 0: no limit"),
           whole("eval_steps", 0, 0, kMostSteps, "linear",
                 "evaluates after so many steps of the optimizer, and at the end; 0: after each epoch"),
           whole("logging_steps", 0, 0, kMostSteps, "linear",
                 "prints the training losses after so many steps; 0: with each evaluation alone"),
           whole("save_steps", 0, 0, kMostSteps, "linear",
                 "a checkpoint after so many steps too; 0: after each evaluation alone"),
           whole("early_stopping_patience", 0, 0, kMostSteps, "linear",
                 "ends the training after so many evaluations in a row without a better objective; 0: never"),
           real("early_stopping_threshold", 0, 0, kMostNorm, "linear",
                "how much better the objective has to be to count for early_stopping_patience"),
           real(kOldClip, 10, 0, kMostNorm, "linear", "the older name of max_grad_norm")})
    rows.push_back(std::move(row));
  return rows;
}

Plan make_plan(const Hyperparameters& values) {
  Plan plan;
  plan.epochs = values.integer("epochs");
  plan.batch_size = values.integer("batch_size");
  plan.accumulate = values.integer("accumulate");
  plan.evaluation_steps = values.integer("eval_steps");
  plan.log_steps = values.integer("logging_steps");
  plan.checkpoint_steps = values.integer("save_steps");
  plan.early_stopping = early_stopping_of(values);
  plan.optimizer.gradient_clip = clip_of(values);
  plan.schedule = make_schedule(values);
  return plan;
}

OptimizerKind optimizer_kind(const std::string& name) {
  if (name == "sgd") return OptimizerKind::kSgd;
  if (name == "adam") return OptimizerKind::kAdam;
  TUNE_CHECK(name == "adamw", name);
  return OptimizerKind::kAdamW;
}

}  // namespace tune::trainer::loop
