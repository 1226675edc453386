#pragma once
// Event files as TensorBoard reads them: one record an event, each a length, bytes of a protocol buffer, and
// the masked CRC-32C of both (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto).
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/clock.h"
#include "tuner/core/history.h"
#include "tuner/core/space.h"
#include "tuner/os/descriptor.h"

namespace tune::exporting {

// CRC-32C (Castagnoli, RFC 3720 appendix B.4).
std::uint32_t crc32c(std::string_view bytes);

// How a trial has ended, to the plug-in HParams (tensorboard/plugins/hparams/api.proto).
enum class SessionEnd { kSuccess = 1, kFailure = 2 };

// A run's file, to which is only added: each record is whole in one write, so whoever reads it meanwhile sees
// whole records. Owned by who follows a trial, used on one thread.
class TensorBoardFile {
 public:
  // FOLDER/events.out.tfevents.SECONDS.NAME, whose first record says what kind of file it is; the folder is
  // made. Throws Error(kEnvironment).
  TensorBoardFile(const std::filesystem::path& folder, const std::string& name, WallTime now);

  void add_scalar(const std::string& tag, const MetricPoint& point, WallTime now);
  // Of the plug-in HParams: what all runs of the folder above have in common ...
  void add_experiment(const SearchSpace& space, const std::vector<std::string>& metric_tags, WallTime now);
  // ... and how one began and ended.
  void add_session_start(const std::string& group, const ParameterSet& parameters, WallTime now);
  void add_session_end(SessionEnd end, WallTime now);

 private:
  void add_summary(const std::string& summary, std::int64_t step, WallTime now);
  void add_record(const std::string& bytes);

  std::string path_;
  Descriptor file_;
};

}  // namespace tune::exporting
