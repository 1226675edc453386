// `tune-train score`: COCO's twelve numbers and VOC's two for anybody's JSON files.
#include <array>
#include <cstdio>
#include <map>
#include <ostream>
#include <set>

#include "trainer/cli/commands.h"
#include "trainer/cli/options.h"
#include "trainer/metrics/coco_map.h"
#include "trainer/metrics/voc_map.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::cli {
namespace {

namespace options = boost::program_options;
using metrics::DetectedBox;
using metrics::TruthBox;

struct Row {
  const char* key;
  const char* text;  // as pycocotools prints it
};
constexpr std::array<Row, 12> kRows = {{
    {"AP", "Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ]"},
    {"AP50", "Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ]"},
    {"AP75", "Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ]"},
    {"APs", "Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ]"},
    {"APm", "Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ]"},
    {"APl", "Average Precision  (AP) @[ IoU=0.50:0.95 | area= large | maxDets=100 ]"},
    {"AR1", "Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ]"},
    {"AR10", "Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ]"},
    {"AR100", "Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ]"},
    {"ARs", "Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ]"},
    {"ARm", "Average Recall     (AR) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ]"},
    {"ARl", "Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ]"},
}};

Json read_json(const std::string& file) {
  try {
    return Json::parse(read_file(file));
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, file + " is not JSON: " + error.what(), "Write the file again.");
  }
}

metrics::Box box_of(const Json& json, const std::string& where) {
  if (!json.is_array() || json.size() != 4)
    throw Error(ExitCode::kBadData, where + ": bbox is " + json.dump() + ", not [x, y, width, height]",
                "Write four numbers, in pixels.");
  return {json.at(0), json.at(1), json.at(2), json.at(3)};
}

// Not get<std::int64_t>(), which cuts 1.7 to 1.
std::int64_t whole_at(const Json& object, const char* key, const std::string& where) {
  const Json& value = object.at(key);
  if (!value.is_number_integer())
    throw Error(ExitCode::kBadData, where + ": " + key + " is " + value.dump() + ", not a whole number",
                "Write an id of the ground truth.");
  return value.get<std::int64_t>();
}

struct Truth {
  std::vector<TruthBox> boxes;
  std::set<std::int64_t> images;
  std::map<std::int64_t, int> categories;  // id to 0-based index, ascending by id
  bool has_id_zero = false;
};

// Throws Error(kBadData) unless `image` is one of the ground truth's.
void require_image(const Truth& truth, std::int64_t image, const std::string& where) {
  if (truth.images.contains(image)) return;
  throw Error(ExitCode::kBadData,
              where + ": image_id " + std::to_string(image) + " is not in the ground truth",
              "Its `images` must list every image; check that the two files belong together.");
}

void read_object(const Json& object, const std::string& where, std::set<std::int64_t>& ids, Truth& truth) {
  const metrics::Box box = box_of(object.at("bbox"), where);
  const std::int64_t image = whole_at(object, "image_id", where),
                     category_id = whole_at(object, "category_id", where);
  require_image(truth, image, where);
  const auto category = truth.categories.find(category_id);
  if (category == truth.categories.end())
    throw Error(ExitCode::kBadData,
                where + ": `categories` does not list category_id " + std::to_string(category_id),
                "Add the category.");
  bool id_is_zero = false;
  if (const auto id = object.find("id"); id != object.end()) {
    const std::int64_t number = whole_at(object, "id", where);
    id_is_zero = number == 0;
    if (!ids.insert(number).second)
      throw Error(ExitCode::kBadData, where + ": the id " + id->dump() + " appears twice",
                  "Number the annotations from 1.");
  }
  truth.has_id_zero |= id_is_zero;
  truth.boxes.push_back({image, category->second, box, object.value("area", box.width * box.height),
                         object.value("iscrowd", 0) == 1, object.value("difficult", 0) == 1, id_is_zero});
}

Truth read_truth(const std::string& file) {
  const Json json = read_json(file);
  Truth truth;
  try {
    for (const Json& image : json.at("images")) truth.images.insert(whole_at(image, "id", file + ", images"));
    for (const Json& category : json.at("categories"))
      truth.categories[whole_at(category, "id", file + ", categories")] = 0;
    int index = 0;
    for (auto& [id, position] : truth.categories) position = index++;
    std::set<std::int64_t> ids;
    std::size_t count = 0;
    for (const Json& object : json.at("annotations"))
      read_object(object, file + ", annotations[" + std::to_string(count++) + "]", ids, truth);
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, file + " is not a COCO data set: " + error.what(),
                "It needs images, categories and annotations with image_id, category_id and bbox.");
  }
  return truth;
}

std::vector<DetectedBox> read_detections(const std::string& file, const Truth& truth) {
  const Json json = read_json(file);
  if (!json.is_array())
    throw Error(ExitCode::kBadData, file + " is not a JSON array of detections",
                "COCO's results format is [{\"image_id\", \"category_id\", \"bbox\", \"score\"}, ...].");
  std::vector<DetectedBox> detections;
  try {
    for (std::size_t i = 0; i < json.size(); ++i) {
      const std::string where = file + ", [" + std::to_string(i) + "]";
      const std::int64_t image = whole_at(json[i], "image_id", where);
      require_image(truth, image, where);
      const auto category = truth.categories.find(whole_at(json[i], "category_id", where));
      if (category == truth.categories.end()) continue;  // as pycocotools: classes nobody asks about
      detections.push_back({image, category->second, box_of(json[i].at("bbox"), where), json[i].at("score")});
    }
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, file + " is not in COCO's results format: " + error.what(),
                "Each detection needs image_id, category_id, bbox [x, y, width, height] and score.");
  }
  return detections;
}

}  // namespace

int run_score(const std::vector<std::string>& arguments, Console& console) {
  std::string truth_file, detections_file;
  options::options_description described("score --ground-truth GT.json --detections DET.json");
  described.add_options()("ground-truth", options::value(&truth_file)->required(), "a COCO data set (JSON)")(
      "detections", options::value(&detections_file)->required(),
      "detections in COCO's results format (JSON)")("json", "print one JSON object");
  const auto given = parse_options("score", described, arguments, console);
  if (!given) return 0;

  const Truth truth = read_truth(truth_file);
  if (truth.has_id_zero)
    console.err
        << "warning: " << truth_file
        << ": pycocotools, and so this command, counts whoever finds the annotation of id 0 as wrong; number "
           "annotations from 1\n";
  const std::vector<DetectedBox> detections = read_detections(detections_file, truth);
  const int classes = static_cast<int>(truth.categories.size());
  const auto numbers = metrics::coco_map(truth.boxes, detections, classes).numbers();
  const metrics::VocSummary voc = metrics::voc_map(truth.boxes, detections, classes);

  if (given->count("json")) {
    OrderedJson json = {{"schema", 1}};
    for (std::size_t i = 0; i < kRows.size(); ++i) json[kRows[i].key] = numbers[i];
    json["VOC07_AP50"] = voc.map07;
    json["VOC12_AP50"] = voc.map12;
    console.out << json.dump(2) << "\n";
    return 0;
  }
  std::array<char, 160> line{};
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    std::snprintf(line.data(), line.size(), " %s = %0.3f\n", kRows[i].text, numbers[i]);
    console.out << line.data();
  }
  std::snprintf(line.data(), line.size(),
                " VOC 2007 AP50 (11 points) = %0.3f\n VOC 2012 AP50 (area)      = %0.3f\n", voc.map07,
                voc.map12);
  console.out << line.data();
  return 0;
}

}  // namespace tune::trainer::cli
