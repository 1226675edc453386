#include "trainer/loop/training.h"

#include <algorithm>
#include <numeric>

#include "trainer/loop/batch_loader.h"
#include "tuner/core/json.h"

namespace tune::trainer::loop {

std::vector<ParameterGroup> Training::parameter_groups() {
  return groups_by_dimension(model(), plan().optimizer.weight_decay);
}

bool Training::enter_step(double /*epoch*/) {
  model().train();
  return false;
}

std::vector<std::vector<std::int64_t>> Training::epoch_batches(std::int64_t epoch, std::uint64_t seed) const {
  return cut_into_batches(epoch_order(seed, epoch, training_examples()), plan().batch_size);
}

std::vector<std::int64_t> Training::largest_examples(std::int64_t count) const {
  std::vector<std::int64_t> examples(static_cast<std::size_t>(std::min(count, training_examples())));
  std::iota(examples.begin(), examples.end(), 0);
  return examples;
}

Sizes Training::sizes() const {
  Sizes sizes;
  sizes.units_per_epoch = training_examples();
  return sizes;
}

std::vector<std::int64_t> longest_first(const std::vector<std::int64_t>& lengths, std::int64_t count) {
  std::vector<std::int64_t> order(lengths.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    return lengths[static_cast<std::size_t>(a)] > lengths[static_cast<std::size_t>(b)];
  });
  order.resize(std::min(order.size(), static_cast<std::size_t>(count)));
  return order;
}

std::string line_head(const Report& report, bool by_steps) {
  return "[Epoch " + std::to_string(report.epoch) +
         (by_steps ? ", step " + std::to_string(report.step) : "") + "] ";
}

std::vector<std::string> Training::metric_lines(const Report& report) const {
  std::string line = line_head(report, plan().evaluation_steps > 0);
  for (const auto& [name, value] : report.metrics) line += name + "=" + fixed_point(value) + " ";
  line.pop_back();
  return {line};
}

std::vector<std::string> Training::loss_lines(const Report& report) const {
  const std::vector<std::string>& names = recipe().loss_names;
  std::vector<std::string> lines;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const OrderedJson metric{
        {"name", "step:" + names[i]}, {"value", report.losses[i]}, {"step", report.step}};
    lines.push_back("TUNE_METRIC " + metric.dump());
  }
  return lines;
}

}  // namespace tune::trainer::loop
