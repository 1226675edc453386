#include "tuner/metrics/log_sample.h"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "tuner/core/line_splitter.h"
#include "tuner/metrics/metric_reader.h"
#include "tuner/metrics/parse_number.h"
#include "tuner/metrics/pattern.h"

namespace tune::metrics {
namespace {

constexpr std::size_t kMostMisses = 100;

// Looks at lines again for one metric, to say why it has no values.
class Diagnosis {
 public:
  explicit Diagnosis(const MetricDefinition& definition) {
    if (definition.step)
      step_ = std::make_unique<const RE2>(with_re2_named_groups(*definition.step), pattern_options());
    if (definition.regex.empty()) return;
    RE2::Options any_case = pattern_options();
    any_case.set_case_sensitive(false);
    any_case_ = std::make_unique<const RE2>(with_re2_named_groups(definition.regex), any_case);
  }

  void read(std::uint64_t number, std::string_view line) {
    const re2::StringPiece text(line.data(), line.size());
    if (step_ != nullptr && !has_step_) has_step_ = RE2::PartialMatch(text, *step_);
    if (any_case_ == nullptr || line_in_other_case_ > 0) return;
    if (RE2::PartialMatch(text, *any_case_)) line_in_other_case_ = number;
  }

  // What the reader does not say of a metric that has no values to count.
  std::vector<std::string> notices(const SampleMetric& metric) const {
    if (!metric.values.empty() || step_ == nullptr || has_step_) return {};
    return {"its step regex matches no line either"};
  }

  std::string hint(const SampleMetric& metric) const {
    if (!metric.values.empty()) return {};
    if (!metric.misses.empty())
      return "line " + std::to_string(metric.misses.front().line) + ": " + metric.misses.front().text;
    if (line_in_other_case_ > 0)
      return "line " + std::to_string(line_in_other_case_) +
             " matches except for upper and lower case: start the regex with (?i)";
    if (any_case_ == nullptr) return "no TUNE_METRIC line has this name: add a regex, or print such lines";
    return "the regex matches no line: compare it with a line of the log letter by letter";
  }

 private:
  std::unique_ptr<const RE2> any_case_;  // null without a regex
  std::unique_ptr<const RE2> step_;      // null without one
  bool has_step_ = false;
  std::uint64_t line_in_other_case_ = 0;
};

SampleMetric& metric_named(std::vector<SampleMetric>& metrics, const std::string& name) {
  const auto found =
      std::find_if(metrics.begin(), metrics.end(), [&](const SampleMetric& m) { return m.name == name; });
  if (found != metrics.end()) return *found;
  SampleMetric metric;
  metric.name = name;
  return metrics.emplace_back(std::move(metric));
}

}  // namespace

LogSample read_log_sample(const std::vector<MetricDefinition>& definitions, std::istream& log) {
  MetricReader reader(definitions);
  LogSample sample;
  std::vector<Diagnosis> diagnoses;
  for (const MetricDefinition& definition : definitions) {
    metric_named(sample.metrics, definition.name);
    diagnoses.emplace_back(definition);
  }
  const auto take_notices = [&](const std::string& where) {
    for (const Notice& notice : reader.take_notices()) {
      if (!notice.metric.empty() && notice.about == "value")
        continue;  // the misses say it, each with its line
      auto& notices =
          notice.metric.empty() ? sample.notices : metric_named(sample.metrics, notice.metric).notices;
      notices.push_back(where + notice.text);
    }
  };
  const auto on_piece = [&](std::string_view piece) {
    for (const Match& match : reader.read(piece)) {
      SampleMetric& metric = metric_named(sample.metrics, match.name);
      metric.values.push_back({sample.lines, match.point});
      metric.unread_end.reset();
    }
    for (const Unread& unread : reader.unread()) {
      SampleMetric& metric = metric_named(sample.metrics, unread.name);
      metric.unread_end = SampleMiss{sample.lines, unread.captured, unread.text};
      if (metric.misses.size() < kMostMisses) metric.misses.push_back(*metric.unread_end);
    }
    take_notices("line " + std::to_string(sample.lines) + ": ");
    for (std::size_t i = 0; i < diagnoses.size(); ++i)
      if (sample.metrics[i].values.empty()) diagnoses[i].read(sample.lines, piece);
  };
  // Progress bars redraw one line of the file many times; each redrawing is matched by itself.
  // A line is read in blocks, as it may have no end.
  std::array<char, 64 * 1024> block;
  std::optional<LineSplitter> line;
  while (log.read(block.data(), block.size()), log.gcount() > 0) {
    std::string_view rest(block.data(), static_cast<std::size_t>(log.gcount()));
    while (!rest.empty()) {
      if (!line) line.emplace(), ++sample.lines;
      const std::size_t end = rest.find('\n');
      line->feed(rest.substr(0, end), on_piece);
      rest.remove_prefix(std::min(rest.size(), end == std::string_view::npos ? end : end + 1));
      if (end == std::string_view::npos) continue;
      line->finish(on_piece);
      line.reset();
    }
  }
  if (line) line->finish(on_piece);
  reader.finish();
  take_notices({});
  for (std::size_t i = 0; i < diagnoses.size(); ++i) {
    SampleMetric& metric = sample.metrics[i];
    metric.hint = diagnoses[i].hint(metric);
    for (std::string& notice : diagnoses[i].notices(metric)) metric.notices.push_back(std::move(notice));
  }
  return sample;
}

}  // namespace tune::metrics
