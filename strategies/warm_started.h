#pragma once
// What earlier studies found, in front of any strategy.
#include <memory>
#include <vector>

#include "strategies/earlier_pool.h"
#include "strategies/strategy.h"

namespace tune::strategies {

// Does nothing for a history without `earlier`. With it, after the first `skipped` trials, one trial for each
// earlier study takes that study's best point: a model of earlier results may mislead, one training run where
// they were best does not, and it gives this study a result of its own to beat. All other suggestions are the
// inner strategy's; one that `learns` sees the earlier trials as borrowed ones of its own. Owns the inner
// strategy.
class WarmStarted final : public Strategy {
 public:
  WarmStarted(std::unique_ptr<Strategy> inner, SearchSpace space, Goal goal, std::size_t skipped, bool learns)
      : inner_(std::move(inner)),
        pool_(std::move(space), goal),
        goal_(goal),
        skipped_(skipped),
        learns_(learns) {}
  Answer suggest(const History& history, Rng& rng) override;

 private:
  History with_borrowed(const History& history);

  std::unique_ptr<Strategy> inner_;
  EarlierPool pool_;
  Goal goal_;
  std::size_t skipped_;
  bool learns_;
};

}  // namespace tune::strategies
