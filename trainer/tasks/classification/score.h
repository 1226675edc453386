#pragma once
// `tune-train score` of classifiers: anybody's predictions against the truth, and how far the numbers would
// move on other examples like these.
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "trainer/endpoint/asked_endpoint.h"
#include "trainer/loop/score_options.h"
#include "trainer/loop/task.h"
#include "trainer/tasks/classification/data/scored_examples.h"

namespace tune::trainer::classification {

// What one file of predictions is worth.
struct Scored {
  MatchedPredictions said;
  metrics::ClassificationQuality quality;
};

// The truth, and the names of examples that lie elsewhere: predictions of those are passed over.
struct Truth {
  ScoredExamples examples;
  std::set<std::string> elsewhere = {};
};

// --predictions, --endpoint, --token-file, --resamples, --seed, --groups.
std::vector<loop::Option> score_options(const Items& items);

// What a deployed classifier says of examples of these names, which `question` asks it. Throws
// Error(kBadData).
Predictions ask_endpoint(const endpoint::AskedEndpoint& deployed, const std::vector<std::string>& names,
                         const std::function<endpoint::Question(std::size_t)>& question, bool multi_label,
                         const std::function<bool()>& interrupted);

// Reads the predictions, scores them, and draws the resamples that are asked for. `more` adds members to the
// JSON; it may be empty. `said_by` asks the model of --endpoint. Throws Error(kBadData).
loop::Answer answer_score(
    const loop::Request& request, const loop::ScoreOptions& asked, Truth truth,
    const std::function<Predictions(const endpoint::AskedEndpoint&)>& said_by,
    const std::function<void(const std::vector<Scored>&, const ScoredExamples&, OrderedJson&)>& more = {});

// The names of labels.
OrderedJson names_json(const metrics::Labels& labels, const ScoredExamples& examples);

}  // namespace tune::trainer::classification
