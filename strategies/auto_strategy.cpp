#include "strategies/auto_strategy.h"

namespace tune::strategies {

AutoStrategy::AutoStrategy(const SearchSpace& space, const Objective& objective, std::uint64_t seed,
                           const EarlyStopping& stopping)
    : features_(Encoding(space).features()),
      objective_(objective),
      bayesian_(space, objective, seed, stopping),
      tpe_(space, objective, seed) {}

// The Gaussian process had the better mean rank on the functions and spaces that the two were compared on;
// densities take over where its cost grows: with the cube of results and of pending trials, and
// where one-hot categories leave no two points near each other.
AutoStrategy::Choice AutoStrategy::choose(const History& history) {
  std::size_t observed = 0, pending = 0;
  for (const auto& trial : history.trials) {
    if (observed_loss(*trial, objective_.goal))
      ++observed;
    else if (!is_finished(trial->state))
      ++pending;
  }
  if (features_ > kMostFeatures)
    return {tpe_, "tpe", "the space is wide, with " + std::to_string(features_) + " model features"};
  if (observed > kMostObservations)
    return {tpe_, "tpe", "there are more than " + std::to_string(kMostObservations) + " results"};
  if (pending > kMostPending) return {tpe_, "tpe", std::to_string(pending) + " trials are pending"};
  return {bayesian_, "bayesian", "the space and the number of results suit a Gaussian process"};
}

Answer AutoStrategy::suggest(const History& history, Rng& rng) {
  const Choice choice = choose(history);
  Answer answer = choice.strategy.suggest(history, rng);
  if (auto* suggestion = std::get_if<Suggestion>(&answer)) {
    suggestion->choice = "auto takes " + choice.name;
    suggestion->choice_reason = choice.why;
    suggestion->explanation["chosen_by"] = "auto";
    suggestion->note = suggestion->choice + ", since " + choice.why + "; " + suggestion->note;
  }
  return answer;
}

}  // namespace tune::strategies
