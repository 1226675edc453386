#include "trainer/tasks/classification/answers.h"

#include <algorithm>
#include <numeric>

#include "trainer/metrics/rank_correlation.h"
#include "tuner/core/error.h"

namespace tune::trainer::classification {
namespace {

std::vector<std::int64_t> run_of(std::int64_t first, std::int64_t count) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(count));
  std::iota(all.begin(), all.end(), first);
  return all;
}

}  // namespace

std::vector<double> probabilities_of(const torch::Tensor& logits, bool multi_label) {
  const torch::Tensor wide = logits.to(torch::kDouble);
  const torch::Tensor shares = (multi_label ? wide.sigmoid() : wide.softmax(1)).cpu().contiguous();
  return {shares.data_ptr<double>(), shares.data_ptr<double>() + shares.numel()};
}

std::vector<served::Answer> served_answers(const torch::Tensor& logits, bool multi_label) {
  const auto classes = static_cast<std::size_t>(logits.size(1));
  const metrics::ClassScores scores(classes, probabilities_of(logits, multi_label));
  const std::vector<metrics::Labels> labels = metrics::labels_at(scores, multi_label);
  std::vector<served::Answer> answers;
  for (std::size_t i = 0; i < labels.size(); ++i)
    answers.emplace_back(served::Probabilities{{scores.of(i).begin(), scores.of(i).end()},
                                               {labels[i].begin(), labels[i].end()}});
  return answers;
}

Answers::Answers(const metrics::LabelSet& set)
    : set_(set), targets_(set, /*smoothing=*/0, /*balanced=*/false) {}

void Answers::add(const torch::Tensor& logits) {
  const torch::Tensor values = logits.detach().to(torch::kFloat).cpu();
  const std::int64_t count = values.size(0);
  weights::TensorMap targets;
  targets_.add(run_of(examples_, count), targets);
  const torch::Tensor loss =
      classification_loss(values, targets.at(kTargets), targets.at(kCounts), set_.multi_label);
  cross_entropy_ +=
      loss.item<double>() * static_cast<double>(count) / static_cast<double>(set_.labels.size());
  const std::vector<double> probabilities = probabilities_of(values, set_.multi_label);
  probabilities_.insert(probabilities_.end(), probabilities.begin(), probabilities.end());
  examples_ += count;
}

metrics::ClassificationQuality Answers::quality() const {
  TUNE_CHECK(examples_ == static_cast<std::int64_t>(set_.labels.size()));
  const metrics::ClassScores scores(set_.classes.size(), probabilities_);
  const std::vector<metrics::Labels> said = metrics::labels_at(scores, set_.multi_label);
  metrics::ClassificationQuality quality =
      metrics::classification_quality(set_.labels, said, set_.classes.size(), set_.multi_label, &scores);
  quality.spearman = metrics::rank_correlation(set_, said);
  return quality;
}

std::optional<Answers> answers_to(
    const metrics::LabelSet& set, std::int64_t batch,
    const std::function<torch::Tensor(const std::vector<std::int64_t>& examples)>& logits_of,
    const std::function<bool()>& interrupted, const parallel::Team& team) {
  const auto count = static_cast<std::int64_t>(set.labels.size()),
             classes = static_cast<std::int64_t>(set.classes.size());
  const auto [begin, end] = team.share((count + batch - 1) / batch);
  std::vector<float> own;
  bool stops = false;
  for (std::int64_t i = begin; i < end; ++i) {
    stops = interrupted();
    if (stops) break;
    const torch::Tensor logits = logits_of(run_of(i * batch, std::min(batch, count - i * batch)))
                                     .detach()
                                     .to(torch::kFloat)
                                     .cpu()
                                     .contiguous();
    TUNE_CHECK(logits.size(1) == classes);
    own.insert(own.end(), logits.data_ptr<float>(), logits.data_ptr<float>() + logits.numel());
  }
  if (team.any(stops)) return std::nullopt;
  std::vector<float> all = team.gathered(own);
  const torch::Tensor logits = torch::from_blob(all.data(), {count, classes}, torch::kFloat);
  Answers answers(set);
  for (std::int64_t first = 0; first < count; first += batch)
    answers.add(logits.narrow(0, first, std::min(batch, count - first)));
  return answers;
}

}  // namespace tune::trainer::classification
