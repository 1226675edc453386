#include "trainer/loop/checkpoint_state.h"

namespace tune::trainer::loop {
namespace {

Json numbers_to_json(const std::vector<double>& numbers) {
  Json json = Json::array();
  for (const double number : numbers) json.push_back(number_to_json(number));
  return json;
}

std::vector<double> numbers_from_json(const Json& json) {
  std::vector<double> numbers;
  for (const Json& number : json) numbers.push_back(number_from_json(number));
  return numbers;
}

Json optional_report(const std::optional<EpochReport>& report) {
  return report ? report_to_json(*report) : Json();
}

std::optional<EpochReport> optional_report(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(report_from_json(json));
}

}  // namespace

Json report_to_json(const EpochReport& report) {
  Json metrics = Json::object();
  for (const auto& [name, value] : report.metrics) metrics[name] = number_to_json(value);
  return {{"epoch", report.epoch}, {"losses", numbers_to_json(report.losses)}, {"metrics", metrics}};
}

EpochReport report_from_json(const Json& json) {
  EpochReport report;
  report.epoch = json.at("epoch").get<std::int64_t>();
  report.losses = numbers_from_json(json.at("losses"));
  for (const auto& [name, value] : json.at("metrics").items()) report.metrics[name] = number_from_json(value);
  return report;
}

Json state_to_json(const Checkpoint& checkpoint) {
  const Progress& progress = checkpoint.progress;
  return {{"schema", 1},
          {"epoch", progress.epoch},
          {"batch", progress.batch},
          {"loss_sums", numbers_to_json(progress.loss_sums)},
          {"last", optional_report(progress.last)},
          {"best", optional_report(progress.best)},
          {"best_checkpoint", progress.best_checkpoint},
          {"fingerprint", checkpoint.fingerprint},
          {"precision", checkpoint.precision}};
}

Checkpoint state_from_json(const Json& json) {
  Checkpoint checkpoint;
  Progress& progress = checkpoint.progress;
  progress.epoch = json.at("epoch").get<std::int64_t>();
  progress.batch = json.at("batch").get<std::int64_t>();
  progress.loss_sums = numbers_from_json(json.at("loss_sums"));
  progress.last = optional_report(json.at("last"));
  progress.best = optional_report(json.at("best"));
  progress.best_checkpoint = json.at("best_checkpoint").get<std::vector<std::int64_t>>();
  checkpoint.fingerprint = json.at("fingerprint").get<std::string>();
  checkpoint.precision = json.at("precision").get<std::string>();
  return checkpoint;
}

}  // namespace tune::trainer::loop
