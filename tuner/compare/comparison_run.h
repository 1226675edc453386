#pragma once
// Runs a comparison: every piece of training as an ordinary study, then, once all of it has ended, every
// model over the same test images.
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "tuner/compare/comparison.h"
#include "tuner/compare/comparison_forecast.h"
#include "tuner/engine/study/builtin_trainer.h"
#include "tuner/engine/study/run_study.h"

namespace tune::compare {

struct ComparisonRequest {
  std::filesystem::path store;  // the store's folder
  const Comparison& comparison;
  std::string version;       // of this program
  bool score_again = false;  // another look at the test images, which is counted
};

struct ComparisonHooks {
  engine::RunHooks study;                                     // for each study that is run
  std::function<void(const std::string& study)> begin_study;  // before it
  std::function<void(const std::string&)> notice;             // a sentence for people
};

// Objects to what the trainer does not know, with the lines of the comparison's file: SpecError.
void check_comparison(const Comparison& comparison, const Json& trainer_description);

// What a comparison would do and take, for people who plan one.
struct ComparisonPreview {
  store::CostForecasts studies;
  double probing_hours = 0;  // of device time
  store::CostForecast predicting;
  ForecastTotal total;
  store::ComparisonAudit audit;
  ComparedTask task;
};

// The data is audited and each approach is probed, on devices that are leased as for a trial, unless a
// comparison of that name in the store has answers for this machine. No trial is started, and the store is
// not written. nullopt when a signal interrupted it; throws what run_comparison() throws before it trains.
std::optional<ComparisonPreview> preview_comparison(const ComparisonRequest& request,
                                                    const ComparisonHooks& hooks,
                                                    engine::Interruption& interruption);

// Creates the comparison, or goes on with it: what is done is not done again, whatever ended the process.
//  1. the studies, one after the other, each continued where it was interrupted; a budget of the whole is
//     shared out over them (comparison_budget.h), and what it does not pay for is left out, recorded and
//     said;
//  2. the models are frozen: their files' fingerprints are recorded, in one transaction;
//  3. each frozen model predicts on the test images, and all predictions are scored together. No training run
//     gets to see these images.
// A budget that was raised after it had ended something begins another round of these (comparison_round.h).
// With everything done it does nothing, unless another scoring is asked for. Returns false when a signal
// interrupted it. Throws SpecError; Error(kConflict) when another process works on it, or it was begun with
// another file; Error(kEveryTrialFailed) without any model; what run_study() throws.
bool run_comparison(const ComparisonRequest& request, const ComparisonHooks& hooks, const Clock& clock,
                    engine::Interruption& interruption);

}  // namespace tune::compare
