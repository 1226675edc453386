#pragma once
// What lies in the folders of a data set. Names that begin with a point (macOS, editors) are nobody's data.
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <string_view>
#include <vector>

namespace tune::trainer::data {

// Also behind a link; false for what cannot be looked at.
bool is_folder(const std::filesystem::path& path);
bool is_there(const std::filesystem::path& path);

// Of a data set that a person named. Throws Error(kBadData) where it is not there or cannot be looked at.
std::filesystem::file_status status_of_data(const std::filesystem::path& data);

// What lies directly in `folder`, sorted by name. Throws Error(kBadData) when it cannot be read.
std::vector<std::filesystem::path> entries_of(const std::filesystem::path& folder);
// The files (all but folders) of that, or of the folders below too, sorted by path.
std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder);
std::vector<std::filesystem::path> files_below(const std::filesystem::path& folder);

// Pictures lie directly in the folder, or, where none does, in the folders below it.
std::vector<std::filesystem::path> pictures_of(const std::filesystem::path& folder);

// ".xml" for a.XML.
bool has_extension(const std::filesystem::path& file, std::initializer_list<std::string_view> extensions);

// The folder or file of the first of these names, which are lower case, that `parent` holds in any case.
std::optional<std::filesystem::path> folder_named(const std::filesystem::path& parent,
                                                  std::initializer_list<std::string_view> names);
std::optional<std::filesystem::path> file_named(const std::filesystem::path& parent,
                                                std::initializer_list<std::string_view> names);

}  // namespace tune::trainer::data
