#include "tuner/spec/spec_file.h"

#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/regular_file.h"

namespace tune {
namespace {

Error unreadable(const std::filesystem::path& path, const std::string& reason) {
  return {ExitCode::kEnvironment, "cannot read \"" + path.string() + "\": " + reason};
}

}  // namespace

std::string read_spec_file(const std::filesystem::path& path) {
  constexpr std::size_t kMostBytes = 64'000'000;
  std::error_code ignored;
  if (!std::filesystem::is_fifo(path, ignored)) return read_file(path);
  const Descriptor pipe = open_pipe(path);
  std::string content;
  std::array<char, 64 * 1024> block;
  while (pipe.get() >= 0) {
    const ssize_t got = ::read(pipe.get(), block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) break;
    if (got == 0) return content;
    content.append(block.data(), static_cast<std::size_t>(got));
    if (content.size() > kMostBytes)
      throw unreadable(path, "it holds more than " + std::to_string(kMostBytes) + " bytes");
  }
  throw unreadable(path, std::strerror(errno));
}

}  // namespace tune
