#pragma once
// The lines by which a supervisor steers an endpoint's worker: JSON on its standard input and output.
#include <functional>
#include <iosfwd>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include "trainer/serve/served_endpoint.h"

namespace tune::trainer::serve {

// Owned by the command, on whose thread lines are read; versions are loaded on another, and their lines may
// come in between.
//   -> {"load": {"model": FOLDER, "version": "4", "base": FOLDER, "adapters": {"NAME": FOLDER}}}
//   <- {"loaded": {"version": "4", "seconds": 1.2}} or {"failed": {"version": "4", "message": "..."}}
//   -> {"stats": true}
//   <- {"stats": {"requests": 12, "last_request": "2026-01-31T12:00:00.000Z", "failed": 0,
//      "running": 0}}
//   <- {"error": {"message": "..."}} for a line that is none of those
class Control {
 public:
  Control(ServedEndpoint& endpoint, std::ostream& out) : endpoint_(endpoint), out_(out) {}
  ~Control();  // waits for a load
  Control(const Control&) = delete;
  Control& operator=(const Control&) = delete;

  void tell_ready(int port, const std::string& version);
  void take_line(std::string_view line);
  // Reads lines from a descriptor until it ends, or `stops` says so, which is asked every fifth of a second.
  void read_lines(int descriptor, const std::function<bool()>& stops);

 private:
  void load(const VersionRequest& request);
  void tell(const OrderedJson& line);

  ServedEndpoint& endpoint_;
  std::ostream& out_;
  std::mutex mutex_;
  std::thread loading_;
};

}  // namespace tune::trainer::serve
