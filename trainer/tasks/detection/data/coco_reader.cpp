#include <algorithm>
#include <map>
#include <set>

#include "trainer/data/part_names.h"
#include "trainer/tasks/detection/data/annotation_checks.h"
#include "trainer/tasks/detection/data/coco_file.h"
#include "trainer/tasks/detection/data/reader.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

// Makes a data set of one COCO file; lives for one call of read(), on its thread. Opens images for their size
// alone.
class CocoReader {
 public:
  CocoReader(const CocoPlace& place, const ReadOptions& options) : place_(place), options_(options) {}

  Dataset read() {
    const bool labelled = options_.labels == Labels::kRequired;
    const CocoContent content =
        read_coco_content(place_.file, labelled ? CocoUse::kTraining : CocoUse::kPrediction, problems_);
    dataset_.warnings = content.warnings;
    number_classes(content.categories);
    for (const CocoImage& image : content.images) add_image(image);
    for (const CocoObject& object : content.objects) add_object(object);
    by_last_part_.tell(" image was found by the last part of its file_name alone",
                       " images were found by the last part of their file_name alone", dataset_.warnings);
    outside_.tell(" image lies outside the set, where its file_name leads",
                  " images lie outside the set, where their file_names lead", dataset_.warnings);
    checks_.finish();
    problems_.settle(options_.problems, place_.file.string() + " cannot be used",
                     "Correct the entries named above.");
    std::sort(dataset_.examples.begin(), dataset_.examples.end(),
              [](const Example& a, const Example& b) { return a.image_id < b.image_id; });
    return std::move(dataset_);
  }

 private:
  void number_classes(const std::vector<CocoCategory>& categories) {
    dataset_.classes = options_.classes;
    if (options_.classes.empty())
      for (const CocoCategory& category : categories) dataset_.classes.push_back(category.name);
    dataset_.category_ids.assign(dataset_.classes.size(), -1);
    for (const CocoCategory& category : categories) {
      const auto found = std::find(dataset_.classes.begin(), dataset_.classes.end(), category.name);
      const auto index = static_cast<std::size_t>(found - dataset_.classes.begin());
      name_of_id_[category.id] = category.name;
      category_of_id_[category.id] = found == dataset_.classes.end() ? 0 : static_cast<int>(index) + 1;
      if (found != dataset_.classes.end()) dataset_.category_ids[index] = category.id;
    }
  }

  void add_image(const CocoImage& image) {
    Example example;
    example.image_id = image.id;
    example.name = image.name;
    example.image = find_coco_image(place_, image.name);
    if (example.image.empty()) {
      // Paths of the machine that wrote the file.
      example.image = find_coco_image(place_, fs::path(image.name).filename().string());
      if (!example.image.empty())
        by_last_part_.add(image.where + ": " + image.name + " as " + example.image.string());
    }
    if (example.image.empty())
      problems_.add(image.where + ": the image " + image.name + " lies " + folders() +
                    "; put it there, or name its folder with --images (`images` in the trainer of a spec)");
    else
      checks_.measure(example, image.width, image.height);
    if (!example.image.empty() && !lies_in_the_set(example.image))
      outside_.add(image.where + ": " + image.name + " as " + example.image.lexically_normal().string());
    if (!files_.insert(example.image).second && !example.image.empty())
      dataset_.warnings.push_back(image.where + ": the file " + image.name + " is listed twice");
    example_of_id_[example.image_id] = dataset_.examples.size();
    dataset_.examples.push_back(std::move(example));
  }

  // By the paths as they are written: a link within the set is its owner's.
  bool lies_in_the_set(const fs::path& image) const {
    const auto normal = [](const fs::path& path) { return fs::absolute(path).lexically_normal(); };
    return std::any_of(place_.folders.begin(), place_.folders.end(), [&](const fs::path& folder) {
      const fs::path inside = normal(image).lexically_relative(normal(folder));
      return !inside.empty() && *inside.begin() != "..";
    });
  }

  // "neither in a, a/images nor images"
  std::string folders() const {
    std::string text = place_.folders.size() == 1 ? "not in " : "neither in ";
    for (std::size_t i = 0; i < place_.folders.size(); ++i)
      text += (i == 0                           ? ""
               : i + 1 == place_.folders.size() ? " nor "
                                                : ", ") +
              place_.folders[i].lexically_normal().generic_string();
    return text;
  }

  void add_object(const CocoObject& object) {
    Example& example = dataset_.examples[example_of_id_.at(object.image_id)];
    const auto category = category_of_id_.find(object.category_id);
    if (category == category_of_id_.end()) return;  // of a group, which has none
    if (category->second == 0)
      return problems_.add(object.where + ": the class \"" + name_of_id_[object.category_id] +
                           "\" is none of the labels: " + data::listed_names(dataset_.classes));
    if (example.width == 0) return;  // its image is a problem already
    GroundTruth labels;
    labels.category = category->second;
    labels.crowd = object.crowd;
    labels.difficult = object.difficult;
    const auto& [x, y, width, height] = object.box;
    checks_.add_object({x, y, x + width, y + height}, labels, object.area.value_or(-1),
                       object.where + " in " + example.image.string(), example);
  }

  const CocoPlace& place_;
  const ReadOptions& options_;
  Dataset dataset_;
  data::Problems problems_;
  AnnotationChecks checks_{dataset_, problems_};
  data::Tally by_last_part_, outside_;
  std::set<fs::path> files_;
  std::map<std::int64_t, int> category_of_id_;
  std::map<std::int64_t, std::string> name_of_id_;
  std::map<std::int64_t, std::size_t> example_of_id_;
};

}  // namespace

Dataset read_coco(const CocoPlace& place, const ReadOptions& options) {
  return CocoReader(place, options).read();
}

}  // namespace tune::trainer::detection
