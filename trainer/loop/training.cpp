#include "trainer/loop/training.h"

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
