#include "trainer/data/cache_lock.h"

#include <fcntl.h>
#include <sys/file.h>

#include <chrono>
#include <ostream>
#include <thread>

namespace tune::trainer::data {

CacheLock::CacheLock(const std::filesystem::path& file, std::ostream* notes, const std::string& told,
                     const std::function<bool()>& interrupted)
    : lock_(open_retrying(file, O_RDWR | O_CREAT, 0600)) {
  constexpr std::chrono::milliseconds kLook{100};
  if (!is_there()) return;
  bool is_told = false;
  while (flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) return;
    if (!is_told && notes) *notes << told << std::endl;
    is_told = true;
    if (interrupted && interrupted()) return;
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace tune::trainer::data
