#include <charconv>
#include <cstring>
#include <map>
#include <optional>
#include <pugixml.hpp>

#include "trainer/tasks/detection/data/annotation_checks.h"
#include "trainer/tasks/detection/data/reader.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

// pugi's own as_double() reads "abc" as 0.
std::optional<double> number(const pugi::xml_node& node) {
  std::string text = node.text().get();
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

int size_or_zero(const pugi::xml_node& node) {
  const std::optional<double> value = number(node);
  return value && *value > 0 && *value < 1e9 ? static_cast<int>(*value) : 0;
}

std::string trimmed(std::string text) {
  text.erase(0, text.find_first_not_of(" \t\r\n"));
  text.erase(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

// Reads one folder of VOC files; lives for one call of read(), on its thread. Opens images for their size
// alone.
class VocReader {
 public:
  VocReader(const fs::path& folder, const ReadOptions& options)
      : folder_(folder), options_(options), classes_(options.classes) {}

  Dataset read() {
    for (const fs::path& image : images_in(folder_ / "images")) add_image(image);
    add_examples();
    report_annotations_without_image();
    problems_.settle(options_.problems, folder_.string() + " cannot be used",
                     "Correct the files named above. Each image needs annotations/NAME.xml; an image without "
                     "defects has one with no <object>.");
    classes_.finish(dataset_);
    return std::move(dataset_);
  }

 private:
  void add_image(const fs::path& image) {
    const auto [other, added] = image_of_stem_.try_emplace(image.stem().string(), image);
    if (!added)
      return problems_.add(image.string() + " and " + other->second.filename().string() +
                           " share the annotation " + image.stem().string() + ".xml; rename or remove one");
    Example example;
    example.image_id = static_cast<std::int64_t>(dataset_.examples.size()) + 1;
    example.image = image;
    dataset_.examples.push_back(std::move(example));
  }

  void add_examples() {
    for (Example& example : dataset_.examples) {
      const fs::path file = folder_ / "annotations" / (example.image.stem().string() + ".xml");
      if (!fs::exists(file)) {
        problems_.add(example.image.string() + " has no annotation " + file.string());
        continue;
      }
      read_annotation(file, example);
    }
  }

  void read_annotation(const fs::path& file, Example& example) {
    pugi::xml_document document;
    if (const auto parsed = document.load_file(file.c_str()); !parsed)
      return problems_.add(file.string() + " is not well-formed XML (byte " + std::to_string(parsed.offset) +
                           "): " + parsed.description());
    const pugi::xml_node root = document.child("annotation");
    if (!root) return problems_.add(file.string() + " has no <annotation>: it is not PASCAL VOC");
    const pugi::xml_node size = root.child("size");
    if (!measure_image(example, size_or_zero(size.child("width")), size_or_zero(size.child("height")),
                       problems_))
      return;
    int count = 0;
    for (const pugi::xml_node& object : root.children("object")) read_object(object, file, ++count, example);
  }

  void read_object(const pugi::xml_node& object, const fs::path& file, int count, Example& example) {
    const std::string name = trimmed(object.child("name").text().get());
    const std::string where =
        file.string() + ", object " + std::to_string(count) + (name.empty() ? "" : " (" + name + ")");
    GroundTruth labels;
    labels.category = classes_.category(name, where, problems_);
    labels.difficult = std::strcmp(object.child("difficult").text().get(), "1") == 0;
    const pugi::xml_node box = object.child("bndbox");
    Corners corners;
    for (const auto& [key, value] : {std::pair{"xmin", &corners.x1},
                                     {"ymin", &corners.y1},
                                     {"xmax", &corners.x2},
                                     {"ymax", &corners.y2}}) {
      const std::optional<double> edge = number(box.child(key));
      if (!edge)
        return problems_.add(where + ": <" + key +
                             "> is missing or no number; give the box its four edges in pixels");
      *value = *edge;
    }
    if (labels.category > 0) add_object(corners, labels, -1, where, example, dataset_, problems_);
  }

  void report_annotations_without_image() {
    std::map<std::string, fs::path> orphans;
    for (const fs::path& file : files_in(folder_ / "annotations"))
      if (file.extension() == ".xml" && !image_of_stem_.contains(file.stem().string()))
        orphans.emplace(file.stem().string(), file);
    for (const auto& [stem, file] : orphans)
      problems_.add(file.string() + ": its image " + (folder_ / "images" / stem).string() +
                    ".jpg (or .jpeg, .png) does not exist; put it there or remove the annotation");
  }

  fs::path folder_;
  const ReadOptions& options_;
  ClassNames classes_;
  Dataset dataset_;
  Problems problems_;
  std::map<std::string, fs::path> image_of_stem_;
};

}  // namespace

Dataset read_voc(const fs::path& folder, const ReadOptions& options) {
  return VocReader(folder, options).read();
}

}  // namespace tune::trainer::detection
