#pragma once
// The default strategy.
#include <memory>

#include "strategies/strategy.h"

namespace tune::strategies {

// Takes the strategy that suits the study, which for now is the Bayesian one in every case, and names it in
// the note.
class AutoStrategy final : public Strategy {
 public:
  AutoStrategy(std::unique_ptr<Strategy> chosen, std::string name)
      : chosen_(std::move(chosen)), name_(std::move(name)) {}

  Answer suggest(const History& history, Rng& rng) override {
    Answer answer = chosen_->suggest(history, rng);
    if (auto* suggestion = std::get_if<Suggestion>(&answer))
      suggestion->note = "auto takes " + name_ + "; " + suggestion->note;
    return answer;
  }

 private:
  std::unique_ptr<Strategy> chosen_;
  std::string name_;
};

}  // namespace tune::strategies
