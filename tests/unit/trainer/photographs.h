#pragma once
// Photographs of made surfaces, data sets of them, and a cache of overlaps for one test.
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include "trainer/images/encode.h"
#include "tuner/core/rng.h"
#include "unit/trainer/test_folder.h"

namespace tune::trainer::tests {

namespace fs = std::filesystem;

// Sends the cache into a folder of the test.
class OwnCache {
 public:
  OwnCache() { setenv("XDG_CACHE_HOME", folder_.path().c_str(), 1); }
  ~OwnCache() { unsetenv("XDG_CACHE_HOME"); }
  OwnCache(const OwnCache&) = delete;
  OwnCache& operator=(const OwnCache&) = delete;
  // The one result that is kept.
  fs::path file() const {
    fs::path found;
    for (const auto& entry : fs::directory_iterator(folder_.path() / "tune"))
      if (entry.path().extension() == ".json") {
        REQUIRE(found.empty());
        found = entry.path();
      }
    REQUIRE_FALSE(found.empty());
    return found;
  }

 private:
  TestFolder folder_;
};

struct Surface {
  int side = 0;
  std::vector<double> grey;  // around 128
  double at(int x, int y) const { return grey[static_cast<std::size_t>(y * side + x)]; }
};

// Blots of two sizes over noise.
inline Surface texture(std::uint64_t seed, int side, double strength = 1) {
  Rng rng(seed);
  Surface surface{side, std::vector<double>(static_cast<std::size_t>(side * side), 128.0)};
  for (int blot = 0; blot < side * side / 40; ++blot) {
    const double x = rng.uniform() * side, y = rng.uniform() * side, size = blot % 4 == 0 ? 5 : 2,
                 height = strength * 18 * rng.normal();
    const int reach = static_cast<int>(3 * size);
    for (int v = std::max(0, static_cast<int>(y) - reach); v < std::min(side, static_cast<int>(y) + reach);
         ++v)
      for (int u = std::max(0, static_cast<int>(x) - reach); u < std::min(side, static_cast<int>(x) + reach);
           ++u)
        surface.grey[static_cast<std::size_t>(v * side + u)] +=
            height * std::exp(-((u - x) * (u - x) + (v - y) * (v - y)) / (2 * size * size));
  }
  return surface;
}

// A photograph of a part of the surface: gain, offset, noise of its own, JPEG.
inline void photograph(const Surface& surface, int x, int y, int width, int height, std::uint64_t seed,
                       const fs::path& file, double gain = 1, double offset = 0) {
  Rng rng(seed, 99);
  std::vector<std::uint8_t> grey;
  for (int v = 0; v < height; ++v)
    for (int u = 0; u < width; ++u)
      grey.push_back(static_cast<std::uint8_t>(
          std::clamp(128 + gain * (surface.at(x + u, y + v) - 128) + offset + 3 * rng.normal(), 0.0, 255.0)));
  fs::create_directories(file.parent_path());
  images::write_grey_as_jpeg(file, grey, width, height, 88);
}

// A data set of classes.txt and YOLO labels, one box an image; photographs are added to it.
class LabelledFolder {
 public:
  explicit LabelledFolder(const TestFolder& folder, const std::string& name) : path_(folder.path() / name) {
    folder.write(name + "/classes.txt", "pit\n");
    fs::create_directories(path_ / "labels");
  }
  fs::path add(const Surface& surface, int x, int y, const std::string& label = "0 .5 .5 .2 .2\n") {
    const std::string name = "i" + std::to_string(100 + count_++);
    photograph(surface, x, y, 96, 96, static_cast<std::uint64_t>(count_), path_ / "images" / (name + ".jpg"));
    tune::write_file_atomically(path_ / "labels" / (name + ".txt"), label);
    return path_ / "images" / (name + ".jpg");
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
  int count_ = 0;
};

}  // namespace tune::trainer::tests
