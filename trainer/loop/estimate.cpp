#include "trainer/loop/estimate.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

#include "trainer/loop/batch_loader.h"
#include "trainer/loop/checkpoint.h"
#include "trainer/loop/memory.h"
#include "trainer/loop/passes.h"
#include "trainer/loop/plan_length.h"
#include "trainer/loop/sized.h"
#include "trainer/loop/trained_part.h"
#include "trainer/loop/weight_average.h"
#include "tuner/core/error.h"
#include "tuner/os/scratch_folder.h"

namespace tune::trainer::loop {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::int64_t kFewestExamples = 2;  // examples in a batch: one has no variance
constexpr double kLongTime = 10;  // times EstimateRequest::seconds: what one thing may take that is measured
constexpr std::size_t kMostTimed = 20;        // batches
constexpr std::int64_t kCheckpointsKept = 3;  // the newest two and the best one (CheckpointStore::save)
constexpr int kRounds = 3;                    // steps until gaps between blocks hardly grow any more
constexpr std::size_t kMostBetween = 3;       // batches
// Of what a step holds, a part of so many is added for gaps that evaluations in between leave, where those
// were not measured.
constexpr std::int64_t kLaterGaps = 10;
constexpr std::int64_t kGaps = 20;  // a part of so many is kept by a GPU's allocator: blocks are rounded up
constexpr std::int64_t kTimedBytes = 256ll << 20;  // of a checkpoint that is written for its time

double since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

std::int64_t bytes_of(const weights::TensorMap& tensors) {
  std::int64_t bytes = 0;
  for (const auto& [name, tensor] : tensors) bytes += static_cast<std::int64_t>(tensor.nbytes());
  return bytes;
}

// Tensors that share memory, as a tied output layer does, count once.
std::int64_t bytes_of_model(const torch::nn::Module& module) {
  std::map<const void*, std::int64_t> by_memory;
  for (const auto& [name, tensor] : weights::state_dict(module))
    by_memory[tensor.data_ptr()] = static_cast<std::int64_t>(tensor.nbytes());
  std::int64_t bytes = 0;
  for (const auto& [memory, size] : by_memory) bytes += size;
  return bytes;
}

std::int64_t most_of(const GrowthAt& growth) {
  return growth.bytes.empty() ? 0 : *std::max_element(growth.bytes.begin(), growth.bytes.end());
}

// A step of one batch, pass by pass.
struct CountedStep {
  std::int64_t examples = 0;
  GrowthAt forward, backward, update;  // bytes above what was held before
  std::int64_t before = 0;             // what the process had, or held on the device
  std::int64_t beyond = 0;             // by how much more than its tensors it grew
  double forward_seconds = 0, seconds = 0;

  std::int64_t growth() const { return std::max({most_of(forward), most_of(backward), most_of(update)}); }
};

// What a step of more examples than were counted comes to.
struct CarriedOn {
  std::int64_t growth = 0;  // of tensors
  std::int64_t beyond = 0;
  bool in_forward = false;  // the most is held before the backward pass begins
};

CarriedOn carry_on(const CountedStep& smaller, const CountedStep& larger, std::int64_t examples) {
  CarriedOn result;
  const std::int64_t forward = carried_on(smaller.forward, larger.forward, examples),
                     backward = carried_on(smaller.backward, larger.backward, examples),
                     update = carried_on(smaller.update, larger.update, examples);
  result.growth = std::max({forward, backward, update});
  result.in_forward = forward > backward && forward > update;
  // Blocks that are freed and taken again leave gaps, in proportion to what there is of them.
  result.beyond = larger.beyond;
  if (larger.examples < examples) result.beyond += result.growth / kLaterGaps;
  if (smaller.examples < larger.examples && larger.beyond > smaller.beyond)
    result.beyond += (larger.beyond - smaller.beyond) * (examples - larger.examples) /
                     (larger.examples - smaller.examples);
  return result;
}

// Holds what a training loop holds, and looks at it.
class Measurement {
 public:
  Measurement(Training& training, const EstimateRequest& request)
      : training_(training),
        request_(request),
        compute_(request.compute),
        begin_(SteadyClock::now()),
        resident_(begin_peak_memory(compute_.device)),
        trained_(training.model()),
        optimizer_(training.model(), training.plan().optimizer, training.parameter_groups(),
                   compute_.accelerated ? Gradients::kStay : Gradients::kDropped),
        average_(training.model(), training.plan().averaging),
        batches_(training.epoch_batches(/*epoch=*/1, request.seed)),
        sized_(dynamic_cast<const Sized*>(&training)),
        sizes_(sized_ != nullptr ? sized_->sizes() : Sizes()),
        units_(sizes_.units_per_epoch > 0 ? sizes_.units_per_epoch : training.training_examples()) {
    start_seconds_ = request.start_seconds + since(begin_);
  }

  TrainingEstimate estimate() {
    TrainingEstimate result;
    describe(result);
    const std::int64_t batch = part_of(std::min<std::int64_t>(training_.plan().batch_size, result.examples));
    enter_training();
    const CountedStep first = count(std::min(batch, kFewestExamples));
    // Before all others, where it is known to fit: steps of other sizes leave gaps that a training has not.
    std::optional<CountedStep> whole;
    if (is_worth_measuring(first, growth_of_example(first) * batch, batch)) whole = count_whole(batch);
    const auto [smaller, larger] = count_steps(first, batch);
    const CarriedOn carried = carry_on(smaller, larger, batch);
    if (!whole &&
        (larger.examples == batch || is_worth_measuring(larger, carried.growth + carried.beyond, batch)))
      whole = count_whole(batch);
    result.batch_size = batch;
    fill_memory(result, smaller, larger, carried, whole);
    fill_time(result, whole ? *whole : larger);
    fill_exporting(result);
    return result;
  }

 private:
  // The largest part of a batch that a process of the trial has.
  std::int64_t part_of(std::int64_t batch) const {
    const std::int64_t processes = compute_.team->size();
    return (batch + processes - 1) / processes;
  }
  std::int64_t count_batches() const { return static_cast<std::int64_t>(batches_.size()); }

  void describe(TrainingEstimate& result) const {
    result.examples = training_.training_examples();
    result.units_per_epoch = units_;
    result.weight_bytes = bytes_of_model(training_.model());
    for (const torch::Tensor& parameter : training_.model().parameters()) {
      result.parameters += parameter.numel();
      if (!parameter.requires_grad()) continue;
      result.trained_parameters += parameter.numel();
      result.gradient_bytes += static_cast<std::int64_t>(parameter.nbytes());
    }
    if (sizes_.parameters > 0) result.parameters = sizes_.parameters;
    result.optimizer_bytes = bytes_of(optimizer_.state(/*within_a_step=*/false));
  }

  // As late in the training as can be, when the most is trained.
  void enter_training() {
    training_.enter_step(std::max(0.0, length_of(training_.plan(), count_batches()).epochs - 1e-6));
  }

  // Some steps of so many of the largest examples: the last is the one that is counted, since buffers that
  // are made once are there by then, and the gaps between blocks that the first steps leave.
  CountedStep count(std::int64_t examples) {
    CountedStep step;
    const std::vector<std::int64_t> largest = largest_examples(examples);
    step.examples = static_cast<std::int64_t>(largest.size());
    step.before = begin_peak_memory(compute_.device);
    for (int round = 0; round < kRounds; ++round) run(step, largest);
    return with_rest(step);
  }

  // The same of the whole batch, and between two such steps what there is between them in a training: an
  // evaluation, and batches that are smaller. Their blocks have other sizes, and leave other gaps.
  CountedStep count_whole(std::int64_t batch) {
    CountedStep step = count(batch);
    evaluate([asked = 0]() mutable { return ++asked > 1; });
    enter_training();
    for (std::size_t i = 0; i < std::min(batches_.size(), kMostBetween); ++i) {
      std::vector<std::int64_t> some = batches_[i];
      some.resize(std::min(some.size(), static_cast<std::size_t>(batch)));
      run(step, some);
    }
    run(step, largest_examples(batch));
    return with_rest(step);
  }

  CountedStep with_rest(CountedStep step) const {
    wait_for(compute_.device);
    step.beyond = std::max<std::int64_t>(0, peak_memory_bytes(compute_.device) - step.before - step.growth());
    // What the allocator of a GPU keeps is no tensor.
    if (!compute_.device.is_cpu()) step.beyond += step.growth() / kGaps;
    return step;
  }

  std::vector<std::int64_t> largest_examples(std::int64_t count) const {
    if (sized_ != nullptr) return sized_->largest_examples(count);
    std::vector<std::int64_t> examples(
        static_cast<std::size_t>(std::min(count, training_.training_examples())));
    std::iota(examples.begin(), examples.end(), 0);
    return examples;
  }

  void run(CountedStep& step, const std::vector<std::int64_t>& examples) {
    const std::int64_t base = request_.tensors.held();
    Batch batch;
    LossTerms terms;
    const auto forward = [&] {
      batch = training_.prepare(examples, /*epoch=*/1);
      for (auto& [name, tensor] : batch.tensors) tensor = tensor.to(compute_.device);
      const compat::Autocast precision(compute_.device.type(), compute_.precision == Precision::kBf16,
                                       torch::kBFloat16);
      terms = training_.losses(batch.tensors);
    };
    const auto backward = [&] { torch::stack(terms).sum().backward(); };
    if (gradients_are_there()) {
      forward();
      backward();
    }
    const auto counted = [&](const std::function<void()>& work) {
      return GrowthAt{step.examples, request_.tensors.series(base, work)};
    };
    const auto begin = SteadyClock::now();
    step.forward = counted(forward);
    wait_for(compute_.device);
    step.forward_seconds = since(begin);
    step.backward = counted(backward);
    step.update = counted([&] { optimizer_.step(kTinyRate); });
    wait_for(compute_.device);
    step.seconds = since(begin);
  }

  // While a batch's forward pass runs: on a GPU they stay in their places, and those of earlier batches of a
  // step wait for the others.
  bool gradients_are_there() const {
    return !compute_.accelerated && training_.plan().accumulate > 1 && count_batches() > 1;
  }

  // Of two sizes, or the same step twice where one is the batch itself.
  std::pair<CountedStep, CountedStep> count_steps(const CountedStep& first, std::int64_t batch) {
    std::int64_t fits = batch;
    if (const auto free = free_memory_bytes(compute_.device)) fits = *free / 2 / growth_of_example(first);
    counted_ = counted_batches(batch, fits);
    CountedStep smaller = count(counted_.front());
    if (counted_.size() == 1) return {smaller, smaller};
    return {std::move(smaller), count(counted_.back())};
  }

  // No less than each more adds, as what does not grow with the batch is part of it.
  static std::int64_t growth_of_example(const CountedStep& first) {
    return std::max<std::int64_t>(1, first.growth() / first.examples);
  }

  // Whether a step of the whole batch, which grows by so many bytes, fits this machine and is soon done.
  bool is_worth_measuring(const CountedStep& smaller, std::int64_t growth, std::int64_t batch) const {
    const double seconds = (kRounds + 2 + kMostBetween) * smaller.seconds * static_cast<double>(batch) /
                           static_cast<double>(smaller.examples);
    const auto free = free_memory_bytes(compute_.device);
    constexpr double kMostOfFree = 0.8;
    return seconds <= kLongTime * request_.seconds && !request_.interrupted() && free &&
           static_cast<double>(growth) < kMostOfFree * static_cast<double>(*free);
  }

  void fill_memory(TrainingEstimate& result, const CountedStep& smaller, const CountedStep& larger,
                   const CarriedOn& carried, const std::optional<CountedStep>& whole) {
    MemoryEstimate& memory = result.memory;
    memory.counted_at = counted_;
    const std::int64_t context = device_context_bytes(compute_.device), before = larger.before;
    last_before_ = before;
    // What gradients are added up in over the processes.
    const std::int64_t sums = compute_.team->size() > 1 ? result.gradient_bytes : 0;
    memory.carried_on = context + before + sums + carried.growth + carried.beyond;
    if (whole) memory.measured = context + whole->before + sums + whole->growth() + whole->beyond;
    memory.training = with_margin(memory.measured.value_or(memory.carried_on));
    memory.starting = request_.starting_bytes;
    const std::int64_t batch = result.batch_size;
    memory.bytes_per_example = (carried.growth + carried.beyond) / std::max<std::int64_t>(1, batch);
    if (larger.examples < batch)
      memory.bytes_per_example =
          (carried.growth + carried.beyond - larger.growth() - larger.beyond) / (batch - larger.examples);
    else if (smaller.examples < larger.examples)
      memory.bytes_per_example = (larger.growth() - smaller.growth()) / (larger.examples - smaller.examples);

    MemoryParts& parts = memory.parts;
    parts.weights = result.weight_bytes * (average_.is_kept() ? 2 : 1);
    parts.optimizer = result.optimizer_bytes;
    const bool stay = compute_.accelerated;
    if (stay || gradients_are_there() || !carried.in_forward)
      parts.gradients = std::min(result.gradient_bytes, stay ? result.gradient_bytes : carried.growth);
    const std::int64_t in_growth = stay ? 0 : parts.gradients;
    parts.gradients += sums;
    parts.logits = std::min(sizes_.logits_bytes, carried.growth);
    parts.cache = sizes_.cache_bytes;
    parts.activations = std::max<std::int64_t>(0, carried.growth - in_growth - parts.logits);
    if (compute_.device.is_cpu()) {
      parts.data = std::max<std::int64_t>(0, resident_ - request_.program_bytes - result.weight_bytes);
      parts.program = before - parts.data - parts.weights - parts.optimizer;
    } else {
      parts.program = context;
      parts.data = std::max<std::int64_t>(
          0, before - parts.weights - parts.optimizer - (stay ? parts.gradients - sums : 0));
    }
  }

  // The heap of a process goes on growing over the steps of a training, by gaps between blocks of many sizes:
  // the peaks of twelve trainings (./dev bench estimates) lay between 8 % below and 14 % above what a few
  // steps took.
  std::int64_t with_margin(std::int64_t bytes) const {
    constexpr std::int64_t kMargin = 25;
    return compute_.device.is_cpu() ? bytes + bytes / kMargin : bytes;
  }

  // Mean times of batches that lie all over the epoch, by the task's units in them: batches of long examples
  // take longer.
  void fill_time(TrainingEstimate& result, const CountedStep& counted) {
    TimeEstimate& time = result.time;
    const Plan& plan = training_.plan();
    const PlanLength length = length_of(plan, count_batches()),
                     least = least_length_of(plan, count_batches());
    time.batches = count_batches();
    time.steps = length.steps;
    time.epochs = length.epochs;
    time.evaluations = length.evaluations;
    time.start_seconds = start_seconds_;
    double examples_in_epoch = 0;
    for (const auto& batch : batches_) examples_in_epoch += static_cast<double>(batch.size());
    // Each process trains on its part of them; what the processes tell each other is not measured.
    time.epoch_seconds = seconds_of_example(counted) * examples_in_epoch / compute_.team->size();
    fill_validation(result, counted);
    fill_checkpoint(result);
    time.end_seconds = (sizes_.exports_with_evaluation ? time.validation_seconds : 0) +
                       (result.storage.checkpoint_bytes > 0
                            ? time.checkpoint_seconds * static_cast<double>(result.storage.exported_bytes) /
                                  static_cast<double>(result.storage.checkpoint_bytes)
                            : 0);
    const auto total = [&](const PlanLength& some) {
      return time.start_seconds + some.epochs * time.epoch_seconds +
             static_cast<double>(some.evaluations) * (time.validation_seconds + time.checkpoint_seconds) +
             time.end_seconds;
    };
    time.seconds = total(length);
    time.least_seconds = total(least);
  }

  double seconds_of_example(const CountedStep& counted) {
    const double by_count = counted.seconds / static_cast<double>(counted.examples);
    const double one = by_count * static_cast<double>(part_of(training_.plan().batch_size));
    if (one > kLongTime * request_.seconds || batches_.empty()) return by_count;
    if (batches_.size() <= kMostTimed) return timed(batches_);
    // From all parts of the epoch, in an order that is spread over it wherever it ends.
    std::vector<std::vector<std::int64_t>> chosen;
    constexpr std::size_t kStride = 7;  // shares no factor with kMostTimed
    for (std::size_t i = 0; i < kMostTimed; ++i)
      chosen.push_back(batches_[i * kStride % kMostTimed * batches_.size() / kMostTimed]);
    return timed(chosen);
  }

  // Seconds of an example of the epoch.
  double timed(const std::vector<std::vector<std::int64_t>>& batches) {
    std::ostream quiet(nullptr);
    Passes passes(training_, compute_, device_graph(compute_.device), quiet);
    BatchLoader loader(training_, batches, /*epoch=*/1, /*first_batch=*/0, compute_);
    const std::int64_t warm =
        compute_.accelerated
            ? std::min<std::int64_t>(kWarmUps + 1, static_cast<std::int64_t>(batches.size()) - 1)
            : 0;
    const std::int64_t accumulate = training_.plan().accumulate;
    double units = 0;
    SteadyClock::time_point begin = SteadyClock::now();
    for (std::size_t i = 0; i < batches.size(); ++i) {
      if (static_cast<std::int64_t>(i) == warm) {
        wait_for(compute_.device);
        begin = SteadyClock::now();
        units = 0;
      }
      const Batch batch = loader.next();
      if (batch.weight > 0) passes.run(batch, /*divisor=*/1);
      if (static_cast<std::int64_t>(i + 1) % accumulate == 0) optimizer_.step(kTinyRate);
      units += static_cast<double>(batch.units);
      if (static_cast<std::int64_t>(i) > warm && (since(begin) > request_.seconds || request_.interrupted()))
        break;
    }
    wait_for(compute_.device);
    const double seconds = since(begin);
    optimizer_.step(kTinyRate);
    const double all = static_cast<double>(std::max<std::int64_t>(1, training_.training_examples()));
    const double units_of_example = static_cast<double>(std::max<std::int64_t>(1, units_)) / all;
    return seconds / units * units_of_example;
  }

  // As the loop does.
  Metrics evaluate(const std::function<bool()>& interrupted) {
    training_.model().eval();
    const torch::NoGradGuard no_grad;
    const compat::Autocast precision(compute_.device.type(), compute_.precision == Precision::kBf16,
                                     torch::kBFloat16);
    Metrics metrics = training_.evaluate(interrupted);
    wait_for(compute_.device);
    return metrics;
  }

  void fill_validation(TrainingEstimate& result, const CountedStep& counted) {
    TimeEstimate& time = result.time;
    MemoryEstimate& memory = result.memory;
    const std::int64_t before = begin_peak_memory(compute_.device);
    const auto begin = SteadyClock::now();
    int asked = 0;
    const Metrics metrics = evaluate([&] {
      // At least one batch, for what it holds.
      return ++asked > 1 && (request_.interrupted() || since(begin) > kLongTime * request_.seconds);
    });
    const std::int64_t peak = peak_memory_bytes(compute_.device);
    memory.evaluating = device_context_bytes(compute_.device) + peak;
    evaluation_growth_ = std::max<std::int64_t>(0, peak - before);
    time.validation_seconds = since(begin) / compute_.team->size();
    time.measures_validation = !metrics.empty() || training_.recipe().metric_names.empty();
    if (time.measures_validation || sizes_.validation_examples == 0) return;
    const double forward = counted.seconds > 0 ? counted.forward_seconds / counted.seconds : 1;
    time.validation_seconds =
        std::max(time.validation_seconds,
                 time.epoch_seconds * forward * static_cast<double>(sizes_.validation_examples) /
                     static_cast<double>(std::max<std::int64_t>(1, result.examples)));
  }

  void fill_checkpoint(TrainingEstimate& result) {
    Checkpoint checkpoint;
    checkpoint.model = trained_.now();
    checkpoint.optimizer = optimizer_.state(/*within_a_step=*/false);
    average_.add_to(checkpoint.model, checkpoint.optimizer);
    trained_bytes_ = bytes_of(checkpoint.model);
    result.storage.checkpoint_bytes = trained_bytes_ + bytes_of(checkpoint.optimizer);
    result.storage.checkpoints =
        std::min(kCheckpointsKept, std::max<std::int64_t>(1, result.time.evaluations));
    result.storage.exported_bytes = sizes_.export_bytes > 0 ? sizes_.export_bytes : result.weight_bytes;
    // A part of a large one says how long all of it takes.
    std::int64_t bytes = 0;
    for (weights::TensorMap* part : {&checkpoint.model, &checkpoint.optimizer})
      std::erase_if(*part, [&](const auto& entry) {
        const auto own = static_cast<std::int64_t>(entry.second.nbytes());
        if (bytes > 0 && bytes + own > kTimedBytes) return true;
        bytes += own;
        return false;
      });
    checkpoint.generators.cpu = at::detail::getDefaultCPUGenerator().get_state();
    const ScratchFolder folder("tune-estimate");
    CheckpointStore store(folder.path());
    const auto begin = SteadyClock::now();
    store.save(checkpoint);
    result.time.checkpoint_seconds =
        since(begin) * std::max(1.0, static_cast<double>(result.storage.checkpoint_bytes) /
                                         static_cast<double>(std::max<std::int64_t>(1, bytes)));
  }

  void fill_exporting(TrainingEstimate& result) {
    MemoryEstimate& memory = result.memory;
    const std::int64_t context = device_context_bytes(compute_.device);
    // The best checkpoint is read into the memory of the process.
    const std::int64_t read = compute_.device.is_cpu() ? trained_bytes_ + sizes_.export_memory_bytes : 0;
    memory.exporting = with_margin(context + last_before_ + read +
                                   (sizes_.exports_with_evaluation ? evaluation_growth_ : 0));
    MemoryParts& parts = memory.parts;
    parts.total = std::max({memory.starting, memory.training, memory.evaluating, memory.exporting});
    parts.unused = parts.total - parts.program - parts.data - parts.weights - parts.gradients -
                   parts.optimizer - parts.activations - parts.logits - parts.cache;
    if (parts.unused >= 0) return;
    parts.activations = std::max<std::int64_t>(0, parts.activations + parts.unused);
    parts.unused = 0;
  }

  static constexpr double kTinyRate = 1e-6;  // only time and memory matter

  Training& training_;
  const EstimateRequest& request_;
  const Compute compute_;
  const SteadyClock::time_point begin_;
  const std::int64_t resident_;
  TrainedPart trained_;
  Optimizer optimizer_;
  WeightAverage average_;
  const std::vector<std::vector<std::int64_t>> batches_;
  const Sized* const sized_;  // nullptr: of examples of one size
  const Sizes sizes_;
  const std::int64_t units_;  // of an epoch
  double start_seconds_ = 0;
  std::vector<std::int64_t> counted_;
  std::int64_t trained_bytes_ = 0, evaluation_growth_ = 0, last_before_ = 0;
};

}  // namespace

std::vector<std::int64_t> counted_batches(std::int64_t batch_size, std::int64_t fits) {
  const std::int64_t least = std::min(batch_size, kFewestExamples);
  if (batch_size <= kFewestExamples + 1 && fits >= batch_size) return {batch_size};
  const std::int64_t larger = std::clamp(std::min(batch_size / 2, fits), least + 1,
                                         std::max(batch_size, least + 1)),
                     smaller = std::max(least, larger / 2);
  return {smaller, larger};
}

TrainingEstimate estimate(Training& training, const EstimateRequest& request) {
  TrainingEstimate result;
  on_own_stream(request.compute.device, [&] { result = Measurement(training, request).estimate(); });
  return result;
}

}  // namespace tune::trainer::loop
