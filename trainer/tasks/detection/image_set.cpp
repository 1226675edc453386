#include "trainer/tasks/detection/image_set.h"

#include <algorithm>
#include <utility>

namespace tune::trainer::detection {

ImageSet::ImageSet(Dataset dataset, const data::Preprocessing& preprocessing,
                   const data::Augmentation& augmentation, std::uint64_t seed, const loop::Compute& compute,
                   int batch_threads)
    : ImageSet(std::move(dataset), frame_of(dataset, preprocessing), augmentation, seed, compute,
               batch_threads) {}

ImageSet::ImageSet(Dataset&& dataset, const Frame& frame, const data::Augmentation& augmentation,
                   std::uint64_t seed, const loop::Compute& compute, int batch_threads)
    : dataset_(std::move(dataset)),
      cache_(files_of(dataset_), frame.size, frame.shown, compute.threads),
      maker_(dataset_, cache_, augmentation, seed, batch_threads) {
  for (const images::Size& shown : frame.shown)
    fills_ = fills_ && shown.width == frame.size && shown.height == frame.size;
  if (compute.accelerated) device_images_ = data::DeviceImages::of(cache_, compute.device);
}

ImageSet::Frame ImageSet::frame_of(const Dataset& dataset, const data::Preprocessing& preprocessing) {
  Frame frame{preprocessing.size, {}};
  if (preprocessing.longest == 0) {
    frame.shown.assign(dataset.examples.size(), {frame.size, frame.size});
    return frame;
  }
  frame.size = 1;
  for (const Example& example : dataset.examples) {
    frame.shown.push_back(data::kept_size({example.width, example.height}, preprocessing));
    frame.size = std::max({frame.size, frame.shown.back().width, frame.shown.back().height});
  }
  return frame;
}

std::vector<std::vector<GroundTruth>> ImageSet::add_pictures(const std::vector<std::int64_t>& examples,
                                                             std::int64_t epoch,
                                                             weights::TensorMap& tensors) const {
  std::vector<std::vector<GroundTruth>> objects;
  if (!fills_) {
    torch::Tensor shown = torch::empty({static_cast<std::int64_t>(examples.size()), 2}, torch::kLong);
    auto* to = shown.data_ptr<std::int64_t>();
    for (const std::int64_t example : examples) {
      const images::Size size = cache_.shown(static_cast<std::size_t>(example));
      *to++ = size.width;
      *to++ = size.height;
    }
    tensors["shown"] = shown;
  }
  if (device_images_) {
    std::vector<data::Sampling> samplings;
    for (const std::int64_t example : examples) {
      const auto index = static_cast<std::size_t>(example);
      BatchMaker::Look look = maker_.look(static_cast<int>(epoch), index);
      samplings.push_back(
          data::sampling_of(look.view, cache_.shown(index), cache_.size(), cache_.mean(index)));
      objects.push_back(std::move(look.objects));
    }
    const data::DeviceImages::Views views = data::DeviceImages::views(examples, samplings);
    tensors["images"] = views.images;
    tensors["samples"] = views.samples;
    tensors["tones"] = views.tones;
    return objects;
  }
  const std::vector<std::size_t> indices(examples.begin(), examples.end());
  torch::Tensor pixels = torch::empty(
      {static_cast<std::int64_t>(examples.size()), cache_.size(), cache_.size(), 3}, torch::kByte);
  maker_.fill(static_cast<int>(epoch), indices, pixels.data_ptr<std::uint8_t>(), objects);
  tensors["pixels"] = pixels;
  return objects;
}

std::vector<images::Size> ImageSet::shown(const weights::TensorMap& tensors) {
  const auto held = tensors.find("shown");
  if (held == tensors.end()) return {};
  const torch::Tensor sizes = held->second.cpu();
  std::vector<images::Size> shown;
  for (const auto* side = sizes.const_data_ptr<std::int64_t>(); std::cmp_less(shown.size(), sizes.size(0));
       side += 2)
    shown.push_back({static_cast<int>(side[0]), static_cast<int>(side[1])});
  return shown;
}

torch::Tensor ImageSet::pixels(const weights::TensorMap& tensors) const {
  if (!device_images_) return tensors.at("pixels");
  return device_images_->pixels({tensors.at("images"), tensors.at("samples"), tensors.at("tones")});
}

}  // namespace tune::trainer::detection
