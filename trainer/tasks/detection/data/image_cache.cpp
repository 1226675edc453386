#include "trainer/tasks/detection/data/image_cache.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <string>
#include <thread>

#include "trainer/images/image.h"
#include "trainer/tasks/detection/data/problems.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {

std::vector<std::uint8_t> decode_square(const std::filesystem::path& file, int size) {
  return images::resize(images::narrow_if_grey(images::decode(file)), {size, size}).pixels;
}

}  // namespace

ImageCache::ImageCache(const Dataset& dataset, int size, int threads,
                       const std::function<void(std::size_t, std::size_t)>& progress)
    : size_(size), images_(dataset.examples.size()) {
  TUNE_CHECK(size > 0);
  const std::size_t total = images_.size();
  std::vector<std::string> failures(total);
  std::atomic<std::size_t> next{0};
  std::atomic<bool> out_of_memory{false};
  std::size_t done = 0;
  std::mutex mutex;
  std::condition_variable some_done;
  const auto work = [&] {
    for (std::size_t i = next++; i < total; i = next++) {
      try {
        images_[i] = decode_square(dataset.examples[i].image, size);
      } catch (const std::bad_alloc&) {
        out_of_memory = true;
      } catch (const std::exception& error) {
        failures[i] = error.what();
      }
      const std::lock_guard lock(mutex);
      ++done;
      some_done.notify_one();
    }
  };
  {
    std::vector<std::jthread> workers;
    const auto wanted = static_cast<std::size_t>(std::max(threads, 1));
    for (std::size_t t = 0; t < std::min(wanted, total); ++t) workers.emplace_back(work);
    std::unique_lock lock(mutex);
    while (done < total) {
      some_done.wait_for(lock, std::chrono::milliseconds(100));
      const std::size_t now = done;
      lock.unlock();
      if (progress && now < total) progress(now, total);
      lock.lock();
    }
  }
  if (progress) progress(total, total);
  if (out_of_memory) throw std::bad_alloc();
  Problems problems;
  for (const std::string& failure : failures)
    if (!failure.empty()) problems.add(failure);
  problems.throw_if_any("images cannot be decoded", "Replace the files or take them out of the data set.");
}

std::size_t ImageCache::bytes() const {
  std::size_t sum = 0;
  for (const auto& image : images_) sum += image.size();
  return sum;
}

int ImageCache::channels(std::size_t index) const {
  return static_cast<int>(images_[index].size() /
                          (static_cast<std::size_t>(size_) * static_cast<std::size_t>(size_)));
}

}  // namespace tune::trainer::detection
