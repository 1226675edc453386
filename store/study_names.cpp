#include "store/study_names.h"

#include <algorithm>

namespace tune::store {
namespace fs = std::filesystem;

std::vector<std::string> study_names(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (name != "models" && name != "comparisons" && fs::exists(entry->path() / "study.db", ignored))
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace tune::store
