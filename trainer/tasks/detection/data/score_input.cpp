#include "trainer/tasks/detection/data/score_input.h"

#include <algorithm>
#include <optional>

#include "trainer/data/part_names.h"
#include "trainer/data/text_file.h"
#include "trainer/data/written_values.h"
#include "trainer/tasks/detection/data/annotation_checks.h"
#include "trainer/tasks/detection/data/coco_file.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {
namespace {

namespace fs = std::filesystem;

// Not get<std::int64_t>(), which cuts 1.7 to 1.
std::int64_t whole(const Json& value, const char* key, const std::string& where) {
  const std::optional<std::int64_t> number = data::whole_number(value);
  if (!number)
    throw Error(ExitCode::kBadData, where + ": " + key + " " + data::not_whole(value),
                "Write an id of the ground truth.");
  return *number;
}

// A COCO file as pycocotools reads it: areas and flags as they stand there, nothing clipped.
ScoreTruth from_coco(const CocoPlace& place) {
  data::Problems problems;
  CocoContent content = read_coco_content(place.file, CocoUse::kScoring, problems);
  problems.throw_if_any(place.file.string() + " cannot be scored against",
                        "Correct the entries named above.");
  ScoreTruth truth;
  truth.place = place.file.string();
  truth.warnings = std::move(content.warnings);
  for (const CocoImage& image : content.images) {
    truth.images.push_back(image.id);
    truth.files[image.id] = {image.name, find_coco_image(place, image.name), image.width, image.height};
  }
  std::sort(truth.images.begin(), truth.images.end());
  for (const CocoCategory& category : content.categories) {
    truth.categories[category.id] = static_cast<int>(truth.names.size());
    truth.names.push_back(category.name);
  }
  for (const CocoObject& object : content.objects) {
    const auto& [x, y, width, height] = object.box;
    truth.has_id_zero |= object.id_is_zero;
    truth.boxes.push_back({object.image_id,
                           truth.categories.at(object.category_id),
                           {x, y, width, height},
                           object.area.value_or(width * height),
                           object.crowd,
                           object.difficult,
                           object.id_is_zero});
  }
  return truth;
}

ScoreTruth from_dataset(const fs::path& data, const ReadOptions& options) {
  Dataset dataset = read_dataset(data, options);
  ScoreTruth truth;
  truth.place = data.string();
  truth.numbered_here = true;
  truth.warnings = std::move(dataset.warnings);
  truth.names = dataset.classes;
  for (std::size_t c = 0; c < dataset.category_ids.size(); ++c)
    truth.categories[dataset.category_ids[c]] = static_cast<int>(c);
  for (const Example& example : dataset.examples) {
    truth.images.push_back(example.image_id);
    truth.files[example.image_id] = {example.name, example.image, example.width, example.height};
    for (const GroundTruth& object : example.objects) {
      const double x = object.x1, y = object.y1;
      truth.boxes.push_back({example.image_id,
                             object.category - 1,
                             {x, y, object.x2 - x, object.y2 - y},
                             object.area,
                             object.crowd,
                             object.difficult});
    }
  }
  return truth;
}

}  // namespace

ScoreTruth read_score_truth(const fs::path& data, const ReadOptions& options) {
  const Layout layout = layout_of(data, options);
  ScoreTruth truth;
  if (layout.kind != Layout::Kind::kCoco) {
    truth = from_dataset(data, options);
  } else {
    const auto place = std::find_if(layout.files.begin(), layout.files.end(), [&](const CocoPlace& file) {
      return options.part.empty() || file.part == options.part;
    });
    if (place == layout.files.end() || (options.part.empty() && layout.files.size() > 1))
      throw Error(ExitCode::kUsage,
                  place == layout.files.end() ? data.string() + " has no part of its own for " + options.part
                                              : data.string() + " has a COCO file for each of its parts",
                  layout.parts.empty() ? "Leave --part out: it is one set."
                                       : "Name one with --part: " + data::listed_names(layout.parts) + ".");
    truth = from_coco(*place);
    truth.warnings.insert(truth.warnings.begin(), layout.warnings.begin(), layout.warnings.end());
    if (!options.classes.empty())
      truth.warnings.push_back("--labels is not used: the category ids are those of " + place->file.string());
  }
  truth.form = layout.words;
  return truth;
}

void keep_images(ScoreTruth& truth, const std::set<std::int64_t>& images) {
  std::erase_if(truth.images, [&](std::int64_t image) { return !images.contains(image); });
  std::erase_if(truth.boxes, [&](const metrics::TruthBox& box) { return !images.contains(box.image_id); });
}

std::vector<std::vector<std::uint32_t>> every_image_alone(const ScoreTruth& truth) {
  std::vector<std::vector<std::uint32_t>> groups;
  for (std::size_t i = 0; i < truth.images.size(); ++i) groups.push_back({static_cast<std::uint32_t>(i)});
  return groups;
}

std::vector<std::vector<std::uint32_t>> read_groups(const fs::path& file, const ScoreTruth& truth) {
  const Json json = data::read_json(file);
  const std::string hint =
      "It needs \"groups\": [[image_id, ...], ...], as `tune-train audit --json` prints.";
  if (!json.is_object() || !json.contains("groups") || !json.at("groups").is_array())
    throw Error(ExitCode::kBadData, file.string() + " holds no list \"groups\"", hint);
  std::vector<std::vector<std::uint32_t>> groups;
  std::vector<char> named(truth.images.size());
  std::size_t ids = 0, known = 0;
  for (const Json& list : json.at("groups")) {
    const std::string where = file.string() + ", groups[" + std::to_string(groups.size()) + "]";
    if (!list.is_array()) throw Error(ExitCode::kBadData, where + " is not a list of image ids", hint);
    std::vector<std::uint32_t>& group = groups.emplace_back();
    for (const Json& id : list) {
      const std::int64_t image = whole(id, "an image id", where);
      const auto found = std::lower_bound(truth.images.begin(), truth.images.end(), image);
      ++ids;
      if (found == truth.images.end() || *found != image) continue;
      const auto position = static_cast<std::size_t>(found - truth.images.begin());
      if (named[position]++)
        throw Error(ExitCode::kBadData, where + ": the image " + id.dump() + " appears twice",
                    "An image belongs to one group.");
      group.push_back(static_cast<std::uint32_t>(position));
      ++known;
    }
  }
  if (ids > 0 && known == 0)
    throw Error(ExitCode::kBadData, file.string() + ": none of its images is in " + truth.place,
                "Make the groups from the same data.");
  std::erase_if(groups, [](const auto& group) { return group.empty(); });
  for (std::size_t i = 0; i < named.size(); ++i)
    if (!named[i]) groups.push_back({static_cast<std::uint32_t>(i)});
  return groups;
}

std::vector<std::string> read_labels(const fs::path& file) {
  try {
    return data::read_json(file).at("classes").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    throw Error(ExitCode::kBadData, file.string() + " holds no list \"classes\"",
                "--labels wants the labels.json of a model.");
  }
}

}  // namespace tune::trainer::detection
