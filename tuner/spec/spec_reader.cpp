#include <algorithm>
#include <array>
#include <cctype>

#include "tuner/core/edit_distance.h"
#include "tuner/core/plural_text.h"
#include "tuner/os/atomic_file.h"
#include "tuner/spec/spec.h"
#include "tuner/spec/spec_file.h"
#include "tuner/spec/spec_keys.h"
#include "tuner/spec/spec_sections.h"

namespace tune {
namespace {

std::vector<MetricDefinition> read_metrics(SpecProblems& problems) {
  std::vector<MetricDefinition> metrics;
  const OrderedJson* list = problems.find("/metrics");
  if (list == nullptr) return metrics;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string pointer = element_pointer("/metrics", i);
    if (problems.find(pointer) == nullptr) continue;
    MetricDefinition metric;
    metric.name = read_value<std::string>(problems, pointer + "/name").value_or("");
    metric.regex = read_value<std::string>(problems, pointer + "/regex").value_or("");
    metric.step = read_value<std::string>(problems, pointer + "/step");
    const auto first = std::find_if(metrics.begin(), metrics.end(),
                                    [&](const MetricDefinition& m) { return m.name == metric.name; });
    if (!metric.name.empty() && first != metrics.end())
      problems.add(pointer + "/name", "the metric " + in_quotes(metric.name) + " is there twice",
                   "it is also number " + std::to_string(first - metrics.begin() + 1) +
                       " of the list; rename one, or join both regexes with |");
    if (metric.step && !problems.contains(pointer + "/regex"))
      problems.add(pointer + "/step", "\"step\" needs \"regex\": TUNE_METRIC lines carry their step",
                   "add a regex, or leave step out");
    metrics.push_back(std::move(metric));
  }
  return metrics;
}

void check_regexes(const RegexCheck& check, SpecProblems& problems) {
  const OrderedJson* list = problems.find("/metrics");
  if (list == nullptr || !check) return;
  for (std::size_t i = 0; i < list->size(); ++i)
    for (const char* key : {"/regex", "/step"}) {
      const std::string pointer = element_pointer("/metrics", i) + key;
      const auto regex = read_value<std::string>(problems, pointer);
      if (!regex) continue;
      if (const auto problem = check(*regex)) problems.add(pointer, problem->message, problem->hint);
    }
}

StrategySpec read_strategy(const SpecProblems& problems) {
  StrategySpec strategy;
  if (auto name = read_value<std::string>(problems, "/strategy/name")) strategy.name = *name;
  if (const auto seed = read_value<double>(problems, "/strategy/seed"))
    strategy.seed = static_cast<std::uint64_t>(*seed);
  return strategy;
}

std::map<std::string, Json> read_assumed(const Spec& spec, const std::string& entry, SpecProblems& problems) {
  std::map<std::string, Json> assumed;
  const OrderedJson* section = problems.find(entry + "/assume");
  if (section == nullptr) return assumed;
  std::vector<std::string> names;
  for (const Parameter& parameter : spec.space.parameters()) names.push_back(parameter.name);
  for (const auto& item : section->items()) {
    const std::string pointer = member_pointer(entry + "/assume", item.key());
    const auto index = spec.space.find(item.key());
    if (!index) {
      // Without a space there are problems enough.
      if (!names.empty())
        problems.add_at_key(pointer, in_quotes(item.key()) + " is not a parameter of this study",
                            name_hint(item.key(), names, "its parameters are"));
      continue;
    }
    const Parameter& parameter = spec.space.parameters()[*index];
    Json value = parameter.canonical(Json(item.value()));
    if (const auto why = parameter.objection(value))
      problems.add(pointer, *why,
                   "a trial outside the ranges is left out: widen them, or assume another value");
    else
      assumed.emplace(item.key(), std::move(value));
  }
  return assumed;
}

std::vector<WarmStartSpec> read_warm_start(const Spec& spec, SpecProblems& problems) {
  std::vector<WarmStartSpec> earlier;
  const OrderedJson* list = problems.find("/warm_start");
  if (list == nullptr) return earlier;
  for (std::size_t i = 0; i < list->size(); ++i) {
    const std::string pointer = element_pointer("/warm_start", i);
    const auto study = read_value<std::string>(problems, pointer + "/study");
    const auto kind = read_value<std::string>(problems, pointer + "/kind");
    if (!study || !kind) continue;
    const bool repeated = std::any_of(earlier.begin(), earlier.end(),
                                      [&](const WarmStartSpec& other) { return other.study == *study; });
    if (repeated)
      problems.add(pointer + "/study", "the study " + in_quotes(*study) + " is there twice", "name it once");
    if (*study == spec.study)
      problems.add(pointer + "/study", "a study cannot learn from itself",
                   "name an earlier study, or give this one another name");
    earlier.push_back({*study, warm_start_from_string(*kind), read_assumed(spec, pointer, problems)});
  }
  return earlier;
}

void check_something_varies(const Spec& spec, SpecProblems& problems) {
  const OrderedJson* parameters = problems.find("/parameters");
  if (parameters == nullptr || !parameters->empty() || spec.strategy.name == "random") return;
  problems.add(
      "/parameters", "\"parameters\" is empty, so there is nothing to search",
      "name at least one; or take the strategy \"random\", which repeats the fixed values with other "
      "seeds");
}

void check_grid(const Spec& spec, const ReadParameters& read, SpecProblems& problems) {
  if (spec.strategy.name != "grid") return;
  for (const auto& [name, parameter] : read.sound)
    if (parameter.cardinality() == 0 && !parameter.levels)
      problems.add(member_pointer("/parameters", name),
                   "a grid cannot walk the continuous range of " + in_quotes(name),
                   "add \"levels\": 5 (so many points) or a step, or use another strategy");
}

// Names under which trainers hold how long they train, those that AMT looks for first.
constexpr std::array kLengthNames{"epochs",     "numepochs",        "n-epochs",   "n_epochs",
                                  "num_epochs", "num_train_epochs", "max_epochs", "max_steps"};

// Sets the length of a training to what the value or parameter of this name holds; false if there is none.
bool take_length(const std::string& name, const Spec& spec, EarlyStopping& stopping) {
  if (spec.space.find(name)) {
    stopping.max_step_parameter = name;
    return true;
  }
  const auto fixed = spec.fixed.find(name);
  if (fixed == spec.fixed.end() || !fixed->is_number() || fixed->get<double>() < 1) return false;
  stopping.max_step = static_cast<std::int64_t>(fixed->get<double>());
  return true;
}

void read_max_step(const Spec& spec, EarlyStopping& stopping, SpecProblems& problems) {
  const std::string pointer = "/early_stopping/max_step";
  const OrderedJson* value = problems.find(pointer);
  if (value == nullptr) {
    for (const char* name : kLengthNames)
      if (take_length(name, spec, stopping)) return;
    return;
  }
  if (value->is_number_integer() && value->get<double>() >= 1 && value->get<double>() < 1e15) {
    stopping.max_step = value->get<std::int64_t>();
    if (stopping.start_step && *stopping.start_step >= *stopping.max_step)
      problems.add("/early_stopping/start_step",
                   "nothing is judged before the last step, " + std::to_string(*stopping.max_step),
                   "take a start_step below max_step");
    return;
  }
  if (value->is_string() && take_length(value->get<std::string>(), spec, stopping)) return;
  problems.add(pointer,
               value->is_string()
                   ? in_quotes(value->get<std::string>()) +
                         " is neither a parameter nor a fixed value that is a number from 1"
                   : "must be a whole number from 1, or the name of a fixed value or a parameter",
               "give the last step of a full training, such as 20, or \"epochs\"");
}

// What only some rules have.
void check_rule_keys(const EarlyStopping& stopping, SpecProblems& problems) {
  const bool has_rungs = stopping.rule == "asha" || stopping.rule == "hyperband" || stopping.rule == "auto";
  const auto belongs = [&](const char* key, bool applies, const char* rules) {
    const std::string pointer = std::string("/early_stopping/") + key;
    if (!applies && problems.find(pointer) != nullptr)
      problems.add_at_key(pointer, in_quotes(key) + " is no key of the rule " + in_quotes(stopping.rule),
                          std::string("leave it out, or take the rule ") + rules);
  };
  belongs("max_step", has_rungs || stopping.rule == "prediction", "asha, hyperband, prediction or auto");
  belongs("reduction_factor", has_rungs, "asha, hyperband or auto");
  belongs("form", has_rungs, "asha, hyperband or auto");
  belongs("brackets", stopping.rule == "hyperband", "hyperband");
  belongs("risk", stopping.rule == "prediction", "prediction");
}

// The strategy hyperband brings its rule.
void read_hyperband(const Spec& spec, EarlyStopping& stopping, SpecProblems& problems) {
  const bool is_hyperband = spec.strategy.name == "hyperband";
  for (const char* key : {"min_resource", "max_resource"}) {
    const std::string pointer = std::string("/strategy/") + key;
    if (!is_hyperband && problems.find(pointer) != nullptr)
      problems.add_at_key(pointer,
                          in_quotes(key) + " is no key of the strategy " + in_quotes(spec.strategy.name),
                          "take the strategy \"hyperband\", or early_stopping's start_step and max_step");
  }
  if (!is_hyperband) return;
  if (const auto rule = read_value<std::string>(problems, "/early_stopping/rule");
      rule && *rule != "hyperband")
    problems.add(
        "/early_stopping/rule", "the strategy \"hyperband\" brings its own rule",
        "leave the rule out, or take another strategy: \"random\" with the rule " + in_quotes(*rule));
  stopping.rule = "hyperband";
  const auto least = read_value<std::int64_t>(problems, "/strategy/min_resource");
  const auto most = read_value<std::int64_t>(problems, "/strategy/max_resource");
  if (least && most && *least >= *most)
    problems.add("/strategy/min_resource", "must be below max_resource, " + std::to_string(*most),
                 "take the first step that says something about a trial");
  if (least) stopping.start_step = least;
  if (most) stopping.max_step = most;
}

EarlyStopping read_early_stopping(const Spec& spec, SpecProblems& problems) {
  EarlyStopping stopping;
  if (auto rule = read_value<std::string>(problems, "/early_stopping/rule")) stopping.rule = *rule;
  if (const auto trials = read_value<int>(problems, "/early_stopping/min_trials"))
    stopping.min_trials = *trials;
  stopping.start_step = read_value<std::int64_t>(problems, "/early_stopping/start_step");
  if (const auto factor = read_value<int>(problems, "/early_stopping/reduction_factor"))
    stopping.reduction_factor = *factor;
  if (const auto form = read_value<std::string>(problems, "/early_stopping/form"))
    stopping.form = *form == "pause" ? StopForm::kPause : StopForm::kStop;
  stopping.brackets = read_value<int>(problems, "/early_stopping/brackets");
  if (const auto risk = read_value<double>(problems, "/early_stopping/risk")) stopping.risk = *risk;
  read_hyperband(spec, stopping, problems);
  check_rule_keys(stopping, problems);
  if (!stopping.max_step) read_max_step(spec, stopping, problems);
  return stopping;
}

std::optional<Milliseconds> read_duration(const SpecProblems& problems, const std::string& pointer) {
  const auto text = read_value<std::string>(problems, pointer);
  return text ? std::optional(parse_duration(*text)) : std::nullopt;
}

// A trial that hangs is stopped no sooner than one that takes too long.
void check_silences(const Limits& limits, SpecProblems& problems) {
  const auto check = [&](const char* name, const std::optional<Milliseconds>& silence) {
    const std::string pointer = std::string("/limits/") + name;
    if (silence && limits.trial_time && *silence >= *limits.trial_time)
      problems.warn(pointer, "trial_time ends a trial before this does", "");
  };
  check("no_output", limits.no_output);
  check("no_metric_time", limits.no_metric_time);
}

// A grid has an end of its own, but what a spec costs at most is to be read in it.
void require_end(const Spec& spec, SpecProblems& problems) {
  if (problems.find("/limits") == nullptr ||
      std::any_of(kEndingLimits.begin(), kEndingLimits.end(),
                  [&](const char* name) { return problems.contains(std::string("/limits/") + name); }))
    return;
  const bool is_grid = spec.strategy.name == "grid" && spec.space.size() > 0;
  const std::size_t points = is_grid ? grid_space(spec.space).cardinality() : 0;
  if (points > 0)
    problems.add(
        "/limits",
        "one limit at least is always named, also of a grid; this one has " + plural_text(points, "point"),
        "set \"trials\": " + std::to_string(points));
  else
    problems.add("/limits", "the search would never end",
                 "set \"trials\", \"time\", \"gpu_hours\" or \"cost_usd\"");
}

Limits read_limits(const Spec& spec, SpecProblems& problems) {
  Limits limits;
  limits.trials = read_value<int>(problems, "/limits/trials");
  limits.parallel = read_value<int>(problems, "/limits/parallel");
  limits.time = read_duration(problems, "/limits/time");
  limits.trial_time = read_duration(problems, "/limits/trial_time");
  if (read_value<std::string>(problems, "/limits/on_trial_time") == "fail")
    limits.on_trial_time = OnTrialTime::kFail;
  limits.no_output = read_duration(problems, "/limits/no_output");
  limits.no_metric_time = read_duration(problems, "/limits/no_metric_time");
  limits.gpu_hours = read_value<double>(problems, "/limits/gpu_hours");
  limits.cost_usd = read_value<double>(problems, "/limits/cost_usd");
  limits.target = read_value<double>(problems, "/limits/target");
  limits.no_improvement = read_value<int>(problems, "/limits/no_improvement");
  limits.convergence = read_value<double>(problems, "/limits/convergence");
  check_silences(limits, problems);
  require_end(spec, problems);
  if (problems.contains("/limits/cost_usd") && !problems.contains("/cost/usd_per_hour"))
    problems.add("/limits/cost_usd", "there is no price to count dollars with",
                 "add \"cost\": {\"usd_per_hour\": 3.06}");
  return limits;
}

void read_rest(Spec& spec, SpecProblems& problems) {
  spec.study = read_value<std::string>(problems, "/study").value_or("");
  spec.fixed = read_value<OrderedJson>(problems, "/fixed").value_or(OrderedJson::object());
  if (const OrderedJson* trainer = problems.find("/trainer")) spec.trainer = Json(*trainer);
  spec.resources = read_resources(problems);
  spec.usd_per_hour = read_value<double>(problems, "/cost/usd_per_hour");
  spec.promote_model = read_value<std::string>(problems, "/promote/model");
}

void check_convergence(const Spec& spec, SpecProblems& problems) {
  if (const auto problem = convergence_problem(spec.limits, spec.strategy))
    problems.add_at_key("/limits/convergence", problem->message, problem->hint);
}

std::optional<Replicates> read_replicates(const Spec& spec, SpecProblems& problems) {
  if (!problems.contains("/replicates")) return std::nullopt;
  const auto top = read_value<int>(problems, "/replicates/top");
  const auto seeds = read_value<int>(problems, "/replicates/seeds");
  if (top && spec.limits.trials && *top > *spec.limits.trials)
    problems.add("/replicates/top",
                 "there are never " + std::to_string(*top) + " best trials of " +
                     std::to_string(*spec.limits.trials) + ", the limit of trials",
                 "take " + std::to_string(*spec.limits.trials) + " at most, or raise limits.trials");
  if (const OrderedJson* parameters = problems.find("/parameters");
      parameters != nullptr && parameters->is_object() && parameters->empty())
    problems.add_at_key("/replicates",
                        "nothing is searched, so every trial is the same on another seed already",
                        "leave it out, and raise limits.trials");
  const Limits& limits = spec.limits;
  const bool ends = limits.trials || limits.target || limits.no_improvement || limits.convergence ||
                    spec.strategy.name == "grid";
  if (!ends && problems.find("/limits") != nullptr)
    problems.add_at_key("/replicates",
                        "the search itself would take all there is, and leave nothing for replicates",
                        "set limits.trials, no_improvement, convergence or target too: replicates begin when "
                        "the search has ended");
  if (!top || !seeds) return std::nullopt;
  return Replicates{*top, *seeds};
}

void check_trainer_or_command(SpecUse use, SpecProblems& problems) {
  const bool trainer = problems.contains("/trainer"), command = problems.contains("/command");
  if (trainer && command)
    problems.add_at_key("/command", "\"trainer\" and \"command\" exclude each other",
                        "keep the one that trains");
  if (!trainer && !command && use == SpecUse::kRun)
    problems.add(
        "", "there is neither \"trainer\" nor \"command\", so nothing would train",
        "add \"command\": [\"python3\", \"train.py\", \"--lr={{lr}}\"] or \"trainer\": {\"task\": ...}");
}

Spec read_document(SpecUse use, const RegexCheck& check, SpecProblems& problems) {
  Spec spec;
  ReadParameters read = read_parameters(problems);
  check_names(read, problems);
  read_conditions(read, problems);
  spec.space = read.space.value_or(SearchSpace());
  read_rest(spec, problems);
  read_objectives(spec, problems);
  spec.command = read_command(read, problems);
  spec.environment = read_environment(problems);
  spec.metrics = read_metrics(problems);
  check_regexes(check, problems);
  spec.strategy = read_strategy(problems);
  spec.strategy.try_first = read_try_first(read, problems);
  spec.warm_start = read_warm_start(spec, problems);
  check_something_varies(spec, problems);
  check_grid(spec, read, problems);
  spec.early_stopping = read_early_stopping(spec, problems);
  spec.limits = read_limits(spec, problems);
  spec.retry = read_retry(spec, read, problems);
  check_convergence(spec, problems);
  spec.replicates = read_replicates(spec, problems);
  spec.notify = read_notify(problems);
  spec.runner = read_runner(problems);
  check_trainer_or_command(use, problems);
  check_two_objectives(spec, problems);
  check_requirement("/promote/require", problems);
  return spec;
}

// Rather than all that it lacks for a study.
void refuse_comparison(const PositionedJson& source, const std::string& name) {
  if (!source.value.is_object() || !source.value.contains("comparison") || source.value.contains("study"))
    return;
  const Position place = SpecProblems(source).place_of("/comparison");
  throw SpecError(name,
                  {{place.line, place.column, "/comparison", "this is a comparison, not one study's spec",
                    "run it with `tune compare " + name + "`; --dry-run checks it"}});
}

}  // namespace

Resources read_resources(SpecProblems& problems) {
  Resources resources;
  resources.gpus_per_trial = read_value<int>(problems, "/resources/gpus_per_trial");
  resources.processes_per_trial = read_value<int>(problems, "/resources/processes_per_trial");
  if (const int gpus = resources.gpus_per_trial.value_or(0);
      gpus > 0 && resources.processes_per_trial.value_or(gpus) != gpus)
    problems.add("/resources/processes_per_trial",
                 "a trial has " + std::to_string(gpus) + " GPU" + (gpus == 1 ? "" : "s") +
                     ", and one process for each",
                 "leave it out, or set \"gpus_per_trial\": 0 for processes on the CPU");
  const OrderedJson* share = problems.find("/resources/trials_per_gpu");
  resources.packs_gpus = share != nullptr && share->is_string();
  if (share != nullptr && !resources.packs_gpus) resources.trials_per_gpu = share->get<int>();
  if (read_value<std::string>(problems, "/resources/visible_devices") == "index")
    resources.visible_devices = VisibleDevices::kIndex;
  return resources;
}

Spec parse_spec(const std::string& text, const std::string& name, const std::filesystem::path& folder,
                SpecUse use, const RegexCheck& check) {
  const PositionedJson source = parse_with_positions(text);
  if (!source.is_complete) throw SpecError(name, source.problems);
  refuse_comparison(source, name);
  SpecProblems problems(source);
  check_against_table(source.value, spec_table(), "a spec", problems);
  Spec spec;
  if (source.value.is_object()) spec = read_document(use, check, problems);
  problems.refuse_any(name);
  spec.folder = std::filesystem::absolute(folder).lexically_normal();
  if (std::filesystem::path& work = spec.runner.slurm.work; !work.empty())
    work = (spec.folder / work).lexically_normal();
  if (const OrderedJson* require = problems.find("/promote/require"))
    spec.require = requirement_from(Json(*require), spec.folder);
  add_warnings(spec, use, problems);
  spec.warnings = problems.take_warnings();
  spec.file = name;
  spec.text = text;
  spec.document = source.value;
  return spec;
}

std::optional<Problem> convergence_problem(const Limits& limits, const StrategySpec& strategy) {
  if (!limits.convergence || strategy.name == "auto" || strategy.name == "bayesian") return std::nullopt;
  Problem problem;
  problem.message = "the strategy " + in_quotes(strategy.name) + " does not say what it expects of a trial";
  problem.hint = "take \"auto\" or \"bayesian\", or limit \"no_improvement\"";
  return problem;
}

void locate_problems(const std::string& text, std::vector<Problem>& problems) {
  const PositionedJson source = parse_with_positions(text);
  const SpecProblems places(source);
  for (Problem& problem : problems) {
    if (problem.line != 0) continue;
    const Position place = places.place_of(problem.pointer);
    problem.line = place.line, problem.column = place.column;
  }
  sort_by_place(problems);
}

Spec read_spec(const std::filesystem::path& file, SpecUse use, const RegexCheck& check) {
  namespace fs = std::filesystem;
  std::error_code unknown;
  const fs::file_status status = fs::status(file, unknown);
  if (fs::is_directory(status))
    throw SpecError(file.string(), {{0, 0, "", "this is a folder", "name the file in it"}});
  // The place of a pipe, such as /dev/fd/63, says nothing about where its paths start.
  const fs::path folder = fs::is_fifo(status) || fs::is_character_file(status)
                              ? fs::current_path()
                              : fs::absolute(file).parent_path();
  return parse_spec(read_spec_file(file), file.string(), folder, use, check);
}

}  // namespace tune
