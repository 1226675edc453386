#pragma once
// How files of predictions name images.
#include "trainer/tasks/classification/data/predictions.h"

namespace tune::trainer::image_classification {

inline const classification::Items& image_items() {
  static const classification::Items items{
      "image_classification",
      "image",
      "image",
      {"path", "image", "file", "filename", "file_name", "image_path", "image_name"},
      /*are_numbers=*/false,
      /*are_paths=*/true};
  return items;
}

}  // namespace tune::trainer::image_classification
