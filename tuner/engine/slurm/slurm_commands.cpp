#include "tuner/engine/slurm/slurm_commands.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <sstream>
#include <string_view>
#include <utility>

#include "tuner/core/error.h"
#include "tuner/os/run_program.h"

namespace tune::engine {
namespace {

// A controller that is dead lets squeue hang for 5 s and more; one that is busy answers late.
constexpr Milliseconds kQueryLimit{10'000};
// sbatch gives up by itself: after MessageTimeout (10 s by default) where the controller is silent, after 120
// s where its queue is full (15 tries). Ended before, it leaves unknown what has become of the job.
constexpr Milliseconds kSubmitLimit{180'000};
constexpr int kKill = 2;  // so many signals have run_program() kill at once

// States of jobs that are over (squeue(1), JOB STATE CODES).
constexpr std::array<std::string_view, 10> kOver{"COMPLETED", "CANCELLED",    "FAILED",    "TIMEOUT",
                                                 "NODE_FAIL", "PREEMPTED",    "BOOT_FAIL", "DEADLINE",
                                                 "REVOKED",   "OUT_OF_MEMORY"};

std::optional<WallTime> time_from(const std::string& text) {
  std::int64_t seconds = 0;
  const auto end = text.data() + text.size();
  if (std::from_chars(text.data(), end, seconds).ptr != end || seconds <= 0) return std::nullopt;
  return WallTime(std::chrono::seconds(seconds));
}

std::string trimmed(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

bool has_any(const std::string& text, const std::vector<std::string_view>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return text.find(part) != std::string::npos; });
}

}  // namespace

bool SlurmJob::is_over() const { return std::find(kOver.begin(), kOver.end(), state) != kOver.end(); }

SlurmOutput run_slurm(std::vector<std::string> argv, Milliseconds time_limit, const GivenUp& given_up,
                      const std::map<std::string, std::string>& environment) {
  SlurmOutput output;
  Program program{std::move(argv), "/"};
  program.environment = environment;
  program.time_limit = time_limit;
  program.ends_as_group = true;
  if (given_up) program.signals = [&given_up] { return given_up() ? kKill : 0; };
  std::string said, last;
  program.on_line = [&](const std::string& line) {
    if (line != last) said += (said.empty() ? "" : "; ") + line;
    last = line;
  };
  try {
    ProgramOutput result = run_program(program);
    output.out = std::move(result.out);
    output.exit_code = result.exit_code;
    if (result.exit_code != 0)
      output.problem =
          said.empty() ? program.argv[0] + " ended with exit code " + std::to_string(result.exit_code) : said;
  } catch (const ProgramTimeout& timeout) {
    output.problem = timeout.what();
    output.timed_out = true;
  } catch (const Error& error) {
    output.problem = error.what();
    output.exit_code = 127;
  }
  return output;
}

std::vector<SlurmJob> parse_queue(const std::string& text) {
  std::vector<SlurmJob> jobs;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::vector<std::string> fields;
    std::istringstream parts(line);
    for (std::string part; std::getline(parts, part, '|');) fields.push_back(part);
    if (fields.size() < 7) continue;
    SlurmJob job{fields[0], 0, fields[1], fields[2], fields[3], fields[6], {}, {}};
    if (const std::size_t at = job.id.find('_'); at != std::string::npos)
      std::from_chars(job.id.data() + at + 1, job.id.data() + job.id.size(), job.index);
    job.start = time_from(fields[4]);
    job.end = time_from(fields[5]);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

QueueAnswer queued_jobs(const std::string& job_name, const GivenUp& given_up) {
  const SlurmOutput output = run_slurm({"squeue", "--noheader", "--array", "--states=all", "--me",
                                        "--name=" + job_name, "--format=%i|%T|%r|%N|%S|%e|%k"},
                                       kQueryLimit, given_up, {{"SLURM_TIME_FORMAT", "%s"}});
  if (!output.problem.empty()) return {{}, output.problem};
  return {parse_queue(output.out), {}};
}

Submission::Kind refusal_kind(const std::string& text) {
  // The controller may have read the request before it fell silent.
  if (has_any(text, {"timed out", "Zero Bytes were transmitted", "Transport endpoint", "did not end within",
                     "Unexpected message received", "Connection reset"}))
    return Submission::Kind::kDoubtful;
  // A site's MaxArraySize: smaller arrays are tried.
  if (has_any(text, {"Invalid job array"})) return Submission::Kind::kBusy;
  if (has_any(text, {"Unable to contact", "Connection refused", "temporarily", "try again", "Limit",
                     "limit exceeded", "submit limit", "QOSMax", "AssocMax", "violates accounting",
                     "in standby mode", "disabled", "maximum array", "MaxJobCount"}) &&
      !has_any(text, {"Invalid", "Requested time limit", "node configuration"}))
    return Submission::Kind::kBusy;
  return Submission::Kind::kRefused;
}

Submission submit_job(const std::vector<std::string>& arguments,
                      const std::map<std::string, std::string>& environment, const GivenUp& given_up) {
  std::vector<std::string> argv{"sbatch", "--parsable"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  const SlurmOutput output = run_slurm(std::move(argv), kSubmitLimit, given_up, environment);
  if (output.timed_out) return {Submission::Kind::kDoubtful, {}, output.problem};
  if (!output.problem.empty()) {
    // Ended by a signal: nobody knows how far it had come.
    const bool was_killed = output.exit_code > 128;
    return {was_killed ? Submission::Kind::kDoubtful : refusal_kind(output.problem), {}, output.problem};
  }
  // "812", or "812;cluster".
  std::string job = trimmed(output.out.substr(output.out.rfind('\n', output.out.size() - 2) + 1));
  job = job.substr(0, job.find(';'));
  if (job.empty() || job.find_first_not_of("0123456789") != std::string::npos)
    return {Submission::Kind::kDoubtful, {}, "sbatch printed no job's number: " + trimmed(output.out)};
  return {Submission::Kind::kAccepted, job, {}};
}

std::string cancel_jobs(const std::vector<std::string>& jobs, bool waiting_only, const GivenUp& given_up) {
  if (jobs.empty()) return {};
  std::vector<std::string> argv{"scancel"};
  if (waiting_only) argv.push_back("--state=PENDING");
  argv.insert(argv.end(), jobs.begin(), jobs.end());
  const SlurmOutput output = run_slurm(std::move(argv), kQueryLimit, given_up);
  // It says nothing where none of them waits any more.
  const bool is_gone = has_any(output.problem, {"Invalid job id", "already completing or completed"}) ||
                       output.problem == "scancel ended with exit code 1";
  return is_gone ? std::string() : output.problem;
}

std::map<std::string, std::string> parse_pairs(const std::string& line) {
  std::map<std::string, std::string> pairs;
  std::istringstream words(line);
  for (std::string word; words >> word;)
    if (const std::size_t at = word.find('='); at != std::string::npos)
      pairs.emplace(word.substr(0, at), word.substr(at + 1));
  return pairs;
}

std::optional<JobExit> job_exit(const std::string& job, const GivenUp& given_up) {
  const SlurmOutput output = run_slurm({"scontrol", "--oneliner", "show", "job", job}, kQueryLimit, given_up);
  if (!output.problem.empty()) return std::nullopt;
  const auto pairs = parse_pairs(output.out);
  const auto code = pairs.find("ExitCode"), node = pairs.find("BatchHost");
  if (code == pairs.end()) return std::nullopt;
  JobExit script;
  std::from_chars(code->second.data(), code->second.data() + code->second.size(), script.code);
  // It is "87:0"; of a job that could not be launched, or was ended, "0:0" or "0:15".
  const auto state = pairs.find("JobState");
  const bool is_completed = state != pairs.end() && state->second == "COMPLETED";
  script.has_run = is_completed || script.code != 0;
  if (node != pairs.end()) script.node = node->second;
  return script;
}

std::string slurm_duration(Milliseconds time) {
  const auto minutes = std::chrono::ceil<std::chrono::minutes>(time).count();
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%d-%02d:%02d:00", static_cast<int>(minutes / 1440),
                static_cast<int>(minutes / 60 % 24), static_cast<int>(minutes % 60));
  return text.data();
}

std::optional<Milliseconds> parse_slurm_duration(const std::string& text) {
  std::int64_t days = 0;
  std::string rest = text;
  if (const std::size_t dash = text.find('-'); dash != std::string::npos) {
    if (std::from_chars(text.data(), text.data() + dash, days).ptr != text.data() + dash) return std::nullopt;
    rest = text.substr(dash + 1);
  }
  std::vector<std::int64_t> parts;
  std::istringstream fields(rest);
  for (std::string field; std::getline(fields, field, ':');) {
    std::int64_t number = 0;
    const auto end = field.data() + field.size();
    if (field.empty() || std::from_chars(field.data(), end, number).ptr != end) return std::nullopt;
    parts.push_back(number);
  }
  if (parts.size() < 2 || parts.size() > 3) return std::nullopt;
  if (parts.size() == 2) parts.insert(parts.begin(), 0);
  return Milliseconds(1000 * (((days * 24 + parts[0]) * 60 + parts[1]) * 60 + parts[2]));
}

}  // namespace tune::engine
