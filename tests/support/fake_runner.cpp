#include "support/fake_runner.h"

#include <algorithm>
#include <fstream>
#include <optional>

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

namespace tune::tests {
namespace {
constexpr SteadyTime kNever = SteadyTime::max();
}

FakeRunner::FakeRunner(ManualClock& clock, int slots, Script script)
    : clock_(clock), slots_(slots), script_(std::move(script)) {}

engine::AttemptRecord FakeRunner::start(const engine::Attempt& attempt) {
  if (on_start) on_start(attempt);
  TUNE_CHECK(live() < slots_, "more attempts than slots");
  for (const auto& [id, other] : live_) TUNE_CHECK(id.trial != attempt.id.trial, "two attempts of one trial");
  started.push_back(attempt);
  Live live;
  live.folder = attempt.folder;
  live.token = attempt.token;
  live.behaviour = script_(attempt);
  live.began = clock_.steady_now();
  live.ends = live.behaviour.hangs ? kNever : live.began + live.behaviour.lasts;
  live.exit_code = live.behaviour.exit_code;
  live.signal = live.behaviour.signal;
  if (attempt.time_limit && live.ends > live.began + *attempt.time_limit) {
    live.ends = live.began + *attempt.time_limit;
    live.stop = StopReason::kTimeout;
    live.exit_code = 143;
  }
  if (heartbeat) live.next_beat = live.began + *heartbeat;
  live_[attempt.id] = live;
  return {attempt.id, attempt.token, attempt.folder, 1000 + attempt.id.trial, 1, "fake-boot", devices,
          1,          heartbeat,     start_notice};
}

bool FakeRunner::attach(const engine::AttemptRecord& record) {
  if (!attachable.contains(record.id)) return false;
  Live live;
  live.folder = record.folder;
  live.token = record.token;
  live.began = clock_.steady_now();
  live.ends = live.began + std::chrono::seconds(1);
  live.stop = StopReason::kLost;
  live_[record.id] = live;
  return true;
}

engine::Capacity FakeRunner::capacity() {
  return {problem.empty() ? std::max(0, slots_ - live()) : 0, slots_, notices, problem};
}

// When it prints next. What its time limit will stop prints until then.
SteadyTime FakeRunner::next_line(const Live& live) {
  const bool prints = !live.stop || live.stop == StopReason::kTimeout;
  if (!prints || live.next_line >= live.behaviour.lines.size()) return kNever;
  return live.began + live.behaviour.lines[live.next_line].at;
}

engine::RunnerEvent FakeRunner::wait(SteadyTime deadline) {
  if (before_wait) before_wait();
  if (woken_.exchange(false)) return {engine::RunnerEventKind::kWoken, {}};
  std::optional<AttemptId> next;
  SteadyTime when = kNever;
  for (const auto& [id, live] : live_) {
    SteadyTime due = std::min({live.ends, next_line(live), live.next_beat});
    if (live.behaviour.quiet_at && !live.told_quiet)
      due = std::min(due, live.began + *live.behaviour.quiet_at);
    if (due < when) when = due, next = id;
  }
  const SteadyTime until = std::min(when, deadline);
  if (until > clock_.steady_now()) {
    clock_.advance(std::chrono::ceil<Milliseconds>(until - clock_.steady_now()));
  }
  if (!next || when > deadline) return {engine::RunnerEventKind::kDeadline, {}};
  Live& live = live_.at(*next);
  if (when < live.ends && when == next_line(live)) {
    append_line(live);
    return {engine::RunnerEventKind::kProgress, *next};
  }
  if (when < live.ends && when == live.next_beat) {
    live.next_beat += *heartbeat;
    if (live.next_beat - live.began > live.behaviour.supervisor_silent_after) live.next_beat = kNever;
    return {engine::RunnerEventKind::kAlive, *next};
  }
  if (when < live.ends) {
    live.told_quiet = true;
    return {engine::RunnerEventKind::kQuiet, *next};
  }
  if (!live.behaviour.log.empty()) std::ofstream(live.folder / "log") << live.behaviour.log;
  if (!live.behaviour.without_report) write_exit(live, clock_.steady_now());
  const engine::MemoryUse memory = live.behaviour.memory;
  live_.erase(*next);
  if (on_exit) on_exit(*next);
  return {engine::RunnerEventKind::kExited, *next, memory};
}

void FakeRunner::append_line(Live& live) {
  const Behaviour::Line& line = live.behaviour.lines[live.next_line++];
  Json json = {{"token", line.foreign ? "another attempt" : live.token},
               {"name", line.name},
               {"time_ms", clock_.wall_now().time_since_epoch().count()}};
  if (!line.notice.empty()) {
    json["about"] = line.about, json["notice"] = line.notice;
  } else if (!line.unread.empty()) {
    json["unread"] = line.unread;
  } else {
    json["value"] = number_to_json(line.value), json["step"] = line.step;
  }
  std::ofstream(live.folder / "metrics.jsonl", std::ios::app) << json.dump() << '\n';
}

void FakeRunner::write_exit(const Live& live, SteadyTime now) const {
  Json json = {{"schema", 1},
               {"token", live.token},
               {"stop", live.stop ? to_string(*live.stop) : ""},
               {"failure", ""},
               {"wall_seconds", std::chrono::duration<double>(now - live.began).count()},
               {"cpu_seconds", 0.5},
               {"max_rss_bytes", 1 << 20},
               {"cut_lines", live.behaviour.cut_lines},
               {"metrics", live.next_line}};
  if (live.behaviour.start_error != 0) {
    json["start_error"] = live.behaviour.start_error;
    json["failure"] = "cannot start \"train\"";
  }
  if (live.signal != 0) {
    json["signal"] = live.signal;
  } else {
    json["exit_code"] = live.exit_code;
  }
  write_file_atomically(live.folder / "exit.json", json.dump());
}

void FakeRunner::stop(AttemptId id, Milliseconds grace, StopReason reason) {
  stops.emplace_back(id, reason);
  const auto found = live_.find(id);
  if (found == live_.end()) return;
  Live& live = found->second;
  if (live.behaviour.is_stuck) return;
  const bool killed = live.behaviour.ignores_term || grace.count() == 0;
  const SteadyTime ends =
      clock_.steady_now() + (live.behaviour.ignores_term ? grace : std::min(grace, Milliseconds(20)));
  if (ends >= live.ends) return;
  live.ends = ends;
  if (!live.stop) live.stop = reason;
  live.exit_code = 143;
  live.signal = killed ? 9 : 0;
}

void FakeRunner::orchestrator_dies(const std::function<bool(AttemptId)>& report) {
  for (auto& [id, live] : live_) {
    if (!live.stop) live.stop = StopReason::kLost;
    live.signal = 9;
    if (report(id)) write_exit(live, clock_.steady_now());
  }
  live_.clear();
}

}  // namespace tune::tests
