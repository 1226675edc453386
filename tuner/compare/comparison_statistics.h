#pragma once
// Whether one row of a comparison is better than another: differences in test scores with intervals,
// corrected for the number of questions. Pure functions.
//
// What makes a difference uncertain is taken apart:
//  - the test images: every model is scored on the same resamples of image groups, drawn with replacement, so
//    that what is hard for both cancels (a paired bootstrap; Efron & Tibshirani, "An Introduction to the
//    Bootstrap", 1993, chapters 6 and 16). Its variance is that of the difference over the resamples. A test
//    that gives one number a model has no such part: what is left, for two means, is Welch's t-test.
//  - the seeds: the ideal bootstrap over runs, in closed form. For a mean of n runs that is s^2 / n, where
//    n - 1 of n runs are drawn, so that few runs are not taken for sure (Rao & Wu, JASA 83, 1988). For the
//    best of n runs by validation it is the variance of what that choice gives over draws of n with
//    replacement.
// The variances add up; an interval is the difference +- Student's t, with the degrees of freedom of Welch
// and Satterthwaite (Biometrics Bulletin 2, 1946), times the root. Seeds are not paired: the same seed means
// nothing in common to two models.
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace tune::compare {

// What the scores are.
struct ScoreScale {
  bool is_resampled = true;         // they come with scores on resamples of the test images
  std::optional<double> range = 1;  // from the least to the largest that is possible; nullopt: not known
  bool higher_is_better = true;
};

// The test scores behind one row.
struct ScoredRuns {
  std::vector<double> scores;                  // of each run
  std::vector<std::vector<double>> resampled;  // of each run: on each resample of image groups
  // For the best of several seeds: runs ranked by validation, the best first, as indices of `scores`. Empty:
  // the row's score is the mean of its runs.
  std::vector<std::size_t> ranked = {};
};

// The mean of the runs, or the score of the chosen one; nullopt without runs.
std::optional<double> row_score(const ScoredRuns& runs);
// The standard deviation of the runs' scores; nullopt under two.
std::optional<double> spread(const std::vector<double>& scores);

// Where the score of a row lies.
struct ScoreInterval {
  double low, high;
};

// Of each row by itself, with 1 - level: both parts of luck, that of images and that of seeds, as in a
// difference, but nothing cancels. nullopt with one run or one group of images, where no score varies, and
// where it would be as wide as the range.
std::vector<std::optional<ScoreInterval>> score_intervals(const std::vector<ScoredRuns>& rows,
                                                          std::size_t groups, const ScoreScale& scale = {},
                                                          double level = 0.05);

struct Question {
  std::size_t row = 0, against = 0;  // indices
  bool is_confounded = false;
};

enum class Verdict {
  kBetter,
  kWorse,
  kNotDistinguishable,
  kOneRun,      // from one training run nobody knows how much of its score is luck
  kConfounded,  // what differs is not only what is asked about: the initial weights
  kNoRun,       // no run of one of the two has ended well
};
const char* to_string(
    Verdict verdict);  // "better", "worse", "not distinguishable", "one run, not comparable"

// Why an interval would say nothing: what there is too little of.
enum class TooFew { kSeeds, kImages };
const char* to_string(TooFew too_few);  // "too few seeds", "too few test images"

struct Answer {
  Verdict verdict = Verdict::kNoRun;
  std::optional<double> difference;  // row - against
  // All of them, or none: with one run, or one group of images, nothing is known about luck.
  std::optional<double> standard_error, degrees, p, adjusted_p;
  // The interval; absent also where it would be wider than the range of the scores: that excludes nothing
  // worth a word, and `too_few` says what it would take.
  std::optional<double> low, high;
  std::optional<TooFew> too_few = {};
  // A true difference of this size would have been seen in four of five such comparisons; absent where none
  // that is possible would.
  std::optional<double> smallest_seen;
};

// Answers to a family of questions that are tested together: two-sided, with a chance of `level` that any
// verdict is wrong where nothing differs (Holm, Scandinavian Journal of Statistics 6, 1979). Intervals are
// Bonferroni's over all that get one, so that all of them hold at once with a probability of 1 - level; where
// Holm's sharper step has a verdict and an interval would reach beyond 0, it ends there (Guilbaud,
// Biometrical Journal 50, 2008), which is proved for independent questions and approximate for these. An
// interval ends where the scores do, so that no difference is beyond their range; where the range is not
// known there is always one. `groups` are those that the images were resampled in, of no meaning without
// resamples. Confounded questions take no part in Holm's correction, as they get no verdict.
std::vector<Answer> answer_questions(const std::vector<ScoredRuns>& rows,
                                     const std::vector<Question>& questions, std::size_t groups,
                                     const ScoreScale& scale = {}, double level = 0.05);

// Holm's adjusted p-values, in the order given: reject where they are at most the level.
std::vector<double> holm_adjusted(const std::vector<double>& p_values);

}  // namespace tune::compare
