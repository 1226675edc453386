#pragma once
// Where a study keeps its trials and attempts, the files of an attempt's folder that tune-supervisor writes
// and the engine reads, and their limits.
#include <charconv>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace tune {

// Names one attempt everywhere: in files, events and messages.
struct AttemptId {
  int trial = 0;    // 1, 2, ...
  int attempt = 0;  // 1, 2, ... within the trial
  auto operator<=>(const AttemptId&) const = default;
};

inline std::filesystem::path trials_folder(const std::filesystem::path& study_folder) {
  return study_folder / "trials";
}
inline std::filesystem::path trial_folder(const std::filesystem::path& study_folder, int trial) {
  return trials_folder(study_folder) / std::to_string(trial);
}
inline std::filesystem::path attempt_folder(const std::filesystem::path& study_folder, AttemptId id) {
  return trial_folder(study_folder, id.trial) / "attempts" / std::to_string(id.attempt);
}
// Lives across attempts.
inline std::filesystem::path checkpoint_folder(const std::filesystem::path& study_folder, int trial) {
  return trial_folder(study_folder, trial) / "checkpoints";
}

inline constexpr const char* kLaunchFile = "launch.json";
inline constexpr const char* kTrialFile = "trial.json";
inline constexpr const char* kLogFile = "log";
inline constexpr const char* kMetricsFile = "metrics.jsonl";
inline constexpr const char* kExitFile = "exit.json";
inline constexpr const char* kOutputFolder = "output";

// Of an attempt that is a job of a cluster, which files alone connect with its runner.
inline constexpr const char* kSubmitFile = "submit.json";  // the runner's: the batch that it was submitted in
inline constexpr const char* kClaimFile = "claim";       // made by its supervisor; a second one ends at once
inline constexpr const char* kAgainFile = "again";       // a second one has come: the job was begun anew
inline constexpr const char* kAliveFile = "alive.json";  // the supervisor's: where it runs, a heartbeat
inline constexpr const char* kStopFile = "stop.json";    // the runner wants it to end
inline constexpr const char* kFenceFile = "fence";       // the runner has given it up
inline constexpr const char* kEndedFile = "ended";       // the job's script: its supervisor is gone
inline constexpr std::chrono::milliseconds kJobHeartbeat{15'000};

// Every process of an attempt carries it in its environment, so that it is found whatever process its parent
// is by now.
inline constexpr const char* kTokenVariable = "TUNE_ATTEMPT_TOKEN";

// What a supervisor tells the runner, a byte each.
inline constexpr char kSaysMetrics = 'm';   // metrics.jsonl has grown
inline constexpr char kSaysAlive = 'h';     // nothing else was said for kHeartbeat
inline constexpr char kSaysQuiet = 'q';     // the trainer has printed nothing for long
inline constexpr char kSaysNoMetric = 'n';  // nor has its output given a metric
// A supervisor is heard of this often, whatever its trainer does.
inline constexpr std::chrono::milliseconds kHeartbeat{5'000};

// The log's first bytes stay in `log`. What follows goes to segments "log.tail.OFFSET" (the offset in the
// whole output, 20 digits), of which the last two are kept. At the end the last kLogTail bytes are moved
// behind a marker into `log`.
inline constexpr std::uint64_t kLogHead = 16u << 20;
inline constexpr std::uint64_t kLogTail = 16u << 20;
inline constexpr std::string_view kLogSegmentPrefix = "log.tail.";
inline constexpr std::uint64_t kMetricsLimit = 64u << 20;

// A line of fixed length that stands for `dropped` bytes of the log.
inline std::string log_marker(std::uint64_t dropped) {
  const std::string digits = std::to_string(dropped);
  return "\n[tune: " + std::string(20 - digits.size(), ' ') + digits +
         " bytes of the log were dropped here]\n";
}
inline const std::size_t kLogMarkerSize = log_marker(0).size();
// The number in a marker; nullopt for any other text.
inline std::optional<std::uint64_t> dropped_in_marker(std::string_view text) {
  const std::size_t digits_at = std::string_view("\n[tune: ").size();
  if (text.size() != kLogMarkerSize) return std::nullopt;
  const std::size_t begin = text.find_first_not_of(' ', digits_at);
  std::uint64_t dropped = 0;
  if (begin == std::string_view::npos) return std::nullopt;
  if (std::from_chars(text.data() + begin, text.data() + text.size(), dropped).ec != std::errc())
    return std::nullopt;
  if (text != log_marker(dropped)) return std::nullopt;
  return dropped;
}

}  // namespace tune
