#include "trainer/tasks/detection/data/fingerprint.h"

#include "trainer/data/fingerprint.h"

namespace tune::trainer::detection {

std::string fingerprint(const Dataset& dataset) {
  data::Fingerprint print(dataset.classes);
  for (const Example& example : dataset.examples) {
    Json objects = Json::array();
    for (const GroundTruth& object : example.objects)
      objects.push_back({object.category, object.x1, object.y1, object.x2, object.y2, object.area,
                         object.crowd, object.difficult});
    print.add(example.image, [&](std::size_t bytes) {
      return Json({example.image_id, example.image.filename().string(), bytes, objects});
    });
  }
  return print.text();
}

}  // namespace tune::trainer::detection
