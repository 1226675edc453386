#include "trainer/tasks/detection/quality_json.h"

#include "tuner/core/error.h"

namespace tune::trainer::detection {

OrderedJson classes_json(std::span<const std::string> names, std::span<const std::int64_t> objects,
                         const metrics::CocoSummary& coco) {
  TUNE_CHECK(names.size() == objects.size() && names.size() == coco.class_ap.size());
  OrderedJson classes = OrderedJson::array();
  for (std::size_t i = 0; i < names.size(); ++i)
    classes.push_back({{"name", names[i]},
                       {"objects", objects[i]},
                       {"AP", coco.class_ap[i]},
                       {"AP50", coco.class_ap50[i]}});
  return classes;
}

OrderedJson confusion_json(std::span<const std::string> names, const metrics::Confusion& confusion) {
  OrderedJson titles = OrderedJson::array();
  for (const std::string& name : names) titles.push_back(name);
  titles.push_back("background");
  return {{"classes", titles},
          {"counts", confusion.counts},
          {"iou", confusion.overlap},
          {"score", confusion.score}};
}

}  // namespace tune::trainer::detection
