#include "trainer/tasks/detection/data/coco_places.h"

#include <algorithm>
#include <fstream>
#include <map>

#include "trainer/data/folder_listing.h"
#include "trainer/data/part_names.h"
#include "trainer/data/text_file.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

// Beginning of a JSON object with the lists of COCO, as far as its first kilobytes tell.
bool looks_like_coco(const fs::path& file) {
  std::error_code ignored;
  if (!data::has_extension(file, {".json"}) || !fs::is_regular_file(file, ignored)) return false;
  std::string begin(std::size_t{1} << 16, '\0');
  std::ifstream stream(file, std::ios::binary);
  stream.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<std::size_t>(stream.gcount()));
  const std::size_t first = begin.find_first_not_of(" \t\r\n\xef\xbb\xbf");
  if (first == begin.npos || begin[first] != '{') return false;
  const auto has = [&](const char* key) { return begin.find(key) != begin.npos; };
  return has("\"images\"") || (has("\"annotations\"") && (has("\"image_id\"") || has("\"categories\"")));
}

// The folder that was given, then nearest first: what the file's name says, then its own folder, then
// images/ there and beside it.
std::vector<fs::path> image_folders(const fs::path& file, const fs::path& given) {
  const fs::path folder = file.parent_path().empty() ? fs::path(".") : file.parent_path(),
                 above = folder / "..";
  std::string name = file.stem().string();
  if (name.starts_with("instances_")) name.erase(0, std::string("instances_").size());
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& candidate) {
    if (data::is_folder(candidate)) folders.push_back(candidate);
  };
  if (!given.empty()) add(given);
  for (const fs::path& place : {folder, above})
    for (const fs::path& candidate : {place / name, place / "images" / name}) add(candidate);
  add(folder);
  for (const fs::path& place : {folder, above})
    if (data::is_folder(place))
      if (const auto images = data::folder_named(place, {"images"})) add(*images);
  if (const auto images = data::folder_named(above, {"jpegimages"})) add(*images);
  // Whose names then begin with the folder, as in train2017/1.jpg.
  if (lower_case(fs::absolute(folder).lexically_normal().filename().string()).starts_with("annotation"))
    add(above);
  return folders;
}

[[noreturn]] void refuse_several(const std::vector<fs::path>& files, const fs::path& base) {
  std::string names;
  for (const fs::path& file : files) names += (names.empty() ? "" : ", ") + data::shown_path(file, base);
  throw Error(ExitCode::kBadData,
              base.string() +
                  " holds several COCO files, and their names do not say which are the parts for "
                  "training, validation and test: " +
                  names,
              "Name one of them, or call them train.json, val.json and test.json.");
}

}  // namespace

std::vector<fs::path> named_coco_files(const fs::path& folder) {
  for (const char* name : {"annotations.json", "_annotations.coco.json", "result.json"})
    if (const auto file = data::file_named(folder, {name});
        file && (file->filename() != "result.json" || looks_like_coco(*file)))
      return {*file};
  std::vector<fs::path> files;
  for (const fs::path& file : data::files_in(folder)) {
    const std::string name = lower_case(file.filename().string());
    if (data::has_extension(file, {".json"}) &&
        (name.starts_with("instances_") || name.ends_with(".coco.json")))
      files.push_back(file);
  }
  return files;
}

std::vector<fs::path> other_coco_files(const fs::path& folder) {
  std::vector<fs::path> files = data::files_in(folder);
  std::erase_if(files, [](const fs::path& file) { return !looks_like_coco(file); });
  return files;
}

std::vector<fs::path> coco_files_in(const fs::path& annotations) {
  std::vector<fs::path> files = data::files_in(annotations);
  std::erase_if(files, [](const fs::path& file) { return !looks_like_coco(file); });
  const bool instances = std::any_of(files.begin(), files.end(), [](const fs::path& file) {
    return file.filename().string().starts_with("instances_");
  });
  if (instances)
    std::erase_if(files, [](const fs::path& file) {
      for (const char* other : {"captions_", "person_keypoints_", "image_info_", "panoptic_", "stuff_"})
        if (file.filename().string().starts_with(other)) return true;
      return false;
    });
  return files;
}

Layout coco_layout(const std::vector<fs::path>& files, const fs::path& base, const fs::path& images) {
  Layout layout;
  layout.kind = Layout::Kind::kCoco;
  layout.words = "COCO:";
  std::map<std::string, fs::path> of_part;
  for (const fs::path& file : files) {
    const std::string part = files.size() == 1 ? "" : data::part_of_name(data::shown_path(file, base));
    layout.words += (layout.words.back() == ':' ? " " : ", ") + data::shown_path(file, base);
    layout.files.push_back({file, image_folders(file, images), part});
    if (files.size() > 1 && (part.empty() || !of_part.emplace(part, file).second))
      refuse_several(files, base);
  }
  for (const char* part : data::kPartNames)
    if (of_part.contains(part)) layout.parts.emplace_back(part);
  return layout;
}

}  // namespace tune::trainer::detection
