#pragma once
// Small sets of labelled images.
#include "trainer/images/encode.h"
#include "trainer/tasks/image_classification/data/reader.h"
#include "unit/trainer/test_folder.h"

namespace tune::trainer::tests {

// Pictures that differ from each other: each has a colour of its own.
class ImageFolder {
 public:
  explicit ImageFolder(const TestFolder& folder, const std::string& name = "set")
      : path_(folder.path() / name) {}
  std::filesystem::path add(const std::string& name) {
    const auto colour = static_cast<std::uint8_t>(++count_);
    images::Image image{20, 16, 3, {}};
    for (int i = 0; i < 20 * 16; ++i)
      for (const int value : {int{colour}, i % 251, 255 - colour})
        image.pixels.push_back(static_cast<std::uint8_t>(value));
    std::filesystem::create_directories((path_ / name).parent_path());
    images::write_png(path_ / name, image);
    return path_ / name;
  }
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    tune::write_file_atomically(path_ / name, content);
    return path_ / name;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  int count_ = 0;
};

// "name=class" or "name=class+class" of each example.
inline std::vector<std::string> labelled(const image_classification::Dataset& dataset) {
  std::vector<std::string> texts;
  for (const auto& example : dataset.examples) {
    std::string text = example.name + "=";
    for (const int label : example.labels)
      text += (text.back() == '=' ? "" : "+") + dataset.classes[static_cast<std::size_t>(label)];
    texts.push_back(text);
  }
  return texts;
}

}  // namespace tune::trainer::tests
