#include "trainer/data/folder_listing.h"

#include <algorithm>

#include "trainer/data/text_file.h"
#include "trainer/images/image.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"

namespace tune::trainer::data {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void refuse_folder(const fs::path& folder, const std::string& reason) {
  throw Error(ExitCode::kBadData, "the folder " + folder.string() + " cannot be read: " + reason,
              "Allow this user to read it, or name another data set.");
}

bool is_hidden(const fs::path& file) { return file.filename().string().starts_with('.'); }

std::optional<fs::path> entry_named(const fs::path& parent, std::initializer_list<std::string_view> names,
                                    bool folder) {
  const std::vector<fs::path> entries = entries_of(parent);
  for (const std::string_view name : names)
    for (const fs::path& entry : entries) {
      std::error_code ignored;
      if (lower_case(entry.filename().string()) == name && fs::is_directory(entry, ignored) == folder)
        return entry;
    }
  return std::nullopt;
}

}  // namespace

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

std::vector<fs::path> entries_of(const fs::path& folder) {
  std::vector<fs::path> entries;
  try {
    for (const auto& entry : fs::directory_iterator(folder))
      if (!is_hidden(entry.path())) entries.push_back(entry.path());
  } catch (const fs::filesystem_error& error) {
    refuse_folder(folder, error.code().message());
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.filename().string() < b.filename().string(); });
  return entries;
}

std::vector<fs::path> files_in(const fs::path& folder) {
  std::vector<fs::path> files = entries_of(folder);
  std::erase_if(files, [](const fs::path& file) {
    std::error_code ignored;
    return fs::is_directory(file, ignored);
  });
  return files;
}

std::vector<fs::path> files_below(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::recursive_directory_iterator at(folder, fs::directory_options::follow_directory_symlink, error),
       end;
       !error && at != end; at.increment(error)) {
    std::error_code ignored;
    const bool is_folder = at->is_directory(ignored);
    constexpr int kDeepest = 16;  // a link may lead back up
    if (is_folder && (is_hidden(at->path()) || at.depth() >= kDeepest))
      at.disable_recursion_pending();
    else if (!is_folder && !is_hidden(at->path()))
      files.push_back(at->path());
  }
  if (error) refuse_folder(folder, error.message());
  std::sort(files.begin(), files.end(),
            [&](const auto& a, const auto& b) { return a.generic_string() < b.generic_string(); });
  return files;
}

std::vector<fs::path> pictures_of(const fs::path& folder) {
  const auto no_picture = [](const fs::path& file) {
    return has_extension(file, {".xml", ".txt", ".json"}) || !images::is_picture(file);
  };
  std::vector<fs::path> files = files_in(folder);
  std::erase_if(files, no_picture);
  if (!files.empty()) return files;
  files = files_below(folder);
  std::erase_if(files, no_picture);
  return files;
}

bool has_extension(const fs::path& file, std::initializer_list<std::string_view> extensions) {
  const std::string extension = lower_case(file.extension().string());
  return std::find(extensions.begin(), extensions.end(), extension) != extensions.end();
}

std::optional<fs::path> folder_named(const fs::path& parent, std::initializer_list<std::string_view> names) {
  return entry_named(parent, names, true);
}

std::optional<fs::path> file_named(const fs::path& parent, std::initializer_list<std::string_view> names) {
  return entry_named(parent, names, false);
}

}  // namespace tune::trainer::data
