#include "trainer/loop/schedule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "tuner/core/error.h"

namespace tune::trainer::loop {
namespace {

// torch's OneCycleLR: pct_start, div_factor and final_div_factor.
constexpr double kRise = 0.3, kFirst = 1.0 / 25, kLast = kFirst / 1e4;

// From `from` at 0 to `to` at 1, as half a cosine.
double along_cosine(double from, double to, double part) {
  return to + (from - to) * 0.5 * (1 + std::cos(std::numbers::pi * part));
}

double one_cycle(double part) {
  return part < kRise ? along_cosine(kFirst, 1, part / kRise)
                      : along_cosine(1, kLast, (part - kRise) / (1 - kRise));
}

double linear(double epoch, double warmup, double epochs) {
  return epoch <= warmup || warmup >= epochs ? 1 : std::clamp((epochs - epoch) / (epochs - warmup), 0.0, 1.0);
}

constexpr const char* kWarmUpRows[] = {"warmup_epochs", "warmup_steps", "warmup_ratio"};

// One of the three says how long the warm-up is.
void read_warm_up(const Hyperparameters& values, Schedule& schedule) {
  const char* said = nullptr;
  for (const char* name : kWarmUpRows) {
    if (!values.changed(name) || values.number(name) == 0) continue;
    if (said != nullptr)
      throw Error(ExitCode::kBadSpec,
                  std::string(said) + " and " + name + " both say how long the warm-up is",
                  "leave one of them out");
    said = name;
  }
  schedule.warmup_steps = values.number("warmup_steps");
  schedule.warmup_ratio = values.number("warmup_ratio");
}

ScheduleKind kind_of(const std::string& name) {
  if (name == "cosine") return ScheduleKind::kCosine;
  if (name == "linear") return ScheduleKind::kLinear;
  if (name == "one_cycle") return ScheduleKind::kOneCycle;
  return name == "step" ? ScheduleKind::kStep : ScheduleKind::kConstant;
}

}  // namespace

double Schedule::rate(double epoch) const {
  const double warm = warmup_epochs > 0 ? std::min(1.0, epoch / warmup_epochs) : 1.0;
  double decay = 1;
  if (kind == ScheduleKind::kStep)
    for (const double step : step_epochs) decay *= epoch >= step ? factor : 1.0;
  if (kind == ScheduleKind::kCosine) decay = along_cosine(1, 0, std::clamp(epoch / epochs, 0.0, 1.0));
  if (kind == ScheduleKind::kLinear) decay = linear(epoch, warmup_epochs, epochs);
  if (kind == ScheduleKind::kOneCycle) decay = one_cycle(std::clamp(epoch / epochs, 0.0, 1.0));
  return base * warm * decay;
}

Schedule Schedule::within(double steps_per_epoch, std::int64_t max_steps) const {
  Schedule own = *this;
  if (max_steps > 0) own.epochs = static_cast<double>(max_steps) / steps_per_epoch;
  if (warmup_steps > 0) own.warmup_epochs = warmup_steps / steps_per_epoch;
  // Whole steps, rounded up, as Hugging Face's Trainer has it.
  if (warmup_ratio > 0)
    own.warmup_epochs = std::ceil(warmup_ratio * own.epochs * steps_per_epoch - 1e-9) / steps_per_epoch;
  return own;
}

std::vector<double> parse_step_epochs(const std::string& text) {
  std::vector<double> epochs;
  std::size_t begin = 0;
  while (!text.empty() && begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string item = text.substr(begin, end - begin);
    std::erase(item, ' ');
    double epoch = 0;
    const auto [rest, error] = std::from_chars(item.data(), item.data() + item.size(), epoch);
    if (error != std::errc() || rest != item.data() + item.size() || !(epoch > 0) ||
        (!epochs.empty() && epoch <= epochs.back()))
      throw Error(ExitCode::kBadSpec, "hyperparameter \"lr_scheduler_step\" is \"" + text + "\"",
                  "ascending epochs with commas between them, as in \"33,67\"");
    epochs.push_back(epoch);
    begin = end + 1;
  }
  return epochs;
}

std::vector<Hyperparameter> schedule_hyperparameters() {
  return {choice("lr_scheduler", {"cosine", "step", "constant", "linear", "one_cycle"},
                 "how the learning rate falls; one_cycle rises first, in place of a warm-up"),
          text("lr_scheduler_step", "",
               "epochs, as in \"33,67\", after which the rate is multiplied by lr_scheduler_factor; implies "
               "lr_scheduler step"),
          real("lr_scheduler_factor", 0.1, 1e-3, 1, "log", "factor of lr_scheduler_step"),
          real("warmup_epochs", 0.5, 0, 100, "linear", "epochs over which the learning rate rises from 0"),
          whole("warmup_steps", 0, 0, 1e9, "linear",
                "the same in steps of the optimizer, in place of warmup_epochs"),
          real("warmup_ratio", 0, 0, 1, "linear", "the same as a part of all steps, in place of both")};
}

Schedule make_schedule(const Hyperparameters& values) {
  Schedule schedule;
  schedule.epochs = static_cast<double>(values.integer("epochs"));
  schedule.warmup_epochs = values.number("warmup_epochs");
  read_warm_up(values, schedule);
  schedule.factor = values.number("lr_scheduler_factor");
  schedule.step_epochs = parse_step_epochs(values.text("lr_scheduler_step"));
  const std::string& kind = values.text("lr_scheduler");
  const bool has_steps = !schedule.step_epochs.empty();
  if (has_steps && values.given("lr_scheduler") && kind != "step")
    throw Error(ExitCode::kBadSpec, "lr_scheduler is \"" + kind + "\", yet lr_scheduler_step is given",
                "leave one of them out");
  if (kind == "step" && !has_steps)
    throw Error(ExitCode::kBadSpec, "lr_scheduler is \"step\" without lr_scheduler_step",
                "name the epochs, as in \"lr_scheduler_step\": \"5,8\"");
  schedule.kind = has_steps ? ScheduleKind::kStep : kind_of(kind);
  if (schedule.kind == ScheduleKind::kOneCycle) {
    for (const char* name : kWarmUpRows)
      if (values.given(name) && values.number(name) > 0)
        throw Error(ExitCode::kBadSpec,
                    std::string("lr_scheduler is \"one_cycle\", yet ") + name + " is " +
                        shortest(values.number(name)),
                    std::string("leave ") + name + " out: one cycle begins with a rise of its own");
    schedule.warmup_epochs = 0;
  }
  return schedule;
}

}  // namespace tune::trainer::loop
