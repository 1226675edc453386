#include "strategies/bayesian_strategy.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "strategies/expected_hypervolume_improvement.h"
#include "strategies/explanation.h"
#include "strategies/noisy_expected_improvement.h"

namespace tune::strategies {
namespace {

// A failed trial also counts as the worst value, with the noise of a whole standard deviation: expected
// improvement falls around it at once, and a few good neighbours outvote a crash by chance.
constexpr double kFailureNoise = 1;

// The power of the probability of success. Above 1, because a failed trial costs as much and teaches less.
// Among 1, 3 and 10, 3 did best with a border of failures, and as well as any with crashes at random.
constexpr double kCaution = 3;

// Once more than this part of the trials has failed, a suggestion has to succeed with this probability. No
// prospect outweighs a lack of it: towards the end of a search the logarithm of expected improvement falls
// without bound wherever trials succeed, and any finite price would be paid to cross the border. The points
// that the acquisition takes are those that the model is wrong about: of suggestions with 0.95 up to one in
// eight failed. With 0.98 an eighth fewer trials failed over five spaces with a border of memory, at about
// the same regret; 0.99 saved hardly more, and cost regret.
constexpr double kToleratedFailures = 0.05, kWantedSuccess = 0.98, kLackOfSuccess = 1e4;

double wanted_log_success(const EncodedHistory& encoded) {
  const double failed = static_cast<double>(encoded.failed), finished = static_cast<double>(encoded.finished);
  return failed > kToleratedFailures * finished ? std::log(kWantedSuccess)
                                                : -std::numeric_limits<double>::infinity();
}

// A search where an identical study has searched is to refine that study's best point: a normal density of
// this deviation around the best known point is the prior of the optimum. Its logarithm is weighted by
// kBelief over the number of this study's own trials, so that it is forgotten (Hvarfner et al., "piBO:
// Augmenting Acquisition Functions with User Beliefs for Bayesian Optimization", ICLR 2022, with their weight
// for studies of 100 trials). The factor of the squared distance, 0 where there is no such study.
constexpr double kBeliefDeviation = 0.25, kBelief = 10;

double belief_in_best(const History& history) {
  if (!history.earlier) return 0;
  const bool identical =
      std::any_of(history.earlier->begin(), history.earlier->end(),
                  [](const EarlierTrial& earlier) { return earlier.kind == WarmStart::kIdentical; });
  if (!identical) return 0;
  return kBelief / history.next_number() / (2 * kBeliefDeviation * kBeliefDeviation);
}

// Points closer than this in every coordinate are the same: training again would tell nothing new.
constexpr double kSamePoint = 1e-6;

bool is_tried(const PointKey& key, const std::set<PointKey>& tried) {
  if (tried.contains(key)) return true;
  return std::any_of(tried.begin(), tried.end(), [&](const PointKey& other) {
    return std::equal(key.begin(), key.end(), other.begin(),
                      [](double a, double b) { return std::abs(a - b) < kSamePoint; });
  });
}

// Fewer points as the model grows, since each costs O(n^2); local steps matter more than anchors by then.
// Between 81 and 150 observations, where most long searches are, there are fewer than beyond: that takes a
// third less time, and fifteen functions showed no loss of regret.
SearchEffort effort_for(Eigen::Index model_size) {
  if (model_size <= 80) return {.anchors = 512, .nearby = 128, .starts = 4, .iterations = 40};
  if (model_size <= 150) return {.anchors = 192, .nearby = 96, .starts = 3, .iterations = 30};
  if (model_size <= 400) return {.anchors = 256, .nearby = 96, .starts = 3, .iterations = 30};
  if (model_size <= 700) return {.anchors = 192, .nearby = 64, .starts = 3, .iterations = 25};
  return {.anchors = 64, .nearby = 48, .starts = 2, .iterations = 12};
}

// The reference point lies beyond the worst of the front by this part of the front's range (1.1 times the
// nadir, where the ideal is 0: Ishibuchi, Imada, Setoguchi & Nojima, "How to specify a reference point in
// hypervolume calculation for fair performance comparison", Evolutionary Computation 26(3), 2018). A front of
// a few points is not much of a range: then the range of all results counts, this part of it. A front whose
// ends are not found yet hides beyond such a reference all that is worse than its ends in one objective, and
// a search stays between them: on DTLZ7 a tenth of the area was never found. So every third suggestion is for
// all that is better than the worst results.
constexpr double kBeyondNadir = 0.1, kLeastRange = 0.1;

// Without them the search for two objectives missed pieces of fronts that are in pieces.
constexpr std::uint32_t kRedrawn = 96;

// Costs grow with the square of the baseline, and points that hardly add to the front hardly matter.
constexpr std::size_t kMostOfFront = 24;

// `improvement` by the chance of success, with what is believed of the best point: both acquisitions' other
// factors. Refers to all arguments.
template <typename Improvement>
Acquisition weighted(const Improvement& improvement, const FailureModel& failure, double wanted,
                     double belief, const Eigen::VectorXd& best) {
  return {
      [&improvement, &failure, wanted, belief, &best](const Eigen::MatrixXd& points) -> Eigen::VectorXd {
        const Eigen::VectorXd successes = failure.log_successes(points);
        const Eigen::VectorXd lacks = (successes.array() - wanted).cwiseMin(0.0);
        const Eigen::VectorXd distances = (points.rowwise() - best.transpose()).rowwise().squaredNorm();
        return improvement.values(points) + kCaution * successes + kLackOfSuccess * lacks -
               belief * distances;
      },
      [&improvement, &failure, wanted, belief, &best](const Eigen::VectorXd& x, Eigen::VectorXd& gradient) {
        Eigen::VectorXd failure_gradient;
        const double success = failure.log_success(x, failure_gradient);
        const double lack = std::min(0.0, success - wanted);
        const double value = improvement.value(x, gradient) + kCaution * success + kLackOfSuccess * lack -
                             belief * (x - best).squaredNorm();
        gradient += (kCaution + (lack < 0 ? kLackOfSuccess : 0)) * failure_gradient;
        gradient -= 2 * belief * (x - best);
        return value;
      }};
}

// Of the study's own trials.
bool has_completed(const History& history) {
  const auto own = history.trials.begin() + static_cast<std::ptrdiff_t>(history.borrowed);
  return std::any_of(own, history.trials.end(), [](const auto& trial) {
    return trial->state == TrialState::kCompleted && !trial->values.empty();
  });
}

// The posterior means at the rows of `at`.
Eigen::VectorXd means_at(const GaussianProcess& process, const Eigen::MatrixXd& at) {
  const Eigen::MatrixXd k = process.kernel().covariance(process.points(), at);
  return (k.transpose() * process.weights()).array() + process.mean();
}

// Takes points off the front until `most` are left, those first that add least. `front` is as front_of()
// gives it, and its ends stay.
void thin_out(std::vector<std::size_t>& front, const std::vector<LossPair>& points, std::size_t most) {
  while (front.size() > most) {
    std::size_t least = 1;
    double smallest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 1; i + 1 < front.size(); ++i) {
      const LossPair &before = points[front[i - 1]], &here = points[front[i]], &after = points[front[i + 1]];
      const double added = (after[0] - here[0]) * (before[1] - here[1]);
      if (added < smallest) smallest = added, least = i;
    }
    front.erase(front.begin() + static_cast<std::ptrdiff_t>(least));
  }
}

LossPair reference_of(const std::vector<LossPair>& front, const std::vector<LossPair>& all, bool seeks_ends) {
  LossPair reference{};
  for (std::size_t j = 0; j < 2; ++j) {
    const auto by_loss = [j](const LossPair& a, const LossPair& b) { return a[j] < b[j]; };
    const auto [ideal, nadir] = std::minmax_element(front.begin(), front.end(), by_loss);
    const auto [least, most] = std::minmax_element(all.begin(), all.end(), by_loss);
    const double range =
        std::max({(*nadir)[j] - (*ideal)[j], kLeastRange * ((*most)[j] - (*least)[j]), 1e-6});
    reference[j] = (*nadir)[j] + kBeyondNadir * range;
    if (seeks_ends) reference[j] = std::max(reference[j], (*most)[j]);
  }
  return reference;
}

std::string counted(Eigen::Index count, const char* what) { return std::to_string(count) + " " + what; }

// An improvement of the warped values over the best of them, in the metric's units.
double gain_in_metric(const Surrogate& surrogate, double improvement) {
  const double best = surrogate.targets.minCoeff();
  return std::abs(surrogate.warp.inverse(best) - surrogate.warp.inverse(best - improvement));
}

// What a surrogate predicts, in the metric's units.
struct PredictedText {
  std::string value, range;
};

PredictedText predicted_text(const Surrogate& surrogate, Goal goal, const Eigen::VectorXd& features) {
  const Prediction at = surrogate.process->predict(features);
  const double sign = goal == Goal::kMinimize ? 1 : -1, deviation = std::sqrt(at.variance);
  double low = sign * surrogate.warp.inverse(at.mean - deviation);
  double high = sign * surrogate.warp.inverse(at.mean + deviation);
  if (low > high) std::swap(low, high);
  char value[40], range[80];
  std::snprintf(value, sizeof value, "%.4g", sign * surrogate.warp.inverse(at.mean));
  std::snprintf(range, sizeof range, "%.4g to %.4g", low, high);
  return {value, range};
}

// ", 2 failed, 1 pending".
std::string circumstances(const EncodedHistory& encoded, bool repeated) {
  std::string text;
  if (encoded.failed > 0) text += ", " + std::to_string(encoded.failed) + " failed";
  if (encoded.pending.rows() > 0) text += ", " + counted(encoded.pending.rows(), "pending");
  if (repeated)
    text += "; every point of the space that was looked at has been tried, so this one is a repeat";
  return text;
}

}  // namespace

BayesianStrategy::BayesianStrategy(SearchSpace space, Objective objective, std::uint64_t seed,
                                   const EarlyStopping& stopping)
    : space_(std::move(space)),
      objective_(std::move(objective)),
      encoding_(space_),
      design_(space_, encoding_, seed),
      untried_(space_, encoding_),
      encoder_(space_, encoding_, stopping),
      builder_(encoding_.group_of_feature()),
      second_builder_(encoding_.group_of_feature()),
      failure_builder_(encoding_.group_of_feature()),
      may_thaw_(stopping.form == StopForm::kPause),
      thawing_(stopping, objective_) {}

bool BayesianStrategy::is_model_due(const EncodedHistory& history, bool is_pair) const {
  const std::size_t have = (is_pair ? history.second_observations : history.observations).size();
  // Where most trials fail, waiting for the full number would waste many more.
  constexpr std::size_t kFewest = 2;
  return have >= kInitialObservations || (have >= kFewest && history.finished >= 2 * kInitialObservations);
}

Answer BayesianStrategy::suggest(const History& history, Rng& rng) {
  const EncodedHistory encoded = encoder_.encode(history, objective_.goal);
  if (encoding_.groups() == 0) return space_filling(history, encoded, "the space has a single point", rng);
  if (!is_model_due(encoded, history.second.has_value())) {
    const auto& results = history.second ? encoded.second_observations : encoded.observations;
    return space_filling(history, encoded,
                         std::to_string(results.size()) + " of " + std::to_string(kInitialObservations) +
                             " results that a model needs are in",
                         rng);
  }
  auto suggestion = history.second ? modelled_pair(history, encoded, rng)
                                   : modelled(history, encoded, belief_in_best(history), rng);
  if (suggestion) return std::move(*suggestion);
  return space_filling(history, encoded, "no model could be fitted to the results", rng);
}

Suggestion BayesianStrategy::space_filling(const History& history, const EncodedHistory& encoded,
                                           const std::string& why, Rng& rng) {
  const int number = history.next_number();
  const FailureModel failure = FailureModel::fit(encoded, failure_builder_);
  // The trial's own Sobol point, unless it was tried or trials failed near it; then one further along the
  // sequence.
  constexpr std::uint32_t kAlternatives = 32;
  Suggestion suggestion;
  double best = -std::numeric_limits<double>::infinity();
  bool is_repeat = false;
  for (std::uint32_t j = 0; j < kAlternatives; ++j) {
    const UnitPoint unit = design_.point(number, j);
    ParameterSet point = space_.from_unit(unit);
    const bool repeated = is_tried(point_key(space_, point), encoded.tried);
    const double score = failure.log_success(encoding_.encode(unit)) - (repeated ? 1e3 : 0);
    if (score > best) best = score, is_repeat = repeated, suggestion.parameters = std::move(point);
  }
  suggestion.note = InitialDesign::name(number) + ": " + why;
  suggestion.brief = InitialDesign::brief(number);
  suggestion.explanation = {{"strategy", "bayesian"}};
  if (!is_repeat || !untried_.is_finite()) return suggestion;
  const std::vector<UnitPoint> left = untried_.list(encoded.tried, rng);
  suggestion.space_is_used_up = left.empty();
  if (left.empty()) return suggestion;
  suggestion.parameters = space_.from_unit(untried_.farthest(
      left, encoded.tried, [&](const Eigen::VectorXd& features) { return failure.log_success(features); }));
  suggestion.note = "far from what was tried: " + why;
  suggestion.brief = "far from what was tried";
  return suggestion;
}

Eigen::MatrixXd BayesianStrategy::baseline(const Surrogate& surrogate, const EncodedHistory& encoded,
                                           std::vector<UnitPoint>& incumbents) const {
  // The best are chosen by the model's mean, which noise does not fool: K weights = targets - mean - noise
  // weights, without K.
  constexpr std::size_t kBest = 12;
  const auto points = static_cast<Eigen::Index>(surrogate.rows.size());
  const Eigen::VectorXd means = surrogate.targets.head(points) -
                                surrogate.noise.cwiseProduct(surrogate.process->weights().head(points));
  std::vector<Eigen::Index> order(surrogate.rows.size());
  std::iota(order.begin(), order.end(), Eigen::Index{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](Eigen::Index a, Eigen::Index b) { return means[a] < means[b]; });
  order.resize(std::min(order.size(), kBest));
  const auto best = static_cast<Eigen::Index>(order.size());
  Eigen::MatrixXd rows(best + encoded.pending.rows(), encoding_.features());
  for (Eigen::Index i = 0; i < best; ++i) {
    const Eigen::Index point = order[static_cast<std::size_t>(i)];
    rows.row(i) = surrogate.process->points().row(point);
    incumbents.push_back(encoded.observed_units[surrogate.rows[static_cast<std::size_t>(point)]]);
  }
  rows.bottomRows(encoded.pending.rows()) = encoded.pending;
  constexpr std::size_t kCentres = 3;
  incumbents.resize(std::min(incumbents.size(), kCentres));
  return rows;
}

bool BayesianStrategy::add_failures(Surrogate& surrogate, const EncodedHistory& encoded) {
  const Eigen::Index failures = encoded.lost.rows();
  if (failures == 0) return true;
  const double noise = surrogate.noise_variance + kFailureNoise;
  if (!surrogate.process->append(encoded.lost, Eigen::VectorXd::Constant(failures, noise))) return false;
  Eigen::VectorXd targets(surrogate.targets.size() + failures);
  targets << surrogate.targets, Eigen::VectorXd::Constant(failures, surrogate.targets.maxCoeff());
  surrogate.process->set_targets(targets);
  return surrogate.process->whitened().allFinite();
}

std::optional<Suggestion> BayesianStrategy::modelled(const History& history, const EncodedHistory& encoded,
                                                     double belief, Rng& rng) {
  auto surrogate = builder_.build(encoded.observations);
  if (!surrogate || !add_failures(*surrogate, encoded)) return std::nullopt;
  std::vector<UnitPoint> incumbents;
  const Eigen::MatrixXd known = baseline(*surrogate, encoded, incumbents);
  const SearchEffort effort = effort_for(surrogate->process->size());
  const auto improvement = NoisyExpectedImprovement::make(*surrogate->process, known, rng());
  if (!improvement) return std::nullopt;
  const FailureModel failure = FailureModel::fit(encoded, failure_builder_);
  const Eigen::VectorXd best = known.row(0).transpose();
  const double wanted = wanted_log_success(encoded);
  const PriceModel price = PriceModel::fit(encoded.timed, encoded.prices);
  const Acquisition acquisition = weighted(*improvement, failure, wanted, belief, best);
  const auto candidates = search_acquisition(encoding_, acquisition, incumbents, effort, rng);
  Choice choice = choose(candidates, acquisition, encoded.tried, rng);
  Suggestion suggestion;
  describe(*surrogate, encoded, choice, suggestion);
  const Eigen::MatrixXd chosen = encoding_.encode(choice.unit).transpose();
  suggestion.expected_gain = gain_in_metric(*surrogate, std::exp(improvement->values(chosen)[0]));
  // Until one has completed there is nothing to improve on, and places at the rungs decide.
  if (may_thaw_ && history.can_pause && has_completed(history)) {
    if (auto paused = thawed(history, *surrogate, encoded, price, choice.unit)) return paused;
    suggestion.weighs_paused = true;
  }
  suggestion.explanation =
      explain_process(space_, encoding_, objective_, encoder_,
                      {history, encoded, *surrogate, choice.unit, incumbents.front(),
                       *suggestion.expected_gain, std::exp(failure.log_success(chosen.row(0).transpose()))});
  suggestion.parameters = std::move(choice.parameters);
  suggestion.space_is_used_up = choice.repeated && untried_.is_finite();
  return suggestion;
}

BayesianStrategy::Front BayesianStrategy::front_of_models(const std::array<Surrogate, 2>& surrogates,
                                                          const EncodedHistory& encoded) const {
  // Of the models' means, which noise does not fool.
  const Eigen::MatrixXd& features = encoded.second_observations.features;
  const Eigen::VectorXd first = means_at(*surrogates[0].process, features),
                        second = means_at(*surrogates[1].process, features);
  std::vector<LossPair> all;
  for (Eigen::Index i = 0; i < features.rows(); ++i) all.push_back({first[i], second[i]});
  std::vector<std::size_t> members = tune::front_of(all);
  thin_out(members, all, kMostOfFront);
  const auto count = static_cast<Eigen::Index>(members.size());
  Front front{Eigen::MatrixXd(count + encoded.pending.rows(), encoding_.features()), {}, {}, {}};
  for (Eigen::Index i = 0; i < count; ++i) {
    const std::size_t member = members[static_cast<std::size_t>(i)];
    front.rows.row(i) = features.row(static_cast<Eigen::Index>(member));
    front.points.push_back(all[member]);
  }
  front.rows.bottomRows(encoded.pending.rows()) = encoded.pending;
  const bool seeks_ends = (features.rows() + encoded.pending.rows()) % 3 == 0;
  front.reference = reference_of(front.points, all, seeks_ends);
  constexpr std::size_t kCentres = 5;
  const std::size_t centres = std::min(members.size(), kCentres);
  for (std::size_t i = 0; i < centres; ++i) {
    const std::size_t place = centres == 1 ? 0 : i * (members.size() - 1) / (centres - 1);
    front.incumbents.push_back(encoded.observed_units[encoded.pairs[members[place]]]);
  }
  return front;
}

std::optional<Suggestion> BayesianStrategy::modelled_pair(const History& history,
                                                          const EncodedHistory& encoded, Rng& rng) {
  auto one = builder_.build(encoded.observations), two = second_builder_.build(encoded.second_observations);
  if (!one || !two || !add_failures(*one, encoded) || !add_failures(*two, encoded)) return std::nullopt;
  const std::array<Surrogate, 2> surrogates{std::move(*one), std::move(*two)};
  const Front front = front_of_models(surrogates, encoded);
  SearchEffort effort = effort_for(surrogates[0].process->size());
  effort.redrawn = kRedrawn;
  const auto improvement = ExpectedHypervolumeImprovement::make(
      *surrogates[0].process, *surrogates[1].process, front.rows, front.reference, rng());
  if (!improvement) return std::nullopt;
  const FailureModel failure = FailureModel::fit(encoded, failure_builder_);
  const Eigen::VectorXd any = front.rows.row(0).transpose();
  const Acquisition acquisition = weighted(*improvement, failure, wanted_log_success(encoded), 0, any);
  const auto candidates = search_acquisition(encoding_, acquisition, front.incumbents, effort, rng);
  Choice choice = choose(candidates, acquisition, encoded.tried, rng);
  Suggestion suggestion;
  describe_pair(surrogates, *history.second, front.points.size(), encoded, choice, suggestion);
  // As a part of what the front dominates.
  const Eigen::MatrixXd chosen = encoding_.encode(choice.unit).transpose();
  suggestion.expected_gain =
      std::exp(improvement->values(chosen)[0]) / hypervolume(front.points, front.reference);
  suggestion.explanation = explain_processes(
      space_, encoding_, objective_, encoder_,
      {history, encoded, surrogates, choice.unit, front.points.size(), *suggestion.expected_gain,
       std::exp(failure.log_success(chosen.row(0).transpose()))});
  suggestion.parameters = std::move(choice.parameters);
  suggestion.space_is_used_up = choice.repeated && untried_.is_finite();
  return suggestion;
}

// A paused trial that promises more for what it takes than the new point.
std::optional<Suggestion> BayesianStrategy::thawed(const History& history, const Surrogate& surrogate,
                                                   const EncodedHistory& encoded, const PriceModel& price,
                                                   const UnitPoint& unit) {
  // The best expected end of what has completed.
  std::optional<double> best;
  std::vector<PausedTrial> paused;
  const auto end_at = [&](const Eigen::VectorXd& features) {
    const Prediction at = surrogate.process->predict(features);
    return ExpectedEnd{at.mean, at.variance};
  };
  for (std::size_t i = history.borrowed; i < history.trials.size(); ++i) {
    const TrialView& trial = *history.trials[i];
    const bool is_completed = trial.state == TrialState::kCompleted && !trial.values.empty();
    const bool is_paused = trial.state == TrialState::kPaused;
    if (!is_completed && !is_paused) continue;
    const HistoryEncoder::Entry& known = encoder_.entry(i, history.trials[i]);
    if (!known.valid) continue;
    const ExpectedEnd end = end_at(known.features);
    if (is_paused)
      paused.push_back({&trial, end, price.log_price(known.features)});
    else if (!best || end.mean < *best)
      best = end.mean;
  }
  if (!best) return std::nullopt;
  const Eigen::VectorXd features = encoding_.encode(unit);
  const auto chosen = thawing_.choose(paused, end_at(features), price.log_price(features), *best, history);
  if (!chosen) return std::nullopt;
  Suggestion suggestion;
  suggestion.parameters = chosen->trial->parameters;
  suggestion.resume_trial = chosen->trial->number;
  suggestion.weighs_paused = true;
  describe(surrogate, encoded, {space_.to_unit(suggestion.parameters, 0.5), suggestion.parameters},
           suggestion);
  suggestion.note = "goes on, since it promises more for its cost than a new point; " + suggestion.note;
  return suggestion;
}

BayesianStrategy::Choice BayesianStrategy::choose(const std::vector<Candidate>& candidates,
                                                  const Acquisition& acquisition,
                                                  const std::set<PointKey>& tried, Rng& rng) const {
  for (const Candidate& candidate : candidates) {
    ParameterSet point = space_.from_unit(candidate.unit);
    if (!is_tried(point_key(space_, point), tried)) return {candidate.unit, std::move(point)};
  }
  const std::vector<UnitPoint> untried = untried_.list(tried, rng);
  if (untried.empty()) return {candidates[0].unit, space_.from_unit(candidates[0].unit), true};
  Eigen::MatrixXd features(static_cast<Eigen::Index>(untried.size()), encoding_.features());
  for (std::size_t i = 0; i < untried.size(); ++i)
    features.row(static_cast<Eigen::Index>(i)) = encoding_.encode(untried[i]).transpose();
  Eigen::Index best = 0;
  acquisition.values(features).maxCoeff(&best);
  const UnitPoint& unit = untried[static_cast<std::size_t>(best)];
  return {unit, space_.from_unit(unit)};
}

void BayesianStrategy::describe(const Surrogate& surrogate, const EncodedHistory& encoded,
                                const Choice& choice, Suggestion& suggestion) const {
  const PredictedText at = predicted_text(surrogate, objective_.goal, encoding_.encode(choice.unit));
  suggestion.brief = "predicted " + at.value + ", " + at.range;
  suggestion.note = "Gaussian process, expected improvement: predicts " + objective_.metric + " " + at.value +
                    " (" + at.range + ") from " +
                    counted(static_cast<Eigen::Index>(encoded.observations.size()), "results") +
                    circumstances(encoded, choice.repeated);
}

void BayesianStrategy::describe_pair(const std::array<Surrogate, 2>& surrogates, const Objective& second,
                                     std::size_t front, const EncodedHistory& encoded, const Choice& choice,
                                     Suggestion& suggestion) const {
  const Eigen::VectorXd features = encoding_.encode(choice.unit);
  const PredictedText one = predicted_text(surrogates[0], objective_.goal, features),
                      two = predicted_text(surrogates[1], second.goal, features);
  suggestion.brief = "predicted " + one.value + " and " + two.value;
  suggestion.note = "Gaussian processes, expected hypervolume improvement: predicts " + objective_.metric +
                    " " + one.value + " (" + one.range + ") and " + second.metric + " " + two.value + " (" +
                    two.range + ") from " +
                    counted(static_cast<Eigen::Index>(encoded.observations.size()), "results") + ", " +
                    std::to_string(front) + " on the front" + circumstances(encoded, choice.repeated);
}

}  // namespace tune::strategies
