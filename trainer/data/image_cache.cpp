#include "trainer/data/image_cache.h"

#include <new>
#include <numeric>
#include <string>

#include "trainer/data/in_parallel.h"
#include "trainer/data/problems.h"
#include "trainer/images/image.h"
#include "tuner/core/error.h"

namespace tune::trainer::data {

namespace {

std::vector<std::uint8_t> decode_square(const std::filesystem::path& file, int size) {
  return images::resize(images::narrow_if_grey(images::decode(file)), {size, size}).pixels;
}

double mean_of(const std::vector<std::uint8_t>& values) {
  const std::uint64_t sum = std::accumulate(values.begin(), values.end(), std::uint64_t{0});
  return static_cast<double>(sum) / static_cast<double>(values.size());
}

}  // namespace

ImageCache::ImageCache(const std::vector<std::filesystem::path>& files, int size, int threads)
    : size_(size), images_(files.size()), means_(files.size()) {
  TUNE_CHECK(size > 0);
  std::vector<std::string> failures(images_.size());
  in_parallel(images_.size(), threads, [&](std::size_t i) {
    try {
      images_[i] = decode_square(files[i], size);
      means_[i] = mean_of(images_[i]);
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
