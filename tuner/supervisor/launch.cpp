#include "tuner/supervisor/launch.h"

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

namespace tune::supervisor {

Launch read_launch(const std::filesystem::path& file) try {
  const Json json = Json::parse(read_file(file));
  Launch launch;
  launch.folder = file.parent_path();
  launch.token = json.at("token").get<std::string>();
  launch.argv = json.at("argv").get<std::vector<std::string>>();
  if (launch.argv.empty()) throw Error(ExitCode::kEnvironment, "argv is empty");
  launch.working_directory = json.at("working_directory").get<std::string>();
  launch.environment = json.at("environment").get<std::map<std::string, std::string>>();
  for (const Json& metric : json.at("metrics")) {
    MetricDefinition definition{
        metric.at("name").get<std::string>(), metric.at("regex").get<std::string>(), {}};
    if (metric.contains("step")) definition.step = metric.at("step").get<std::string>();
    launch.metrics.push_back(std::move(definition));
  }
  launch.steps_done = json.at("steps_done").get<std::map<std::string, std::int64_t>>();
  if (json.contains("steps_counted"))
    launch.steps_counted = json.at("steps_counted").get<std::set<std::string>>();
  launch.grace = Milliseconds(json.at("grace_ms").get<std::int64_t>());
  if (json.contains("time_limit_ms"))
    launch.time_limit = Milliseconds(json.at("time_limit_ms").get<std::int64_t>());
  for (const auto& [name, silence] :
       {std::pair("no_output_ms", &launch.no_output), std::pair("no_metric_time_ms", &launch.no_metric_time)})
    if (json.contains(name)) *silence = Milliseconds(json.at(name).get<std::int64_t>());
  if (json.contains("quiet_after_ms"))
    launch.quiet_after = Milliseconds(json.at("quiet_after_ms").get<std::int64_t>());
  launch.cpus = json.at("cpus").get<std::vector<int>>();
  launch.control = json.at("control").get<int>();
  if (json.contains("job")) {
    const Json& job = json.at("job");
    launch.job.emplace().program_bytes = job.at("program_bytes").get<std::uint64_t>();
    launch.job->nodes = job.value("nodes", 1);
    if (job.contains("time_left_ms"))
      launch.job->time_left = Milliseconds(job.at("time_left_ms").get<std::int64_t>());
  }
  launch.leases = json.at("leases").get<std::vector<int>>();
  return launch;
} catch (const Json::exception& problem) {
  throw Error(ExitCode::kEnvironment, "cannot use \"" + file.string() + "\": " + problem.what());
}

}  // namespace tune::supervisor
