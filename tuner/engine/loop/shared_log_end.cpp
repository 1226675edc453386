#include "tuner/engine/loop/shared_log_end.h"

#include <algorithm>

#include "tuner/core/line_splitter.h"
#include "tuner/engine/attempt/attempt_log.h"
#include "tuner/engine/loop/poison_guard.h"

namespace tune::engine {
namespace {

constexpr std::size_t kWindow = 8192, kMostLines = 10, kMostLogs = 20;

std::vector<std::string> last_lines(const std::filesystem::path& folder) {
  std::vector<std::string> lines;
  const auto keep = [&](std::string_view line) {
    const std::size_t end = line.find_last_not_of(" \t");
    if (end != std::string_view::npos) lines.emplace_back(line.substr(0, end + 1));
  };
  LineSplitter splitter;
  splitter.feed(log_end(folder, kWindow), keep);
  splitter.finish(keep);
  if (lines.size() > kMostLines)
    lines.erase(lines.begin(), lines.end() - static_cast<std::ptrdiff_t>(kMostLines));
  return lines;
}

}  // namespace

std::vector<std::string> shared_log_end(const std::vector<std::filesystem::path>& attempt_folders) {
  if (attempt_folders.empty()) return {};
  const std::vector<std::string> last = last_lines(attempt_folders.back());
  std::size_t shared = last.size();
  const std::size_t first = attempt_folders.size() > kMostLogs ? attempt_folders.size() - kMostLogs : 0;
  for (std::size_t i = first; i + 1 < attempt_folders.size(); ++i) {
    const std::vector<std::string> other = last_lines(attempt_folders[i]);
    std::size_t same = 0;
    while (same < std::min(shared, other.size()) &&
           masked(other[other.size() - 1 - same]) == masked(last[last.size() - 1 - same]))
      ++same;
    shared = same;
  }
  return {last.end() - static_cast<std::ptrdiff_t>(shared), last.end()};
}

}  // namespace tune::engine
