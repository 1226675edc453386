#pragma once
// The points of the spec's try_first, in front of any strategy.
#include <memory>
#include <vector>

#include "strategies/strategy.h"

namespace tune::strategies {

// Trial n takes try_first[n - 1]. What that leaves open comes from the inner strategy's own suggestion, but
// for parents of what it names: these get a value that makes it active. Later trials are the inner
// strategy's. Owns the inner strategy.
class TryFirst final : public Strategy {
 public:
  // `note` is what the points' notes begin with. Throws Error(kBadSpec) for a value that its parameter does
  // not take.
  TryFirst(std::unique_ptr<Strategy> inner, std::vector<ParameterSet> points, SearchSpace space,
           std::string note);
  Answer suggest(const History& history, Rng& rng) override;

 private:
  std::size_t position(const History& history) const;
  Suggestion complete(ParameterSet given, const ParameterSet& rest, Rng& rng) const;

  std::unique_ptr<Strategy> inner_;
  std::vector<ParameterSet> points_;
  SearchSpace space_;
  std::string note_;
};

}  // namespace tune::strategies
