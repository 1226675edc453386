#include "tuner/metrics/metric_reader.h"

#include <re2/set.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"
#include "tuner/metrics/number_reach.h"
#include "tuner/metrics/parse_number.h"
#include "tuner/metrics/pattern.h"
#include "tuner/metrics/regex_objection.h"

namespace tune::metrics {
namespace {

constexpr std::string_view kMarker = "TUNE_METRIC ";
constexpr std::size_t kNameLimit = 128;
constexpr std::size_t kShown = 60;          // bytes of what was captured, for a person
constexpr std::int64_t kPatternsOfSet = 8;  // times the memory of one: what it needs grows with all of them
constexpr double kLargestStep = 9007199254740992.0;  // 2^53: beyond it a JSON number is no exact integer

constexpr const char* kTooLargeStep = "is larger than a step can be (2^53)";

std::unique_ptr<const RE2> compiled(const std::string& metric, const std::string& regex, const char* what) {
  if (const auto objection = regex_objection(regex))
    throw Error(ExitCode::kBadSpec, "metric \"" + metric + "\", " + what + ": " + objection->message,
                objection->hint);
  return std::make_unique<const RE2>(with_re2_named_groups(regex), pattern_options());
}

struct Captured {
  std::string_view text;  // a part of the line; nothing where the group took no part in the match
  std::size_t match_end = 0;
};

std::optional<Captured> first_group(const RE2& pattern, std::string_view line) {
  const re2::StringPiece text(line.data(), line.size());
  re2::StringPiece groups[2];
  if (!pattern.Match(text, 0, text.size(), RE2::UNANCHORED, groups, 2)) return std::nullopt;
  const std::string_view captured =
      groups[1].data() == nullptr ? std::string_view() : std::string_view(groups[1].data(), groups[1].size());
  return Captured{captured, static_cast<std::size_t>(groups[0].data() - line.data()) + groups[0].size()};
}

std::string shown(std::string_view captured) { return "\"" + shortened(captured, kShown) + "\""; }

// Why a number is no step; empty where it is one.
std::string step_objection(double number) {
  if (!std::isfinite(number) || std::floor(number) != number) return "is not a whole number";
  if (number < 0) return "is below 0";
  if (number > kLargestStep) return kTooLargeStep;
  return {};
}

// A step as a line gives it.
struct CapturedStep {
  std::optional<std::int64_t> whole;
  std::string objection;  // why it is none
};

// Beyond 2^53 a whole number was rounded when it became `number`, also down to 2^53 itself.
bool is_rounded(double number, std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t+0");
  return number == kLargestStep && first != std::string_view::npos &&
         text.substr(first).find_first_not_of("0123456789") == std::string_view::npos &&
         text.substr(first) != "9007199254740992";
}

CapturedStep step_from(double number, const std::string& text) {
  const std::string objection = is_rounded(number, text) ? kTooLargeStep : step_objection(number);
  if (!objection.empty()) return {std::nullopt, "the step " + shortened(text, kShown) + ' ' + objection};
  return {static_cast<std::int64_t>(number), {}};
}

CapturedStep captured_step(std::string_view line, const Captured& captured) {
  const auto number = parse_number(captured.text);
  if (!number) return {std::nullopt, "the step " + shown(captured.text) + " is not a whole number"};
  const NumberReach reach = reach_of(line, captured.text, captured.match_end, NumberIs::kStep);
  if (reach.kind != NumberReach::Kind::kCut) return step_from(*number, std::string(captured.text));
  return {std::nullopt, "of the step " + std::string(shortened(reach.whole, kShown)) + " the regex reads " +
                            std::string(captured.text)};
}

// What a TUNE_METRIC line says; `unread` where its value is no number.
struct TuneMetric {
  std::string name;
  std::optional<double> value;
  std::string unread;
  std::optional<CapturedStep> step;
};

std::optional<double> number_in(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return parse_number(json.get_ref<const std::string&>());
  return std::nullopt;
}

std::string text_of(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

// nullopt: it is not an object with a name and a value. `objection`: what else is wrong with it.
std::optional<TuneMetric> parse_tune_metric(std::string_view text, std::string& objection) {
  StrictJson parsed = parse_strictly(text);
  if (parsed.fault) parsed = parse_strictly(with_quoted_non_finite(text));
  if (parsed.fault && !parsed.fault->is_syntax) objection = parsed.fault->problem.message;
  const Json& json = parsed.value;
  if (!json.is_object()) return std::nullopt;

  TuneMetric metric;
  const auto name = json.find("name"), value = json.find("value"), step = json.find("step");
  if (name == json.end() || !name->is_string() || value == json.end()) return std::nullopt;
  metric.name = name->get<std::string>();
  if (metric.name.empty() || metric.name.size() > kNameLimit) return std::nullopt;
  if (one_line(metric.name) != metric.name) {
    objection = "its name has control characters";
    return std::nullopt;
  }
  metric.value = number_in(*value);
  if (!metric.value) metric.unread = text_of(*value);
  if (step == json.end() || step->is_null()) return metric;
  const std::optional<double> number = number_in(*step);
  metric.step = number ? step_from(*number, text_of(*step))
                       : CapturedStep{std::nullopt, "the step " + shortened(text_of(*step), kShown) +
                                                        " is not a whole number"};
  return metric;
}

}  // namespace

struct MetricReader::Impl {
  // What is known of one metric's values so far.
  struct Series {
    std::int64_t earlier = 0;          // the last step of earlier attempts
    std::optional<std::int64_t> last;  // of this attempt, the largest
    bool last_is_counted = false;
    bool counts = false;  // captured steps are passed over
    std::optional<std::string> unit;
    std::set<std::string> said;  // what notices were about
  };
  struct StepPattern {
    std::unique_ptr<const RE2> regex;
    std::optional<CapturedStep> held;  // holds until the next
  };
  struct Definition {
    std::string name;
    std::unique_ptr<const RE2> value;
    std::unique_ptr<const RE2> non_finite;  // the same for nan and inf, where `value` passes over them
    std::optional<std::size_t> step;        // a place in `steps`
  };
  std::vector<Definition> definitions;  // those with a regex
  std::vector<StepPattern> steps;       // each once, however many metrics share it
  // All patterns in one pass: most lines match none, and then no pattern is run by itself. Null when it would
  // not fit. `places` says whose each of its patterns is.
  std::unique_ptr<RE2::Set> any;
  struct Place {
    enum class Kind { kStep, kValue, kNonFinite } kind;  // in the order in which a line is read
    std::size_t index;                                   // in `steps` or `definitions`
  };
  std::vector<Place> places;
  std::vector<int> hits;
  std::map<std::string, Series, std::less<>> series;
  std::vector<Unread> unread;
  std::vector<Notice> notices;

  void add(const MetricDefinition& definition);
  std::size_t step_pattern(const MetricDefinition& definition);
  void compile_all();
  void find_hits(std::string_view line);
  Series& series_of(const std::string& name);
  void say(const std::string& name, const char* about, std::string text);
  void give_up(const std::string& name, std::string_view captured, std::string text);
  std::int64_t step_of(const std::string& name, const std::optional<CapturedStep>& step);
  std::string objection_to(const Series& known, const CapturedStep& step) const;
  std::optional<Match> read_tune_metric(std::string_view text);
  void read_hit(const Place& place, std::string_view line, std::vector<Match>& matches);
  std::optional<double> value_in(const Definition& definition, std::string_view line);
};

void MetricReader::Impl::add(const MetricDefinition& definition) {
  if (definition.regex.empty()) return;
  definitions.push_back({definition.name, compiled(definition.name, definition.regex, "regex"), nullptr, {}});
  if (const auto regex = with_group_for_non_finite(definition.regex))
    definitions.back().non_finite = std::make_unique<const RE2>(*regex, pattern_options());
  if (definition.step) definitions.back().step = step_pattern(definition);
}

std::size_t MetricReader::Impl::step_pattern(const MetricDefinition& definition) {
  auto regex = compiled(definition.name, *definition.step, "step");
  const auto same = std::find_if(steps.begin(), steps.end(), [&](const StepPattern& other) {
    return other.regex->pattern() == regex->pattern();
  });
  if (same != steps.end()) return static_cast<std::size_t>(same - steps.begin());
  steps.push_back({std::move(regex), std::nullopt});
  return steps.size() - 1;
}

void MetricReader::Impl::compile_all() {
  RE2::Options options = pattern_options();
  options.set_max_mem(options.max_mem() * kPatternsOfSet);
  auto all = std::make_unique<RE2::Set>(options, RE2::UNANCHORED);
  const auto add = [&](Place::Kind kind, std::size_t index, const RE2& regex) {
    places.push_back({kind, index});
    all->Add(regex.pattern(), nullptr);
  };
  for (std::size_t i = 0; i < steps.size(); ++i) add(Place::Kind::kStep, i, *steps[i].regex);
  for (std::size_t i = 0; i < definitions.size(); ++i) add(Place::Kind::kValue, i, *definitions[i].value);
  for (std::size_t i = 0; i < definitions.size(); ++i)
    if (definitions[i].non_finite) add(Place::Kind::kNonFinite, i, *definitions[i].non_finite);
  if (places.size() > 1 && all->Compile()) any = std::move(all);
}

MetricReader::MetricReader(const std::vector<MetricDefinition>& definitions, EarlierSteps earlier)
    : impl_(std::make_unique<Impl>()) {
  for (const MetricDefinition& definition : definitions) impl_->add(definition);
  impl_->compile_all();
  for (const auto& [name, step] : earlier.last) impl_->series[name].earlier = step;
  for (const std::string& name : earlier.counted) {
    impl_->series[name].counts = true;
    impl_->say(name, "step", "as in the attempt before, its values are counted");
  }
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
  for (std::size_t i = 0; i < places.size(); ++i) hits.push_back(static_cast<int>(i));
}

MetricReader::Impl::Series& MetricReader::Impl::series_of(const std::string& name) { return series[name]; }

void MetricReader::Impl::say(const std::string& name, const char* about, std::string text) {
  if (series_of(name).said.insert(about).second) notices.push_back({name, about, std::move(text)});
}

void MetricReader::Impl::give_up(const std::string& name, std::string_view captured, std::string text) {
  say(name, "value", text + "; such a line gives no value");
  unread.push_back({name, shortened(captured, kShown), std::move(text)});
}

// Why a step that was captured cannot be this value's; empty where it can.
std::string MetricReader::Impl::objection_to(const Series& known, const CapturedStep& step) const {
  if (!step.whole) return step.objection;
  if (!known.last || *step.whole > *known.last) return {};
  if (*step.whole < *known.last)
    return "the step " + std::to_string(*step.whole) + " comes after " + std::to_string(*known.last);
  return known.last_is_counted
             ? "the step " + std::to_string(*step.whole) + " was counted before, for want of a captured one"
             : std::string();
}

std::int64_t MetricReader::Impl::step_of(const std::string& name, const std::optional<CapturedStep>& step) {
  Series& known = series_of(name);
  if (step && !known.counts) {
    const std::string objection = objection_to(known, *step);
    if (objection.empty()) {
      if (known.last == step->whole)
        say(name, "repeat",
            "the step " + std::to_string(*step->whole) +
                " comes again: of the values of a step the last one counts");
      known.last_is_counted = false;
      known.last = step->whole;
      return *known.last;
    }
    known.counts = true;
    say(name, "step", objection + ": from this value on they are counted");
  }
  known.last_is_counted = true;
  known.last = known.last.value_or(known.earlier) + 1;
  return *known.last;
}

std::optional<Match> MetricReader::Impl::read_tune_metric(std::string_view text) {
  std::string objection;
  const std::optional<TuneMetric> metric = parse_tune_metric(text, objection);
  if (!metric) {
    say({}, "value",
        "a TUNE_METRIC line is not a JSON object with a name and a value" +
            (objection.empty() ? "" : " (" + objection + ")") + ", so it gives none: " + shown(text));
    return std::nullopt;
  }
  if (!metric->value) {
    give_up(metric->name, metric->unread,
            "the value " + shortened(metric->unread, kShown) + " of a TUNE_METRIC line is not a number");
    return std::nullopt;
  }
  return Match{metric->name, {step_of(metric->name, metric->step), *metric->value}};
}

std::optional<double> MetricReader::Impl::value_in(const Definition& definition, std::string_view line) {
  const auto captured = first_group(*definition.value, line);
  if (!captured) return std::nullopt;
  const auto value = parse_number(captured->text);
  if (!value) {
    give_up(definition.name, captured->text,
            "the regex captured " + shown(captured->text) +
                ", which is not a number: put only the number in the first parentheses");
    return std::nullopt;
  }
  if (!std::isfinite(*value)) return value;
  const NumberReach reach = reach_of(line, captured->text, captured->match_end);
  if (reach.kind == NumberReach::Kind::kCut || reach.kind == NumberReach::Kind::kTime) {
    give_up(definition.name, captured->text, cut_text(captured->text, reach));
    return std::nullopt;
  }
  Series& known = series_of(definition.name);
  if (!known.unit) known.unit = std::string(reach.unit);
  if (*known.unit != reach.unit) {
    give_up(definition.name, captured->text,
            "the regex reads " + shown(captured->text) +
                (reach.unit.empty() ? ", with nothing behind it" : " of " + shown(reach.whole)) +
                ", and before numbers with " + (known.unit->empty() ? "nothing" : shown(*known.unit)) +
                " behind them: let the program print them all in one way");
    return std::nullopt;
  }
  if (reach.kind == NumberReach::Kind::kUnit) say(definition.name, "unit", unit_text(captured->text, reach));
  return value;
}

std::vector<Match> MetricReader::read(std::string_view line) {
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  std::vector<Match> matches;
  impl_->unread.clear();
  if (const std::size_t at = line.find(kMarker); at != std::string_view::npos)
    if (auto match = impl_->read_tune_metric(line.substr(at + kMarker.size())))
      matches.push_back(std::move(*match));
  impl_->find_hits(line);
  for (const int hit : impl_->hits)
    impl_->read_hit(impl_->places[static_cast<std::size_t>(hit)], line, matches);
  return matches;
}

// A line's step is its values' step wherever it stands in the line, since steps come first.
void MetricReader::Impl::read_hit(const Place& place, std::string_view line, std::vector<Match>& matches) {
  if (place.kind == Place::Kind::kStep) {
    StepPattern& step = steps[place.index];
    if (const auto captured = first_group(*step.regex, line)) step.held = captured_step(line, *captured);
    return;
  }
  const Definition& definition = definitions[place.index];
  const auto is_same = [&](const auto& other) { return other.name == definition.name; };
  if (std::any_of(matches.begin(), matches.end(), is_same)) return;
  if (std::any_of(unread.begin(), unread.end(), is_same)) return;
  if (place.kind == Place::Kind::kNonFinite) {
    if (const auto captured = first_group(*definition.non_finite, line))
      give_up(definition.name, captured->text,
              "the regex passes over " + shown(captured->text) +
                  ": let its group take that too, as with ([-+.\\w]+)");
    return;
  }
  const auto value = value_in(definition, line);
  if (!value) return;
  const auto step = definition.step ? steps[*definition.step].held : std::nullopt;
  matches.push_back({definition.name, {step_of(definition.name, step), *value}});
}

const std::vector<Unread>& MetricReader::unread() const { return impl_->unread; }

std::vector<Notice> MetricReader::take_notices() { return std::exchange(impl_->notices, {}); }

void MetricReader::finish() {
  for (const Impl::Definition& definition : impl_->definitions) {
    if (!definition.step || impl_->steps[*definition.step].held) continue;
    if (impl_->series_of(definition.name).last)
      impl_->say(definition.name, "step", "its step regex matched no line, so its values were counted");
  }
}

}  // namespace tune::metrics
