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

Json optional_report(const std::optional<Report>& report) {
  return report ? report_to_json(*report) : Json();
}

std::optional<Report> optional_report(const Json& json) {
  return json.is_null() ? std::nullopt : std::optional(report_from_json(json));
}

Json losses_to_json(const LossSums& losses) {
  return {{"sums", numbers_to_json(losses.sums)}, {"weight", losses.weight}};
}

LossSums losses_from_json(const Json& json) {
  return {numbers_from_json(json.at("sums")), json.at("weight").get<double>()};
}

}  // namespace

Json report_to_json(const Report& report) {
  Json metrics = Json::object();
  for (const auto& [name, value] : report.metrics) metrics[name] = number_to_json(value);
  return {{"epoch", report.epoch},
          {"step", report.step},
          {"losses", numbers_to_json(report.losses)},
          {"metrics", metrics}};
}

Report report_from_json(const Json& json) {
  Report report;
  report.epoch = json.at("epoch").get<std::int64_t>();
  report.step = json.at("step").get<std::int64_t>();
  report.losses = numbers_from_json(json.at("losses"));
  for (const auto& [name, value] : json.at("metrics").items()) report.metrics[name] = number_from_json(value);
  return report;
}

Json state_to_json(const Checkpoint& checkpoint) {
  const Progress& progress = checkpoint.progress;
  return {{"epoch", progress.epoch},
          {"batch", progress.batch},
          {"step", progress.step},
          {"reported", losses_to_json(progress.reported)},
          {"logged", losses_to_json(progress.logged)},
          {"last", optional_report(progress.last)},
          {"best", optional_report(progress.best)},
          {"without_gain", progress.without_gain},
          {"to_surpass", progress.to_surpass ? number_to_json(*progress.to_surpass) : Json()},
          {"best_checkpoint", progress.best_checkpoint},
          {"fingerprint", checkpoint.fingerprint},
          {"precision", checkpoint.precision},
          {"base", {{"from", checkpoint.base.from}, {"sha256", checkpoint.base.sha256}}}};
}

Checkpoint state_from_json(const Json& json) {
  Checkpoint checkpoint;
  Progress& progress = checkpoint.progress;
  progress.epoch = json.at("epoch").get<std::int64_t>();
  progress.batch = json.at("batch").get<std::int64_t>();
  progress.step = json.at("step").get<std::int64_t>();
  progress.reported = losses_from_json(json.at("reported"));
  progress.logged = losses_from_json(json.at("logged"));
  progress.last = optional_report(json.at("last"));
  progress.best = optional_report(json.at("best"));
  progress.without_gain = json.at("without_gain").get<std::int64_t>();
  if (!json.at("to_surpass").is_null()) progress.to_surpass = number_from_json(json.at("to_surpass"));
  progress.best_checkpoint = json.at("best_checkpoint").get<std::vector<std::int64_t>>();
  checkpoint.fingerprint = json.at("fingerprint").get<std::string>();
  checkpoint.precision = json.at("precision").get<std::string>();
  checkpoint.base = {json.at("base").at("from").get<std::string>(),
                     json.at("base").at("sha256").get<std::string>()};
  return checkpoint;
}

}  // namespace tune::trainer::loop
