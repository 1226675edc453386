#include "tuner/engine/attempt/outcome.h"

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <sstream>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/metric_names.h"
#include "tuner/core/plural_text.h"

namespace tune::engine {
namespace {

constexpr const char* kTimeoutReason = "limits.trial_time ran out";
constexpr int kKilledBySignal = 128 + 9;  // as a shell reports a child that was killed
// As write_launch_files() has it said on each node. The exit code may be that of another one, which srun has
// ended.
constexpr std::string_view kUnseenHead = "tune: ", kUnseenWords = " does not see ";

// What PyTorch, CUDA, HIP, TensorFlow, JAX, Python, NumPy, C++, Java and the C library print.
constexpr std::array kLackOfMemory{std::string_view("CUDA out of memory"),
                                   std::string_view("OutOfMemoryError"),
                                   std::string_view("CUDA error: out of memory"),
                                   std::string_view("CUDA_ERROR_OUT_OF_MEMORY"),
                                   std::string_view("cudaErrorMemoryAllocation"),
                                   std::string_view("HIP out of memory"),
                                   std::string_view("hipErrorOutOfMemory"),
                                   std::string_view("RESOURCE_EXHAUSTED: Out of memory"),
                                   std::string_view("OOM when allocating tensor"),
                                   std::string_view("CUBLAS_STATUS_ALLOC_FAILED"),
                                   std::string_view("CUDNN_STATUS_ALLOC_FAILED"),
                                   std::string_view("MemoryError"),
                                   std::string_view("std::bad_alloc"),
                                   std::string_view("not enough memory: you tried to allocate"),
                                   std::string_view("can't allocate memory"),
                                   std::string_view("Cannot allocate memory"),
                                   std::string_view("Out of memory: Killed process")};

// What CUDA says of a GPU that is broken, or that somebody else has taken (cudaGetErrorString,
// cudaGetErrorName).
constexpr std::array kBrokenDeviceWords{std::string_view("uncorrectable ECC error encountered"),
                                        std::string_view("ERROR_ECC_UNCORRECTABLE"),
                                        std::string_view("cudaErrorECCUncorrectable"),
                                        std::string_view("uncorrectable NVLink error"),
                                        std::string_view("has fallen off the bus"),
                                        std::string_view("CUDA-capable device(s) is/are busy or unavailable"),
                                        std::string_view("cudaErrorDevicesUnavailable")};

AttemptOutcome failed(std::string failure, std::string reason) {
  return {TrialState::kFailed, std::move(reason), std::move(failure), std::nullopt};
}

AttemptOutcome requeued(std::string reason) {
  return {TrialState::kQueued, std::move(reason), {}, std::nullopt};
}

AttemptOutcome lost(const AttemptEnd& end) {
  if (end.is_orphan) return requeued("lost together with the tune that had started it");
  const std::string how =
      end.unheard.empty() ? std::string("its supervisor ended without a report") : end.unheard;
  const int losses = end.losses_before + 1;
  if (losses >= end.most_losses) return failed("lost", "lost " + plural_text(losses, "time") + ": " + how);
  return requeued("lost: " + how);
}

// "tune: n2 does not see /shared/..." in a log's end; empty where nobody says so.
std::string blind_node_in(const std::string& log_end) {
  std::istringstream lines(log_end);
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with(kUnseenHead) && line.find(kUnseenWords) != line.npos && line.ends_with(kTrialFile))
      return line.substr(kUnseenHead.size());
  return {};
}

AttemptOutcome blind_node(const AttemptEnd& end, const std::string& words) {
  const std::string reason = "node " + words + ": mount it there, or leave the node out (--exclude)";
  if (end.losses_before + 1 >= end.most_losses) return failed(kBlindNode, reason);
  AttemptOutcome outcome = requeued("lost: " + reason);
  outcome.retried = kBlindNode;
  return outcome;
}

AttemptOutcome broken_device(const AttemptEnd& end, std::string reason) {
  if (end.losses_before + 1 >= end.most_losses) return failed(kBrokenDevice, std::move(reason));
  AttemptOutcome outcome = requeued("its GPU failed: " + std::move(reason));
  outcome.retried = kBrokenDevice;
  return outcome;
}

// What the trial has reached of an objective. With `last`, a last line that gave no number may say that it
// has diverged.
std::optional<double> reached(const Objective& objective, const std::vector<MetricPoint>& curve,
                              const UnreadLines& lines) {
  if (objective.reduce == Reduce::kLast && lines.is_last) return std::nullopt;
  return reduce_curve(curve, objective);
}

std::optional<double> reached(const AttemptEnd& end) { return reached(end.objective, end.curve, end.unread); }

// nullopt too where there is no second objective.
std::optional<double> second_reached(const AttemptEnd& end) {
  if (!end.second) return std::nullopt;
  if (end.second->objective.metric == kDeviceSeconds) return end.second->lease_seconds;
  return reached(end.second->objective, end.second->curve, end.second->unread);
}

// What a trial that did not complete has: a device time that was cut short says nothing.
std::optional<double> second_on_the_way(const AttemptEnd& end) {
  return end.second && end.second->objective.metric == kDeviceSeconds ? std::nullopt : second_reached(end);
}

bool mentions_no_number(const std::string& text) {
  const std::string lower = lower_case(text);
  return lower.find("nan") != std::string::npos || lower.find("inf") != std::string::npos;
}

AttemptOutcome unread(const Objective& objective, const std::vector<MetricPoint>& curve,
                      const UnreadLines& lines) {
  const std::string which = curve.empty() ? "no value" : "not the last value";
  return failed(
      mentions_no_number(lines.text) ? "non_finite" : "no_metric",
      "exit code 0, but " + which + " of \"" + objective.metric + "\" could be read: " + lines.text);
}

// Why an objective has no value.
AttemptOutcome without_value(const Objective& objective, const std::vector<MetricPoint>& curve,
                             const UnreadLines& lines) {
  if (lines.count > 0 && (curve.empty() || lines.is_last)) return unread(objective, curve, lines);
  if (curve.empty())
    return failed("no_metric", "exit code 0, but no line of its output gave \"" + objective.metric + "\"");
  const char* which = objective.reduce == Reduce::kLast ? "the last value" : "every value";
  return failed("non_finite", which + (" of \"" + objective.metric) + "\" was NaN or infinite");
}

AttemptOutcome completed(const AttemptEnd& end) {
  const auto value = reached(end), second = second_reached(end);
  if (!value) return without_value(end.objective, end.curve, end.unread);
  if (end.second && !second)
    return without_value(end.second->objective, end.second->curve, end.second->unread);
  return {TrialState::kCompleted, "completed", {}, value, {}, {}, second};
}

// What a trial that ran out of time had reached counts, unless the spec says otherwise; its metrics stay in
// the store in any case.
AttemptOutcome timed_out(const AttemptEnd& end, const std::optional<double>& value) {
  std::string reason = kTimeoutReason;
  const auto second = second_reached(end);
  if (value && end.on_trial_time == OnTrialTime::kComplete && (second || !end.second)) {
    reason +=
        ": cut after step " + std::to_string(end.curve.back().step) + ", and counts with what it had reached";
    return {TrialState::kCompleted, std::move(reason), {}, value, "trial_time", {}, second};
  }
  if (value && end.second && !second && end.on_trial_time == OnTrialTime::kComplete)
    reason += "; no line had given \"" + end.second->objective.metric + "\"";
  if (value)
    reason += "; " + end.objective.metric + " had reached " + shortest(*value) + " by step " +
              std::to_string(end.curve.back().step);
  else if (end.unread.count > 0)
    reason += "; " + end.unread.text;
  else if (end.curve.empty())
    reason +=
        "; no line had given \"" + end.objective.metric +
        "\": a program that keeps back what it prints is cured by \"stdbuf\", \"-oL\" before the command";
  return failed("timeout", std::move(reason));
}

// A trial that outlasts its job goes on in another, as long as each takes it further.
AttemptOutcome out_of_job_time(const AttemptEnd& end) {
  if (end.has_saved) return requeued("the time limit of its job ran out; it goes on from what it has saved");
  return failed(
      "timeout",
      "the time limit of its job ran out, and it had saved nothing to go on from: raise runner.time, or "
      "have the program save its state in $TUNE_CHECKPOINT_DIR now and then");
}

// A job that more urgent ones push aside begins again where it has saved its state. One that never comes so
// far would do so for ever.
AttemptOutcome taken_away(const AttemptEnd& end) {
  AttemptOutcome outcome = requeued(std::string("interrupted: ") + to_string(StopReason::kTerminated));
  if (end.has_saved || end.is_orphan) return outcome;
  const int times = end.losses_before + 1;
  if (times >= end.most_losses)
    return failed(
        kTakenAway,
        "lost " + plural_text(times, "time") +
            ", at last to a signal (preemption, for example), and saved nothing to go on from: have "
            "the program save its state in $TUNE_CHECKPOINT_DIR when it gets SIGTERM, or raise "
            "retry.infrastructure.tries");
  outcome.reason += " before it had saved anything to go on from";
  outcome.retried = kTakenAway;
  return outcome;
}

std::string with_output(std::string reason, const std::string& last_output) {
  return last_output.empty() ? reason : reason + ": " + last_output;
}

std::string builtin_failure(int code) {
  switch (static_cast<ExitCode>(code)) {
    case ExitCode::kBadData:
      return "bad_data";
    case ExitCode::kOutOfMemory:
      return "oom";
    case ExitCode::kNonFiniteLoss:
      return "non_finite";
    default:
      return "crash";
  }
}

// Out of memory, by the kernel's hand or in the program's own words; nullopt if nothing says so.
std::optional<AttemptOutcome> out_of_memory(const AttemptEnd& end, const ExitReport& report) {
  const bool was_killed = report.signal == SIGKILL || report.exit_code == kKilledBySignal;
  if (report.out_of_memory && was_killed)
    return failed("oom", with_output("killed by the kernel, which had run out of memory", end.last_output));
  if (!tells_of_lack_of_memory(end.log_end)) return std::nullopt;
  const std::string how = report.signal ? signal_text(*report.signal)
                                        : "exit code " + std::to_string(report.exit_code.value_or(-1));
  return failed("oom", with_output("out of memory: " + how, end.last_output));
}

AttemptOutcome ended_by_itself(const AttemptEnd& end, const ExitReport& report) {
  if (!report.failure.empty()) return failed("crash", report.failure);
  if (report.signal || report.exit_code != 0)
    if (auto outcome = out_of_memory(end, report)) return std::move(*outcome);
  const int code = report.exit_code.value_or(-1);
  if (!report.signal && code == 0) return completed(end);
  if (const std::string words = blind_node_in(end.log_end); !words.empty()) return blind_node(end, words);
  std::string reason = with_output(
      report.signal ? signal_text(*report.signal) : "exit code " + std::to_string(code), end.last_output);
  if (tells_of_broken_device(end.log_end)) return broken_device(end, std::move(reason));
  if (report.signal) return failed("crash", std::move(reason));
  return failed(end.builtin_trainer ? builtin_failure(code) : "crash", std::move(reason));
}

}  // namespace

std::vector<double> AttemptOutcome::values() const {
  if (!value) return {};
  return second ? std::vector<double>{*value, *second} : std::vector<double>{*value};
}

AttemptOutcome classify(const AttemptEnd& end) {
  // Not run again: the trainer would do the same, and nobody may clear away what it put there.
  if (!end.spoilt.empty()) return failed("crash", "the attempt's folder is spoilt: " + end.spoilt);
  // An attempt that could be ended in good order after all was lost no less.
  if (!end.report || end.report->stop == StopReason::kUnheard) return lost(end);
  const ExitReport& report = *end.report;
  if (report.start_error) {
    AttemptOutcome outcome = requeued("not started: " + report.failure);
    outcome.fault = start_fault(*report.start_error, report.failure);
    return outcome;
  }
  if (!report.stop) return ended_by_itself(end, report);
  const auto value = reached(end), second = second_on_the_way(end);
  switch (*report.stop) {
    case StopReason::kTimeout:
      return timed_out(end, value);
    case StopReason::kNoOutput:
      return failed("hung", "limits.no_output ran out; " + report.failure);
    case StopReason::kNoMetric:
      return failed("hung", "limits.no_metric_time ran out; " + report.failure);
    case StopReason::kRule:
      return {TrialState::kStopped,
              end.verdict.empty() ? "stopped by the rule" : end.verdict,
              {},
              value,
              {},
              {},
              second};
    case StopReason::kPerson:
      return {TrialState::kStopped,
              end.verdict.empty() ? "stopped by a person" : end.verdict,
              {},
              value,
              {},
              {},
              second};
    case StopReason::kPause:
      return {TrialState::kPaused,
              end.verdict.empty() ? "paused by the rule" : end.verdict,
              {},
              value,
              {},
              {},
              second};
    case StopReason::kTimeLimit:
    case StopReason::kDeviceTimeLimit:
    case StopReason::kCostLimit:
    case StopReason::kTarget:
      return {TrialState::kStopped, to_string(*report.stop), {}, value, {}, {}, second};
    case StopReason::kJobTime:
      return out_of_job_time(end);
    case StopReason::kDrain:
      return requeued("interrupted");
    case StopReason::kTerminated:
      return taken_away(end);
    case StopReason::kUnheard:
    case StopReason::kOrphaned:
    case StopReason::kLost:
      break;
  }
  return requeued("interrupted: " + (end.unheard.empty() ? to_string(*report.stop) : end.unheard));
}

bool tells_of_lack_of_memory(std::string_view log_end) {
  return std::any_of(kLackOfMemory.begin(), kLackOfMemory.end(),
                     [&](std::string_view words) { return log_end.find(words) != std::string_view::npos; });
}

bool tells_of_broken_device(std::string_view log_end) {
  return std::any_of(kBrokenDeviceWords.begin(), kBrokenDeviceWords.end(),
                     [&](std::string_view words) { return log_end.find(words) != std::string_view::npos; });
}

std::string signal_text(int signal) {
  const char* description = sigdescr_np(signal);
  return "signal " + std::to_string(signal) + " (" + (description == nullptr ? "unknown" : description) + ")";
}

}  // namespace tune::engine
