#include "tuner/compare/comparison_statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tuner/core/error.h"
#include "tuner/core/moments.h"
#include "tuner/core/student.h"

namespace tune::compare {
namespace {

constexpr double kPower = 0.8;            // four of five
constexpr double kLeastVariance = 1e-18;  // of scores in [0, 1]: below it there is only rounding

// How likely the k-th best of n (k from 0) is the best of n draws with replacement.
double chance_of_rank(std::size_t k, std::size_t n) {
  const auto count = static_cast<double>(n);
  const auto not_better = [&](std::size_t rank) {
    return std::pow(static_cast<double>(n - rank) / count, count);
  };
  return not_better(k) - not_better(k + 1);
}

double best_of_variance(const ScoredRuns& runs) {
  double mean = 0, square = 0;
  for (std::size_t k = 0; k < runs.ranked.size(); ++k) {
    const double score = runs.scores.at(runs.ranked[k]), chance = chance_of_rank(k, runs.ranked.size());
    mean += chance * score;
    square += chance * score * score;
  }
  return std::max(0.0, square - mean * mean);
}

// What the choice of seeds adds to the variance of the row's score.
double seed_variance(const ScoredRuns& runs) {
  return runs.ranked.empty() ? sample_variance(runs.scores) / static_cast<double>(runs.scores.size())
                             : best_of_variance(runs);
}

// The row's score on each resample of the images.
std::vector<double> on_resamples(const ScoredRuns& runs) {
  if (!runs.ranked.empty()) return runs.resampled.at(runs.ranked.front());
  std::vector<double> means(runs.resampled.front().size(), 0);
  for (const std::vector<double>& run : runs.resampled) {
    TUNE_CHECK(run.size() == means.size());
    for (std::size_t r = 0; r < run.size(); ++r)
      means[r] += run[r] / static_cast<double>(runs.resampled.size());
  }
  return means;
}

double image_variance(const ScoredRuns& row, const ScoredRuns& against) {
  std::vector<double> differences = on_resamples(row);
  const std::vector<double> other = on_resamples(against);
  TUNE_CHECK(differences.size() == other.size());
  for (std::size_t r = 0; r < other.size(); ++r) differences[r] -= other[r];
  return sample_variance(differences);
}

// Without the resamples that hold no object, which have no score: of scores from 0 on, a negative one stands
// there.
std::vector<ScoredRuns> on_scored_resamples(std::vector<ScoredRuns> rows) {
  std::vector<bool> is_scored;
  for (const ScoredRuns& row : rows)
    for (const std::vector<double>& run : row.resampled) {
      is_scored.resize(std::max(is_scored.size(), run.size()), true);
      for (std::size_t r = 0; r < run.size(); ++r) is_scored[r] = is_scored[r] && run[r] >= 0;
    }
  for (ScoredRuns& row : rows)
    for (std::vector<double>& run : row.resampled) {
      std::size_t kept = 0;
      for (std::size_t r = 0; r < run.size(); ++r)
        if (is_scored[r]) run[kept++] = run[r];
      run.resize(kept);
    }
  return rows;
}

struct Component {
  double variance, degrees;
};

// The variance below which there is only rounding.
double least_variance(const ScoredRuns& row, const ScoredRuns& against, const ScoreScale& scale) {
  double largest = scale.range.value_or(0);
  if (!scale.range)
    for (const ScoredRuns* runs : {&row, &against})
      for (const double score : runs->scores) largest = std::max(largest, std::abs(score));
  return kLeastVariance * largest * largest;
}

// What several sources of luck come to.
struct Uncertainty {
  double variance = 0, degrees = 0;
  bool is_mostly_first = false;
};

Uncertainty add_up(const std::vector<Component>& parts) {
  Uncertainty sum;
  double weighted = 0;
  const auto weight = [](const Component& part) { return part.variance * part.variance / part.degrees; };
  for (const Component& part : parts) {
    sum.variance += part.variance;
    weighted += weight(part);
  }
  sum.degrees = sum.variance * sum.variance / weighted;
  sum.is_mostly_first = weight(parts[0]) > weighted / 2;
  return sum;
}

Component seed_component(const ScoredRuns& row) {
  return {seed_variance(row), static_cast<double>(row.scores.size() - 1)};
}

// Whether its luck can be known: that of seeds, and of images where they are resampled.
bool is_measurable(const ScoredRuns& row, std::size_t groups, const ScoreScale& scale) {
  if (row.scores.size() < 2) return false;
  return !scale.is_resampled ||
         (groups >= 2 && row.resampled.size() == row.scores.size() && row.resampled.front().size() >= 2);
}

// Standard error, degrees of freedom and p; nothing where no score varies, as there is nothing to judge by.
void measure(const ScoredRuns& row, const ScoredRuns& against, std::size_t groups, const ScoreScale& scale,
             Answer& answer) {
  std::vector<Component> parts{seed_component(row), seed_component(against)};
  if (scale.is_resampled)
    parts.insert(parts.begin(), {image_variance(row, against), static_cast<double>(groups - 1)});
  const Uncertainty all = add_up(parts);
  if (all.variance <= least_variance(row, against, scale)) return;
  answer.too_few = scale.is_resampled && all.is_mostly_first ? TooFew::kImages : TooFew::kSeeds;
  answer.standard_error = std::sqrt(all.variance);
  answer.degrees = all.degrees;
  answer.p = student_two_sided_p(*answer.difference / *answer.standard_error, *answer.degrees);
}

std::optional<ScoreInterval> score_interval(const ScoredRuns& row, std::size_t groups,
                                            const ScoreScale& scale, double level) {
  if (!is_measurable(row, groups, scale)) return std::nullopt;
  std::vector<Component> parts{seed_component(row)};
  if (scale.is_resampled)
    parts.push_back({sample_variance(on_resamples(row)), static_cast<double>(groups - 1)});
  const Uncertainty all = add_up(parts);
  if (all.variance <= least_variance(row, row, scale)) return std::nullopt;
  const double half = student_quantile(1 - level / 2, all.degrees) * std::sqrt(all.variance);
  ScoreInterval interval{*row_score(row) - half, *row_score(row) + half};
  if (!scale.range) return interval;
  interval = {std::max(0.0, interval.low), std::min(*scale.range, interval.high)};
  return interval.high - interval.low < *scale.range ? std::optional(interval) : std::nullopt;
}

Answer first_look(const ScoredRuns& row, const ScoredRuns& against, std::size_t groups,
                  const ScoreScale& scale) {
  Answer answer;
  const std::optional<double> score = row_score(row), other = row_score(against);
  if (!score || !other) return answer;
  answer.difference = *score - *other;
  answer.verdict = Verdict::kOneRun;
  if (row.scores.size() < 2 || against.scores.size() < 2) return answer;
  answer.verdict = Verdict::kNotDistinguishable;
  if (is_measurable(row, groups, scale) && is_measurable(against, groups, scale))
    measure(row, against, groups, scale, answer);
  return answer;
}

void draw_interval(double level, double range, bool is_decided, Answer& answer) {
  const double certain = student_quantile(1 - level / 2, *answer.degrees),
               powerful = student_quantile(kPower, *answer.degrees);
  const double half = certain * *answer.standard_error, difference = *answer.difference;
  double low = std::max(-range, difference - half), high = std::min(range, difference + half);
  if (is_decided && difference > 0) low = std::max(0.0, low);
  if (is_decided && difference < 0) high = std::min(0.0, high);
  if (const double seen = (certain + powerful) * *answer.standard_error; seen <= range)
    answer.smallest_seen = seen;
  if (high - low > range) return;
  answer.low = low;
  answer.high = high;
  answer.too_few.reset();
}

}  // namespace

const char* to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::kBetter:
      return "better";
    case Verdict::kWorse:
      return "worse";
    case Verdict::kNotDistinguishable:
      return "not distinguishable";
    case Verdict::kOneRun:
      return "one run, not comparable";
    case Verdict::kConfounded:
      return "confounded: other initial weights";
    case Verdict::kNoRun:
      return "no run to compare";
  }
  return "";
}

const char* to_string(TooFew too_few) {
  return too_few == TooFew::kSeeds ? "too few seeds" : "too few test images";
}

std::optional<double> row_score(const ScoredRuns& runs) {
  if (runs.scores.empty()) return std::nullopt;
  return runs.ranked.empty() ? mean_of(runs.scores) : runs.scores.at(runs.ranked.front());
}

std::optional<double> spread(const std::vector<double>& scores) {
  if (scores.size() < 2) return std::nullopt;
  return std::sqrt(sample_variance(scores));
}

std::vector<std::optional<ScoreInterval>> score_intervals(const std::vector<ScoredRuns>& all,
                                                          std::size_t groups, const ScoreScale& scale,
                                                          double level) {
  std::vector<std::optional<ScoreInterval>> intervals;
  for (const ScoredRuns& row : scale.range ? on_scored_resamples(all) : all)
    intervals.push_back(score_interval(row, groups, scale, level));
  return intervals;
}

std::vector<double> holm_adjusted(const std::vector<double>& p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return p_values[a] < p_values[b]; });
  std::vector<double> adjusted(p_values.size());
  double largest = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    largest = std::max(largest, std::min(1.0, p_values[order[i]] * static_cast<double>(order.size() - i)));
    adjusted[order[i]] = largest;
  }
  return adjusted;
}

std::vector<Answer> answer_questions(const std::vector<ScoredRuns>& all,
                                     const std::vector<Question>& questions, std::size_t groups,
                                     const ScoreScale& scale, double level) {
  const std::vector<ScoredRuns> rows = scale.range ? on_scored_resamples(all) : all;
  std::vector<Answer> answers;
  std::vector<std::size_t> family;
  std::vector<double> p_values;
  for (const Question& question : questions) {
    answers.push_back(first_look(rows.at(question.row), rows.at(question.against), groups, scale));
    Answer& answer = answers.back();
    if (question.is_confounded && answer.difference) answer.verdict = Verdict::kConfounded;
    if (!answer.p || question.is_confounded) continue;
    family.push_back(answers.size() - 1);
    p_values.push_back(*answer.p);
  }
  const std::vector<double> adjusted = holm_adjusted(p_values);
  for (std::size_t i = 0; i < family.size(); ++i) {
    Answer& answer = answers[family[i]];
    answer.adjusted_p = adjusted[i];
    const bool is_better = (*answer.difference > 0) == scale.higher_is_better;
    if (adjusted[i] <= level) answer.verdict = is_better ? Verdict::kBetter : Verdict::kWorse;
  }
  const auto intervals = std::count_if(answers.begin(), answers.end(),
                                       [](const Answer& answer) { return answer.p.has_value(); });
  const double each = level / static_cast<double>(std::max<std::ptrdiff_t>(1, intervals));
  for (Answer& answer : answers)
    if (answer.p)
      draw_interval(each, scale.range.value_or(HUGE_VAL),
                    answer.verdict == Verdict::kBetter || answer.verdict == Verdict::kWorse, answer);
  return answers;
}

}  // namespace tune::compare
