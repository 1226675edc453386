#pragma once
// What an endpoint has done so far, in Prometheus' text format.
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tuner/core/clock.h"

namespace tune::trainer::serve {

// Counts of things of one kind by size: a Prometheus histogram.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds);  // ascending upper bounds; what is larger counts in +Inf
  void add(double value);
  void print(const std::string& name, const std::string& labels, std::string& to) const;

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;  // of each bound alone, and of what is larger
  std::uint64_t count_ = 0;
  double sum_ = 0;
};

// Any thread.
class EndpointMetrics {
 public:
  explicit EndpointMetrics(std::string model);

  void arrived();  // a request for the model
  // A request of that route was answered. `asks_model`: it is one that the model answers.
  void answered(const std::string& route, int status, Milliseconds took, bool asks_model);
  void computed_batch(std::size_t examples);
  void read_tokens(std::int64_t count);
  void wrote_tokens(std::int64_t count);
  void loaded(const std::string& version);  // it answers from now on

  struct Totals {
    std::uint64_t requests = 0, failed = 0;  // that were for the model; answered with 500 or above
    std::optional<WallTime> last_request = std::nullopt;  // when it came
  };
  Totals totals() const;
  // `running`: examples and prompts that wait, or are worked on, now.
  std::string prometheus_text(std::size_t running) const;

 private:
  mutable std::mutex mutex_;
  const std::string model_;
  std::string version_;
  std::uint64_t loads_ = 0;
  std::map<std::pair<std::string, int>, std::uint64_t> requests_;  // by route and status
  std::map<std::string, Histogram> seconds_;                       // by route
  Histogram batches_;
  std::uint64_t read_tokens_ = 0, written_tokens_ = 0;
  Totals totals_;
};

}  // namespace tune::trainer::serve
