#pragma once
// exit.json: how an attempt ended, written by its supervisor and read by the engine.
#include <cstdint>
#include <optional>
#include <string>

#include "tuner/core/json.h"

namespace tune {

struct ExitRecord {
  std::string token = {};
  std::optional<int> exit_code = {}, signal = {};  // of the trainer: one of them
  std::string stop_text = {};                      // the reason of the stop that was sent, or empty
  // The supervisor's own: "command not found: ...", "metrics.jsonl is over 64 MB"; or empty.
  std::string failure = {};
  // The system's reason (errno) why the trainer could not be started, which says nothing about it.
  std::optional<int> start_error = {};
  bool out_of_memory = false;  // the kernel has killed a process for want of memory meanwhile
  double wall_seconds = 0, cpu_seconds = 0;
  std::uint64_t max_rss_bytes = 0, cut_lines = 0, metrics = 0;
};

OrderedJson exit_json(const ExitRecord& record);
// Throws Json::exception for what no supervisor has written.
ExitRecord exit_record(const Json& json);

}  // namespace tune
