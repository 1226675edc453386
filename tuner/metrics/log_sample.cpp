#include "tuner/metrics/log_sample.h"

#include <algorithm>
#include <memory>

#include "tuner/metrics/cut_number.h"
#include "tuner/metrics/metric_reader.h"
#include "tuner/metrics/parse_number.h"
#include "tuner/metrics/pattern.h"

namespace tune::metrics {
namespace {

constexpr std::size_t kMostMisses = 100;

// Looks at lines again for one metric, to say why it has no values, or wrong ones.
class Diagnosis {
 public:
  explicit Diagnosis(const MetricDefinition& definition) {
    if (definition.regex.empty()) return;
    const std::string regex = with_re2_named_groups(definition.regex);
    pattern_ = std::make_unique<const RE2>(regex, pattern_options());
    RE2::Options any_case = pattern_options();
    any_case.set_case_sensitive(false);
    any_case_ = std::make_unique<const RE2>(regex, any_case);
  }

  void read(std::uint64_t number, std::string_view line, SampleMetric& metric) {
    if (pattern_ == nullptr) return;
    re2::StringPiece groups[2];
    const re2::StringPiece text(line.data(), line.size());
    if (pattern_->Match(text, 0, text.size(), RE2::UNANCHORED, groups, 2)) {
      const std::string_view captured(groups[1].data(), groups[1].size());
      if (!parse_number(captured) && metric.misses.size() < kMostMisses)
        metric.misses.push_back({number, std::string(captured)});
      else if (const auto cut = cut_.empty() ? cut_number(line, captured) : std::nullopt)
        cut_ = "line " + std::to_string(number) + ": " + *cut;
    } else if (line_in_other_case_ == 0 && RE2::PartialMatch(text, *any_case_)) {
      line_in_other_case_ = number;
    }
  }

  std::string hint(const SampleMetric& metric) const {
    if (!metric.values.empty()) return cut_;
    if (!metric.misses.empty())
      return "the regex matches, but its first group is not a number: put only the number in the first "
             "parentheses, and make "
             "others (?:...)";
    if (line_in_other_case_ > 0)
      return "line " + std::to_string(line_in_other_case_) +
             " matches except for upper and lower case: start the regex with (?i)";
    if (pattern_ == nullptr) return "no TUNE_METRIC line has this name: add a regex, or print such lines";
    return "the regex matches no line: compare it with a line of the log letter by letter";
  }

 private:
  std::unique_ptr<const RE2> pattern_, any_case_;  // null without a regex
  std::uint64_t line_in_other_case_ = 0;
  std::string cut_;
};

SampleMetric& metric_named(std::vector<SampleMetric>& metrics, const std::string& name) {
  const auto found =
      std::find_if(metrics.begin(), metrics.end(), [&](const SampleMetric& m) { return m.name == name; });
  if (found != metrics.end()) return *found;
  return metrics.emplace_back(SampleMetric{name, {}, {}, {}});
}

}  // namespace

LogSample read_log_sample(const std::vector<MetricDefinition>& definitions, std::istream& log) {
  MetricReader reader(definitions);
  LogSample sample;
  std::vector<Diagnosis> diagnoses;
  for (const MetricDefinition& definition : definitions) {
    sample.metrics.push_back({definition.name, {}, {}, {}});
    diagnoses.emplace_back(definition);
  }
  const auto on_piece = [&](std::string_view piece) {
    for (const Match& match : reader.read(piece))
      metric_named(sample.metrics, match.name).values.push_back({sample.lines, match.point});
    for (std::size_t i = 0; i < diagnoses.size(); ++i)
      diagnoses[i].read(sample.lines, piece, sample.metrics[i]);
  };
  // Progress bars redraw one line of the file many times; each redrawing is matched by itself.
  for (std::string line; std::getline(log, line);) {
    ++sample.lines;
    LineSplitter splitter;
    splitter.feed(line, on_piece);
    splitter.finish(on_piece);
  }
  for (std::size_t i = 0; i < diagnoses.size(); ++i)
    sample.metrics[i].hint = diagnoses[i].hint(sample.metrics[i]);
  return sample;
}

}  // namespace tune::metrics
