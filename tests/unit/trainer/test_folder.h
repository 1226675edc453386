#pragma once
// A temporary folder and small data sets in it.
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "support/catch.h"
#include "trainer/images/encode.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::tests {

class TestFolder {
 public:
  TestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "tune-data.XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~TestFolder() { std::filesystem::remove_all(path_); }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

  // Writes text below the folder, making its folders.
  std::filesystem::path write(const std::string& name, const std::string& content) const {
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    write_file_atomically(file, content);
    return file;
  }
  // A colour gradient, so that every pixel differs from its neighbours.
  std::filesystem::path write_image(const std::string& name, int width, int height) const {
    images::Image image{width, height, 3, {}};
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        for (const int value : {x * 3, y * 5, x + y})
          image.pixels.push_back(static_cast<std::uint8_t>(value));
    const std::filesystem::path file = path_ / name;
    std::filesystem::create_directories(file.parent_path());
    images::write_png(file, image);
    return file;
  }

 private:
  std::filesystem::path path_;
};

// The message of the Error that `action` throws, "" if none; checks its exit code.
template <typename Action>
std::string message_of(ExitCode code, Action action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.code() == code);
    CHECK_FALSE(error.hint().empty());
    return error.what();
  }
  return "";
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != text.npos;
}

}  // namespace tune::trainer::tests
