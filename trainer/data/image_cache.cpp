#include "trainer/data/image_cache.h"

#include <algorithm>
#include <new>
#include <numeric>
#include <string>

#include "trainer/data/in_parallel.h"
#include "trainer/data/problems.h"
#include "trainer/images/image.h"
#include "tuner/core/error.h"

namespace tune::trainer::data {

namespace {

// In the upper left of a square.
std::vector<std::uint8_t> in_square(images::Image image, int size) {
  if (image.width == size && image.height == size) return std::move(image.pixels);
  const std::size_t row = static_cast<std::size_t>(size) * static_cast<std::size_t>(image.channels);
  std::vector<std::uint8_t> square(row * static_cast<std::size_t>(size));
  for (int y = 0; y < image.height; ++y)
    std::copy_n(image.row(y), image.row_bytes(), square.data() + static_cast<std::size_t>(y) * row);
  return square;
}

double mean_of(const std::vector<std::uint8_t>& values) {
  const std::uint64_t sum = std::accumulate(values.begin(), values.end(), std::uint64_t{0});
  return static_cast<double>(sum) / static_cast<double>(values.size());
}

}  // namespace

ImageCache::ImageCache(const std::vector<std::filesystem::path>& files, int size, int threads)
    : ImageCache(files, size, std::vector<images::Size>(files.size(), {size, size}), threads) {}

ImageCache::ImageCache(const std::vector<std::filesystem::path>& files, int size,
                       std::vector<images::Size> shown, int threads)
    : size_(size), shown_(std::move(shown)), images_(files.size()), means_(files.size()) {
  TUNE_CHECK(size > 0 && shown_.size() == files.size());
  std::vector<std::string> failures(images_.size());
  in_parallel(images_.size(), threads, [&](std::size_t i) {
    try {
      images::Image image = images::resize(images::narrow_if_grey(images::decode(files[i])), shown_[i]);
      means_[i] = mean_of(image.pixels);
      images_[i] = in_square(std::move(image), size);
    } catch (const std::bad_alloc&) {
      throw;  // not the file's fault
    } catch (const std::exception& error) {
      failures[i] = error.what();
    }
  });
  Problems problems;
  for (const std::string& failure : failures)
    if (!failure.empty()) problems.add(failure);
  problems.throw_if_any("images cannot be decoded", "Replace the files or take them out of the data set.");
}

int ImageCache::channels(std::size_t index) const {
  return static_cast<int>(images_[index].size() /
                          (static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_)));
}

}  // namespace tune::trainer::data
