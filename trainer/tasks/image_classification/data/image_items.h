#pragma once
// How tables and files of predictions name images.
#include <array>
#include <string_view>

#include "trainer/tasks/classification/data/predictions.h"

namespace tune::trainer::image_classification {

// How the column of images may be titled, in any case.
inline constexpr std::array<std::string_view, 7> kPathColumns{
    "path", "image", "file", "filename", "file_name", "image_path", "image_name"};

inline const classification::Items& image_items() {
  static const classification::Items items{
      "image_classification", "image", "image", {kPathColumns.begin(), kPathColumns.end()},
      /*are_numbers=*/false,
      /*are_paths=*/true};
  return items;
}

}  // namespace tune::trainer::image_classification
