#include "trainer/loop/plan.h"

#include <algorithm>
#include <set>

#include "trainer/loop/transfer.h"
#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

// The name that the first version gave to max_grad_norm: specs that were written for it go on.
constexpr const char *kClip = "max_grad_norm", *kOldClip = "gradient_clip";

// Rows that plans have had since after the first checkpoints, as those of transfer strategies.
const std::set<std::string> kLater{
    "ema_decay",    "ema_steps", "early_stopping_tolerance", "early_stopping_min_epochs", "warmup_steps",
    "warmup_ratio", "max_steps", "sync_batch_norm"};

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
  EarlyStopping stopping;
  stopping.patience = values.integer("early_stopping_patience");
  stopping.threshold = values.number("early_stopping_threshold");
  stopping.relative = values.number("early_stopping_tolerance");
  stopping.first_epoch = values.integer("early_stopping_min_epochs");
  if (stopping.patience > 0) return stopping;
  for (const char* name :
       {"early_stopping_threshold", "early_stopping_tolerance", "early_stopping_min_epochs"})
    if (values.number(name) > 0)
      throw Error(ExitCode::kBadSpec,
                  name + (" is " + shortest(values.number(name))) +
                      ", yet without early_stopping_patience no training stops early",
                  "say after how many evaluations without an improvement a training ends, as in "
                  "\"early_stopping_patience\": 3");
  return stopping;
}

// torchvision's references take the decay as that of a training whose epochs have as many updates as those of
// its own, which ExponentialMovingAverage is given after this adjustment.
Averaging averaging_of(const Hyperparameters& values, const Plan& plan) {
  Averaging averaging{values.number("ema_decay"), values.integer("ema_steps")};
  if (averaging.decay == 0 && values.changed("ema_steps"))
    throw Error(ExitCode::kBadSpec, "ema_steps is given, yet without ema_decay nothing is averaged",
                "say how slowly the average follows, as in \"ema_decay\": 0.999");
  if (averaging.decay == 0 || plan.epochs == 0) return {};
  const double scale = static_cast<double>(plan.batch_size * plan.accumulate * averaging.steps) /
                       static_cast<double>(plan.epochs);
  averaging.asked = averaging.decay;
  averaging.decay = std::max(0.0, 1 - (1 - averaging.asked) * scale);
  return averaging;
}

}  // namespace

std::vector<Hyperparameter> plan_hyperparameters(const std::string& unit) {
  constexpr double kMostSteps = 1e9, kMostNorm = 1e6;
  std::vector<Hyperparameter> rows{
      weighty(whole("epochs", 20, 0, 10000, "log",
                    "passes over the training " + unit + "; 0 exports the untrained model")),
      weighty(whole("batch_size", 8, 2, 512, "log", unit + " in a batch")),
      weighty(whole("accumulate", 1, 1, 64, "log", "batches whose gradients make one step of the optimizer")),
      weighty(whole(
          "max_steps", 0, 0, kMostSteps, "linear",
          "ends after so many steps of the optimizer, however many epochs those are; 0: after the epochs"))};
  for (Hyperparameter& row : schedule_hyperparameters()) rows.push_back(std::move(row));
  for (Hyperparameter& row : std::vector<Hyperparameter>{
           real(kClip, 10, 0, kMostNorm, "linear", "largest norm of the gradient; 0: no limit"),
           weighty(
               whole("eval_steps", 0, 0, kMostSteps, "linear",
                     "evaluates after so many steps of the optimizer, and at the end; 0: after each epoch")),
           whole("logging_steps", 0, 0, kMostSteps, "linear",
                 "prints the training losses after so many steps; 0: with each evaluation alone"),
           whole("save_steps", 0, 0, kMostSteps, "linear",
                 "a checkpoint after so many steps too; 0: after each evaluation alone"),
           whole("early_stopping_patience", 0, 0, kMostSteps, "linear",
                 "ends the training after so many evaluations in a row without a better objective; 0: never"),
           real("early_stopping_threshold", 0, 0, kMostNorm, "linear",
                "how much better the objective has to be to count for early_stopping_patience"),
           real("early_stopping_tolerance", 0, 0, 1, "linear",
                "the same as a part of the objective's best value; both are added"),
           whole("early_stopping_min_epochs", 0, 0, 10000, "linear",
                 "no training stops early before so many epochs are done"),
           weighty(real(
               "ema_decay", 0, 0, 0.999999, "reverse_log",
               "how slowly a moving average follows the weights, which is then evaluated and exported; 0: "
               "none. Scaled by ema_steps * batch_size * accumulate / epochs, as torchvision's is")),
           whole("ema_steps", 1, 1, 1e6, "log", "steps of the optimizer between two updates of that average"),
           flag("sync_batch_norm", false,
                "batch normalisation by all examples of a batch, where several processes share it; else each "
                "normalises by its own"),
           real(kOldClip, 10, 0, kMostNorm, "linear", "the older name of max_grad_norm")})
    rows.push_back(std::move(row));
  return rows;
}

Plan make_plan(const Hyperparameters& values) {
  Plan plan;
  plan.epochs = values.integer("epochs");
  plan.max_steps = values.integer("max_steps");
  plan.batch_size = values.integer("batch_size");
  plan.accumulate = values.integer("accumulate");
  plan.evaluation_steps = values.integer("eval_steps");
  plan.log_steps = values.integer("logging_steps");
  plan.checkpoint_steps = values.integer("save_steps");
  plan.early_stopping = early_stopping_of(values);
  plan.averaging = averaging_of(values, plan);
  plan.optimizer.gradient_clip = clip_of(values);
  plan.schedule = make_schedule(values);
  plan.sync_batch_norm = values.flag("sync_batch_norm");
  return plan;
}

Json lasting_values(const Hyperparameters& values) {
  Json kept(values.values());
  std::vector<Hyperparameter> later = transfer_hyperparameters();
  for (Hyperparameter& row : plan_hyperparameters(""))
    if (kLater.contains(row.name)) later.push_back(std::move(row));
  for (const Hyperparameter& row : later)
    if (kept.contains(row.name) && kept[row.name] == row.default_value) kept.erase(row.name);
  return kept;
}

OptimizerKind optimizer_kind(const std::string& name) {
  if (name == "sgd") return OptimizerKind::kSgd;
  if (name == "adam") return OptimizerKind::kAdam;
  if (name == "rmsprop") return OptimizerKind::kRmsprop;
  if (name == "adagrad") return OptimizerKind::kAdagrad;
  if (name == "adadelta") return OptimizerKind::kAdadelta;
  TUNE_CHECK(name == "adamw", name);
  return OptimizerKind::kAdamW;
}

}  // namespace tune::trainer::loop
