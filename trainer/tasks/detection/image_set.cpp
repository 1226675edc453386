#include "trainer/tasks/detection/image_set.h"

namespace tune::trainer::detection {

ImageSet::ImageSet(Dataset dataset, int size, const data::Augmentation& augmentation, std::uint64_t seed,
                   const loop::Compute& compute, int batch_threads)
    : dataset_(std::move(dataset)),
      cache_(files_of(dataset_), size, compute.threads),
      maker_(dataset_, cache_, augmentation, seed, batch_threads) {
  if (compute.accelerated) device_images_ = data::DeviceImages::of(cache_, compute.device);
}

std::vector<std::vector<GroundTruth>> ImageSet::add_pictures(const std::vector<std::int64_t>& examples,
                                                             std::int64_t epoch,
                                                             weights::TensorMap& tensors) const {
  std::vector<std::vector<GroundTruth>> objects;
  if (device_images_) {
    std::vector<data::Sampling> samplings;
    for (const std::int64_t example : examples) {
      const auto index = static_cast<std::size_t>(example);
      BatchMaker::Look look = maker_.look(static_cast<int>(epoch), index);
      samplings.push_back(data::sampling_of(look.view, cache_.size(), cache_.mean(index)));
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

torch::Tensor ImageSet::pixels(const weights::TensorMap& tensors) const {
  if (!device_images_) return tensors.at("pixels");
  return device_images_->pixels({tensors.at("images"), tensors.at("samples"), tensors.at("tones")});
}

}  // namespace tune::trainer::detection
