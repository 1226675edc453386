#include "trainer/tasks/detection/data/score_input.h"

#include <algorithm>
#include <optional>

#include "trainer/tasks/detection/data/reader.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {
namespace {

namespace fs = std::filesystem;

Json parse_file(const fs::path& file) {
  try {
    return Json::parse(read_file(file));
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, file.string() + " is not JSON: " + error.what(), "Write the file again.");
  }
}

metrics::Box box_of(const Json& json, const std::string& where) {
  if (!json.is_array() || json.size() != 4)
    throw Error(ExitCode::kBadData, where + ": bbox is " + json.dump() + ", not [x, y, width, height]",
                "Write four numbers, in pixels.");
  return {json.at(0), json.at(1), json.at(2), json.at(3)};
}

// Not get<std::int64_t>(), which cuts 1.7 to 1.
std::int64_t whole(const Json& value, const char* key, const std::string& where) {
  if (!value.is_number_integer())
    throw Error(ExitCode::kBadData, where + ": " + key + " is " + value.dump() + ", not a whole number",
                "Write an id of the ground truth.");
  return value.get<std::int64_t>();
}

std::int64_t whole_at(const Json& object, const char* key, const std::string& where) {
  return whole(object.at(key), key, where);
}

[[noreturn]] void refuse_image(std::int64_t image, const std::string& where) {
  throw Error(ExitCode::kBadData,
              where + ": image_id " + std::to_string(image) + " is not in the ground truth",
              "Its `images` must list every image; check that the two files belong together.");
}

// A COCO file as pycocotools reads it: areas and flags as they stand there, nothing clipped.
class CocoTruth {
 public:
  explicit CocoTruth(const fs::path& file) : file_(file.string()) { truth_.place = file_; }

  ScoreTruth read() {
    const Json json = parse_file(file_);
    try {
      for (const Json& image : json.at("images")) read_image(image);
      read_categories(json.at("categories"));
      std::size_t count = 0;
      for (const Json& object : json.at("annotations"))
        read_object(object, file_ + ", annotations[" + std::to_string(count++) + "]");
    } catch (const Json::exception& error) {
      throw Error(ExitCode::kBadData, file_ + " is not a COCO data set: " + error.what(),
                  "It needs images, categories and annotations with image_id, category_id and bbox.");
    }
    truth_.images.assign(images_.begin(), images_.end());
    return std::move(truth_);
  }

 private:
  void read_image(const Json& image) {
    const std::int64_t id = whole_at(image, "id", file_ + ", images");
    images_.insert(id);
    ImageFile& file = truth_.files[id];
    const auto side = [&](const char* key) {
      const auto found = image.find(key);
      return found != image.end() && found->is_number_integer() ? found->get<int>() : 0;
    };
    file.width = side("width");
    file.height = side("height");
    if (const auto name = image.find("file_name"); name != image.end() && name->is_string())
      file.name = name->get<std::string>();
  }

  void read_categories(const Json& list) {
    std::map<std::int64_t, std::string> names;
    for (const Json& category : list) {
      const std::int64_t id = whole_at(category, "id", file_ + ", categories");
      const auto name = category.find("name");
      names[id] = name != category.end() && name->is_string() ? name->get<std::string>()
                                                              : "category " + std::to_string(id);
    }
    for (const auto& [id, name] : names) {
      truth_.categories[id] = static_cast<int>(truth_.names.size());
      truth_.names.push_back(name);
    }
  }

  void read_object(const Json& object, const std::string& where) {
    const metrics::Box box = box_of(object.at("bbox"), where);
    const std::int64_t image = whole_at(object, "image_id", where),
                       category_id = whole_at(object, "category_id", where);
    if (!images_.contains(image)) refuse_image(image, where);
    const auto category = truth_.categories.find(category_id);
    if (category == truth_.categories.end())
      throw Error(ExitCode::kBadData,
                  where + ": `categories` does not list category_id " + std::to_string(category_id),
                  "Add the category.");
    bool id_is_zero = false;
    if (const auto id = object.find("id"); id != object.end()) {
      const std::int64_t number = whole_at(object, "id", where);
      id_is_zero = number == 0;
      if (!ids_.insert(number).second)
        throw Error(ExitCode::kBadData, where + ": the id " + id->dump() + " appears twice",
                    "Number the annotations from 1.");
    }
    truth_.has_id_zero |= id_is_zero;
    truth_.boxes.push_back({image, category->second, box, object.value("area", box.width * box.height),
                            object.value("iscrowd", 0) == 1, object.value("difficult", 0) == 1, id_is_zero});
  }

  std::string file_;
  std::set<std::int64_t> images_, ids_;
  ScoreTruth truth_;
};

ScoreTruth from_dataset(const fs::path& data, const std::vector<std::string>& labels) {
  const Dataset dataset = read_dataset(data, {Labels::kRequired, labels});
  ScoreTruth truth;
  truth.place = data.string();
  truth.numbered_here = true;
  truth.names = dataset.classes;
  for (std::size_t c = 0; c < dataset.category_ids.size(); ++c)
    truth.categories[dataset.category_ids[c]] = static_cast<int>(c);
  for (const Example& example : dataset.examples) {
    truth.images.push_back(example.image_id);
    truth.files[example.image_id] = {example.image.filename().string(), example.image, example.width,
                                     example.height};
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

// The COCO file that `data` is or holds.
std::optional<fs::path> coco_file(const fs::path& data) {
  if (!fs::is_directory(data)) return data;
  if (fs::exists(data / "annotations.json")) return data / "annotations.json";
  return std::nullopt;
}

}  // namespace

ScoreTruth read_score_truth(const fs::path& data, const std::vector<std::string>& labels) {
  const auto file = coco_file(data);
  if (!file) return from_dataset(data, labels);
  if (!labels.empty())
    throw Error(ExitCode::kUsage, "--labels together with " + file->string() + ", which has category ids",
                "Leave --labels out: the detections' ids are those of the file.");
  return CocoTruth(*file).read();
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
  const Json json = parse_file(file);
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
    return parse_file(file).at("classes").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    throw Error(ExitCode::kBadData, file.string() + " holds no list \"classes\"",
                "--labels wants the labels.json of a model.");
  }
}

}  // namespace tune::trainer::detection
