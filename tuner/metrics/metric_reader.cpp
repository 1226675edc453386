#include "tuner/metrics/metric_reader.h"

#include <re2/set.h>

#include <algorithm>
#include <cmath>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/metrics/cut_number.h"
#include "tuner/metrics/parse_number.h"
#include "tuner/metrics/pattern.h"
#include "tuner/metrics/regex_objection.h"

namespace tune::metrics {
namespace {

constexpr std::string_view kMarker = "TUNE_METRIC ";
constexpr std::size_t kNameLimit = 128;
constexpr double kLargestStep = 9007199254740992.0;  // 2^53: beyond it a JSON number is no exact integer

std::unique_ptr<const RE2> compiled(const std::string& metric, const std::string& regex, const char* what) {
  if (const auto objection = regex_objection(regex))
    throw Error(ExitCode::kBadSpec, "metric \"" + metric + "\", " + what + ": " + objection->message,
                objection->hint);
  return std::make_unique<const RE2>(with_re2_named_groups(regex), pattern_options());
}

struct CapturedNumber {
  double value = 0;
  std::string_view text;  // a part of the line
};

std::optional<CapturedNumber> first_group(const RE2& pattern, std::string_view line) {
  const re2::StringPiece text(line.data(), line.size());
  re2::StringPiece groups[2];
  if (!pattern.Match(text, 0, text.size(), RE2::UNANCHORED, groups, 2)) return std::nullopt;
  const std::string_view captured(groups[1].data(), groups[1].size());
  const std::optional<double> value = parse_number(captured);
  return value ? std::optional(CapturedNumber{*value, captured}) : std::nullopt;
}

std::optional<std::int64_t> whole_step(double number) {
  if (!(number >= 0 && number <= kLargestStep) || std::floor(number) != number) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

// Python's json writes NaN, Infinity and -Infinity bare, which is no JSON: puts them in quotes.
std::string with_quoted_non_finite(std::string_view text) {
  std::string result;
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t taken = 1;
    if (in_string && text[i] == '\\') {
      taken = std::min<std::size_t>(2, text.size() - i);
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      for (const std::string_view word : {"NaN", "-Infinity", "Infinity"}) {
        if (!text.substr(i).starts_with(word)) continue;
        result.append("\"").append(word).append("\"");
        i += word.size();
        taken = 0;
        break;
      }
    }
    result.append(text.substr(i, taken));
    i += taken;
  }
  return result;
}

struct TuneMetric {
  std::string name;
  double value = 0;
  std::optional<std::int64_t> step;
};

std::optional<TuneMetric> parse_tune_metric(std::string_view line) {
  const std::size_t at = line.find(kMarker);
  if (at == std::string_view::npos) return std::nullopt;
  const std::string_view text = line.substr(at + kMarker.size());
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) json = Json::parse(with_quoted_non_finite(text), nullptr, false);
  if (!json.is_object()) return std::nullopt;

  TuneMetric metric;
  const auto name = json.find("name"), value = json.find("value"), step = json.find("step");
  if (name == json.end() || !name->is_string() || value == json.end()) return std::nullopt;
  metric.name = name->get<std::string>();
  if (metric.name.empty() || metric.name.size() > kNameLimit) return std::nullopt;
  if (value->is_number()) {
    metric.value = value->get<double>();
  } else if (value->is_string()) {
    const auto number = parse_number(value->get_ref<const std::string&>());
    if (!number) return std::nullopt;
    metric.value = *number;
  } else {
    return std::nullopt;
  }
  if (step != json.end() && step->is_number()) metric.step = whole_step(step->get<double>());
  return metric;
}

}  // namespace

struct MetricReader::Impl {
  struct Definition {
    std::string name;
    std::unique_ptr<const RE2> value, step;
    bool has_warned = false;
  };
  std::vector<Definition> definitions;  // those with a regex
  // All patterns in one pass: most lines match none, and then no pattern is run by itself. Null when it would
  // not fit.
  std::unique_ptr<RE2::Set> any;
  std::vector<int> hits;
  std::map<std::string, std::int64_t, std::less<>> last_step;

  std::int64_t step_of(const std::string& name, std::optional<std::int64_t> step) {
    std::int64_t& last = last_step[name];
    return last = step ? *step : last + 1;
  }
  void find_hits(std::string_view line);
};

MetricReader::MetricReader(const std::vector<MetricDefinition>& definitions,
                           std::map<std::string, std::int64_t> steps_done)
    : impl_(std::make_unique<Impl>()) {
  auto any = std::make_unique<RE2::Set>(pattern_options(), RE2::UNANCHORED);
  for (const MetricDefinition& definition : definitions) {
    if (definition.regex.empty()) continue;
    Impl::Definition entry{definition.name, compiled(definition.name, definition.regex, "regex"), nullptr,
                           false};
    if (definition.step) entry.step = compiled(definition.name, *definition.step, "step");
    any->Add(entry.value->pattern(), nullptr);
    impl_->definitions.push_back(std::move(entry));
  }
  if (impl_->definitions.size() > 1 && any->Compile()) impl_->any = std::move(any);
  for (auto& [name, step] : steps_done) impl_->last_step[name] = step;
}

MetricReader::~MetricReader() = default;

void MetricReader::Impl::find_hits(std::string_view line) {
  hits.clear();
  if (any) {
    RE2::Set::ErrorInfo error{};
    const bool matched = any->Match(re2::StringPiece(line.data(), line.size()), &hits, &error);
    if (error.kind == RE2::Set::kNoError || matched) {
      std::sort(hits.begin(), hits.end());
      return;
    }
    hits.clear();
  }
  for (std::size_t i = 0; i < definitions.size(); ++i) hits.push_back(static_cast<int>(i));
}

std::vector<Match> MetricReader::read(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  std::vector<Match> matches;
  if (const auto metric = parse_tune_metric(line))
    matches.push_back({metric->name, {impl_->step_of(metric->name, metric->step), metric->value}});
  impl_->find_hits(line);
  for (const int hit : impl_->hits) {
    Impl::Definition& definition = impl_->definitions[static_cast<std::size_t>(hit)];
    const bool taken = std::any_of(matches.begin(), matches.end(),
                                   [&](const Match& match) { return match.name == definition.name; });
    if (taken) continue;
    const auto value = first_group(*definition.value, line);
    if (!value) continue;
    std::optional<std::int64_t> step;
    if (definition.step)
      if (const auto number = first_group(*definition.step, line)) step = whole_step(number->value);
    Match match{definition.name, {impl_->step_of(definition.name, step), value->value}};
    if (!definition.has_warned) match.warning = cut_number(line, value->text).value_or("");
    definition.has_warned |= !match.warning.empty();
    matches.push_back(std::move(match));
  }
  return matches;
}

}  // namespace tune::metrics
