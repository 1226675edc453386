#include "trainer/tasks/image_classification/frozen_pictures.h"

#include "trainer/data/in_parallel.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::image_classification {

classification::FeatureSet picture_set(const std::vector<std::filesystem::path>& files, Pixels pixels,
                                       nn::ImageClassifier& network, const nn::Normaliser& normalise,
                                       const loop::Compute& compute) {
  classification::FeatureSet set;
  set.contents.resize(files.size());
  data::in_parallel(files.size(), compute.threads,
                    [&](std::size_t i) { set.contents[i] = sha256_of_file(files[i]); });
  set.features = [&network, &normalise, device = compute.device, pixels = std::move(pixels)](
                     const std::vector<std::int64_t>& examples, std::int64_t epoch) {
    return network.features(normalise(pixels(examples, epoch).to(device)));
  };
  return set;
}

}  // namespace tune::trainer::image_classification
