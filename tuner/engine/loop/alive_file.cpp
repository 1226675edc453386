#include "tuner/engine/loop/alive_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <charconv>
#include <cstdio>

namespace tune::engine {
namespace {

constexpr int kDigits = 15;                  // milliseconds since 1970, up to the year 33658
constexpr Milliseconds kLongestGap{60'000};  // the study is saved every few seconds, unless its disk hangs

}  // namespace

AliveFile::AliveFile(const std::filesystem::path& study_folder)
    : file_(open_retrying(study_folder / "alive", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, 0600)) {
  std::array<char, kDigits> text{};
  const ssize_t got = file_.get() < 0 ? -1 : ::pread(file_.get(), text.data(), text.size(), 0);
  std::int64_t milliseconds = 0;
  if (got == kDigits && std::from_chars(text.data(), text.data() + kDigits, milliseconds).ec == std::errc())
    found_ = WallTime(Milliseconds(milliseconds));
}

void AliveFile::write(WallTime now) {
  if (file_.get() < 0) return;
  std::array<char, kDigits + 1> text{};
  std::snprintf(text.data(), text.size(), "%0*lld", kDigits,
                static_cast<long long>(now.time_since_epoch().count()));
  static_cast<void>(::pwrite(file_.get(), text.data(), kDigits, 0) == 0);
}

WallTime AliveFile::last_time(WallTime recorded) const {
  return found_ > recorded && found_ - recorded <= kLongestGap ? found_ : recorded;
}

}  // namespace tune::engine
