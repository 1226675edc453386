#include "trainer/data/device_images.h"

#include <algorithm>
#include <cstring>

#include "tuner/core/error.h"

namespace tune::trainer::data {
namespace {

constexpr std::int64_t kShareOfFree = 4;  // one part in so many

// Grey images have one channel, unless the set has coloured ones too.
std::int64_t channels_of(const ImageCache& cache) {
  for (std::size_t i = 0; i < cache.count(); ++i)
    if (cache.channels(i) == 3) return 3;
  return 1;
}

void copy_image(const ImageCache& cache, std::size_t index, std::int64_t channels, std::uint8_t* to) {
  const auto pixels = cache.pixels(index);
  if (cache.channels(index) == channels) {
    std::memcpy(to, pixels.data(), pixels.size());
    return;
  }
  for (const std::uint8_t grey : pixels) to = std::fill_n(to, channels, grey);
}

void put(const std::vector<Sample>& samples, std::int32_t* to) {
  const std::size_t size = samples.size();
  for (std::size_t i = 0; i < size; ++i) {
    to[i] = samples[i].first;
    to[size + i] = samples[i].second;
    to[2 * size + i] = samples[i].weight;
  }
}

}  // namespace

std::unique_ptr<DeviceImages> DeviceImages::of(const ImageCache& cache, const torch::Device& device) {
  const std::int64_t channels = channels_of(cache), size = cache.size(),
                     bytes = static_cast<std::int64_t>(cache.count()) * size * size * channels;
  const std::optional<std::int64_t> free = compat::free_device_bytes(device);
  if (!device.is_cpu() && (!free || bytes > *free / kShareOfFree)) return nullptr;
  return std::unique_ptr<DeviceImages>(new DeviceImages(cache, channels, device));
}

DeviceImages::DeviceImages(const ImageCache& cache, std::int64_t channels, const torch::Device& device) {
  const std::int64_t size = cache.size();
  images_ = torch::empty({static_cast<std::int64_t>(cache.count()), size, size, channels},
                         torch::dtype(torch::kByte).device(device));
  torch::Tensor image = torch::empty({size, size, channels}, torch::kByte);
  for (std::size_t i = 0; i < cache.count(); ++i) {
    copy_image(cache, i, channels, image.data_ptr<std::uint8_t>());
    images_[static_cast<std::int64_t>(i)].copy_(image);
  }
}

DeviceImages::Views DeviceImages::views(const std::vector<std::int64_t>& indices,
                                        const std::vector<Sampling>& samplings) {
  const auto count = static_cast<std::int64_t>(indices.size()),
             size = static_cast<std::int64_t>(samplings.at(0).rows.size());
  TUNE_CHECK(indices.size() == samplings.size());
  torch::Tensor samples = torch::empty({count, 2, 3, size}, torch::kInt),
                tones = torch::empty({count, 256}, torch::kByte);
  auto* sample = samples.data_ptr<std::int32_t>();
  auto* tone = tones.data_ptr<std::uint8_t>();
  for (const Sampling& sampling : samplings) {
    put(sampling.rows, sample);
    put(sampling.columns, sample + 3 * size);
    sample += 6 * size;
    tone = std::copy(sampling.tone.begin(), sampling.tone.end(), tone);
  }
  return {torch::tensor(indices, torch::kLong), samples, tones};
}

torch::Tensor DeviceImages::pixels(const Views& views) const {
  const torch::Tensor& samples = views.samples;
  const std::int64_t count = samples.size(0), size = samples.size(3);
  const torch::Tensor image = views.images.view({count, 1, 1});
  const auto row = [&](int part) { return samples.select(1, 0).select(1, part).view({count, size, 1}); };
  const auto column = [&](int part) { return samples.select(1, 1).select(1, part).view({count, 1, size}); };
  const auto source = [&](int down, int across) {
    return images_.index({image, row(down).to(torch::kLong), column(across).to(torch::kLong)})
        .to(torch::kInt);
  };
  const torch::Tensor across = column(2).unsqueeze(3), down = row(2).unsqueeze(3);
  const auto between = [&](int part) { return source(part, 0) * (256 - across) + source(part, 1) * across; };
  const torch::Tensor values =
      (between(0) * (256 - down) + between(1) * down + (1 << 15)).bitwise_right_shift(16);
  const torch::Tensor toned =
      views.tones.gather(1, values.view({count, -1}).to(torch::kLong)).view(values.sizes());
  return toned.expand({count, size, size, 3});
}

}  // namespace tune::trainer::data
