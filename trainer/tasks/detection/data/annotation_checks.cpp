#include "trainer/tasks/detection/data/annotation_checks.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <tuple>

#include "trainer/data/part_names.h"
#include "trainer/data/text_file.h"
#include "trainer/images/image.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

namespace {

constexpr double kTolerance = 1.0;  // pixels: VOC counts from 1, so off-by-one boxes are common and harmless

std::string text(const data::Corners& box) {
  return "(" + shortest(box.x1) + ", " + shortest(box.y1) + ", " + shortest(box.x2) + ", " +
         shortest(box.y2) + ")";
}

std::string text(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

}  // namespace

void AnnotationChecks::drop(const std::string& cause, const data::Corners& corners, const std::string& where,
                            const Example& example) {
  const std::string text = where + ": the box " + detection::text(corners) + cause;
  without_area_.add(text);
  problems_.leave_out({text, example.image, corners});
}

void AnnotationChecks::add_object(const data::Corners& corners, const GroundTruth& labels, double area,
                                  const std::string& where, Example& example) {
  const double width = example.width, height = example.height;
  const auto refuse = [&](const std::string& cause) {
    problems_.add({where + ": the box " + text(corners) + cause, example.image, corners});
  };
  for (const double edge : {corners.x1, corners.y1, corners.x2, corners.y2})
    if (!std::isfinite(edge)) return refuse(" is not finite");
  if (corners.x2 < corners.x1 || corners.y2 < corners.y1)
    return refuse(std::string(" has a negative ") + (corners.x2 < corners.x1 ? "width" : "height") +
                  "; exchange its edges, or correct them");
  if (corners.x1 < -kTolerance || corners.y1 < -kTolerance || corners.x2 > width + kTolerance ||
      corners.y2 > height + kTolerance)
    return refuse(" lies outside its image of " + text(example.width, example.height) +
                  " pixels; correct it, or the image's size");
  if (corners.x2 == corners.x1 || corners.y2 == corners.y1)
    return drop(" has no area", corners, where, example);
  const data::Corners inside{std::max(corners.x1, 0.0), std::max(corners.y1, 0.0),
                             std::min(corners.x2, width), std::min(corners.y2, height)};
  GroundTruth object = labels;
  object.x1 = static_cast<float>(inside.x1);
  object.y1 = static_cast<float>(inside.y1);
  object.x2 = static_cast<float>(inside.x2);
  object.y2 = static_cast<float>(inside.y2);
  if (object.x2 <= object.x1 || object.y2 <= object.y1)
    return drop(" has no area inside its image of " + text(example.width, example.height) + " pixels",
                corners, where, example);
  if (text(inside) != text(corners))
    dataset_.warnings.push_back(where + ": the box " + text(corners) + " was clipped to its image of " +
                                text(example.width, example.height) + " pixels");
  object.area = area >= 0 ? area : (inside.x2 - inside.x1) * (inside.y2 - inside.y1);
  example.objects.push_back(object);
}

bool AnnotationChecks::measure(Example& example, int stated_width, int stated_height) {
  images::Header header;
  try {
    header = images::read_header(example.image);
  } catch (const Error& error) {
    problems_.add({std::string(error.what()) + (error.hint().empty() ? "" : ". " + error.hint()),
                   example.image, std::nullopt});
    return false;
  }
  example.width = header.size.width;
  example.height = header.size.height;
  if (header.orientation > 1) turned_.add(example.image.string());
  if (const auto named = images::format_of_name(example.image); named != header.format)
    misnamed_.add(example.image.string() + ", a " + images::format_name(header.format));
  const bool stated = stated_width > 0 && stated_height > 0;
  if (!stated || (stated_width == example.width && stated_height == example.height)) return true;
  const std::string says = example.image.string() + ": the annotation says " +
                           text(stated_width, stated_height) + " pixels, the image has " +
                           text(example.width, example.height);
  const bool unturned =
      header.orientation > 1 && stated_width == header.stored.width && stated_height == header.stored.height;
  problems_.add({unturned ? says + " once it is turned as its EXIF orientation (" +
                                std::to_string(header.orientation) +
                                ") says: the boxes were drawn on the image as it is stored; remove the EXIF "
                                "orientation from the image, or annotate it again as it is shown"
                          : says + "; annotate this image again, or correct the size",
                 example.image, std::nullopt});
  return false;
}

void AnnotationChecks::finish() {
  data::Tally twice;
  for (const Example& example : dataset_.examples) {
    std::set<std::tuple<int, float, float, float, float>> seen;
    for (const GroundTruth& object : example.objects)
      if (!object.crowd && !seen.emplace(object.category, object.x1, object.y1, object.x2, object.y2).second)
        twice.add("(" + shortest(object.x1) + ", " + shortest(object.y1) + ", " + shortest(object.x2) + ", " +
                  shortest(object.y2) + ") in " + example.image.string());
  }
  without_area_.tell(" box without area was left out", " boxes without area were left out",
                     dataset_.warnings);
  twice.tell(" object is annotated twice, with the same class and box",
             " objects are annotated twice, with the same class and box", dataset_.warnings);
  turned_.tell(
      " image is turned upright as its EXIF orientation says; its boxes are taken to be drawn on it "
      "upright",
      " images are turned upright as their EXIF orientation says; their boxes are taken to be drawn on "
      "them upright",
      dataset_.warnings);
  misnamed_.tell(" image is of another format than its name says",
                 " images are of another format than their names say", dataset_.warnings);
}

std::vector<Example> examples_of(const Layout& layout, const std::string& part) {
  std::vector<Example> examples;
  for (std::size_t i = 0; i < layout.images.size(); ++i) {
    const ImagePlace& place = layout.images[i];
    if (!part.empty() && !place.parts.contains(part)) continue;
    Example& example = examples.emplace_back();
    example.image_id = static_cast<std::int64_t>(i) + 1;
    example.image = place.image;
    example.name = place.name;
  }
  return examples;
}

ClassNames::ClassNames(const std::vector<std::string>& given) : fixed_(!given.empty()), names_(given) {
  for (std::size_t i = 0; i < given.size(); ++i) categories_[given[i]] = static_cast<int>(i) + 1;
}

int ClassNames::category(const std::string& name, const std::string& where, data::Problems& problems) {
  if (const auto found = categories_.find(name); found != categories_.end()) return found->second;
  if (fixed_ || name.empty()) {
    problems.add(where + (name.empty() ? ": the object has no class name"
                                       : ": the class \"" + name +
                                             "\" is none of the labels: " + data::listed_names(names_)));
    return 0;
  }
  if (!data::is_utf8(name)) {
    problems.add(where + ": the class name is not UTF-8; declare the file's encoding, or write it as UTF-8");
    return 0;
  }
  names_.push_back(name);
  return categories_[name] = static_cast<int>(names_.size());
}

void ClassNames::finish(Dataset& dataset) const {
  std::vector<int> renumbered(names_.size() + 1);
  dataset.classes = names_;
  if (!fixed_) std::sort(dataset.classes.begin(), dataset.classes.end());
  for (std::size_t i = 0; i < dataset.classes.size(); ++i) {
    renumbered[static_cast<std::size_t>(categories_.at(dataset.classes[i]))] = static_cast<int>(i) + 1;
    dataset.category_ids.push_back(static_cast<std::int64_t>(i) + 1);
  }
  for (Example& example : dataset.examples)
    for (GroundTruth& object : example.objects)
      object.category = renumbered[static_cast<std::size_t>(object.category)];
}

}  // namespace tune::trainer::detection
