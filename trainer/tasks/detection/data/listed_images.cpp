#include "trainer/tasks/detection/data/listed_images.h"

#include <algorithm>
#include <map>

#include "trainer/data/folder_listing.h"
#include "trainer/data/part_names.h"
#include "trainer/data/text_file.h"
#include "trainer/tasks/detection/data/coco_places.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {
namespace {

namespace fs = std::filesystem;
using Kind = Layout::Kind;

fs::path common_folder(const std::vector<fs::path>& folders) {
  fs::path common = folders.front().lexically_normal();
  for (const fs::path& folder : folders) {
    const fs::path other = folder.lexically_normal();
    const auto [a, b] = std::mismatch(common.begin(), common.end(), other.begin(), other.end());
    fs::path shared;
    for (auto at = common.begin(); at != a; ++at) shared /= *at;
    common = shared;
  }
  return common;
}

// The folder or list that an entry of data.yaml means; empty where none exists. Roboflow's begin with ../
// for folders that lie beside the file, and `path` is often a folder of another machine.
fs::path place_of(const std::string& entry, const std::string& root, const fs::path& folder) {
  const std::string path = data::with_slashes(entry);
  const fs::path base = root.empty() ? folder : folder / data::with_slashes(root);
  std::vector<fs::path> candidates{base / path, folder / path};
  if (path.starts_with("../")) candidates.push_back(folder / path.substr(3));
  for (const fs::path& candidate : candidates)
    if (data::is_there(candidate)) return candidate.lexically_normal();
  return {};
}

// What there is to say of training images that were not found.
std::string training_images_of(const DataYaml& yaml, const std::vector<std::string>& missing) {
  if (yaml.parts.at("train").empty()) return "its `train` names no training images";
  const std::string& first = yaml.parts.at("train").front();
  const bool is_missing = std::find(missing.begin(), missing.end(), first) != missing.end();
  return "its training images " + first + (is_missing ? " do not exist" : " hold no picture");
}

// What there is to say of a `path` that leads out of the folder; "" where nothing is.
std::string said_of_root(const DataYaml& yaml, const fs::path& folder) {
  if (yaml.root.empty()) return "";
  const fs::path here = fs::absolute(folder.empty() ? fs::path(".") : folder).lexically_normal();
  const fs::path root = (here / data::with_slashes(yaml.root)).lexically_normal();
  if (!data::is_folder(root))
    return ": its `path` " + yaml.root + " does not exist, so its images are looked for beside the file";
  const fs::path inside = root.lexically_relative(here);
  if (!inside.empty() && *inside.begin() != "..") return "";
  return ": its `path` leads out of its folder, so the images are those in " + root.string();
}

// The file's own names, held against those beside it.
YoloNames find_yolo_names_of(const fs::path& file, const DataYaml& yaml) {
  const fs::path folder = file.parent_path().empty() ? fs::path(".") : file.parent_path();
  if (find_data_yaml(folder) == file) return find_yolo_names(folder);
  return {file, yaml.names, {}};
}

// Paths of images, one a line, below the list's folder, its parent or the working folder.
std::vector<fs::path> images_of(const fs::path& list, Layout& layout) {
  std::vector<fs::path> found;
  const fs::path folder = list.parent_path().empty() ? fs::path(".") : list.parent_path();
  std::size_t number = 0;
  for (const std::string& line : data::lines_of(data::read_text(list))) {
    ++number;
    const std::string name = data::with_slashes(data::trimmed(line));
    if (name.empty()) continue;
    // CVAT's lists begin with the data/ of their archive.
    std::vector<fs::path> candidates{folder / name, folder / ".." / name, name};
    if (name.starts_with("data/")) candidates.insert(candidates.begin() + 1, folder / name.substr(5));
    const auto there = std::find_if(candidates.begin(), candidates.end(), data::is_there);
    if (there != candidates.end())
      found.push_back(there->lexically_normal());
    else
      layout.problems.push_back({list.string() + ", line " + std::to_string(number) + ": there is no image " +
                                     name + "; put it there or take the line out",
                                 {},
                                 std::nullopt});
  }
  return found;
}

}  // namespace

std::optional<Layout> ListedImages::of_yaml(const fs::path& file, const fs::path& folder) {
  if (!data::is_there(file)) return std::nullopt;
  const DataYaml yaml = parse_data_yaml(data::read_text(file), file.string());
  Layout layout;
  layout.kind = Kind::kYolo;
  layout.words = "YOLO labels: " + data::shown_path(file, folder);
  std::map<std::string, std::vector<fs::path>> images;  // by part
  std::vector<fs::path> folders;
  std::vector<std::string> missing;
  for (const auto& [part, entries] : yaml.parts)
    for (const std::string& entry : entries) {
      const fs::path place = place_of(entry, yaml.root, folder.empty() ? fs::path(".") : folder);
      if (place.empty()) {
        missing.push_back(entry);
        continue;
      }
      const bool lists = !data::is_folder(place);
      if (!lists) folders.push_back(place);
      for (const fs::path& image : lists ? images_of(place, layout) : data::pictures_of(place)) {
        images[part].push_back(image.lexically_normal());
        if (lists) folders.push_back(images[part].back().parent_path());
      }
    }
  if (!images.contains("train")) {
    if (yaml.parts.contains("train"))
      unused_ =
          file.string() + ": " + training_images_of(yaml, missing) + ", so it gives the class names alone";
    return std::nullopt;
  }
  if (const std::string said = said_of_root(yaml, folder); !said.empty())
    layout.warnings.push_back(file.string() + said);
  for (const std::string& entry : missing)
    layout.warnings.push_back(file.string() + ": " + entry + " does not exist, so that part is left out");
  const fs::path base = common_folder(folders);
  std::map<fs::path, std::size_t> index;
  for (const auto& [part, of_part] : images)
    for (const fs::path& image : of_part) {
      const auto [found, added] = index.emplace(image, layout.images.size());
      if (added) layout.add(image, places_.of(image), base);
      layout.images[found->second].parts.insert(part);
    }
  add_orphans(layout, folders);
  if (labels_) layout.names = find_yolo_names_of(file, yaml);
  return layout;
}

void ListedImages::add_orphans(Layout& layout, const std::vector<fs::path>& folders) {
  std::set<fs::path> wanted, looked_at;
  for (const ImagePlace& place : layout.images) wanted.insert(place.annotation.lexically_normal());
  for (const fs::path& folder : folders) {
    const fs::path labels = places_.of(folder / "x.jpg").parent_path();
    if (labels == folder || !data::is_folder(labels) || !looked_at.insert(labels).second) continue;
    for (const fs::path& file : data::files_in(labels))
      if (data::has_extension(file, {".txt"}) && file.filename() != "classes.txt" &&
          !wanted.contains(file.lexically_normal()))
        layout.orphans.push_back(file);
  }
}

Layout ListedImages::of_list(const fs::path& list) {
  Layout layout;
  layout.kind = labels_ ? Kind::kYolo : Kind::kImages;
  layout.words = labels_ ? "YOLO labels: a list of images" : "a list of images";
  std::vector<fs::path> folders;
  const std::vector<fs::path> images = images_of(list, layout);
  if (images.empty() && layout.problems.empty())
    throw Error(ExitCode::kBadData, list.string() + " names no image", "Write one path a line.");
  for (const fs::path& image : images) folders.push_back(image.parent_path());
  if (!images.empty()) {
    const fs::path base = common_folder(folders);
    for (const fs::path& image : images) layout.add(image, places_.of(image), base);
  }
  if (labels_) layout.names = find_yolo_names(list.parent_path().empty() ? "." : list.parent_path());
  return layout;
}

}  // namespace tune::trainer::detection
