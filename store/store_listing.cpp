#include "store/store_listing.h"

#include <algorithm>
#include <system_error>

#include "tuner/core/store_layout.h"

namespace tune::store {
namespace fs = std::filesystem;

std::vector<std::string> study_names(const fs::path& store) {
  std::vector<std::string> names;
  std::error_code failed;
  for (fs::directory_iterator entry(store, failed), end; !failed && entry != end; entry.increment(failed)) {
    const std::string name = entry->path().filename().string();
    std::error_code ignored;
    if (!is_folder_of_store(name) && fs::exists(study_database(entry->path()), ignored))
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::optional<std::string> comparison_of(const fs::path& store, const std::string& study) {
  // Names may have dots of their own.
  for (std::size_t end = study.rfind('.'); end != std::string::npos && end > 0;
       end = study.rfind('.', end - 1)) {
    std::string name = study.substr(0, end);
    std::error_code ignored;
    if (fs::exists(comparison_database(comparison_folder(store, name)), ignored)) return name;
  }
  return std::nullopt;
}

}  // namespace tune::store
