#include "tuner/endpoint/supervisor/endpoint_log.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/closed_file.h"
#include "tuner/os/regular_file.h"

namespace tune::endpoint {

EndpointLog::EndpointLog(std::filesystem::path file, std::uint64_t most_bytes)
    : path_(std::move(file)), most_bytes_(most_bytes) {
  const int opened = open_regular_file_to_append(path_);
  if (opened < 0) throw closed_file(path_, "cannot write " + path_.string() + ": " + std::strerror(-opened));
  file_ = Descriptor(opened);
  struct stat status {};
  if (::fstat(file_.get(), &status) == 0) bytes_ = static_cast<std::uint64_t>(status.st_size);
}

void EndpointLog::say(WallTime time, std::string_view sentence) {
  if (!is_at_line_start_) write("\n");
  write(format_time(time) + " " + one_line(sentence) + "\n");
}

void EndpointLog::add(std::string_view bytes) { write(bytes); }

void EndpointLog::write(std::string_view bytes) {
  if (bytes.empty()) return;
  if (bytes_ > most_bytes_) begin_another();
  is_at_line_start_ = bytes.back() == '\n';
  bytes_ += bytes.size();
  while (!bytes.empty()) {
    const ssize_t written = ::write(file_.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

void EndpointLog::begin_another() {
  std::filesystem::path before = path_;
  before += ".1";
  if (::rename(path_.c_str(), before.c_str()) != 0) return;
  const int opened = open_regular_file_to_append(path_);
  if (opened < 0) return;  // the open one goes on to be written, under its other name
  file_ = Descriptor(opened);
  bytes_ = 0;
}

}  // namespace tune::endpoint
