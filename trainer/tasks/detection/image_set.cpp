#include "trainer/tasks/detection/image_set.h"

namespace tune::trainer::detection {

ImageSet::ImageSet(Dataset dataset, int size, const data::Augmentation& augmentation, std::uint64_t seed,
                   int threads, int batch_threads)
    : dataset_(std::move(dataset)),
      cache_(files_of(dataset_), size, threads),
      maker_(dataset_, cache_, augmentation, seed, batch_threads) {}

ImageSet::Pictures ImageSet::pictures(const std::vector<std::int64_t>& examples, std::int64_t epoch) const {
  const std::vector<std::size_t> indices(examples.begin(), examples.end());
  Pictures pictures;
  pictures.pixels = torch::empty(
      {static_cast<std::int64_t>(examples.size()), cache_.size(), cache_.size(), 3}, torch::kByte);
  maker_.fill(static_cast<int>(epoch), indices, pictures.pixels.data_ptr<std::uint8_t>(), pictures.objects);
  return pictures;
}

Targets make_targets(const std::vector<std::vector<GroundTruth>>& objects, int size,
                     const std::vector<Box>& boxes, Matching matching) {
  const auto images = static_cast<std::int64_t>(objects.size()),
             count = static_cast<std::int64_t>(boxes.size());
  Targets targets;
  targets.categories = torch::zeros({images, count}, torch::kLong);
  targets.offsets = torch::zeros({images, count, 4});
  auto* category = targets.categories.data_ptr<std::int64_t>();
  auto* offset = targets.offsets.data_ptr<float>();
  const auto side = static_cast<float>(size);
  for (const std::vector<GroundTruth>& in_image : objects) {
    std::vector<Box> learned;
    std::vector<int> categories;
    for (const GroundTruth& object : in_image) {
      if (object.crowd) continue;
      learned.push_back({object.x1 / side, object.y1 / side, object.x2 / side, object.y2 / side});
      categories.push_back(object.category);
    }
    std::int64_t positives = 0;
    const std::vector<int> matched = match(learned, boxes, matching);
    for (std::size_t i = 0; i < boxes.size(); ++i, ++category, offset += 4) {
      if (matched[i] < 0) continue;
      const auto object = static_cast<std::size_t>(matched[i]);
      *category = categories[object];
      const BoxOffsets encoded = encode_box(learned[object], boxes[i]);
      std::copy(encoded.begin(), encoded.end(), offset);
      ++positives;
    }
    targets.positives += positives;
    targets.most_in_an_image = std::max(targets.most_in_an_image, positives);
  }
  return targets;
}

}  // namespace tune::trainer::detection
