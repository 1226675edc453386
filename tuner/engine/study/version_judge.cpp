#include "tuner/engine/study/version_judge.h"

#include <algorithm>
#include <cmath>
#include <optional>

#include "tuner/core/error.h"
#include "tuner/core/moments.h"
#include "tuner/core/number_text.h"
#include "tuner/core/student.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/attempt/attempt_launch.h"
#include "tuner/engine/devices/device_wait.h"
#include "tuner/engine/study/builtin_trainer.h"
#include "tuner/engine/study/trainer_check.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/run_program.h"
#include "tuner/os/scratch_folder.h"
#include "tuner/os/sha256.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 256 << 20;  // numbers, also of each example
constexpr std::chrono::hours kLongestRun{24};    // as of comparisons: more means that it hangs

// An interval around a difference; a spread of 0 leaves a point.
PairedDifference around(double difference, double standard_error, double degrees, double level) {
  const double half =
      standard_error > 0 ? student_quantile(1 - (1 - level) / 2, degrees) * standard_error : 0;
  return {difference, difference - half, difference + half};
}

std::string version_text(const store::ModelVersion& version) {
  return "version " + std::to_string(version.version);
}

// What a bound makes of a number, for people; empty where it keeps to it.
std::string objection(const MetricBound& bound, double value) {
  const std::string is = bound.metric + " is " + number_text(value);
  if (!std::isfinite(value)) return is;
  if (bound.min && value < *bound.min) return is + ", below " + shortest(*bound.min);
  if (bound.max && value > *bound.max) return is + ", above " + shortest(*bound.max);
  return {};
}

std::string number_names(const Json& numbers) {
  std::string names;
  for (const auto& [name, value] : numbers.items())
    if (value.is_number()) names += (names.empty() ? "" : ", ") + name;
  return names.empty() ? "none" : names;
}

std::optional<double> number_in(const Json& numbers, const std::string& name) {
  if (!numbers.is_object() || !numbers.contains(name)) return std::nullopt;
  const Json& value = numbers.at(name);
  if (value.is_number()) return value.get<double>();
  if (value == "NaN" || value == "Infinity" || value == "-Infinity") return number_from_json(value);
  return std::nullopt;
}

// tune-train, on a device that it holds from the first use on. Lives as long as one judgement.
class HeldTrainer {
 public:
  explicit HeldTrainer(const JudgeHooks& hooks) : hooks_(hooks), trainer_(find_builtin_trainer()) {}

  struct Said {
    Json answer;          // null where it failed
    std::string trouble;  // and what it said then
    int exit_code = 0;
  };
  Said run(const std::string& command, const std::vector<std::string>& arguments, bool on_device = true) {
    Program program{{trainer_.program.string(), command, "--json"}, fs::current_path()};
    program.argv.insert(program.argv.end(), arguments.begin(), arguments.end());
    if (on_device) {
      hold_device();
      program.argv.insert(program.argv.end(), {"--threads", std::to_string(share_->threads)});
      program.environment = device_environment(*share_);
      for (const Lease& lease : share_->leases) program.inherited.push_back(lease.descriptor());
    }
    std::string last, message;
    program.on_line = [&](const std::string& line) {
      const Json json = line.starts_with('{') ? Json::parse(line, nullptr, false) : Json();
      if (json.is_object() && json.contains("error") && json.at("error").is_object())
        message = json.at("error").value("message", "");
      else
        last = line;
    };
    program.time_limit = kLongestRun;
    program.signals = hooks_.signals;
    const ProgramOutput output = run_program(program);
    if (hooks_.signals && hooks_.signals() > 0)
      throw Error(ExitCode::kInterrupted, "interrupted while the version was judged");
    if (output.exit_code == 0) {
      Said said{Json::parse(output.out, nullptr, false), {}, 0};
      if (said.answer.is_object()) return said;
      return {Json(), "it printed no JSON object", 0};
    }
    if (message.empty()) message = last;
    if (message.empty()) message = "exit code " + std::to_string(output.exit_code);
    return {Json(), message, output.exit_code};
  }
  // Where only the machine, the data or the requirement can be at fault.
  Json require(const std::string& command, const std::vector<std::string>& arguments, bool on_device = true) {
    Said said = run(command, arguments, on_device);
    if (said.answer.is_object()) return std::move(said.answer);
    throw Error(ExitCode::kEnvironment, "tune-train " + command + " failed: " + said.trouble,
                "nothing was promoted; the same command tries again");
  }
  const Json* task(const std::string& name) const {
    return row_named(trainer_.description.at("tasks"), name);
  }
  bool takes(const std::string& command, const std::string& task, const std::string& option) const {
    Program program{{trainer_.program.string(), command, "--task", task, "--help"}, fs::current_path()};
    return run_program(program).out.find("  " + option + " ") != std::string::npos;
  }

 private:
  void hold_device() {
    if (share_) return;
    pool_.emplace(1, hooks_.resources);
    share_ = wait_for_share(*pool_, {hooks_.signals, hooks_.notice, "the version is judged"});
    if (!share_) throw Error(ExitCode::kInterrupted, "interrupted");
  }

  const JudgeHooks& hooks_;
  const BuiltinTrainer trainer_;
  std::optional<DevicePool> pool_;
  std::optional<DeviceShare> share_;
};

// One version before one requirement. Lives for one call of the judge.
class Judgement {
 public:
  Judgement(const Requirement& requirement, const GateCase& subject, const JudgeHooks& hooks)
      : requirement_(requirement), subject_(subject), hooks_(hooks) {}

  GateVerdict verdict() {
    if (requirement_.approved) check_approval();
    if (!requirement_.metrics.empty()) check_metrics();
    if (requirement_.not_worse) check_not_worse();
    for (const std::string& path : requirement_.smoke) check_smoke(path);
    std::string reason;
    for (const std::string& text : failed_.empty() ? passed_ : failed_)
      reason += (reason.empty() ? "" : "; ") + text;
    return {failed_.empty(), (failed_.empty() ? "it passed the gate: " : "the gate refused it: ") + reason,
            evidence_};
  }

 private:
  void settle(bool passes, const std::string& text) { (passes ? passed_ : failed_).push_back(text); }

  void check_approval() {
    const store::Approval approval = subject_.version.approval;
    evidence_["approval"] = to_string(approval);
    settle(approval == store::Approval::kApproved,
           approval == store::Approval::kApproved ? "a person has approved it"
                                                  : std::string("its approval is ") + to_string(approval));
  }

  bool has_scores() const { return !hooks_.scores.empty() || !requirement_.scores.empty(); }

  fs::path scores_of(const fs::path& folder) const {
    return hooks_.scores.empty() ? folder / requirement_.scores : hooks_.scores;
  }

  // What a file of scores holds; null, and said, where there is none.
  Json scores_in(const fs::path& folder, const store::ModelVersion& version) {
    const fs::path file = scores_of(folder);
    const JsonFile content =
        read_json_file(file, kMostBytes, hooks_.scores.empty() ? Links::kRefuse : Links::kFollow);
    if (content.is_there && content.value.is_object()) {
      evidence_["scores"][std::to_string(version.version)] = {{"file", file.string()},
                                                              {"sha256", sha256_of_file(file)}};
      return content.value;
    }
    const std::string problem = !content.spoilt.empty() ? content.spoilt
                                : content.is_there      ? file.string() + " holds no JSON object"
                                                        : "there is no file " + file.string();
    if (!hooks_.scores.empty()) throw Error(ExitCode::kNotFound, problem, "name a file of scores");
    settle(false, version_text(version) + " brings no scores: " + problem);
    return nullptr;
  }

  HeldTrainer& trainer() {
    if (!trainer_) trainer_.emplace(hooks_);
    return *trainer_;
  }

  // The arguments that both name a model and the held-out data.
  std::vector<std::string> on_test(const fs::path& model) const {
    std::vector<std::string> arguments{"--model", model.string(), "--data", requirement_.test};
    arguments.insert(arguments.end(), requirement_.options.begin(), requirement_.options.end());
    return arguments;
  }

  void check_metrics() {
    Json numbers;
    if (has_scores()) {
      numbers = scores_in(subject_.folder, subject_.version);
      if (numbers.is_null()) return;
    } else {
      hooks_.notice("tune-train evaluates the version on " + requirement_.test);
      numbers = trainer().require("evaluate", on_test(subject_.folder));
      evidence_["test"] = requirement_.test;
    }
    for (const MetricBound& bound : requirement_.metrics) {
      const auto value = number_in(numbers, bound.metric);
      Json found{{"metric", bound.metric},
                 {"min", bound.min ? Json(*bound.min) : Json()},
                 {"max", bound.max ? Json(*bound.max) : Json()},
                 {"value", value ? number_to_json(*value) : Json()}};
      if (!value && !has_scores())
        throw Error(ExitCode::kBadSpec,
                    "tune-train evaluate gives no number \"" + bound.metric + "\" for this model",
                    "it gives: " + number_names(numbers));
      const std::string wrong =
          value ? objection(bound, *value)
                : "its scores have no number " + in_quotes(bound.metric) + ", but " + number_names(numbers);
      found["passes"] = wrong.empty();
      evidence_["metrics"].push_back(std::move(found));
      settle(wrong.empty(), wrong.empty() ? bound.metric + " is " + number_text(*value) : wrong);
    }
  }

  void check_not_worse() {
    const NotWorse& rule = *requirement_.not_worse;
    if (!subject_.against) {
      evidence_["not_worse"] = {{"against", nullptr}, {"passes", true}};
      settle(true, "there is no version yet that it could be worse than");
      return;
    }
    if (subject_.against->version == subject_.version.version) {
      evidence_["not_worse"] = {{"against", subject_.version.version}, {"passes", true}};
      settle(true, "it is the version that it is held against");
      return;
    }
    const std::optional<PairedDifference> found = has_scores() ? by_examples(rule) : by_resamples(rule);
    if (!found) return;
    const bool passes = found->low > -rule.margin;
    evidence_["not_worse"].update({{"metric", rule.metric},
                                   {"against", subject_.against->version},
                                   {"difference", found->difference},
                                   {"low", found->low},
                                   {"high", found->high},
                                   {"level", rule.level},
                                   {"margin", rule.margin},
                                   {"passes", passes}});
    const std::string interval = "by " + rule.metric + " it is better than " +
                                 version_text(*subject_.against) + " by " + number_text(found->difference) +
                                 " (" + number_text(100 * rule.level) + " % interval " +
                                 number_text(found->low) + " to " + number_text(found->high) + ")";
    settle(passes, passes ? interval
                          : interval + ": it may be worse by " + number_text(-found->low) +
                                ", and must not be by " + shortest(rule.margin));
  }

  // A larger number of the result is always the better one.
  static PairedDifference turned(PairedDifference found, Goal goal) {
    return goal == Goal::kMaximize ? found : PairedDifference{-found.difference, -found.high, -found.low};
  }

  std::optional<PairedDifference> by_examples(const NotWorse& rule) {
    if (!hooks_.scores.empty())
      throw Error(ExitCode::kUsage, "a file of scores is of one version, and \"not_worse\" compares two",
                  "let the trainer leave the scores of each example in its output: \"scores\": FILE");
    std::vector<std::vector<double>> numbers;
    for (const auto& [version, folder] : {std::pair(&subject_.version, &subject_.folder),
                                          std::pair(&*subject_.against, &subject_.against_folder)}) {
      const Json scores = scores_in(*folder, *version);
      if (scores.is_null()) return std::nullopt;
      const Json examples = scores.value("examples", Json::object());
      std::vector<double>& list = numbers.emplace_back();
      if (examples.is_object() && examples.contains(rule.metric) && examples.at(rule.metric).is_array())
        for (const Json& value : examples.at(rule.metric))
          if (value.is_number()) list.push_back(value.get<double>());
      if (list.size() < 2) {
        settle(false, "the scores of " + version_text(*version) + " list no \"examples\" of " +
                          in_quotes(rule.metric) + ", a number each");
        return std::nullopt;
      }
    }
    if (numbers[0].size() != numbers[1].size()) {
      settle(false, "it was scored on " + std::to_string(numbers[0].size()) + " examples, and " +
                        version_text(*subject_.against) + " on " + std::to_string(numbers[1].size()) +
                        ": they cannot be paired");
      return std::nullopt;
    }
    evidence_["not_worse"]["examples"] = numbers[0].size();
    return turned(mean_difference(numbers[0], numbers[1], rule.level), rule.goal);
  }

  std::string task_of(const fs::path& folder) const {
    const Json model = read_json_file(folder / "model.json", kMostBytes).value;
    return model.is_object() ? model.value("task", "") : "";
  }

  std::optional<PairedDifference> by_resamples(const NotWorse& rule) {
    const std::string task = task_of(subject_.folder), other = task_of(subject_.against_folder);
    const Json* row = trainer().task(task);
    if (row == nullptr || task != other) {
      settle(false, "its task is " + in_quotes(task) + " and that of " + version_text(*subject_.against) +
                        " " + in_quotes(other) + ": tune-train cannot compare them");
      return std::nullopt;
    }
    const Json score =
        scored(task, row->value("primary", Json::object()).value("files", "predictions"), rule);
    const Json& results = score.at("results");
    const Json resamples = score.value("resamples", Json::object());
    if (!resamples.contains(rule.metric) || !number_in(results.at(0), rule.metric))
      throw Error(ExitCode::kBadSpec,
                  "tune-train score of " + task + " gives no resamples of \"" + rule.metric + "\"",
                  "compare by the first number of a score, such as accuracy or AP");
    const std::size_t groups = resamples.at("groups");
    evidence_["not_worse"] = {{"values", {results.at(0).at(rule.metric), results.at(1).at(rule.metric)}},
                              {"resamples", resamples.at("count")},
                              {"groups", groups}};
    evidence_["test"] = requirement_.test;
    return turned(resampled_difference(results.at(0).at(rule.metric), results.at(1).at(rule.metric),
                                       resamples.at(rule.metric).at(0), resamples.at(rule.metric).at(1),
                                       groups, rule.level),
                  rule.goal);
  }

  // What `tune-train score` says of both versions on the same resamples.
  Json scored(const std::string& task, const std::string& files, const NotWorse& rule) {
    const ScratchFolder scratch("tune-gate");
    std::vector<std::string> arguments{"--task",          task,          "--ground-truth",
                                       requirement_.test, "--resamples", std::to_string(rule.resamples)};
    arguments.insert(arguments.end(), requirement_.options.begin(), requirement_.options.end());
    std::string form;
    for (const fs::path* folder : {&subject_.folder, &subject_.against_folder}) {
      const std::string file = (scratch.path() / (std::to_string(arguments.size()) + ".json")).string();
      hooks_.notice("tune-train predicts on " + requirement_.test + " with " + folder->string());
      std::vector<std::string> predict = on_test(*folder);
      predict.insert(predict.end(), {"--output", file});
      form = trainer().require("predict", predict).value("form", "");
      arguments.insert(arguments.end(), {"--" + files, file});
    }
    // COCO's files have ids of their own; elsewhere a class that no example shows would shift the others.
    const fs::path labels = subject_.folder / "labels.json";
    std::error_code ignored;
    if (fs::exists(labels, ignored) && !form.starts_with("COCO") &&
        trainer().takes("score", task, "--labels"))
      arguments.insert(arguments.end(), {"--labels", labels.string()});
    Json answer = trainer().require("score", arguments, /*on_device=*/false);
    if (!answer.contains("results") || answer.at("results").size() != 2)
      throw Error(ExitCode::kEnvironment, "tune-train score did not answer for both versions",
                  "tune and tune-train must be of the same version");
    return answer;
  }

  void check_smoke(const std::string& path) {
    const ScratchFolder scratch("tune-smoke");
    hooks_.notice("tune-train predicts on " + path);
    std::error_code ignored;
    if (!fs::exists(path, ignored))
      throw Error(ExitCode::kNotFound, "the gate is to predict on " + path + ", which is not there",
                  "mend \"smoke\" in the requirement");
    const HeldTrainer::Said said =
        trainer().run("predict", {"--model", subject_.folder.string(), "--data", path, "--output",
                                  (scratch.path() / "predictions.json").string()});
    const bool passes = said.answer.is_object();
    evidence_["smoke"].push_back(
        {{"path", path}, {"passes", passes}, {"message", passes ? Json() : Json(said.trouble)}});
    settle(passes,
           passes ? "it predicts on " + path : "it does not predict on " + path + ": " + said.trouble);
  }

  const Requirement& requirement_;
  const GateCase& subject_;
  const JudgeHooks& hooks_;
  std::optional<HeldTrainer> trainer_;
  std::vector<std::string> passed_, failed_;
  Json evidence_ = Json::object();
};

}  // namespace

PairedDifference resampled_difference(double ours, double theirs, const std::vector<double>& our_resamples,
                                      const std::vector<double>& their_resamples, std::size_t groups,
                                      double level) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < std::min(our_resamples.size(), their_resamples.size()); ++i)
    if (our_resamples[i] >= 0 && their_resamples[i] >= 0)
      differences.push_back(our_resamples[i] - their_resamples[i]);
  if (differences.size() < 2 || groups < 2)
    throw Error(ExitCode::kEnvironment, "the held-out set is too small to tell two versions apart",
                "it takes at least two examples, and more to be sure of anything");
  return around(ours - theirs, std::sqrt(sample_variance(differences)), static_cast<double>(groups - 1),
                level);
}

PairedDifference mean_difference(const std::vector<double>& ours, const std::vector<double>& theirs,
                                 double level) {
  TUNE_CHECK(ours.size() == theirs.size() && ours.size() >= 2);
  std::vector<double> differences = ours;
  for (std::size_t i = 0; i < theirs.size(); ++i) differences[i] -= theirs[i];
  const auto count = static_cast<double>(differences.size());
  return around(mean_of(differences), std::sqrt(sample_variance(differences) / count), count - 1, level);
}

JudgeVersion version_judge(JudgeHooks hooks) {
  if (!hooks.notice) hooks.notice = [](const std::string&) {};
  if (!hooks.signals) hooks.signals = [] { return 0; };
  return [hooks = std::move(hooks)](const Requirement& requirement, const GateCase& subject) {
    return Judgement(requirement, subject, hooks).verdict();
  };
}

}  // namespace tune::engine
