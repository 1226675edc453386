#pragma once
// A tiny classifier and images for tests of its training: each class is a colour, with noise on it.
#include <filesystem>
#include <memory>
#include <sstream>

#include "trainer/images/encode.h"
#include "trainer/nn/batch_norm.h"
#include "trainer/nn/image_classifier.h"
#include "trainer/tasks/image_classification/image_classification_training.h"
#include "tuner/core/rng.h"
#include "unit/trainer/test_folder.h"

namespace tune::trainer::tests {

// Counts the images that pass its body.
class TinyClassifier final : public nn::ImageClassifier {
 public:
  TinyClassifier(std::int64_t classes, double dropout) : dropout_(dropout) {
    conv = register_module("conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(3, 6, 3).stride(2)));
    norm = register_module("norm", nn::BatchNorm2d(6));
    wide = register_module("wide", torch::nn::Conv2d(torch::nn::Conv2dOptions(6, 12, 3).stride(2)));
    fc = register_module("fc", torch::nn::Linear(12, classes));
  }
  torch::Tensor features(const torch::Tensor& images) override {
    passed += images.size(0);
    return torch::relu(wide(torch::relu(norm(conv(images))))).mean({2, 3});
  }
  torch::Tensor head(const torch::Tensor& features) override {
    return fc(torch::dropout(features, dropout_, is_training()));
  }
  nn::Stages stages() const override { return {{{"stem", {"conv.", "norm."}}, {"top", {"wide."}}}, {"fc."}}; }
  std::int64_t passed = 0;

 private:
  double dropout_;
  torch::nn::Conv2d conv{nullptr}, wide{nullptr};
  nn::BatchNorm2d norm{nullptr};
  torch::nn::Linear fc{nullptr};
};

inline constexpr int kPictureSize = 16;

// `count` pictures of each class; a PNG each.
inline image_classification::Dataset draw_classes(const TestFolder& folder, const std::string& name,
                                                  const std::vector<int>& counts, std::uint64_t seed) {
  image_classification::Dataset set;
  for (std::size_t c = 0; c < counts.size(); ++c) {
    set.classes.push_back(std::string(1, static_cast<char>('a' + c)));
    for (int i = 0; i < counts[c]; ++i) {
      Rng rng(seed + c, static_cast<std::uint64_t>(i));
      images::Image image{kPictureSize, kPictureSize, 3, {}};
      for (int pixel = 0; pixel < kPictureSize * kPictureSize; ++pixel)
        for (std::size_t channel = 0; channel < 3; ++channel)
          image.pixels.push_back(
              static_cast<std::uint8_t>((channel == c % 3 ? 130 : 80) + rng.below(60) + 10 * (c / 3)));
      const std::string file = name + "/" + set.classes.back() + "/" + std::to_string(i) + ".png";
      std::filesystem::create_directories((folder.path() / file).parent_path());
      images::write_png(folder.path() / file, image);
      set.examples.push_back({folder.path() / file, file, {static_cast<int>(c)}, ""});
    }
  }
  return set;
}

// Decodes whenever it is asked, and counts. A varied image is a shifted one.
inline image_classification::Pixels open_pictures(const std::vector<std::filesystem::path>& files,
                                                  bool varied, std::int64_t& decoded) {
  return [=, &decoded](const std::vector<std::int64_t>& examples, std::int64_t epoch) {
    torch::Tensor pixels = torch::empty(
        {static_cast<std::int64_t>(examples.size()), kPictureSize, kPictureSize, 3}, torch::kByte);
    for (std::size_t i = 0; i < examples.size(); ++i) {
      images::Image image = images::decode(files[static_cast<std::size_t>(examples[i])]);
      ++decoded;
      torch::Tensor one =
          torch::from_blob(image.pixels.data(), {kPictureSize, kPictureSize, 3}, torch::kByte);
      pixels[static_cast<std::int64_t>(i)].copy_(varied ? one.roll(examples[i] + epoch, 0) : one);
    }
    return pixels;
  };
}

// Trainings of one data set, with what they did counted.
class ClassifierPlace {
 public:
  explicit ClassifierPlace(std::vector<int> counts = {10, 10, 10}) {
    training = draw_classes(folder, "training", counts, 1);
    validation = draw_classes(folder, "validation", std::vector<int>(counts.size(), 4), 100);
    trial.seed = 3;
    compute = loop::set_up_compute(/*threads=*/1, /*wants_gpu=*/false);
  }
  std::unique_ptr<image_classification::ImageClassificationTraining> start(
      const Json& given, const std::string& recipe = "fine-tune") {
    using namespace image_classification;
    const Asked asked = asked_of(classification_recipe(recipe), given);
    ClassifierParts parts{.values = fine_tuning_values(asked.parameters)};
    torch::manual_seed(trial.seed);
    network = std::make_shared<TinyClassifier>(static_cast<std::int64_t>(training.classes.size()),
                                               parts.values.number("dropout"));
    if (change_network) change_network(*network);
    parts.recipe = recipe;
    parts.model_name = "tiny";
    parts.given = given;
    parts.network = network;
    parts.preprocessing.size = kPictureSize;
    parts.training = training;
    parts.validation = validation;
    parts.open = [this](const auto& files, Variation variation) {
      return open_pictures(files, variation != Variation::kNone, decoded);
    };
    parts.shared_variation = {{"shift", true}};
    parts.data_fingerprint = "drawn";
    notes.str("");
    return std::make_unique<ImageClassificationTraining>(trial, compute, std::move(parts), notes);
  }

  TestFolder folder;
  image_classification::Dataset training, validation;
  loop::TrialFile trial;
  loop::Compute compute;
  std::function<void(TinyClassifier&)> change_network;
  std::shared_ptr<TinyClassifier> network;  // of the last training
  std::int64_t decoded = 0;
  std::ostringstream notes;
};

// The user's cache folder is another one as long as it lives.
class OwnFeatureCache {
 public:
  explicit OwnFeatureCache(const std::filesystem::path& folder) {
    setenv("XDG_CACHE_HOME", folder.c_str(), 1);
  }
  ~OwnFeatureCache() {
    unsetenv("XDG_CACHE_HOME");
    unsetenv("TUNE_FEATURE_CACHE_MB");
  }
  OwnFeatureCache(const OwnFeatureCache&) = delete;
  OwnFeatureCache& operator=(const OwnFeatureCache&) = delete;
};

}  // namespace tune::trainer::tests
