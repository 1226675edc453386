#pragma once
// What trials take of a GPU's memory.
#include <optional>
#include <vector>

#include "strategies/encoding.h"
#include "strategies/gaussian_process.h"

namespace tune::strategies {

// A Gaussian process of the logarithm of bytes: memory is mostly a product of counts, which are sums in the
// logarithms, and the features of a parameter on a log scale are logarithms of it too. A caller takes a
// quantile as far above the mean as being wrong would cost. Owned by its user; one thread. It is fitted where
// it is asked, once for what it knows by then.
class MemoryModel {
 public:
  explicit MemoryModel(SearchSpace space);

  // A trial that took so many bytes. `overrides`: what it had in place of its parameters; one that had
  // another fixed value tells nothing of the others.
  void add(const ParameterSet& parameters, const Json& overrides, double bytes);

  struct Forecast {
    double log_mean = 0, log_deviation = 0;  // natural logarithms of bytes; of one more measurement
  };
  // nullopt while too few trials are known, or no model can be fitted to them.
  std::optional<Forecast> predict(const ParameterSet& parameters, const Json& overrides) const;
  // The fewest bytes that a trial took, once there can be forecasts.
  std::optional<double> least() const;

  // Fewer say nothing of how far they lie apart.
  static constexpr std::size_t kFewest = 4;

 private:
  struct Fitted {
    std::size_t count = 0;  // of the trials that it knows
    double mean = 0, deviation = 1, noise = 0;
    std::optional<GaussianProcess> process;  // of standardised logarithms; none where all are equal
  };
  std::optional<Eigen::VectorXd> features_of(const ParameterSet& parameters, const Json& overrides) const;
  void fit() const;

  SearchSpace space_;
  Encoding encoding_;
  std::vector<Eigen::VectorXd> features_;
  std::vector<double> logs_;
  mutable Fitted fitted_;
};

}  // namespace tune::strategies
