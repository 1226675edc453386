#include "tuner/import/path_map.h"

#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::amt {

void PathMap::add(const std::string& entry) {
  const std::size_t equals = entry.find('=');
  const std::string prefix = entry.substr(0, equals);
  if (equals == std::string::npos || equals + 1 == entry.size() || !prefix.starts_with("s3://") ||
      prefix.size() < 6)
    throw Error(ExitCode::kUsage, "--map takes a place in S3 and one here, not " + in_quotes(entry),
                "as in --map s3://bucket/data=data/steel");
  namespace fs = std::filesystem;
  std::string folder = entry.substr(equals + 1);
  if (!spec_folder_.empty() && fs::path(folder).is_relative())
    folder = fs::absolute(folder)
                 .lexically_normal()
                 .lexically_relative(fs::absolute(spec_folder_).lexically_normal())
                 .string();
  entries_.push_back({entry, prefix.ends_with('/') ? prefix.substr(0, prefix.size() - 1) : prefix, folder});
}

std::optional<std::string> PathMap::local(const std::string& uri) const {
  const Entry* best = nullptr;
  for (const Entry& entry : entries_) {
    const bool matches = uri.starts_with(entry.prefix) &&
                         (uri.size() == entry.prefix.size() || uri[entry.prefix.size()] == '/');
    if (matches && (best == nullptr || entry.prefix.size() > best->prefix.size())) best = &entry;
  }
  if (best == nullptr) return std::nullopt;
  best->is_used = true;
  std::string rest = uri.substr(best->prefix.size());
  while (rest.ends_with('/')) rest.pop_back();
  const std::string folder = best->folder.ends_with('/') && !rest.empty()
                                 ? best->folder.substr(0, best->folder.size() - 1)
                                 : best->folder;
  return folder + rest;
}

std::vector<std::string> PathMap::unused() const {
  std::vector<std::string> texts;
  for (const Entry& entry : entries_)
    if (!entry.is_used) texts.push_back(entry.text);
  return texts;
}

}  // namespace tune::amt
