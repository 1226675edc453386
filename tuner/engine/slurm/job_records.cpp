#include "tuner/engine/slurm/job_records.h"

#include <algorithm>
#include <sstream>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/unreadable_file.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostBytes = 64 << 10;  // of a file that holds one record

std::optional<Json> read_record(const fs::path& file, const std::string& token) {
  JsonFile json = read_json_file(file, kMostBytes);
  if (!json.is_there || !json.value.is_object()) return std::nullopt;
  if (!token.empty() && json.value.value("token", "") != token) return std::nullopt;
  return std::move(json.value);
}

WallTime time_from(const Json& json, const char* name) {
  return WallTime(Milliseconds(json.value(name, std::int64_t{0})));
}

}  // namespace

void write_submit(const fs::path& attempt, const SubmitRecord& record) {
  Json json = {{"schema", 1},
               {"token", record.token},
               {"batch", record.batch},
               {"index", record.index},
               {"time_ms", record.time.time_since_epoch().count()}};
  if (!record.job.empty()) json["job"] = record.job;
  write_file_atomically(attempt / kSubmitFile, json.dump() + "\n");
}

std::optional<SubmitRecord> read_submit(const fs::path& attempt) try {
  const auto json = read_record(attempt / kSubmitFile, {});
  if (!json) return std::nullopt;
  return SubmitRecord{json->value("token", ""), json->value("batch", ""), json->value("index", 0),
                      json->value("job", ""), time_from(*json, "time_ms")};
} catch (const Json::exception&) {  // a value of another kind: it is none of tune's
  return std::nullopt;
}

std::optional<AliveRecord> read_alive(const fs::path& attempt, const std::string& token) try {
  const auto json = read_record(attempt / kAliveFile, token);
  if (!json) return std::nullopt;
  AliveRecord alive;
  alive.token = token;
  alive.job = json->value("job", "");
  alive.node = json->value("node", "");
  alive.host = json->value("host", "");
  alive.gpus = json->value("gpus", "");
  alive.nodes = std::max(1, json->value("nodes", 1));
  alive.began = time_from(*json, "began_ms");
  alive.written = time_from(*json, "time_ms");
  alive.beat = json->value("beat", 0);
  return alive;
} catch (const Json::exception&) {
  return std::nullopt;
}

std::vector<std::string> devices_of(const AliveRecord& alive, int gpus_per_node) {
  std::vector<std::string> indices;
  std::istringstream parts(alive.gpus);
  for (std::string part; std::getline(parts, part, ',');) indices.push_back(part);
  // A cluster that does not say which ones still gave them.
  for (int i = static_cast<int>(indices.size()); i < gpus_per_node; ++i)
    indices.push_back("?" + alive.job + "." + std::to_string(i));
  std::vector<std::string> devices;
  for (int node = 0; node < alive.nodes; ++node)
    for (const std::string& index : indices)
      devices.push_back(alive.node + (node == 0 ? "" : "+" + std::to_string(node)) + ":gpu" + index);
  return devices;
}

void write_stop(const fs::path& attempt, const std::string& token, const StopRecord& stop) {
  const Json json = {
      {"schema", 1}, {"token", token}, {"grace_ms", stop.grace.count()}, {"reason", to_string(stop.reason)}};
  write_file_atomically(attempt / kStopFile, json.dump() + "\n");
}

std::optional<StopRecord> read_stop(const fs::path& attempt, const std::string& token) try {
  const auto json = read_record(attempt / kStopFile, token);
  if (!json) return std::nullopt;
  return StopRecord{Milliseconds(json->at("grace_ms").get<std::int64_t>()),
                    stop_reason_from_string(json->at("reason").get<std::string>())};
} catch (const Json::exception&) {
  return std::nullopt;
} catch (const std::invalid_argument&) {  // no reason of this version's
  return std::nullopt;
}

void write_fence(const fs::path& attempt) { write_file_atomically(attempt / kFenceFile, ""); }

bool has_file(const fs::path& attempt, const char* name) {
  std::error_code error;
  const fs::file_status status = fs::symlink_status(attempt / name, error);
  if (!fs::status_known(status))
    throw UnreadableFile("cannot look for \"" + (attempt / name).string() + "\": " + error.message());
  return fs::exists(status);
}

}  // namespace tune::engine
