#include "trainer/tasks/detection/detection_pictures.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>

#include "trainer/tasks/image_sets/picture_page.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {
namespace {

constexpr int kPicturedSide = 1000;  // pixels
// Okabe and Ito's colours.
constexpr std::array<images::Colour, 6> kClassColours = {
    {{86, 180, 233}, {0, 158, 115}, {213, 94, 0}, {204, 121, 167}, {0, 114, 178}, {230, 159, 0}}};

// Those to draw, by the id of their image, best first.
std::map<std::int64_t, std::vector<metrics::DetectedBox>> pictured(
    const std::vector<metrics::DetectedBox>& detections) {
  std::map<std::int64_t, std::vector<metrics::DetectedBox>> by_image;
  for (const metrics::DetectedBox& each : detections)
    if (each.score >= kPicturedScore) by_image[each.image_id].push_back(each);
  for (auto& [image, found] : by_image)
    std::stable_sort(found.begin(), found.end(),
                     [](const auto& a, const auto& b) { return a.score > b.score; });
  return by_image;
}

}  // namespace

images::Colour class_colour(int category) {
  return kClassColours[static_cast<std::size_t>(category - 1) % kClassColours.size()];
}

std::size_t draw_detections(const std::filesystem::path& folder, const Dataset& dataset,
                            const std::vector<std::string>& classes,
                            const std::vector<metrics::DetectedBox>& detections) {
  image_sets::PicturePage page(folder, "Detections");
  page.heading("Detections with a score of at least " + shortest(kPicturedScore), dataset.examples.size());
  auto by_image = pictured(detections);
  for (const Example& example : dataset.examples) {
    const std::vector<metrics::DetectedBox>& found = by_image[example.image_id];
    std::string caption = example.name + (found.empty() ? ": nothing found" : ":");
    std::optional<image_sets::Shown> shown = image_sets::load_shown(example.image, kPicturedSide);
    for (const metrics::DetectedBox& each : found) {
      const auto& [x, y, width, height] = each.box;
      if (shown) shown->draw(x, y, x + width, y + height, class_colour(each.category + 1), 2);
      char numbers[128];
      std::snprintf(numbers, sizeof numbers, " %.2f at (%.0f, %.0f), %.0f x %.0f", each.score, x, y, width,
                    height);
      caption += "\n" + classes[static_cast<std::size_t>(each.category)] + numbers;
    }
    std::vector<images::Image> parts;
    if (shown) parts.push_back(std::move(shown->image));
    page.add(std::to_string(example.image_id) + "-" + example.image.stem().string(), caption, parts);
  }
  return page.write();
}

}  // namespace tune::trainer::detection
