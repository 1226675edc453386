#include "trainer/tasks/detection/data/score_examples.h"

namespace tune::trainer::detection {
namespace {

namespace fs = std::filesystem;

OrderedJson objects_json(const ScoreTruth& truth, std::int64_t image) {
  OrderedJson list = OrderedJson::array();
  for (const metrics::TruthBox& box : truth.boxes)
    if (box.image_id == image && !box.crowd)
      list.push_back({{"name", truth.names[static_cast<std::size_t>(box.category)]},
                      {"bbox", {box.box.x, box.box.y, box.box.width, box.box.height}}});
  return list;
}

OrderedJson example_json(const ScoreTruth& truth, std::int64_t image) {
  const auto known = truth.files.find(image);
  const ImageFile file = known == truth.files.end() ? ImageFile{} : known->second;
  const fs::path& path = file.path;
  const auto side = [](int pixels) { return pixels > 0 ? OrderedJson(pixels) : OrderedJson(); };
  return {
      {"image_id", image},
      {"file_name", file.name},
      {"path", path.empty() ? OrderedJson() : OrderedJson(fs::absolute(path).lexically_normal().string())},
      {"width", side(file.width)},
      {"height", side(file.height)},
      {"objects", objects_json(truth, image)}};
}

}  // namespace

OrderedJson examples_json(const ScoreTruth& truth, std::size_t count) {
  const std::size_t images = truth.images.size(), shown = std::min(count, images);
  OrderedJson list = OrderedJson::array();
  // The middle one of each of as many stretches.
  for (std::size_t i = 0; i < shown; ++i)
    list.push_back(example_json(truth, truth.images[(2 * i + 1) * images / (2 * shown)]));
  return list;
}

}  // namespace tune::trainer::detection
