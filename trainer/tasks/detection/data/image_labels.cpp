#include "trainer/tasks/detection/data/image_labels.h"

#include <algorithm>
#include <cctype>

#include "trainer/data/problems.h"

namespace tune::trainer::detection {
namespace {

namespace fs = std::filesystem;

std::string lowered(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return text;
}

bool is_letter_at(const std::string& text, std::size_t place) {
  return place < text.size() && std::isalpha(static_cast<unsigned char>(text[place])) != 0;
}

std::size_t objects_of_all(const Dataset& dataset) {
  std::size_t count = 0;
  for (const Example& example : dataset.examples) count += example.objects.size();
  return count;
}

// The innermost folder that all images lie in.
fs::path folder_of_all(const Dataset& dataset) {
  const fs::path first = dataset.examples.empty() ? fs::path() : dataset.examples.front().image.parent_path();
  auto end = first.end();
  for (const Example& example : dataset.examples) {
    const fs::path folder = example.image.parent_path();
    end = std::mismatch(first.begin(), end, folder.begin(), folder.end()).first;
  }
  fs::path common;
  for (auto part = first.begin(); part != end; ++part) common /= *part;
  return common;
}

}  // namespace

std::optional<int> class_of_image(const Dataset& dataset, const Example& example, const fs::path& outermost) {
  for (fs::path folder = example.image.parent_path(); folder.has_filename(); folder = folder.parent_path()) {
    for (std::size_t i = 0; i < dataset.classes.size(); ++i)
      if (lowered(folder.filename().string()) == lowered(dataset.classes[i])) return static_cast<int>(i) + 1;
    if (folder == outermost) break;
  }
  const std::string name = lowered(example.image.filename().string());
  std::optional<int> found;
  std::size_t longest = 0;
  for (std::size_t i = 0; i < dataset.classes.size(); ++i) {
    const std::string wanted = lowered(dataset.classes[i]);
    if (wanted.size() <= longest || !name.starts_with(wanted) || is_letter_at(name, wanted.size())) continue;
    longest = wanted.size();
    found = static_cast<int>(i) + 1;
  }
  return found;
}

Relabelled label_by_image(Dataset& dataset) {
  Relabelled changed;
  data::Problems problems;
  const fs::path outermost = folder_of_all(dataset);
  for (Example& example : dataset.examples) {
    if (example.objects.empty()) continue;
    const std::optional<int> category = class_of_image(dataset, example, outermost);
    if (!category) {
      problems.add(example.image.string() + " says no class");
      continue;
    }
    const std::size_t before = changed.objects;
    for (GroundTruth& object : example.objects) {
      if (object.category != *category) ++changed.objects;
      object.category = *category;
    }
    if (changed.objects > before) ++changed.images;
  }
  problems.throw_if_any(
      "objects cannot take the class of their image",
      "Name the image, or a folder that it lies in, after its class; or leave trainer.labels out.");
  return changed;
}

std::string to_text(const Relabelled& changed, const Dataset& dataset) {
  return std::to_string(changed.objects) + " of " + std::to_string(objects_of_all(dataset)) +
         " objects, in " + std::to_string(changed.images) + " of " + std::to_string(dataset.examples.size()) +
         " images, are of another class than their image says";
}

}  // namespace tune::trainer::detection
