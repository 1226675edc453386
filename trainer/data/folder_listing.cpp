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

// `within` are the folders that `folder` lies in, without links.
void add_files_below(const fs::path& folder, std::vector<fs::path>& within, std::vector<fs::path>& files) {
  std::error_code error;
  const fs::path real = fs::canonical(folder, error);
  if (error) refuse_folder(folder, error.message());
  if (std::find(within.begin(), within.end(), real) != within.end())
    throw Error(ExitCode::kBadData,
                folder.string() + " leads back to " + real.string() + ", which it lies in",
                "Remove that link: its images would be there again and again.");
  within.push_back(real);
  for (const fs::path& entry : entries_of(folder)) {
    std::error_code ignored;
    if (fs::is_directory(entry, ignored))
      add_files_below(entry, within, files);
    else
      files.push_back(entry);
  }
  within.pop_back();
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

fs::file_status status_of_data(const fs::path& data) {
  std::error_code error;
  const fs::file_status status = fs::status(data, error);
  if (status.type() == fs::file_type::not_found)
    throw Error(ExitCode::kBadData, "the data set " + data.string() + " does not exist",
                "Relative paths start in the working folder, " + fs::current_path().string() + ".");
  if (error)
    throw Error(ExitCode::kBadData, "the data set " + data.string() + " cannot be read: " + error.message(),
                "Name a folder or file that this user may read.");
  return status;
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
  std::vector<fs::path> files, within;
  add_files_below(folder, within, files);
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
