#include "trainer/loop/schedule.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include "tuner/core/error.h"

namespace tune::trainer::loop {

double Schedule::rate(double epoch) const {
  const double warm = warmup_epochs > 0 ? std::min(1.0, epoch / warmup_epochs) : 1.0;
  double decay = 1;
  if (kind == ScheduleKind::kStep)
    for (const double step : step_epochs) decay *= epoch >= step ? factor : 1.0;
  if (kind == ScheduleKind::kCosine)
    decay = 0.5 * (1 + std::cos(std::numbers::pi * std::clamp(epoch / epochs, 0.0, 1.0)));
  return base * warm * decay;
}

std::vector<double> parse_step_epochs(const std::string& text) {
  std::vector<double> epochs;
  std::size_t begin = 0;
  while (!text.empty() && begin <= text.size()) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    std::string item = text.substr(begin, end - begin);
    std::erase(item, ' ');
    double epoch = 0;
    const auto [rest, error] = std::from_chars(item.data(), item.data() + item.size(), epoch);
    if (error != std::errc() || rest != item.data() + item.size() || !(epoch > 0) ||
        (!epochs.empty() && epoch <= epochs.back()))
      throw Error(ExitCode::kBadSpec, "hyperparameter \"lr_scheduler_step\" is \"" + text + "\"",
                  "ascending epochs with commas between them, as in \"33,67\"");
    epochs.push_back(epoch);
    begin = end + 1;
  }
  return epochs;
}

}  // namespace tune::trainer::loop
