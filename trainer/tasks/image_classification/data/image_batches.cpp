#include "trainer/tasks/image_classification/data/image_batches.h"

#include <algorithm>
#include <atomic>
#include <new>

#include "trainer/data/in_parallel.h"
#include "trainer/data/problems.h"
#include "trainer/images/decode_smaller.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

// A stream for each (epoch, index); epochs stay below 2^24 and sets below 2^40 images.
std::uint64_t stream_of(std::int64_t epoch, std::size_t index) {
  return static_cast<std::uint64_t>(epoch) << 40 | static_cast<std::uint64_t>(index);
}

// No larger than evaluation would look at it: varied crops need no more, and memory holds more images.
images::Image storage_image(const std::filesystem::path& file, const data::Preprocessing& preprocessing) {
  const int shorter = preprocessing.resize > 0 ? preprocessing.resize : preprocessing.size;
  images::Image image = images::narrow_if_grey(images::decode_smaller(file, shorter));
  if (std::min(image.width, image.height) <= shorter) return image;
  return images::resize(image, data::resized_by_shorter_side({image.width, image.height}, shorter),
                        preprocessing.interpolation);
}

void copy_as_colours(const images::Image& image, std::uint8_t* to) {
  if (image.channels == 3) {
    std::copy(image.pixels.begin(), image.pixels.end(), to);
    return;
  }
  for (const std::uint8_t grey : image.pixels) to = std::fill_n(to, 3, grey);
}

}  // namespace

ImageBatches::ImageBatches(std::vector<std::filesystem::path> files, const data::Preprocessing& preprocessing,
                           std::optional<Augmentation> augmentation, std::uint64_t seed, int threads,
                           std::uint64_t kept_bytes)
    : files_(std::move(files)),
      preprocessing_(preprocessing),
      augmentation_(std::move(augmentation)),
      seed_(seed),
      images_(files_.size()) {
  TUNE_CHECK(preprocessing.size > 0);
  std::vector<std::string> failures(files_.size());
  std::atomic<std::uint64_t> bytes{0};
  std::atomic<bool> full{false};
  data::in_parallel(files_.size(), threads, [&](std::size_t i) {
    if (full) return;
    try {
      images::Image image = load(i);
      if (bytes += image.pixels.size(); bytes > kept_bytes)
        full = true;
      else
        images_[i] = std::move(image);
    } catch (const std::bad_alloc&) {
      throw;  // not the file's fault
    } catch (const std::exception& error) {
      failures[i] = error.what();
    }
  });
  data::Problems problems;
  for (const std::string& failure : failures)
    if (!failure.empty()) problems.add(failure);
  problems.throw_if_any("images cannot be decoded", "Replace the files or take them out of the data set.");
  kept_ = std::count_if(images_.begin(), images_.end(),
                        [](const images::Image& image) { return !image.pixels.empty(); });
}

std::size_t ImageBatches::bytes_per_image() const {
  return static_cast<std::size_t>(size()) * static_cast<std::size_t>(size()) * 3;
}

images::Image ImageBatches::load(std::size_t index) const {
  if (augmentation_) return storage_image(files_[index], preprocessing_);
  return data::input_pixels(images::narrow_if_grey(images::decode(files_[index])), preprocessing_);
}

void ImageBatches::fill(std::span<const std::int64_t> examples, std::int64_t epoch, std::uint8_t* to,
                        int threads) const {
  for (const std::int64_t example : examples) TUNE_CHECK(example >= 0 && example < count());
  data::in_parallel(examples.size(), threads, [&](std::size_t i) {
    fill_one(static_cast<std::size_t>(examples[i]), epoch, to + i * bytes_per_image());
  });
}

std::vector<std::uint8_t> ImageBatches::pixels(std::span<const std::int64_t> examples, std::int64_t epoch,
                                               int threads) const {
  std::vector<std::uint8_t> pixels(examples.size() * bytes_per_image());
  fill(examples, epoch, pixels.data(), threads);
  return pixels;
}

void ImageBatches::fill_one(std::size_t index, std::int64_t epoch, std::uint8_t* to) const {
  images::Image loaded;
  const images::Image* image = &images_[index];
  if (image->pixels.empty()) {
    loaded = load(index);
    image = &loaded;
  }
  if (!augmentation_) return copy_as_colours(*image, to);
  Rng rng(seed_, stream_of(epoch, index));
  const Look look = draw_look(*augmentation_, {image->width, image->height}, preprocessing_, rng);
  make_pixels(look, *image, size(), preprocessing_.mean, to);
}

}  // namespace tune::trainer::image_classification
