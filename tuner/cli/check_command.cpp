#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <istream>
#include <ostream>
#include <streambuf>

#include "tuner/cli/checked_spec.h"
#include "tuner/cli/command_forms.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/estimate_text.h"
#include "tuner/cli/run_and_report.h"
#include "tuner/cli/store_path.h"
#include "tuner/core/error.h"
#include "tuner/core/metric_names.h"
#include "tuner/core/parameter_text.h"
#include "tuner/core/plural_text.h"
#include "tuner/core/shell_text.h"
#include "tuner/core/space.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/slurm/cluster.h"
#include "tuner/metrics/log_sample.h"
#include "tuner/os/descriptor.h"
#include "tuner/os/regular_file.h"
#include "tuner/report/text/format.h"

namespace tune::cli {
namespace {

constexpr std::size_t kShownValues = 10;  // of a metric, where a person reads

const char* reduce_name(Reduce reduce) {
  switch (reduce) {
    case Reduce::kLast:
      return "last";
    case Reduce::kBest:
      return "best";
    case Reduce::kMin:
      return "smallest";
    case Reduce::kMax:
      return "largest";
  }
  return "best";
}

// Text out of a log or a spec, harmless for the terminal.
std::string harmless(const Json& value) { return value.dump(-1, ' ', true, Json::error_handler_t::replace); }

std::string describe(const Parameter& parameter) {
  std::string text;
  if (parameter.type == ParameterType::kCategorical) {
    for (const Json& value : parameter.values) text += (text.empty() ? "" : ", ") + harmless(value);
  } else {
    text =
        report::bound_text(parameter, parameter.min) + " to " + report::bound_text(parameter, parameter.max);
    if (parameter.step) text += " by " + report::bound_text(parameter, *parameter.step);
    text += std::string(", ") + parameter_type_text(parameter.type) + ", " + scale_text(parameter.scale);
  }
  for (const Condition& condition : parameter.when) {
    std::string values;
    for (const Json& value : condition.any_of) values += (values.empty() ? "" : " or ") + harmless(value);
    text += "; when " + condition.parent + " is " + values;
  }
  return text;
}

std::string describe(const Limits& limits) {
  std::string text;
  const auto add = [&](const std::string& part) { text += (text.empty() ? "" : ", ") + part; };
  if (limits.trials) add(plural_text(*limits.trials, "trial"));
  if (limits.parallel) add(std::to_string(*limits.parallel) + " at once");
  if (limits.time) add(format_duration(*limits.time) + " in all");
  if (limits.trial_time) add(format_duration(*limits.trial_time) + " a trial");
  if (limits.no_output) add(format_duration(*limits.no_output) + " without output");
  if (limits.no_metric_time) add(format_duration(*limits.no_metric_time) + " without a metric");
  if (limits.gpu_hours) add(report::hours_text(*limits.gpu_hours) + " of device time in all");
  if (limits.cost_usd) add(report::usd_text(*limits.cost_usd) + " in all");
  if (limits.target) add("until " + shortest(*limits.target) + " is reached");
  if (limits.no_improvement) add(plural_text(*limits.no_improvement, "trial") + " without a new best");
  if (limits.convergence)
    add("until no trial is expected to be better by " + shortest(*limits.convergence * 100) + " %");
  return text;
}

bool is_grid(const Spec& spec) { return spec.strategy.name == "grid"; }

// The points of the grid where there is one, else of the space; 0 for a continuous one.
std::size_t searched_points(const Spec& spec) {
  return is_grid(spec) ? grid_space(spec.space).cardinality() : spec.space.cardinality();
}

std::string levels_text(const Spec& spec, const Parameter& parameter) {
  const std::vector<Json> levels = is_grid(spec) ? parameter.level_values() : std::vector<Json>();
  std::string text;
  for (std::size_t i = 0; i < levels.size() && i < kShownValues; ++i)
    text += (i == 0 ? "; levels " : ", ") + report::parameter_text(levels[i]);
  return levels.size() > kShownValues ? text + ", ..." : text;
}

// What the programs will be given; for a built-in trainer that is a file.
void print_commands(const Spec& spec, std::ostream& out) {
  if (spec.trainer) return;
  constexpr std::size_t kShownForms = 6;
  const auto forms = command_forms(spec);
  for (std::size_t i = 0; i < forms.size() && i < kShownForms; ++i)
    out << (i == 0 ? "  command     " : "           or ") << visible_text(shell_text(forms[i])) << '\n';
  if (forms.size() > kShownForms)
    out << "           or " << forms.size() - kShownForms << " forms more; --json lists them\n";
}

std::string described(const Objective& objective) {
  const std::string of = objective.metric == kDeviceSeconds
                             ? "for how long a trial holds its devices"
                             : std::string(reduce_name(objective.reduce)) + " value of a trial";
  return std::string(objective.goal == Goal::kMaximize ? "maximize " : "minimize ") + objective.metric +
         " (" + of + ")";
}

void print_summary(const Spec& spec, const std::string& place, std::ostream& out) {
  out << visible_text(spec.file) << " is valid\n"
      << "  study       " << spec.study << '\n'
      << "  objective   " << described(spec.objective) << '\n';
  if (spec.second_objective) out << "          and " << described(*spec.second_objective) << '\n';
  if (spec.prefer)
    out << "  preferred   " << preference_text(*spec.prefer, {spec.objective, *spec.second_objective})
        << '\n';
  out << "  strategy    " << spec.strategy.name << "; early stopping: " << spec.early_stopping.rule << '\n'
      << "  limits      " << describe(spec.limits) << '\n';
  if (!place.empty()) out << "  runs on     " << visible_text(place) << '\n';
  const std::size_t points = searched_points(spec);
  const std::vector<Parameter>& parameters = spec.space.parameters();
  const auto continuous = std::count_if(parameters.begin(), parameters.end(),
                                        [](const Parameter& each) { return each.cardinality() == 0; });
  out << "  parameters  " << spec.space.size() << ", "
      << (points == 0 ? std::to_string(continuous) + " of them continuous"
                      : plural_text(points, "point") + (is_grid(spec) ? " of the grid" : ""))
      << '\n';
  for (const Parameter& parameter : spec.space.parameters())
    out << "    " << parameter.name << ": " << describe(parameter) + levels_text(spec, parameter) << '\n';
  print_commands(spec, out);
}

void print_metric(const metrics::SampleMetric& metric, std::ostream& out) {
  out << visible_text(metric.name) << ": " << plural_text(metric.values.size(), "value") << '\n';
  for (std::size_t i = 0; i < metric.values.size() && i < kShownValues; ++i)
    out << "  line " << metric.values[i].line << ", step " << metric.values[i].point.step << ": "
        << shortest(metric.values[i].point.value) << '\n';
  if (metric.values.size() > kShownValues) {
    const metrics::SampleValue& last = metric.values.back();
    out << "  ... and " << metric.values.size() - kShownValues << " more, up to line " << last.line
        << ", step " << last.point.step << ": " << shortest(last.point.value) << '\n';
  }
  for (std::size_t i = 0; i < metric.misses.size() && i < kShownValues; ++i)
    out << "  line " << metric.misses[i].line << ": " << visible_text(metric.misses[i].text) << '\n';
  if (metric.misses.size() > kShownValues)
    out << "  ... and other lines that give no number, up to line " << metric.misses.back().line << '\n';
  for (const std::string& notice : metric.notices) out << "  " << visible_text(notice) << '\n';
  // Where there are misses, the first of them is the hint.
  if (!metric.hint.empty() && metric.misses.empty()) out << "  " << visible_text(metric.hint) << '\n';
}

Json to_json(const metrics::SampleMetric& metric) {
  Json values = Json::array(), misses = Json::array();
  for (const metrics::SampleValue& value : metric.values)
    values.push_back(
        {{"line", value.line}, {"step", value.point.step}, {"value", number_to_json(value.point.value)}});
  for (const metrics::SampleMiss& miss : metric.misses)
    misses.push_back({{"line", miss.line}, {"captured", miss.captured}, {"text", miss.text}});
  return {{"name", metric.name},
          {"values", values},
          {"not_numbers", misses},
          {"notices", metric.notices},
          {"hint", metric.hint}};
}

// What the objective would be if the sample were a trial's log.
struct SampleResult {
  std::optional<double> value;
  std::string objection;  // why there is none
};

// A repeated step counts with its later value; with `last`, a last line that gives no number is no result.
SampleResult sample_result(const Objective& objective, const metrics::LogSample& sample) {
  std::map<std::int64_t, double> by_step;
  for (const metrics::SampleMetric& metric : sample.metrics) {
    if (metric.name != objective.metric) continue;
    if (objective.reduce == Reduce::kLast && metric.unread_end && !metric.values.empty())
      return {std::nullopt, "the last value of " + metric.name + " is its result, and line " +
                                std::to_string(metric.unread_end->line) +
                                ", the last one that its regex matches, gives no number"};
    for (const metrics::SampleValue& value : metric.values) by_step[value.point.step] = value.point.value;
  }
  std::vector<MetricPoint> curve;
  for (const auto& [step, value] : by_step) curve.push_back({step, value});
  const std::optional<double> value = reduce_curve(curve, objective);
  return {value, value ? std::string() : "it has no finite value of " + objective.metric};
}

constexpr std::chrono::seconds kSayInterval{5};

// What a descriptor gives, for a stream; says from time to time how much that was, since a pipe may never
// end. Lives as long as its descriptor.
class DescriptorBuffer : public std::streambuf {
 public:
  DescriptorBuffer(const Descriptor& file, std::ostream& progress) : file_(file), progress_(progress) {}

 private:
  int_type underflow() override {
    ssize_t got = 0;
    do got = ::read(file_.get(), block_.data(), block_.size());
    while (got < 0 && errno == EINTR);
    if (got <= 0) return traits_type::eof();
    bytes_ += got;
    if (const auto now = std::chrono::steady_clock::now(); now - last_said_ >= kSayInterval) {
      progress_ << "the log is still being read: " << (bytes_ >> 20) << " MiB so far" << std::endl;
      last_said_ = now;
    }
    setg(block_.data(), block_.data(), block_.data() + got);
    return traits_type::to_int_type(block_.front());
  }

  const Descriptor& file_;
  std::ostream& progress_;
  std::int64_t bytes_ = 0;
  std::chrono::steady_clock::time_point last_said_ = std::chrono::steady_clock::now();
  std::array<char, 64 * 1024> block_{};
};

metrics::LogSample read_sample(const Spec& spec, const std::string& path, std::ostream& progress) {
  std::error_code ignored;
  const auto kind = std::filesystem::status(path, ignored).type();
  const bool is_pipe = kind == std::filesystem::file_type::fifo;
  // A folder has no lines, and a device may have no end.
  const bool may_be_log = is_pipe || kind == std::filesystem::file_type::regular;
  const Descriptor file = is_pipe      ? open_pipe(path)
                          : may_be_log ? Descriptor(open_retrying(path, O_RDONLY))
                                       : Descriptor();
  if (file.get() < 0) {
    const int open_error = errno;
    const std::string reason = kind == std::filesystem::file_type::directory   ? "it is a folder"
                               : kind == std::filesystem::file_type::socket    ? "it is a socket"
                               : kind == std::filesystem::file_type::not_found ? "it does not exist"
                               : may_be_log                                    ? std::strerror(open_error)
                                                                               : "it is not a file";
    throw Error(ExitCode::kNotFound, "the log \"" + path + "\" cannot be read: " + reason,
                "give the file that a training run printed");
  }
  DescriptorBuffer buffer(file, progress);
  std::istream log(&buffer);
  return metrics::read_log_sample(spec.metrics, log);
}

Json warnings_json(const Spec& spec) {
  Json list = Json::array();
  for (const Problem& warning : spec.warnings)
    list.push_back({{"line", warning.line},
                    {"column", warning.column},
                    {"pointer", warning.pointer},
                    {"message", warning.message},
                    {"hint", warning.hint}});
  return list;
}

void print_as_json(const Spec& spec, const std::string& place,
                   const std::optional<metrics::LogSample>& sample, const SampleResult& result,
                   const std::optional<SampleResult>& second, const Json& estimate, Console& console) {
  const std::size_t points = searched_points(spec);
  Json json{{"schema", 1}, {"study", spec.study}, {"valid", true}, {"warnings", warnings_json(spec)}};
  json["parameters"] = Json::array();
  for (const Parameter& parameter : spec.space.parameters()) json["parameters"].push_back(parameter.name);
  json["points"] = points == 0 ? Json() : Json(points);
  if (!place.empty()) json["runs_on"] = place;
  json["commands"] = spec.trainer ? Json::array() : Json(command_forms(spec));
  if (!estimate.is_null()) json["estimate"] = estimate;
  if (sample) {
    json["sample"] = {{"lines", sample->lines}, {"metrics", Json::array()}};
    json["sample"]["notices"] = sample->notices;
    for (const metrics::SampleMetric& metric : sample->metrics)
      json["sample"]["metrics"].push_back(to_json(metric));
    json["sample"]["objective"] = result.value ? Json(*result.value) : Json();
    if (second) json["sample"]["second_objective"] = second->value ? Json(*second->value) : Json();
  }
  print_json(json, console);
}

std::string second_text(const Spec& spec, const std::optional<SampleResult>& second) {
  if (!second || !second->value) return {};
  return " and " + spec.second_objective->metric + " = " + shortest(*second->value);
}

void print_sample(const Spec& spec, const metrics::LogSample& sample, const SampleResult& result,
                  const std::optional<SampleResult>& second, std::ostream& out) {
  out << '\n' << plural_text(sample.lines, "line") << " of log\n";
  for (const std::string& notice : sample.notices) out << visible_text(notice) << '\n';
  for (const metrics::SampleMetric& metric : sample.metrics) print_metric(metric, out);
  if (result.value)
    out << "A trial with this log would have " << spec.objective.metric << " = " << shortest(*result.value)
        << second_text(spec, second) << ".\n";
}

// Whether the cluster can give what the spec asks for, where that runs on one. Where it runs; empty where the
// spec says nothing of that, and this machine alone can be meant.
std::string check_runner(Spec& spec, std::optional<RunnerKind> runner) {
  const bool is_local = runner.value_or(spec.runner.kind) == RunnerKind::kLocal;
  if (is_local && spec.runner.kind == RunnerKind::kLocal) return {};
  if (is_local) return "this machine, as --runner says; the spec's runner is slurm";
  const engine::Cluster cluster = engine::inspect_cluster();
  engine::ClusterProblems found = engine::ask_cluster(spec, cluster);
  for (std::vector<Problem>* problems : {&found.fatal, &found.warnings})
    locate_problems(spec.text, *problems);
  if (!found.fatal.empty()) throw SpecError(spec.file, std::move(found.fatal));
  spec.warnings.insert(spec.warnings.end(), found.warnings.begin(), found.warnings.end());
  return engine::jobs_text(spec, cluster);
}

}  // namespace

int check_command(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "check")
          .positional("SPEC", "the spec, search.json")
          .value("sample", "LOG", "show which lines of this log the metrics are read from")
          .value("runner", "WHERE",
                 "local or slurm, in place of runner.kind: the cluster is asked whether it can give what the "
                 "spec asks for")
          .flag("estimate", "also memory, storage, time and cost, as `tune estimate` says them")
          .parse(arguments, console);
  if (!options) return 0;
  CheckedSpec checked = read_checked_spec(options->text("SPEC"));
  const std::string place = check_runner(checked.spec, runner_option(*options));
  const Spec& spec = checked.spec;
  std::optional<metrics::LogSample> sample;
  SampleResult result;
  std::optional<SampleResult> second;
  if (options->has("sample")) {
    sample = read_sample(spec, options->text("sample"), console.err);
    result = sample_result(spec.objective, *sample);
    if (spec.second_objective && spec.second_objective->metric != kDeviceSeconds)
      second = sample_result(*spec.second_objective, *sample);
  }
  std::optional<engine::SearchEstimate> estimate;
  if (options->has("estimate") && checked.trainer) {
    estimate = estimate_search(spec, *checked.trainer, {store_folder(*options)}, console);
    if (!estimate) return static_cast<int>(ExitCode::kInterrupted);
  }
  if (options->has("json")) {
    Json estimated;
    if (options->has("estimate")) estimated = estimate ? to_json(spec, *estimate) : bounds_json(spec);
    print_as_json(spec, place, sample, result, second, estimated, console);
  } else {
    print_summary(spec, place, console.out);
    print_warnings(spec, console.err);
    if (sample) print_sample(spec, *sample, result, second, console.out);
    if (options->has("estimate")) console.out << '\n';
    if (estimate)
      print_estimate(spec, *estimate, console.out);
    else if (options->has("estimate"))
      print_bounds(spec, console.out);
  }
  const SampleResult& worse = result.value && second ? *second : result;
  if (sample && !worse.value)
    throw Error(ExitCode::kBadSpec, "a trial with this log would fail: " + visible_text(worse.objection),
                "change the metric's regex, or what the program prints");
  return 0;
}

}  // namespace tune::cli
