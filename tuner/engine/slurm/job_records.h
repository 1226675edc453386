#pragma once
// The files by which the runner of an attempt that is a job and its supervisor tell each other, in the
// attempt's folder.
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/stop_reason.h"

namespace tune::engine {

// submit.json: where an attempt was submitted. Written before sbatch is asked, and again with the job.
struct SubmitRecord {
  std::string token, batch;
  int index = 0;
  std::string job;  // empty: not known
  WallTime time{};  // when it was submitted
};
void write_submit(const std::filesystem::path& attempt, const SubmitRecord& record);
// Throws UnreadableFile, as read_alive().
std::optional<SubmitRecord> read_submit(const std::filesystem::path& attempt);

// alive.json: what the supervisor says of itself.
struct AliveRecord {
  std::string token, job, node, host, gpus;
  int nodes = 1;
  WallTime began{}, written{};  // by the node's clock
  int beat = 0;
};
std::optional<AliveRecord> read_alive(const std::filesystem::path& attempt, const std::string& token);
// "n1:gpu0": a device for each GPU on each node.
std::vector<std::string> devices_of(const AliveRecord& alive, int gpus_per_node);

// stop.json: the runner wants it to end.
struct StopRecord {
  Milliseconds grace{0};
  StopReason reason = StopReason::kPerson;
};
void write_stop(const std::filesystem::path& attempt, const std::string& token, const StopRecord& stop);
std::optional<StopRecord> read_stop(const std::filesystem::path& attempt, const std::string& token);

void write_fence(const std::filesystem::path& attempt);
// Throws UnreadableFile where nobody can say so: a file server that does not answer says nothing.
bool has_file(const std::filesystem::path& attempt, const char* name);

}  // namespace tune::engine
