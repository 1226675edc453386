#include <algorithm>
#include <fstream>
#include <map>
#include <set>

#include "trainer/tasks/detection/data/annotation_checks.h"
#include "trainer/tasks/detection/data/reader.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

Json parse(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  if (!stream)
    throw Error(ExitCode::kBadData, file.string() + " cannot be opened",
                "Check the path and its permissions.");
  // Outlines are most of a COCO file and are not used here.
  const auto without_outlines = [](int, Json::parse_event_t event, Json& value) {
    return !(event == Json::parse_event_t::key && value == "segmentation");
  };
  try {
    return Json::parse(stream, without_outlines);
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, file.string() + " is not JSON: " + error.what(),
                "Write the file again; it may be truncated.");
  }
}

// Reads one COCO file; lives for one call of read(), on its thread. Opens images for their size alone.
class CocoReader {
 public:
  CocoReader(const fs::path& file, const ReadOptions& options) : file_(file), options_(options) {}

  Dataset read() {
    document_ = parse(file_);
    require_arrays();
    read_categories();
    read_images();
    if (options_.labels == Labels::kRequired) read_annotations();
    problems_.settle(options_.problems, file_.string() + " cannot be used",
                     "Correct the entries named above.");
    std::sort(dataset_.examples.begin(), dataset_.examples.end(),
              [](const Example& a, const Example& b) { return a.image_id < b.image_id; });
    return std::move(dataset_);
  }

 private:
  std::string entry(const char* list, std::size_t index) const {
    return file_.string() + ", " + list + "[" + std::to_string(index) + "]";
  }

  void require_arrays() const {
    if (!document_.is_object())
      throw Error(ExitCode::kBadData, file_.string() + " is not a COCO file: its top level is no object",
                  "Detections in COCO's results format belong to `tune-train score`.");
    if (!document_.contains("categories"))
      throw Error(ExitCode::kBadData, file_.string() + " has no \"categories\"",
                  "JSON without categories, whose boxes are [xmin, ymin, xmax, ymax], is not read by this "
                  "version; add "
                  "the categories and write the boxes as [x, y, width, height].");
    for (const char* key : {"images", "categories", "annotations"}) {
      if (options_.labels == Labels::kIgnored && std::string_view(key) == "annotations") continue;
      if (!document_.contains(key) || !document_.at(key).is_array())
        throw Error(ExitCode::kBadData, file_.string() + " has no list \"" + key + "\"",
                    "A COCO file has the lists images, annotations and categories.");
    }
  }

  // True and the value when `key` is an integer of `object`; else a problem.
  bool integer(const Json& object, const char* key, const std::string& where, std::int64_t& value) {
    if (!object.is_object() || !object.contains(key) || !object.at(key).is_number_integer()) {
      problems_.add(where + ": \"" + key + "\" is missing or no integer");
      return false;
    }
    value = object.at(key).get<std::int64_t>();
    return true;
  }

  void read_categories() {
    std::map<std::int64_t, std::string> names;
    std::set<std::string> seen;
    const Json& list = document_.at("categories");
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string where = entry("categories", i);
      std::int64_t id = 0;
      if (!integer(list[i], "id", where, id)) continue;
      const std::string name = list[i].contains("name") && list[i]["name"].is_string() ? list[i]["name"] : "";
      if (name.empty())
        problems_.add(where + ": \"name\" is missing or empty");
      else if (!names.emplace(id, name).second)
        problems_.add(where + ": the id " + std::to_string(id) + " is taken by \"" + names[id] + "\"");
      else if (!seen.insert(name).second)
        problems_.add(where + ": the name \"" + name + "\" appears twice");
    }
    if (options_.classes.empty()) return number_by_id(names);
    dataset_.classes = options_.classes;
    dataset_.category_ids.assign(options_.classes.size(), -1);
    for (const auto& [id, name] : names) {
      const auto found = std::find(options_.classes.begin(), options_.classes.end(), name);
      const auto index = static_cast<std::size_t>(found - options_.classes.begin());
      name_of_id_[id] = name;
      category_of_id_[id] = found == options_.classes.end() ? 0 : static_cast<int>(index) + 1;
      if (found != options_.classes.end()) dataset_.category_ids[index] = id;
    }
  }

  void number_by_id(const std::map<std::int64_t, std::string>& names) {
    for (const auto& [id, name] : names) {
      dataset_.classes.push_back(name);
      dataset_.category_ids.push_back(id);
      category_of_id_[id] = static_cast<int>(dataset_.classes.size());
    }
  }

  // Empty when there is no such file.
  fs::path find_image(const std::string& name) const {
    const fs::path folder = file_.parent_path();
    for (const fs::path& candidate :
         {folder / name, folder / "images" / name, folder / ".." / "images" / name})
      if (fs::exists(candidate)) return candidate;
    return {};
  }

  void read_images() {
    const Json& list = document_.at("images");
    std::set<fs::path> files;
    for (std::size_t i = 0; i < list.size(); ++i) {
      const std::string where = entry("images", i);
      Example example;
      if (!integer(list[i], "id", where, example.image_id)) continue;
      if (!list[i].contains("file_name") || !list[i]["file_name"].is_string()) {
        problems_.add(where + ": \"file_name\" is missing or no text");
        continue;
      }
      const std::string name = list[i]["file_name"];
      if (!example_of_id_.emplace(example.image_id, dataset_.examples.size()).second) {
        problems_.add(where + " (" + name + "): the image id " + std::to_string(example.image_id) +
                      " appears twice; ids are unique");
        continue;
      }
      example.image = find_image(name);
      if (example.image.empty())
        problems_.add(where + ": the image " + name + " lies neither beside the file nor in images/");
      else
        measure_image(example, stated(list[i], "width"), stated(list[i], "height"), problems_);
      if (!files.insert(example.image).second && !example.image.empty())
        dataset_.warnings.push_back(where + ": the file " + name + " is listed twice");
      dataset_.examples.push_back(std::move(example));
    }
  }

  static int stated(const Json& image, const char* key) {
    return image.contains(key) && image.at(key).is_number_integer() ? image.at(key).get<int>() : 0;
  }

  void read_annotations() {
    const Json& list = document_.at("annotations");
    for (std::size_t i = 0; i < list.size(); ++i) read_annotation(list[i], entry("annotations", i));
  }

  void read_annotation(const Json& annotation, std::string where) {
    if (annotation.is_object() && annotation.contains("id")) where += " (id " + annotation["id"].dump() + ")";
    std::int64_t image_id = 0, category_id = 0;
    if (!integer(annotation, "image_id", where, image_id) ||
        !integer(annotation, "category_id", where, category_id))
      return;
    const auto image = example_of_id_.find(image_id);
    if (image == example_of_id_.end())
      return problems_.add(where + ": no image has the id " + std::to_string(image_id));
    Example& example = dataset_.examples[image->second];
    const auto category = category_of_id_.find(category_id);
    if (category == category_of_id_.end())
      return problems_.add(where + ": no category has the id " + std::to_string(category_id));
    if (category->second == 0) {
      std::string known;
      for (const std::string& name : dataset_.classes) known += (known.empty() ? "" : ", ") + name;
      return problems_.add(where + ": the class \"" + name_of_id_[category_id] +
                           "\" is none of the labels: " + known);
    }
    const Json box = annotation.value("bbox", Json());
    if (!box.is_array() || box.size() != 4 ||
        !std::all_of(box.begin(), box.end(), [](const Json& number) { return number.is_number(); }))
      return problems_.add(where + ": \"bbox\" is not [x, y, width, height]");
    if (example.width == 0) return;  // its image is a problem already
    GroundTruth labels;
    labels.category = category->second;
    labels.crowd = flag(annotation, "iscrowd");
    const double x = box[0], y = box[1], width = box[2], height = box[3];
    const Json area = annotation.value("area", Json());
    add_object({x, y, x + width, y + height}, labels, area.is_number() ? area.get<double>() : -1,
               where + " in " + example.image.string(), example, dataset_, problems_);
  }

  static bool flag(const Json& annotation, const char* key) {
    const Json value = annotation.value(key, Json());
    return value.is_boolean() ? value.get<bool>() : value.is_number() && value.get<double>() != 0;
  }

  fs::path file_;
  const ReadOptions& options_;
  Json document_;
  Dataset dataset_;
  Problems problems_;
  std::map<std::int64_t, int> category_of_id_;
  std::map<std::int64_t, std::string> name_of_id_;
  std::map<std::int64_t, std::size_t> example_of_id_;
};

}  // namespace

Dataset read_coco(const fs::path& file, const ReadOptions& options) {
  return CocoReader(file, options).read();
}

}  // namespace tune::trainer::detection
