#include "tuner/export/tensorboard_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <protozero/pbf_writer.hpp>

#include "tuner/core/error.h"

namespace tune::exporting {
namespace {

namespace fs = std::filesystem;
using protozero::pbf_writer;

// Numbers of fields, by message.
namespace event {  // tensorflow/core/util/event.proto
constexpr protozero::pbf_tag_type kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5;
}
namespace summary {  // tensorflow/core/framework/summary.proto
constexpr protozero::pbf_tag_type kValue = 1, kTag = 1, kSimpleValue = 2, kMetadata = 9, kPluginData = 1,
                                  kPluginName = 1, kPluginContent = 2;
}
namespace hparams {  // tensorboard/plugins/hparams/plugin_data.proto and api.proto
constexpr protozero::pbf_tag_type kExperiment = 2, kSessionStart = 3, kSessionEnd = 4;
constexpr protozero::pbf_tag_type kTimeCreated = 3, kHyperparameter = 4, kMetric = 5;
constexpr protozero::pbf_tag_type kInfoName = 1, kInfoType = 4, kDiscrete = 5, kInterval = 6, kDiffers = 7,
                                  kMin = 1, kMax = 2;
constexpr protozero::pbf_tag_type kMetricName = 1, kMetricTag = 2;
constexpr protozero::pbf_tag_type kValues = 1, kGroup = 4, kStartTime = 5, kKey = 1, kValue = 2;
constexpr protozero::pbf_tag_type kStatus = 1, kEndTime = 2;
constexpr std::int32_t kString = 1, kBool = 2, kFloat = 3;
}  // namespace hparams
namespace value {  // google/protobuf/struct.proto: Value, ListValue
constexpr protozero::pbf_tag_type kNull = 1, kNumber = 2, kText = 3, kBool = 4, kListed = 1;
}

constexpr const char* kPlugin = "hparams";

constexpr std::array<std::uint32_t, 256> crc_table() {
  constexpr std::uint32_t kReversed = 0x82F63B78;  // of 0x1EDC6F41
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kReversed : 0U);
    table[i] = crc;
  }
  return table;
}

// So that the CRC of bytes that hold CRCs is one, too (tensorflow/core/lib/hash/crc32c.h).
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15U) | (crc << 17U)) + 0xa282ead8U;
}

template <typename Number>
void append_little_endian(Number number, std::string& bytes) {
  for (std::size_t i = 0; i < sizeof number; ++i)
    bytes.push_back(static_cast<char>((number >> (8 * i)) & 0xffU));
}

double seconds_of(WallTime time) { return std::chrono::duration<double>(time.time_since_epoch()).count(); }

// As google.protobuf.Value: what is no text, number or truth value is its JSON as a text.
std::string value_message(const Json& json) {
  std::string bytes;
  pbf_writer writer(bytes);
  if (json.is_boolean())
    writer.add_bool(value::kBool, json.get<bool>());
  else if (json.is_number())
    writer.add_double(value::kNumber, json.get<double>());
  else
    writer.add_string(value::kText, json.is_string() ? json.get<std::string>() : json.dump());
  return bytes;
}

bool has_only(const Parameter& parameter, bool (Json::*is)() const noexcept) {
  for (const Json& one : parameter.values)
    if (!(one.*is)()) return false;
  return true;
}

std::string hyperparameter_message(const Parameter& parameter) {
  std::string bytes;
  pbf_writer writer(bytes);
  writer.add_string(hparams::kInfoName, parameter.name);
  writer.add_bool(hparams::kDiffers, parameter.cardinality() != 1);  // those are listed first
  if (parameter.type != ParameterType::kCategorical) {
    writer.add_enum(hparams::kInfoType, hparams::kFloat);
    std::string interval;
    pbf_writer range(interval);
    range.add_double(hparams::kMin, parameter.min);
    range.add_double(hparams::kMax, parameter.max);
    writer.add_message(hparams::kInterval, interval);
    return bytes;
  }
  const bool are_numbers = has_only(parameter, &Json::is_number),
             are_flags = has_only(parameter, &Json::is_boolean);
  writer.add_enum(hparams::kInfoType, are_flags     ? hparams::kBool
                                      : are_numbers ? hparams::kFloat
                                                    : hparams::kString);
  std::string list;
  pbf_writer values(list);
  for (const Json& one : parameter.values)
    values.add_message(value::kListed,
                       value_message(are_flags || are_numbers || one.is_string() ? one : Json(one.dump())));
  writer.add_message(hparams::kDiscrete, list);
  return bytes;
}

// A summary's one value with data of the plug-in.
std::string plugin_summary(const std::string& tag, protozero::pbf_tag_type kind, const std::string& content) {
  std::string data, plugin, metadata, one, bytes;
  pbf_writer(data).add_message(kind, content);
  pbf_writer plugin_writer(plugin);
  plugin_writer.add_string(summary::kPluginName, kPlugin);
  plugin_writer.add_bytes(summary::kPluginContent, data);
  pbf_writer(metadata).add_message(summary::kPluginData, plugin);
  pbf_writer value_writer(one);
  value_writer.add_string(summary::kTag, tag);
  value_writer.add_message(summary::kMetadata, metadata);
  pbf_writer(bytes).add_message(summary::kValue, one);
  return bytes;
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  static constexpr std::array<std::uint32_t, 256> kTable = crc_table();
  std::uint32_t crc = 0xffffffffU;
  for (const char byte : bytes) crc = (crc >> 8U) ^ kTable[(crc ^ static_cast<unsigned char>(byte)) & 0xffU];
  return crc ^ 0xffffffffU;
}

TensorBoardFile::TensorBoardFile(const fs::path& folder, const std::string& name, WallTime now) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw Error(ExitCode::kEnvironment, "cannot make " + folder.string() + ": " + failed.message());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
  path_ = (folder / ("events.out.tfevents." + std::to_string(seconds) + "." + name)).string();
  file_ = Descriptor(open_retrying(path_, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK, 0644));
  if (file_.get() < 0)
    throw Error(ExitCode::kEnvironment, "cannot write " + path_ + ": " + std::strerror(errno));
  std::string bytes;
  pbf_writer writer(bytes);
  writer.add_double(event::kWallTime, seconds_of(now));
  writer.add_string(event::kFileVersion, "brain.Event:2");
  add_record(bytes);
}

void TensorBoardFile::add_record(const std::string& bytes) {
  std::string record;
  append_little_endian(static_cast<std::uint64_t>(bytes.size()), record);
  append_little_endian(masked_crc(record), record);
  record += bytes;
  append_little_endian(masked_crc(bytes), record);
  for (std::string_view left = record; !left.empty();) {
    const ssize_t written = ::write(file_.get(), left.data(), left.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0)
      throw Error(ExitCode::kEnvironment, "cannot write " + path_ + ": " + std::strerror(errno));
    left.remove_prefix(static_cast<std::size_t>(written));
  }
}

void TensorBoardFile::add_summary(const std::string& bytes_of_summary, std::int64_t step, WallTime now) {
  std::string bytes;
  pbf_writer writer(bytes);
  writer.add_double(event::kWallTime, seconds_of(now));
  writer.add_int64(event::kStep, step);
  writer.add_message(event::kSummary, bytes_of_summary);
  add_record(bytes);
}

void TensorBoardFile::add_scalar(const std::string& tag, const MetricPoint& point, WallTime now) {
  std::string one, bytes;
  pbf_writer writer(one);
  writer.add_string(summary::kTag, tag);
  writer.add_float(summary::kSimpleValue, static_cast<float>(point.value));
  pbf_writer(bytes).add_message(summary::kValue, one);
  add_summary(bytes, point.step, now);
}

void TensorBoardFile::add_experiment(const SearchSpace& space, const std::vector<std::string>& metric_tags,
                                     WallTime now) {
  std::string bytes;
  pbf_writer writer(bytes);
  writer.add_double(hparams::kTimeCreated, seconds_of(now));
  for (const Parameter& parameter : space.parameters())
    writer.add_message(hparams::kHyperparameter, hyperparameter_message(parameter));
  for (const std::string& tag : metric_tags) {
    std::string name, metric;
    pbf_writer(name).add_string(hparams::kMetricTag, tag);
    pbf_writer(metric).add_message(hparams::kMetricName, name);
    writer.add_message(hparams::kMetric, metric);
  }
  add_summary(plugin_summary("_hparams_/experiment", hparams::kExperiment, bytes), 0, now);
}

void TensorBoardFile::add_session_start(const std::string& group, const ParameterSet& parameters,
                                        WallTime now) {
  std::string bytes;
  pbf_writer writer(bytes);
  for (const auto& [name, value] : parameters) {
    std::string entry;
    pbf_writer pair(entry);
    pair.add_string(hparams::kKey, name);
    pair.add_message(hparams::kValue, value_message(value));
    writer.add_message(hparams::kValues, entry);
  }
  writer.add_string(hparams::kGroup, group);
  writer.add_double(hparams::kStartTime, seconds_of(now));
  add_summary(plugin_summary("_hparams_/session_start_info", hparams::kSessionStart, bytes), 0, now);
}

void TensorBoardFile::add_session_end(SessionEnd end, WallTime now) {
  std::string bytes;
  pbf_writer writer(bytes);
  writer.add_enum(hparams::kStatus, static_cast<std::int32_t>(end));
  writer.add_double(hparams::kEndTime, seconds_of(now));
  add_summary(plugin_summary("_hparams_/session_end_info", hparams::kSessionEnd, bytes), 0, now);
}

}  // namespace tune::exporting
