#include "tuner/supervisor/exit_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "tuner/core/attempt_layout.h"
#include "tuner/os/regular_file.h"

namespace tune::supervisor {
namespace {

// One block. Texts are cut so that the record fits even when every byte of them is escaped.
constexpr off_t kReserved = 4096;
constexpr std::size_t kTextLimit = 400;

std::string text_of(ExitRecord record) {
  record.stop_text.resize(std::min(record.stop_text.size(), kTextLimit / 2));
  record.failure.resize(std::min(record.failure.size(), kTextLimit));
  return exit_json(record).dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + "\n";
}

}  // namespace

ExitFile::ExitFile(const std::filesystem::path& folder)
    : part_(folder / (std::string(kExitFile) + ".part")), final_(folder / kExitFile) {
  reserve();
}

bool ExitFile::reserve() {
  if (file_.get() < 0) {
    const int opened = open_regular_file_anew(part_);
    if (opened < 0) errno = -opened;
    file_ = Descriptor(std::max(opened, -1));
  }
  // Without the room the attempt goes on: there may be some at the end.
  return file_.get() >= 0 && ::posix_fallocate(file_.get(), 0, kReserved) == 0;
}

int ExitFile::write(const ExitRecord& record) {
  const std::string text = text_of(record);
  if (file_.get() < 0 && !reserve() && file_.get() < 0) return errno;
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t written =
        ::pwrite(file_.get(), text.data() + done, text.size() - done, static_cast<off_t>(done));
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    done += static_cast<std::size_t>(written);
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(text.size())) != 0) return errno;
  return ::rename(part_.c_str(), final_.c_str()) == 0 ? 0 : errno;
}

}  // namespace tune::supervisor
