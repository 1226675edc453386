#pragma once
// Annotations of VOC and COCO as texts, and what a reader says against them.
#include <filesystem>
#include <string>

#include "trainer/tasks/detection/data/reader.h"
#include "unit/trainer/test_folder.h"

namespace tune::trainer::tests {

using namespace tune::trainer::detection;

inline std::string object(const std::string& name, const std::string& box,
                          const std::string& difficult = "0") {
  std::string text = "<object><name>" + name + "</name><difficult>" + difficult + "</difficult><bndbox>";
  std::size_t from = 0;
  for (const char* key : {"xmin", "ymin", "xmax", "ymax"}) {
    const std::size_t to = std::min(box.find(' ', from), box.size());
    text += std::string("<") + key + ">" + box.substr(from, to - from) + "</" + key + ">";
    from = to + 1;
  }
  return text + "</bndbox></object>";
}

inline std::string voc(const std::string& objects, int width = 40, int height = 30) {
  return "<annotation><size><width>" + std::to_string(width) + "</width><height>" + std::to_string(height) +
         "</height></size>" + objects + "</annotation>";
}

inline void write_example(const TestFolder& folder, const std::string& stem, const std::string& objects) {
  folder.write_image("images/" + stem + ".png", 40, 30);
  folder.write("annotations/" + stem + ".xml", voc(objects));
}

inline std::string refusal(const std::filesystem::path& data, const ReadOptions& options = {}) {
  return message_of(ExitCode::kBadData, [&] { read_dataset(data, options); });
}

inline const std::string kCoco = R"({"images": [{"id": 7, "file_name": "b.png", "width": 40, "height": 30},
    {"id": 3, "file_name": "a.png"}],
  "categories": [{"id": 5, "name": "scratch"}, {"id": 0, "name": "pit"}],
  "annotations": [{"id": 1, "image_id": 7, "category_id": 5, "bbox": [2, 3, 10, 4.5], "area": 30, "iscrowd": 1},
    {"id": 2, "image_id": 3, "category_id": 0, "bbox": [0, 0, 40, 30]}]})";

}  // namespace tune::trainer::tests
