#pragma once
// STORE/endpoints/NAME/log: what an endpoint's supervisor and its workers say.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "tuner/core/clock.h"
#include "tuner/os/descriptor.h"

namespace tune::endpoint {

// Appends to the log, and begins another one where it has grown large: the one before is kept beside it as
// log.1. Owned by the supervisor, on its thread. A disk that takes nothing loses lines and ends nothing.
class EndpointLog {
 public:
  // Throws Error(kEnvironment) where the file cannot be made.
  explicit EndpointLog(std::filesystem::path file, std::uint64_t most_bytes = 8'000'000);
  // A line of the supervisor's own, with the time in front.
  void say(WallTime time, std::string_view sentence);
  // What a worker printed, as it is.
  void add(std::string_view bytes);
  int descriptor() const { return file_.get(); }

 private:
  void write(std::string_view bytes);
  void begin_another();

  std::filesystem::path path_;
  std::uint64_t most_bytes_, bytes_ = 0;
  Descriptor file_;
  bool is_at_line_start_ = true;
};

}  // namespace tune::endpoint
