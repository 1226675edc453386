#include "tuner/engine/study/search_estimate.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "tuner/core/error.h"
#include "tuner/engine/devices/device_pool.h"
#include "tuner/engine/devices/device_wait.h"
#include "tuner/engine/loop/spending.h"
#include "tuner/engine/study/run_facts.h"
#include "tuner/engine/study/trainer_check.h"
#include "tuner/os/file_system.h"
#include "tuner/os/memory.h"

namespace tune::engine {
namespace {

constexpr const char *kMiddle = "middle", *kSmallest = "smallest", *kLargest = "largest";

std::vector<double> middle_coordinates(const SearchSpace& space) {
  return std::vector<double>(space.size(), 0.5);
}

double seconds_of(const std::optional<Milliseconds>& time) {
  return std::chrono::duration<double>(*time).count();
}

const PointEstimate* named(const std::vector<PointEstimate>& points, const std::string& name) {
  const auto found = std::find_if(points.begin(), points.end(),
                                  [&](const PointEstimate& point) { return point.name == name; });
  return found == points.end() ? nullptr : &*found;
}

// With the time that a trial is allowed.
double within_limit(const Spec& spec, double seconds) {
  return spec.limits.trial_time ? std::min(seconds, seconds_of(spec.limits.trial_time)) : seconds;
}

// What a person may change, with the value that would be tried.
struct Change {
  std::string name;
  Json value;
};

class SearchEstimator {
 public:
  explicit SearchEstimator(const SearchEstimateRequest& request)
      : request_(request), spec_(request.spec), pool_(spec_.limits.parallel, spec_.resources) {
    const Json* task = row_named(request.trainer.description.at("tasks"), spec_.trainer->at("task"));
    TUNE_CHECK(task != nullptr);
    hyperparameters_ = recipe_of(*task, *spec_.trainer)->at("hyperparameters");
  }

  std::optional<SearchEstimate> estimate() {
    share_ = wait_for_share(pool_, {request_.signals, request_.notice, "a trial is estimated"});
    if (!share_) return std::nullopt;
    for (const SpacePoint& point : points_to_estimate(spec_, hyperparameters_)) {
      request_.notice("tune-train estimates a trial (" + point.name + ")");
      const std::optional<Json> answer = ask(point.parameters);
      if (!answer) return std::nullopt;
      result_.points.push_back({point.name, point.parameters, *answer});
    }
    for (std::size_t i = 0; i < result_.points.size(); ++i) {
      if (result_.points[i].memory() > result_.points[result_.largest].memory()) result_.largest = i;
      if (result_.points[i].name == kMiddle) result_.middle = i;
    }
    fill_devices();
    if (!result_.fits && !fill_advice()) return std::nullopt;
    fill_search();
    fill_storage();
    return std::move(result_);
  }

 private:
  std::optional<Json> ask(const ParameterSet& parameters) {
    const ProbeRequest probe{request_.trainer, spec_,          request_.folder, /*seed=*/0,
                             request_.signals, request_.notice};
    ProbeRun run = run_on_share(probe, *share_, parameters, "estimate");
    // Of the same data it says the same each time.
    run.on_line = [this](const std::string& line) {
      if (said_.insert(line).second) request_.notice(line);
    };
    return estimate_trainer(request_.trainer, spec_, run, request_.seconds);
  }

  bool on_cpu() const { return share_->devices.empty(); }
  const PointEstimate& largest() const { return result_.points[result_.largest]; }

  void fill_devices() {
    const std::uint64_t memory = largest().memory();
    if (on_cpu()) {
      const std::uint64_t free = available_memory_bytes().value_or(0);
      const auto processes = static_cast<std::uint64_t>(share_->processes);  // each takes as much
      result_.devices.push_back({"CPU", free / processes, trials_that_fit(free, processes * memory)});
    }
    for (const Gpu& gpu : request_.machine.gpus)
      if (!on_cpu())
        result_.devices.push_back(
            {gpu.uuid + " " + gpu.name, gpu.memory_total, trials_that_fit(gpu.memory_total, memory)});
    result_.fits = std::any_of(result_.devices.begin(), result_.devices.end(),
                               [](const DeviceFit& device) { return device.trials > 0; });
  }

  std::uint64_t limit() const {
    std::uint64_t most = 0;
    for (const DeviceFit& device : result_.devices) most = std::max(most, device.memory);
    return most;
  }

  // Batches by what each example takes; all else is asked of the trainer. false: a signal came.
  bool fill_advice() {
    const PointEstimate& point = largest();
    const auto batch = point.answer.at("batch_size").get<std::int64_t>();
    const double each = point.answer.at("memory").at("bytes_per_example").get<double>(),
                 rest = static_cast<double>(point.memory()) - each * static_cast<double>(batch);
    if (each > 0 && batch > 1) {
      const double room = (static_cast<double>(limit()) - rest) / each;
      const auto smaller =
          static_cast<std::int64_t>(std::clamp(std::floor(room), 1.0, static_cast<double>(batch)));
      const auto times = (batch + smaller - 1) / smaller;
      const auto memory = static_cast<std::uint64_t>(rest + each * static_cast<double>(smaller));
      result_.advice.push_back({"batches of " + std::to_string(smaller) + " in place of " +
                                    std::to_string(batch) + ", of which " + std::to_string(times) +
                                    " make a step (accumulate)",
                                memory, memory <= limit(), false});
    }
    for (const Change& change : changes()) {
      ParameterSet parameters = point.parameters;
      parameters[change.name] = change.value;
      request_.notice("tune-train estimates a trial with " + change.name + " " + argument_text(change.value));
      std::optional<Json> answer;
      try {
        answer = ask(parameters);
      } catch (const Error& error) {
        // It may contradict the rest of the spec, or not fit either.
        request_.notice(change.name + " " + argument_text(change.value) + " is no advice: " + error.what());
        continue;
      }
      if (!answer) return false;
      const auto memory = answer->at("memory").at("total_bytes").get<std::uint64_t>();
      if (memory < point.memory())
        result_.advice.push_back(
            {change.name + " " + argument_text(change.value), memory, memory <= limit(), true});
    }
    std::stable_sort(result_.advice.begin(), result_.advice.end(),
                     [](const Advice& a, const Advice& b) { return a.fits > b.fits; });
    return true;
  }

  // Of hyperparameters that the recipe has.
  std::vector<Change> changes() const {
    std::vector<Change> changes;
    const auto value_of = [&](const std::string& name) -> Json {
      const ParameterSet& own = largest().parameters;
      if (const auto found = own.find(name); found != own.end()) return found->second;
      if (const auto found = spec_.fixed.find(name); found != spec_.fixed.end()) return Json(*found);
      const Json* row = row_named(hyperparameters_, name);
      return row == nullptr ? Json() : row->value("default", Json());
    };
    const auto add = [&](const char* name, const Json& value) {
      if (row_named(hyperparameters_, name) != nullptr && value_of(name) != value)
        changes.push_back({name, value});
    };
    add("gradient_checkpointing", true);
    add("use_lora", true);
    add("freeze", "features");
    add("bf16", true);
    for (const char* name : {"lora_config.r", "max_length", "image_size"})
      if (const Json value = value_of(name); value.is_number_integer() && value > 1)
        add(name, value.get<std::int64_t>() / 2);
    return changes;
  }

  // The most trials at once.
  int at_once() const {
    const int trials = spec_.limits.trials.value_or(1 << 20);
    int most = kDefaultParallelOnCpu;
    if (on_cpu())
      most = spec_.limits.parallel.value_or(
          std::min(kDefaultParallelOnCpu,
                   std::max(1, static_cast<int>(request_.machine.cores.size()) / share_->processes)));
    else {
      const int gpus =
          static_cast<int>(request_.machine.gpus.size()) / spec_.resources.gpus_per_trial.value_or(1);
      const int each = spec_.resources.packs_gpus ? std::max(1, result_.devices.front().trials)
                                                  : spec_.resources.trials_per_gpu;
      most = std::min(spec_.limits.parallel.value_or(gpus * each), gpus * each);
    }
    return std::clamp(most, 1, std::max(1, trials));
  }

  void fill_search() {
    result_.parallel = at_once();
    result_.trial_seconds = mean_seconds(result_.points);
    for (double* seconds :
         {&result_.trial_seconds.low, &result_.trial_seconds.expected, &result_.trial_seconds.high})
      *seconds = within_limit(spec_, *seconds);
    result_.trials = spec_.limits.trials;
    if (spec_.strategy.name == "grid")
      if (const std::size_t points = grid_space(spec_.space).cardinality(); points > 0)
        result_.trials = static_cast<int>(
            std::min<std::size_t>(points, static_cast<std::size_t>(result_.trials.value_or(1 << 20))));
    const double devices = on_cpu() ? 1 : spec_.resources.gpus_per_trial.value_or(1);
    std::optional<double> allowed;  // device seconds
    if (const auto budget = device_budget(spec_.limits, spec_.usd_per_hour)) allowed = budget->seconds;
    if (spec_.limits.time) {
      const double time = seconds_of(spec_.limits.time) * result_.parallel * devices;
      allowed = allowed ? std::min(*allowed, time) : time;
    }
    if (!result_.trials && !allowed) return;
    const int trials = result_.trials.value_or(std::max(
        1,
        static_cast<int>(std::ceil(*allowed / (devices * std::max(1e-9, result_.trial_seconds.expected))))));
    const auto evaluations =
        result_.points[result_.middle].answer.at("time").at("evaluations").get<std::int64_t>();
    result_.stopping = stopping_share(spec_, trials, result_.parallel, evaluations);
    Range seconds = search_seconds(trials);
    for (double* each : {&seconds.low, &seconds.expected, &seconds.high}) {
      *each *= devices;
      if (!allowed) continue;
      if (!result_.trials || *each > *allowed) {
        result_.is_cut = true;
        *each = *allowed;
      }
    }
    const double beside = std::min<double>(result_.parallel, trials) * devices;
    const double rounds =
        std::ceil(trials / static_cast<double>(result_.parallel)) * result_.parallel / trials;
    const auto wall = [&](double device_seconds) {
      // The last round may leave devices idle; a limit on time does not.
      return device_seconds / beside * (result_.is_cut ? 1 : rounds) / 3600;
    };
    result_.wall_hours = Range{wall(seconds.low), wall(seconds.expected), wall(seconds.high)};
    result_.device_hours = Range{seconds.low / 3600, seconds.expected / 3600, seconds.high / 3600};
    if (spec_.usd_per_hour)
      result_.usd = Range{*spec_.usd_per_hour * result_.device_hours->low,
                          *spec_.usd_per_hour * result_.device_hours->expected,
                          *spec_.usd_per_hour * result_.device_hours->high};
  }

  // Trials lie anywhere between the shortest and the longest: their mean is the surer the more there are.
  Range search_seconds(int trials) const {
    const Range& each = result_.trial_seconds;
    const PointEstimate& middle = result_.points[result_.middle];
    const double stops_itself =
        middle.seconds() > 0 ? std::min(1.0, middle.least_seconds() / middle.seconds()) : 1;
    constexpr double kNineInTen = 1.645;  // deviations of a normal distribution to each side
    const double spread =
        kNineInTen * (each.high - each.low) / std::sqrt(12.0 * trials);  // of a uniform distribution
    const StoppingShare& share = result_.stopping;
    return {trials * share.low * std::max(each.low, each.expected - spread) * stops_itself,
            trials * share.mean * each.expected * (1 + stops_itself) / 2,
            trials * share.high * std::min(each.high, each.expected + spread)};
  }

  void fill_storage() {
    const Json& storage = largest().answer.at("storage");
    const auto bytes = [&](const char* name) { return storage.at(name).get<std::uint64_t>(); };
    const auto trials = static_cast<std::uint64_t>(result_.trials.value_or(1));
    result_.base = bytes("base_bytes");
    result_.data = bytes("data_bytes");
    result_.checkpoints = trials * bytes("checkpoints") * bytes("checkpoint_bytes");
    result_.models = (trials + (spec_.promote_model ? 1 : 0)) * bytes("exported_bytes");
    result_.free_disk = free_disk_bytes(request_.store);
  }

  const SearchEstimateRequest& request_;
  const Spec& spec_;
  DevicePool pool_;
  Json hyperparameters_;
  std::optional<DeviceShare> share_;
  std::set<std::string> said_;
  SearchEstimate result_;
};

OrderedJson range_json(const std::optional<Range>& range) {
  if (!range) return nullptr;
  return {{"low", range->low}, {"expected", range->expected}, {"high", range->high}};
}

}  // namespace

std::vector<SpacePoint> points_to_estimate(const Spec& spec, const Json& hyperparameters) {
  const std::vector<Parameter>& parameters = spec.space.parameters();
  std::vector<std::size_t> weighing;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Json* row = row_named(hyperparameters, parameters[i].name);
    if (row != nullptr && row->value("weighs", false)) weighing.push_back(i);
  }
  const std::vector<double> middle = middle_coordinates(spec.space);
  std::vector<SpacePoint> points{{kMiddle, spec.space.from_unit(middle)}};
  std::set<std::string> known{Json(points.front().parameters).dump()};
  const auto add = [&](const std::string& name, const std::vector<double>& unit) {
    ParameterSet set = spec.space.from_unit(unit);
    if (points.size() < kMostPoints && known.insert(Json(set).dump()).second)
      points.push_back({name, std::move(set)});
  };
  for (const auto& [name, end] : {std::pair{kSmallest, 0.0}, std::pair{kLargest, 1.0}}) {
    std::vector<double> unit = middle;
    for (const std::size_t i : weighing) unit[i] = end;
    add(name, unit);
  }
  for (const std::size_t i : weighing) {
    if (parameters[i].type != ParameterType::kCategorical) continue;
    for (const Json& value : parameters[i].values) {
      std::vector<double> unit = middle;
      unit[i] = parameters[i].to_unit(value);
      add(parameters[i].name + " " + argument_text(value), unit);
    }
  }
  return points;
}

Range mean_seconds(const std::vector<PointEstimate>& points) {
  Range range{points.front().seconds(), 0, points.front().seconds()};
  for (const PointEstimate& point : points) {
    range.low = std::min(range.low, point.seconds());
    range.high = std::max(range.high, point.seconds());
  }
  const PointEstimate *middle = named(points, kMiddle), *smallest = named(points, kSmallest),
                      *largest = named(points, kLargest);
  TUNE_CHECK(middle != nullptr);
  const double low = smallest == nullptr ? middle->seconds() : smallest->seconds(),
               high = largest == nullptr ? middle->seconds() : largest->seconds();
  range.expected = (low + 4 * middle->seconds() + high) / 6;
  double others = 0;
  int count = 0;
  for (const PointEstimate& point : points) {
    if (point.name == kSmallest || point.name == kLargest) continue;
    others += point.seconds();
    ++count;
  }
  if (middle->seconds() > 0) range.expected *= others / count / middle->seconds();
  return range;
}

int trials_that_fit(std::uint64_t limit, std::uint64_t memory) {
  return memory == 0 ? 0 : static_cast<int>(std::min<std::uint64_t>(limit / memory, 1 << 20));
}

std::optional<SearchEstimate> estimate_search(const SearchEstimateRequest& request) {
  TUNE_CHECK(request.spec.trainer.has_value());
  return SearchEstimator(request).estimate();
}

OrderedJson to_json(const Spec& spec, const SearchEstimate& estimate) {
  OrderedJson points = OrderedJson::array(), devices = OrderedJson::array(), advice = OrderedJson::array();
  for (const PointEstimate& point : estimate.points)
    points.push_back({{"name", point.name}, {"parameters", point.parameters}, {"estimate", point.answer}});
  for (const DeviceFit& device : estimate.devices)
    devices.push_back(
        {{"name", device.name}, {"memory_bytes", device.memory}, {"trials_at_once", device.trials}});
  for (const Advice& each : estimate.advice)
    advice.push_back({{"change", each.change},
                      {"memory_bytes", each.memory ? OrderedJson(*each.memory) : OrderedJson()},
                      {"fits", each.fits},
                      {"is_measured", each.is_measured}});
  return {{"schema", 1},
          {"study", spec.study},
          {"points", points},
          {"largest", estimate.points[estimate.largest].name},
          {"memory_bytes", estimate.points[estimate.largest].memory()},
          {"fits", estimate.fits},
          {"devices", devices},
          {"advice", advice},
          {"trials", estimate.trials ? OrderedJson(*estimate.trials) : OrderedJson()},
          {"parallel", estimate.parallel},
          {"trial_seconds", range_json(estimate.trial_seconds)},
          {"share_after_stopping",
           range_json(Range{estimate.stopping.low, estimate.stopping.mean, estimate.stopping.high})},
          {"device_hours", range_json(estimate.device_hours)},
          {"wall_hours", range_json(estimate.wall_hours)},
          {"usd", range_json(estimate.usd)},
          {"is_cut_by_limits", estimate.is_cut},
          {"storage",
           {{"base_bytes", estimate.base},
            {"data_bytes", estimate.data},
            {"checkpoints_bytes", estimate.checkpoints},
            {"models_bytes", estimate.models},
            {"total_bytes", estimate.storage()},
            {"free_bytes", estimate.free_disk}}}};
}

}  // namespace tune::engine
