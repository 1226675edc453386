#include "strategies/curve_forecast.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "strategies/curve_standing.h"
#include "tuner/core/moments.h"
#include "tuner/core/quantile.h"

namespace tune::strategies {
namespace {

// A step to the next fraction is at least this long: closer values say nearly the same.
constexpr double kLeastHop = 1.25;

// `from` > 0.
double next_fraction(double from) {
  double next = 1;
  while (next / 2 >= kLeastHop * from) next /= 2;
  return next;
}

// Down to one of eight values an octave: where trials end at every step, each step would have regressions of
// its own, of nearly the same trials.
double coarse(double fraction) {
  constexpr double kValues = 8;
  return std::exp2(std::floor(std::log2(fraction) * kValues) / kValues);
}

double usual_gain(const std::vector<double>& gains) { return gains.empty() ? 0 : median(gains); }

}  // namespace

CurveForecast::CurveForecast(const History& history, const EarlyStopping& settings,
                             const std::vector<const Eigen::VectorXd*>& features)
    : objective_(history.objective),
      sign_(history.objective.goal == Goal::kMinimize ? 1 : -1),
      rungs_(settings, history.objective),
      correction_(rungs_.correction(history)) {
  std::int64_t longest = 0;
  for (const auto& trial : history.trials)
    if (!trial->curve.empty()) longest = std::max(longest, trial->curve.back().step);
  std::vector<double> losses;
  for (std::size_t i = 0; i < history.trials.size(); ++i) {
    const auto& trial = history.trials[i];
    const Eigen::VectorXd* place = i < features.size() ? features[i] : nullptr;
    if (trial->state == TrialState::kFailed || trial->curve.empty()) continue;
    if (place == nullptr && !features.empty()) continue;
    const double now = reached(trial->curve, objective_);
    if (!std::isfinite(now)) continue;
    Member member{
        trial.get(), rungs_.full_steps(trial->parameters, correction_).value_or(longest), 1, {}, place};
    if (trial->state == TrialState::kCompleted && !trial->values.empty()) {
      member.end = trial->values[0];
    } else {
      // Step 0 is a step. One that has not completed may still change, however long it is.
      const double length = static_cast<double>(std::max<std::int64_t>(member.full_steps, 1));
      const double step = static_cast<double>(std::max<std::int64_t>(trial->curve.back().step, 1));
      member.fraction = std::min(step, std::max(length - 0.5, length / 2)) / length;
    }
    losses.push_back(sign_ * member.end.value_or(now));
    places_[trial.get()] = members_.size();
    members_.push_back(member);
  }
  warp_ = OutputWarp::fit(losses);
  for (Member& member : members_)
    if (member.end) member.end = warp_(sign_ * *member.end);
}

const CurveForecast::Member* CurveForecast::find(const TrialView& trial) const {
  const auto place = places_.find(&trial);
  return place == places_.end() ? nullptr : &members_[place->second];
}

std::optional<std::int64_t> CurveForecast::full_steps(const TrialView& trial) const {
  const Member* member = find(trial);
  return member == nullptr ? std::nullopt : std::optional(member->full_steps);
}

std::optional<double> CurveForecast::warped_at(const Member& member, double fraction) const {
  if (fraction >= 1 && member.end) return member.end;
  const auto step =
      static_cast<std::int64_t>(std::llround(fraction * static_cast<double>(member.full_steps)));
  const auto value = reached_by(member.trial->curve, std::max<std::int64_t>(step, 1), objective_);
  if (!value || !std::isfinite(*value)) return std::nullopt;
  return warp_(sign_ * *value);
}

const CurveForecast::Hop& CurveForecast::hop(double from, double to) {
  const auto [place, is_new] = hops_.try_emplace({from, to});
  Hop& hop = place->second;
  if (!is_new) return hop;
  std::vector<const Eigen::VectorXd*> places;
  for (auto member = members_.rbegin(); member != members_.rend() && hop.gain.size() < kMostCurves;
       ++member) {
    if (member->fraction < to) continue;
    const auto then = warped_at(*member, to), now = warped_at(*member, from);
    if (!then || !now) continue;
    const double momentum = *now - warped_at(*member, from / 2).value_or(*now);
    hop.earlier.push_back({*now, momentum});
    hop.gain.push_back(*then - *now);
    places.push_back(member->place);
  }
  if (hop.gain.size() < kFewestCurves) return hop;
  Eigen::MatrixXd rows;
  if (places[0] != nullptr) rows.resize(static_cast<Eigen::Index>(places.size()), places[0]->size());
  for (Eigen::Index i = 0; i < rows.rows(); ++i)
    rows.row(i) = places[static_cast<std::size_t>(i)]->transpose();
  hop.model = GainModel::fit(hop.earlier, hop.gain, rows);
  return hop;
}

double CurveForecast::spread_at(double fraction) const {
  std::vector<double> values;
  for (const Member& member : members_)
    if (member.fraction >= fraction)
      if (const auto value = warped_at(member, fraction)) values.push_back(*value);
  // Warped values have about unit variance.
  return values.size() < 2 ? 1 : std::sqrt(population_variance(values));
}

// Hop by hop: what is reached at a fraction, and how much of it came in the second half of the way there, are
// the state from which the gain to the next one is predicted. Their errors are carried on as the linear
// regressions hand them on; the error of a gain is one of both.
CurveForecast::Forecast CurveForecast::forecast(const Member& member) {
  if (member.end) return {*member.end, 0};
  const double now = warp_(sign_ * reached(member.trial->curve, objective_));
  double at = coarse(member.fraction);
  Progress state{now, now - warped_at(member, at / 2).value_or(now)};
  Eigen::Matrix2d covariance = Eigen::Matrix2d::Zero();  // of the state
  while (at < 1) {
    const double to = next_fraction(at);
    const Hop& seen = hop(at, to);
    if (!seen.model) {
      const double error = kOwnShare * spread_at(at);
      return {state.reached + usual_gain(hop(at, 1).gain), covariance(0, 0) + error * error};
    }
    const Eigen::VectorXd place = member.place == nullptr ? Eigen::VectorXd() : *member.place;
    const auto gain_from = [&](double reached, double momentum) {
      return seen.model->predict({reached, momentum}, place);
    };
    const GainPrediction gain = gain_from(state.reached, state.momentum);
    // The gain is linear in both.
    const double by_reached = gain_from(state.reached + 1, state.momentum).mean - gain.mean,
                 by_momentum = gain_from(state.reached, state.momentum + 1).mean - gain.mean;
    Eigen::Matrix2d transition;
    transition << 1 + by_reached, by_momentum, by_reached, by_momentum;
    covariance = (transition * covariance * transition.transpose()).eval();
    covariance.array() += gain.variance();
    // Half of the way to the next fraction is this one, but for the first.
    const double half = warped_at(member, to / 2).value_or(state.reached);
    state.reached += gain.mean;
    state.momentum = state.reached - half;
    at = to;
  }
  return {state.reached, covariance(0, 0)};
}

void CurveForecast::foresee_all() {
  if (!forecasts_.empty()) return;
  std::vector<double> means, variances;
  for (const Member& member : members_) {
    forecasts_.push_back(forecast(member));
    means.push_back(forecasts_.back().mean);
    variances.push_back(forecasts_.back().variance);
  }
  population_ = {mean_of(means), population_variance(means) + mean_of(variances)};
  const auto [lowest, highest] = std::minmax_element(means.begin(), means.end());
  lowest_ = *lowest;
  highest_ = *highest;
}

std::optional<CurveEvidence> CurveForecast::evidence(const TrialView& trial) {
  const Member* member = find(trial);
  if (member == nullptr) return std::nullopt;
  foresee_all();
  const Forecast end = forecasts_[static_cast<std::size_t>(member - members_.data())];
  // Rounding of a variance that is none.
  const double known = std::max(population_.variance, 1e-12), own = std::max(end.variance, 1e-9 * known);
  const double precision = 1 / own - 1 / known;
  if (!(precision * known >= kLeastInformation)) return std::nullopt;
  const double room = std::sqrt(known), deviation = 1 / std::sqrt(precision);
  const double mean =
      std::clamp((end.mean / own - population_.mean / known) / precision, lowest_ - room, highest_ + room);
  // Where the warp's range ends, the value so far stands for what lies beyond.
  const double now = sign_ * reached(trial.curve, objective_);
  const double loss = warp_.inverse(mean);
  if (!std::isfinite(loss)) return CurveEvidence{now, std::abs(warp_.inverse(lowest_) - now)};
  const double below = warp_.inverse(mean - deviation), above = warp_.inverse(mean + deviation);
  const double error = std::isfinite(above - below) ? (above - below) / 2
                       : std::isfinite(above)       ? above - loss
                       : std::isfinite(below)       ? loss - below
                                                    : std::abs(loss - now);
  return CurveEvidence{loss, error};
}

}  // namespace tune::strategies
