#include "strategies/rungs.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "strategies/curve_standing.h"

namespace tune::strategies {
namespace {

// Values in the first tenth of a training are of its warm-up more than of its hyperparameters.
constexpr double kLeastFraction = 0.1;

bool counts(const TrialView& trial) { return trial.state != TrialState::kFailed && !trial.curve.empty(); }

// A completed trial that shows how long a training is.
bool shows_length(const TrialView& trial) {
  return trial.state == TrialState::kCompleted && trial.budget >= 1 && !trial.curve.empty();
}

}  // namespace

int reduction_factor_of(const EarlyStopping& settings) {
  const bool halves = settings.form == StopForm::kPause && settings.rule != "hyperband";
  return std::max(settings.reduction_factor.value_or(halves ? 2 : 3), 2);
}

Rungs::Rungs(const EarlyStopping& settings, const Objective& objective)
    : settings_(settings), factor_(reduction_factor_of(settings)), objective_(objective) {}

// 0 where nothing was said of it.
std::int64_t Rungs::declared_steps(const ParameterSet& parameters) const {
  if (settings_.max_step) return *settings_.max_step;
  const auto named = parameters.find(settings_.max_step_parameter);
  if (named == parameters.end() || !named->second.is_number()) return 0;
  return static_cast<std::int64_t>(std::llround(named->second.get<double>()));
}

Rungs::Climber Rungs::seen(const std::shared_ptr<const TrialView>& trial) const {
  Climber climber;
  climber.trial = trial;
  climber.number = trial->number;
  climber.state = trial->state;
  if (!shows_length(*trial)) return climber;
  const double declared = is_declared() ? static_cast<double>(declared_steps(trial->parameters)) : 1;
  if (declared >= 1) climber.length = static_cast<double>(trial->curve.back().step) / declared;
  if (!trial->values.empty()) climber.end = trial->values[0];
  return climber;
}

void Rungs::place(Climber& climber, double correction) const {
  const TrialView& trial = *climber.trial;
  climber.steps = nullptr;
  climber.values.clear();
  if (!counts(trial)) return;
  const auto full = full_steps(trial.parameters, correction);
  if (!full) return;
  if (*full != usual_length_) {
    usual_length_ = *full;
    usual_steps_ = std::make_shared<const std::vector<std::int64_t>>(steps(*full));
  }
  climber.steps = usual_steps_;
  climber.bracket = bracket_of(trial.place(), climber.steps->size());
  for (std::size_t rung = 0; rung + climber.bracket < climber.steps->size(); ++rung)
    climber.values.push_back(reached_by(trial.curve, (*climber.steps)[rung], objective_));
}

const std::vector<Rungs::Climber>& Rungs::climbers(const History& history) const {
  climbers_.resize(history.trials.size());
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < climbers_.size(); ++i) {
    if (climbers_[i].trial == history.trials[i]) continue;
    climbers_[i] = seen(history.trials[i]);
    changed.push_back(i);
  }
  double longest = 0;
  for (const Climber& climber : climbers_) longest = std::max(longest, climber.length);
  const double correction = longest > 0 ? longest : is_declared() ? 1 : 0;
  if (correction == correction_) {
    for (const std::size_t i : changed) place(climbers_[i], correction);
    return climbers_;
  }
  for (Climber& climber : climbers_) place(climber, correction);
  correction_ = correction;
  return climbers_;
}

double Rungs::correction(const History& history) const {
  climbers(history);
  return correction_;
}

std::optional<std::int64_t> Rungs::full_steps(const ParameterSet& parameters, double correction) const {
  const double declared = is_declared() ? static_cast<double>(declared_steps(parameters)) : 1;
  const double steps = declared * correction;
  if (!(steps >= 1)) return std::nullopt;
  return static_cast<std::int64_t>(std::llround(steps));
}

std::vector<std::int64_t> Rungs::steps(std::int64_t full_steps) const {
  const double full = static_cast<double>(full_steps);
  const double least =
      settings_.start_step ? static_cast<double>(*settings_.start_step) : kLeastFraction * full;
  std::vector<std::int64_t> steps;
  for (double step = full / factor_; step >= least * (1 - 1e-9) && steps.size() < 64; step /= factor_) {
    const auto whole = static_cast<std::int64_t>(std::ceil(step * (1 - 1e-12)));
    if (whole >= full_steps || (!steps.empty() && whole >= steps.back())) break;
    steps.push_back(whole);
  }
  return steps;
}

// Of `rungs` + 1 brackets, the first meets every rung and the last none.
std::size_t Rungs::bracket_of(int trial, std::size_t rungs) const {
  if (settings_.rule != "hyperband") return 0;
  const std::size_t brackets =
      std::min(rungs + 1, static_cast<std::size_t>(std::max(settings_.brackets.value_or(64), 1)));
  std::vector<double> share(brackets), dealt(brackets, 0);
  double sum = 0;
  for (std::size_t s = 0; s < brackets; ++s) {
    const double largest = static_cast<double>(rungs) + 1, halvings = static_cast<double>(rungs - s);
    share[s] = std::ceil(largest / (halvings + 1) * std::pow(factor_, halvings));
    sum += share[s];
  }
  // The deal repeats itself after as many trials as the shares have together.
  const int place = (trial - 1) % static_cast<int>(sum);
  std::size_t next = 0;
  for (int dealt_before = 0; dealt_before <= place; ++dealt_before) {
    next = 0;
    const auto lack = [&](std::size_t s) { return share[s] / sum * (dealt_before + 1) - dealt[s]; };
    for (std::size_t s = 1; s < brackets; ++s)
      if (lack(s) > lack(next)) next = s;
    dealt[next] += 1;
  }
  return next;
}

std::vector<std::int64_t> Rungs::steps_of(const TrialView& trial, double correction) const {
  const auto full = full_steps(trial.parameters, correction);
  if (!full) return {};
  std::vector<std::int64_t> all = steps(*full);
  all.resize(all.size() - bracket_of(trial.place(), all.size()));
  return all;
}

std::vector<std::int64_t> Rungs::steps_of(const TrialView& trial, const History& history) const {
  return steps_of(trial, correction(history));
}

std::optional<RungPlan> Rungs::plan(const History& history) const {
  if (!settings_.max_step && !settings_.max_step_parameter.empty()) {
    const std::string factor = std::to_string(factor_);
    return RungPlan{{},
                    0,
                    "rungs at 1/" + factor + ", 1/" + factor +
                        "^2 ... of each training, whose length is in \"" + settings_.max_step_parameter +
                        "\""};
  }
  const auto full = full_steps({}, history);
  if (!full) return std::nullopt;
  RungPlan plan{steps(*full), *full, {}};
  std::reverse(plan.steps.begin(), plan.steps.end());
  if (plan.steps.empty()) {
    plan.text = "no rungs: a training has " + std::to_string(*full) +
                (*full == 1 ? " step, too few to compare trials before its end"
                            : " steps, too few to compare trials before their ends");
    return plan;
  }
  plan.text = plan.steps.size() == 1 ? "a rung at step " : "rungs at steps ";
  for (std::size_t i = 0; i < plan.steps.size(); ++i)
    plan.text += (i == 0 ? "" : i + 1 == plan.steps.size() ? " and " : ", ") + std::to_string(plan.steps[i]);
  plan.text += " of " + std::to_string(*full);
  if (settings_.max_step && *settings_.max_step != *full)
    plan.text += " (completed trials ended there, not at " + std::to_string(*settings_.max_step) + ")";
  return plan;
}

std::optional<std::size_t> Rungs::reached_rung(const std::vector<MetricPoint>& curve,
                                               const std::vector<std::int64_t>& steps) {
  if (curve.empty()) return std::nullopt;
  for (std::size_t rung = 0; rung < steps.size(); ++rung)
    if (curve.back().step >= steps[rung]) return rung;
  return std::nullopt;
}

std::vector<Rungs::Standing> Rungs::others_at(std::size_t rung, const TrialView& trial,
                                              const History& history) const {
  std::vector<Standing> others;
  std::size_t rungs = 0, bracket = 0;  // of the trial, if it had as many rungs as the other one
  for (const Climber& other : climbers(history)) {
    if (other.number == trial.number || rung >= other.values.size() || !other.values[rung]) continue;
    if (other.steps->size() != rungs) {
      rungs = other.steps->size();
      bracket = bracket_of(trial.place(), rungs);
    }
    if (other.bracket == bracket) others.push_back({other.trial.get(), *other.values[rung]});
  }
  return others;
}

bool Rungs::is_probe(int trial) {
  int power = 1;
  while (power < trial && power <= std::numeric_limits<int>::max() / kProbes) power *= kProbes;
  return power == trial;
}

bool Rungs::is_trusted(std::size_t rung, const History& history) const {
  std::vector<std::pair<double, double>> ends;  // at the rung, and at the end
  const std::vector<Climber>& all = climbers(history);
  for (auto trial = all.rbegin(); trial != all.rend() && ends.size() < kMostEnds; ++trial) {
    if (!trial->end || !trial->steps || rung >= trial->values.size()) continue;
    const auto value = trial->values[rung];
    if (value && std::isfinite(*value)) ends.emplace_back(*value, *trial->end);
  }
  double pairs = 0, order = 0;  // concordant less discordant
  for (std::size_t a = 0; a < ends.size(); ++a)
    for (std::size_t b = 0; b < a; ++b) {
      const double product = (ends[a].first - ends[b].first) * (ends[a].second - ends[b].second);
      pairs += product != 0;
      order += (product > 0) - (product < 0);
    }
  return (order + kPriorPairs / 2) / (pairs + kPriorPairs) >= kLeastTau;
}

}  // namespace tune::strategies
