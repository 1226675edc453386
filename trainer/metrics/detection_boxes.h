#pragma once
// What detection metrics compare. Boxes are COCO's: [x, y, width, height] in pixels, no +1 anywhere.
#include <cstdint>

namespace tune::trainer::metrics {

struct Box {
  double x = 0, y = 0, width = 0, height = 0;
};

struct TruthBox {
  std::int64_t image_id = 0;
  int category = 0;  // 0-based
  Box box;
  double area = 0;  // COCO's `area` field: sorts boxes into small, medium, large
  bool crowd = false, difficult = false;
  // pycocotools keeps the id of a detection's match and reads 0 as "none", so a detection that finds an
  // object of id 0 counts as wrong there, and in coco_map() too. Set it only for objects out of a file that
  // somebody else numbered.
  bool id_is_zero = false;
};

struct DetectedBox {
  std::int64_t image_id = 0;
  int category = 0;  // 0-based
  Box box;
  double score = 0;
};

}  // namespace tune::trainer::metrics
