#pragma once
// What trials that were run again on other seeds say of the values of all of them.
#include <optional>
#include <vector>

#include "tuner/core/history.h"

namespace tune {

// A completed trial with a finite value. With `replicate_of` it has the hyperparameters of that trial, on a
// seed of its own.
struct SeedResult {
  int trial = 0;
  double value = 0;
  std::optional<int> replicate_of = {};
};

// The mean that a trial's hyperparameters reach over seeds, out of its own value and those of its replicates.
//
// Its own value is part of why it is repeated, so it is likely too good (Cawley and Talbot, "On over-fitting
// in model selection", JMLR 11, 2010, section 4). The linear model of it: a fresh value is the mean of its
// hyperparameters and noise, a first value the same and a luck that all first values have in common; the
// noise has one variance, since few values of each would tell little of their own. Least squares give the
// means, the luck and, with one less than the number of fresh values as degrees of freedom, the variance:
//
//   luck     L   = sum_i w_i (first_i - mean of fresh_i) / sum_i w_i,   w_i = k_i / (k_i + 1)
//   mean     m_i = (first_i - L + sum of fresh_i) / (k_i + 1)
//   variance of m_i = s^2 (1 / (k_i + 1) + 1 / ((k_i + 1)^2 sum_i w_i))
//
// with k_i fresh values. So the common luck is taken off what was never repeated, too. The bound is that of a
// one-sided t interval of 95 %, with Bonferroni's correction for the number of repeated trials, since it is
// to hold for the one that wins by it.
//
// Without replicates there is nothing of all this, and values count as they are. Immutable. It knows no trial
// that runs or has failed.
class Replication {
 public:
  struct Candidate {
    int trial = 0;
    double first = 0;
    std::vector<double> fresh = {};  // of its replicates, in the order of their numbers
    double mean = 0;                 // over seeds; `first` while nothing was repeated
    // The mean is at least this good; nullopt before there are two fresh values.
    std::optional<double> bound = {};
    std::optional<double> luck = {};    // by how much `first` is better than the mean of `fresh`
    std::optional<double> spread = {};  // the standard deviation of `fresh`, of two at least
  };

  // The order of the results says nothing. A replicate whose trial is not among them is left out.
  Replication(Goal goal, const std::vector<SeedResult>& results);

  // Those that are no replicates, in the order of their numbers.
  const std::vector<Candidate>& candidates() const { return candidates_; }
  const Candidate* find(int trial) const;
  // The best first, the earlier of equals first: by their bounds (of equal ones by their means), and by their
  // own values while there are no bounds.
  std::vector<const Candidate*> ranking() const;
  const Candidate* winner() const;  // nullptr without candidates
  std::size_t fresh_values() const { return fresh_; }
  bool has_bounds() const { return deviation_.has_value(); }
  // The standard deviation of a value by its seed: s. nullopt before there are two fresh values.
  std::optional<double> deviation() const { return deviation_; }
  // Whether the mean of `candidate` is worse than that of `leader`: a one-sided t test of their difference,
  // at 5 %, as in a race (Lopez-Ibanez et al., "The irace package", Operations Research Perspectives 3, 2016,
  // section 2; Maron and Moore, "Hoeffding races", NIPS 1994). Both have fresh values.
  bool is_beaten(const Candidate& candidate, const Candidate& leader) const;

 private:
  void estimate();
  void estimate_in_range();
  bool ranks_before(const Candidate& a, const Candidate& b) const;

  Goal goal_;
  std::vector<Candidate> candidates_;
  std::size_t fresh_ = 0;
  double weight_ = 0;  // the sum of all w_i
  std::optional<double> deviation_;
};

// What a history says of it. Exact repeats of trials say nothing new.
std::vector<SeedResult> seed_results(const History& history);

// The number that a Student t variable with so many degrees of freedom exceeds with this probability, which
// is below a half.
double student_upper_quantile(double upper_tail, std::size_t degrees);

}  // namespace tune
