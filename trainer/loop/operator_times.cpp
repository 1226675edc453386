#include "trainer/loop/operator_times.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include "trainer/loop/device.h"

namespace tune::trainer::loop {
namespace {

namespace profiler = torch::autograd::profiler;
using torch::profiler::impl::ActivityType;

std::vector<profiler::KinetoEvent> watched(const torch::Device& device, const std::function<void()>& work) {
  ::setenv("KINETO_LOG_LEVEL", "99", /*overwrite=*/0);  // else it says on stderr that it starts and stops
  std::set<ActivityType> activities{ActivityType::CPU};
  if (device.is_cuda()) activities.insert(ActivityType::CUDA);
  const torch::profiler::impl::ProfilerConfig config(torch::profiler::impl::ProfilerState::KINETO);
  profiler::prepareProfiler(config, activities);
  profiler::enableProfiler(config, activities, {at::RecordScope::FUNCTION});
  try {
    work();
    wait_for(device);
  } catch (...) {
    profiler::disableProfiler();
    throw;
  }
  return profiler::disableProfiler()->events();
}

// Nanoseconds of each operator of the CPU less those of the operators within it, on the same thread.
std::vector<std::int64_t> own_times(const std::vector<profiler::KinetoEvent>& events) {
  std::vector<std::size_t> order(events.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto end = [&](std::size_t i) { return events[i].startNs() + events[i].durationNs(); };
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return std::tuple(events[a].startThreadId(), events[a].startNs(), ~end(a)) <
           std::tuple(events[b].startThreadId(), events[b].startNs(), ~end(b));
  });
  std::vector<std::int64_t> own(events.size());
  std::vector<std::size_t> open;  // each within the one before
  for (const std::size_t i : order) {
    while (!open.empty() &&
           (events[open.back()].startThreadId() != events[i].startThreadId() || end(open.back()) < end(i)))
      open.pop_back();
    own[i] = static_cast<std::int64_t>(events[i].durationNs());
    if (!open.empty()) own[open.back()] -= own[i];
    open.push_back(i);
  }
  return own;
}

std::vector<std::int64_t> whole_times(const std::vector<profiler::KinetoEvent>& events) {
  std::vector<std::int64_t> whole;
  for (const auto& event : events) whole.push_back(static_cast<std::int64_t>(event.durationNs()));
  return whole;
}

}  // namespace

std::vector<OperatorTime> operator_times(const torch::Device& device, const std::function<void()>& work) {
  std::vector<profiler::KinetoEvent> events = watched(device, work);
  std::erase_if(events, [&](const auto& event) { return event.deviceType() != device.type(); });
  // A GPU's kernels call none, but run beside each other.
  const std::vector<std::int64_t> own = device.is_cpu() ? own_times(events) : whole_times(events);
  std::map<std::string, OperatorTime> by_name;
  for (std::size_t i = 0; i < events.size(); ++i) {
    OperatorTime& time = by_name[events[i].name()];
    time.seconds += 1e-9 * static_cast<double>(own[i]);
    ++time.calls;
  }
  std::vector<OperatorTime> times;
  for (auto& [name, time] : by_name) times.push_back({name, time.seconds, time.calls});
  std::stable_sort(times.begin(), times.end(),
                   [](const OperatorTime& a, const OperatorTime& b) { return a.seconds > b.seconds; });
  return times;
}

}  // namespace tune::trainer::loop
