#include "tuner/serve/timeline.h"

#include <algorithm>
#include <limits>
#include <map>

#include "tuner/billing/device_shares.h"

namespace tune::serve {
namespace {

constexpr std::size_t kMostSpans = 20'000;

struct Span {
  int trial = 0, attempt = 0;
  double begin = 0, end = 0;
  std::string state, stop;
  bool is_live = false;
};

using SpansByDevice = std::map<std::string, std::vector<Span>>;

double in_seconds(std::chrono::microseconds time) { return std::chrono::duration<double>(time).count(); }

Span span_of(const store::AttemptRow& attempt, const store::TrialRow& trial,
             std::chrono::microseconds epoch) {
  const billing::LeaseTime lease = billing::lease_time(attempt);
  return {attempt.trial,
          attempt.attempt,
          in_seconds(lease.begin - epoch),
          in_seconds(lease.end - epoch),
          to_string(trial.state),
          attempt.stop ? to_string(*attempt.stop) : "",
          store::is_live(attempt.state) && !attempt.ended};
}

// Gives each span the first row that is free when it begins.
void add_on_cpu(std::vector<Span> spans, SpansByDevice& devices) {
  std::stable_sort(spans.begin(), spans.end(),
                   [](const Span& a, const Span& b) { return a.begin < b.begin; });
  std::vector<double> busy_until;
  for (Span& span : spans) {
    std::size_t row = 0;
    while (row < busy_until.size() && busy_until[row] > span.begin) ++row;
    if (row == busy_until.size()) busy_until.push_back(0);
    busy_until[row] = span.end;
    devices["cpu " + std::to_string(row + 1)].push_back(std::move(span));
  }
}

// The length of the spans' union.
double covered_seconds(const std::vector<Span>& spans) {
  std::vector<std::pair<double, double>> times;
  for (const Span& span : spans) times.emplace_back(span.begin, span.end);
  std::sort(times.begin(), times.end());
  double sum = 0, until = -std::numeric_limits<double>::infinity();
  for (const auto& [begin, end] : times) {
    sum += std::max(0.0, end - std::max(begin, until));
    until = std::max(until, end);
  }
  return sum;
}

std::map<std::string, std::string> names_of_gpus(const store::StudyFacts& facts) {
  std::map<std::string, std::string> names;
  for (const store::RunFacts& run : facts.runs)
    for (const store::GpuFacts& gpu : run.machine.gpus) names[gpu.uuid] = gpu.name;
  return names;
}

OrderedJson spans_json(const std::vector<Span>& spans) {
  OrderedJson list = OrderedJson::array();
  for (const Span& span : spans)
    list.push_back({{"trial", span.trial},
                    {"attempt", span.attempt},
                    {"begin", span.begin},
                    {"end", span.end},
                    {"state", span.state},
                    {"is_retry", span.attempt > 1},
                    {"stop", span.stop},
                    {"live", span.is_live}});
  return list;
}

}  // namespace

OrderedJson timeline_json(const StudyTable& table) {
  const report::StudyRows& rows = table.rows();
  const std::chrono::microseconds epoch = rows.study.created.time_since_epoch();
  const std::size_t left_out = rows.attempts.size() > kMostSpans ? rows.attempts.size() - kMostSpans : 0;
  SpansByDevice devices;
  std::vector<Span> on_cpu;
  for (std::size_t i = left_out; i < rows.attempts.size(); ++i) {
    const store::AttemptRow& attempt = rows.attempts[i];
    const Span span = span_of(attempt, rows.trials[static_cast<std::size_t>(attempt.trial) - 1], epoch);
    for (const std::string& device : attempt.devices) devices[device].push_back(span);
    if (attempt.devices.empty()) on_cpu.push_back(span);
  }
  add_on_cpu(std::move(on_cpu), devices);
  OrderedJson runs = OrderedJson::array();
  double ran = 0, last = 0;
  for (const store::RunningTime& run : rows.running_times) {
    const double begin = in_seconds(run.begin.time_since_epoch() - epoch);
    const double end = in_seconds(run.end.time_since_epoch() - epoch);
    runs.push_back(OrderedJson::array({begin, end}));
    ran += end - begin;
    last = std::max(last, end);
  }
  const std::map<std::string, std::string> names = names_of_gpus(rows.study.facts);
  OrderedJson list = OrderedJson::array();
  for (const auto& [device, spans] : devices) {
    const double busy = covered_seconds(spans);
    const auto name = names.find(device);
    list.push_back({{"device", device},
                    {"name", name == names.end() ? device : name->second},
                    {"busy_seconds", busy},
                    {"idle_seconds", std::max(0.0, ran - busy)},
                    {"spans", spans_json(spans)}});
  }
  return {{"schema", 1},         {"study", table.name()}, {"epoch", format_time(rows.study.created)},
          {"now", last},         {"runs", runs},          {"devices", list},
          {"left_out", left_out}};
}

}  // namespace tune::serve
