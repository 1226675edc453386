#include "trainer/tasks/detection/data/annotation_checks.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "trainer/images/image.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

namespace {

constexpr double kTolerance = 1.0;  // pixels: VOC counts from 1, so off-by-one boxes are common and harmless

std::string text(const Corners& box) {
  return "(" + shortest(box.x1) + ", " + shortest(box.y1) + ", " + shortest(box.x2) + ", " +
         shortest(box.y2) + ")";
}

std::string text(int width, int height) { return std::to_string(width) + "x" + std::to_string(height); }

}  // namespace

bool is_utf8(const std::string& name) {
  try {
    return !Json(name).dump().empty();
  } catch (const Json::exception&) {
    return false;
  }
}

void add_object(const Corners& corners, const GroundTruth& labels, double area, const std::string& where,
                Example& example, Dataset& dataset, Problems& problems) {
  const double width = example.width, height = example.height;
  const auto refuse = [&](const std::string& cause) {
    problems.add({where + ": the box " + text(corners) + cause, example.image, corners});
  };
  for (const double edge : {corners.x1, corners.y1, corners.x2, corners.y2})
    if (!std::isfinite(edge)) return refuse(" is not finite");
  if (corners.x2 <= corners.x1 || corners.y2 <= corners.y1)
    return refuse(" has no area; remove the object or give it a width and a height");
  if (corners.x1 < -kTolerance || corners.y1 < -kTolerance || corners.x2 > width + kTolerance ||
      corners.y2 > height + kTolerance)
    return refuse(" lies outside its image of " + text(example.width, example.height) +
                  " pixels; correct it, or the image's size");
  const Corners inside{std::max(corners.x1, 0.0), std::max(corners.y1, 0.0), std::min(corners.x2, width),
                       std::min(corners.y2, height)};
  GroundTruth object = labels;
  object.x1 = static_cast<float>(inside.x1);
  object.y1 = static_cast<float>(inside.y1);
  object.x2 = static_cast<float>(inside.x2);
  object.y2 = static_cast<float>(inside.y2);
  if (object.x2 <= object.x1 || object.y2 <= object.y1)
    return refuse(" has no area inside its image of " + text(example.width, example.height) +
                  " pixels; remove the object");
  if (text(inside) != text(corners))
    dataset.warnings.push_back(where + ": the box " + text(corners) + " was clipped to its image of " +
                               text(example.width, example.height) + " pixels");
  object.area = area >= 0 ? area : (inside.x2 - inside.x1) * (inside.y2 - inside.y1);
  example.objects.push_back(object);
}

bool measure_image(Example& example, int stated_width, int stated_height, Problems& problems) {
  try {
    const images::Size size = images::read_size(example.image);
    example.width = size.width;
    example.height = size.height;
  } catch (const Error& error) {
    problems.add({std::string(error.what()) + (error.hint().empty() ? "" : ". " + error.hint()),
                  example.image, std::nullopt});
    return false;
  }
  const bool stated = stated_width > 0 && stated_height > 0;
  if (!stated || (stated_width == example.width && stated_height == example.height)) return true;
  problems.add({example.image.string() + ": the annotation says " + text(stated_width, stated_height) +
                    " pixels, the image has " + text(example.width, example.height) +
                    "; annotate this image again, or correct the size",
                example.image, std::nullopt});
  return false;
}

ClassNames::ClassNames(const std::vector<std::string>& given) : fixed_(!given.empty()), names_(given) {
  for (std::size_t i = 0; i < given.size(); ++i) categories_[given[i]] = static_cast<int>(i) + 1;
}

int ClassNames::category(const std::string& name, const std::string& where, Problems& problems) {
  if (const auto found = categories_.find(name); found != categories_.end()) return found->second;
  if (fixed_ || name.empty()) {
    std::string known;
    for (const std::string& each : names_) known += (known.empty() ? "" : ", ") + each;
    problems.add(where + (name.empty() ? ": the object has no class name"
                                       : ": the class \"" + name + "\" is none of the labels: " + known));
    return 0;
  }
  if (!is_utf8(name)) {
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

bool has_image_extension(const std::filesystem::path& file) {
  std::string extension = file.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".jpg" || extension == ".jpeg" || extension == ".png";
}

std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  try {
    for (const auto& entry : std::filesystem::directory_iterator(folder)) files.push_back(entry.path());
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(ExitCode::kBadData,
                "the folder " + folder.string() + " cannot be read: " + error.code().message(),
                "Allow this user to read it, or name another data set.");
  }
  std::sort(files.begin(), files.end(),
            [](const auto& a, const auto& b) { return a.filename().string() < b.filename().string(); });
  return files;
}

std::vector<std::filesystem::path> images_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files = files_in(folder);
  std::erase_if(files, [](const std::filesystem::path& file) {
    return !has_image_extension(file) || file.filename().string().front() == '.';
  });
  return files;
}

}  // namespace tune::trainer::detection
