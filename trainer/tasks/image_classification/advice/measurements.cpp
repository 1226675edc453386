#include "trainer/tasks/image_classification/advice/measurements.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <ostream>
#include <set>

#include "trainer/data/in_parallel.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/image_classification/advice/folds.h"
#include "trainer/tasks/image_classification/data/image_batches.h"
#include "trainer/tasks/image_classification/frozen_pictures.h"
#include "trainer/tasks/image_classification/initial_weights.h"
#include "trainer/tasks/image_sets/findings.h"
#include "tuner/core/error.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::image_classification {
namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::uint64_t kAdviceSeed = 1;  // of samples, folds and random weights
constexpr std::size_t kMostSampled = 1500, kFewestSampled = 24;
constexpr int kNeighbours = 9;
// Parts of the time: comparing bytes, searching overlaps, and both networks' features.
constexpr double kForBytes = 0.1, kForOverlaps = 0.25, kForFeatures = 0.7, kForOneProbe = 0.1;

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

[[noreturn]] void interrupt_advice() {
  throw Error(ExitCode::kInterrupted, "interrupted while the data was measured");
}

// What a step of the work asks now and then: whether its time, or all of it, is over.
std::function<bool()> time_is_over(const Measuring& work, double part) {
  return [&work, end = SteadyClock::now() + std::chrono::duration<double>(part * work.seconds)] {
    return SteadyClock::now() > end || (work.interrupted && work.interrupted());
  };
}

void compare_bytes(const Dataset& set, const Measuring& work, Measurements& found) {
  std::vector<std::string> hashes(set.examples.size());
  const bool all = data::in_parallel(
      hashes.size(), work.compute.threads,
      [&](std::size_t i) { hashes[i] = sha256_of_file(set.examples[i].image); }, {},
      time_is_over(work, kForBytes));
  if (work.interrupted && work.interrupted()) interrupt_advice();
  std::map<std::string, std::vector<std::size_t>> equal;
  for (std::size_t i = 0; i < hashes.size(); ++i)
    if (!hashes[i].empty()) equal[hashes[i]].push_back(i);
  for (const auto& [hash, images] : equal) {
    found.copies.compared += images.size();
    if (images.size() < 2) continue;
    found.copies.equal += images.size();
    std::set<std::string> parts;
    for (const std::size_t image : images) parts.insert(set.examples[image].part);
    found.copies.leaks += parts.size() > 1 ? 1 : 0;
  }
  if (!all)
    found.limits.push_back("equal files were looked for among " + std::to_string(found.copies.compared) +
                           " of " + std::to_string(set.examples.size()) +
                           " images: `tune-train audit` compares all");
}

std::vector<std::filesystem::path> files_of_sample(const Dataset& set,
                                                   const std::vector<std::size_t>& sample) {
  std::vector<std::filesystem::path> files;
  for (const std::size_t image : sample) files.push_back(set.examples[image].image);
  return files;
}

// The sample, and behind it as many images of the parts that measure, for which nothing else is looked at.
std::vector<std::size_t> compared_images(const Dataset& set, Measurements& found) {
  const std::vector<std::size_t> training = training_examples_of(set);
  const std::set<std::size_t> trained(training.begin(), training.end());
  std::vector<std::size_t> others, compared = found.sample;
  std::vector<int> labels;
  for (std::size_t i = 0; i < set.examples.size(); ++i) {
    if (trained.contains(i)) continue;
    others.push_back(i);
    labels.push_back(set.examples[i].labels.empty() ? -1 : set.examples[i].labels.front());
  }
  for (const std::size_t at : stratified_sample(labels, found.sample.size(), kAdviceSeed))
    compared.push_back(others[at]);
  if (compared.size() < set.examples.size())
    found.limits.push_back("overlapping crops were searched among " + std::to_string(compared.size()) +
                           " of " + std::to_string(set.examples.size()) +
                           " images: `tune-train audit` searches all");
  return compared;
}

// What an audit of those images finds, but for equal files.
image_sets::Findings findings_among(const Dataset& set, const std::vector<std::size_t>& compared,
                                    const std::vector<image_sets::AuditedImage>& images,
                                    const Measuring& work) {
  const std::function<bool()> interrupted = time_is_over(work, kForOverlaps);
  const image_sets::FindingWork finding{images, work.compute.threads, work.notes, interrupted};
  image_sets::Findings findings;
  const std::vector<image_sets::Prints> prints = image_sets::read_prints(finding);
  image_sets::find_equal(
      prints,
      [&](std::size_t one, std::size_t other) {
        return set.examples[compared[one]].labels == set.examples[compared[other]].labels;
      },
      findings);
  findings.byte_equal.clear();
  image_sets::find_overlapping(finding, prints, findings);
  return findings;
}

void search_overlaps(const Dataset& set, const Measuring& work, Measurements& found) {
  const std::vector<std::size_t> compared = compared_images(set, found);
  std::vector<image_sets::AuditedImage> images;
  for (const std::size_t image : compared) {
    const Example& example = set.examples[image];
    images.push_back({0, example.image, example.name,
                      example.part.empty() ? std::set<std::string>{} : std::set<std::string>{example.part}});
  }
  try {
    const image_sets::Findings findings = findings_among(set, compared, images, work);
    std::set<std::size_t> showing;  // a part of another
    for (const data::Overlap& overlap : findings.overlaps) showing.insert({overlap.first, overlap.second});
    for (const image_sets::EqualImages& equal : findings.pixel_equal)
      showing.insert(equal.images.begin(), equal.images.end());
    const auto is_sampled = [&](std::size_t index) { return index < found.sample.size(); };
    found.copies.overlapping =
        static_cast<std::size_t>(std::count_if(showing.begin(), showing.end(), is_sampled));
    for (std::vector<std::size_t> group : findings.groups) {
      std::erase_if(group, [&](std::size_t index) { return !is_sampled(index); });
      if (group.size() > 1) found.copies.groups.push_back(std::move(group));
    }
    found.copies.leaks += image_sets::count_leaks(images, findings);
    found.copies.searched_overlaps = true;
  } catch (const Error& error) {
    if (error.code() != ExitCode::kInterrupted || (work.interrupted && work.interrupted())) throw;
    found.limits.emplace_back(
        "overlapping crops were not searched to the end, so that images are compared as if each showed a "
        "surface of its own: `tune-train audit` takes its time");
  }
}

Pixels pixels_of(const std::vector<std::filesystem::path>& files, const data::Preprocessing& preprocessing,
                 int threads) {
  const auto images =
      std::make_shared<const ImageBatches>(files, preprocessing, std::nullopt, /*seed=*/0, threads);
  return [images, threads](const std::vector<std::int64_t>& examples, std::int64_t epoch) {
    const std::int64_t size = images->size();
    torch::Tensor pixels =
        torch::empty({static_cast<std::int64_t>(examples.size()), size, size, 3}, torch::kByte);
    images->fill(examples, epoch, pixels.data_ptr<std::uint8_t>(), threads);
    return pixels;
  };
}

// A network that measures, on the device and in evaluation mode.
std::shared_ptr<nn::ImageClassifier> network_for(const Measuring& work,
                                                 const std::vector<std::string>& classes, bool with_weights) {
  torch::manual_seed(kAdviceSeed);
  auto network = work.kind.make(static_cast<std::int64_t>(classes.size()), /*dropout=*/0);
  if (with_weights)
    initialise_from(*network, *work.weights, work.kind, work.kind.input, {classes}, HeadPolicy::kNew,
                    work.notes);
  network->to(work.compute.device);
  network->eval();
  return network;
}

// Of decoding and a pass forwards, by a few batches of which the first, which warms up, does not count.
double measured_speed(nn::ImageClassifier& network, const nn::Normaliser& normalise, const Dataset& set,
                      const std::vector<std::size_t>& images, const data::Preprocessing& preprocessing,
                      const Measuring& work) {
  constexpr std::size_t kBatch = 8;
  constexpr double kEnoughSeconds = 1;
  const torch::NoGradGuard no_grad;
  std::size_t passed = 0;
  auto begin = SteadyClock::now();
  for (std::size_t from = 0; from < images.size() && (passed == 0 || seconds_since(begin) < kEnoughSeconds);
       from += kBatch) {
    const std::vector<std::size_t> batch(
        images.begin() + static_cast<std::ptrdiff_t>(from),
        images.begin() + static_cast<std::ptrdiff_t>(std::min(from + kBatch, images.size())));
    std::vector<std::int64_t> all;
    for (std::size_t i = 0; i < batch.size(); ++i) all.push_back(static_cast<std::int64_t>(i));
    const Pixels pixels = pixels_of(files_of_sample(set, batch), preprocessing, work.compute.threads);
    network.features(normalise(pixels(all, 0).to(work.compute.device)));
    loop::wait_for(work.compute.device);
    if (from == 0) begin = SteadyClock::now();
    if (from > 0 || images.size() <= kBatch) passed += batch.size();
  }
  return static_cast<double>(passed) / std::max(seconds_since(begin), 1e-3);
}

// So many that features fit in their time: of a few sizes, so that another run on the same machine takes the
// same images and finds their features kept.
std::size_t sample_size(double affordable, std::size_t images) {
  std::size_t size = kFewestSampled;
  while (size * 5 / 4 <= kMostSampled && static_cast<double>(size * 5 / 4) <= affordable) size = size * 5 / 4;
  return std::min(size, images);
}

// [images, features] in double on the CPU; a map of features by its mean, as a linear head would see it.
torch::Tensor flat_features(torch::Tensor features) {
  if (features.dim() > 2) features = features.flatten(2).mean(2);
  return features.to(torch::kCPU, torch::kDouble);
}

torch::Tensor features_of(nn::ImageClassifier& network, const nn::Normaliser& normalise,
                          const std::vector<std::filesystem::path>& files, const Pixels& pixels,
                          const data::Preprocessing& preprocessing, const Measuring& work) {
  classification::FeatureCache cache = classification::FeatureCache::of_user(work.notes, work.interrupted);
  classification::FrozenFeatures frozen(
      network, network.stages().head, work.compute,
      {{"network", work.kind.name}, {"preprocessing", data::to_json(preprocessing)}}, "images", cache,
      work.notes, work.interrupted);
  const classification::FeatureSet pictures = picture_set(files, pixels, network, normalise, work.compute);
  const torch::Tensor features = flat_features(frozen.of({pictures}).front());
  if (!features.isfinite().all().item<bool>())
    throw Error(ExitCode::kBadData, "the network's features of some images are not finite numbers",
                "`tune-train inspect-weights` shows what is in the weights");
  return features;
}

double share_of_largest(const std::vector<int>& labels) {
  std::map<int, std::size_t> counts;
  std::size_t most = 0;
  for (const int label : labels) most = std::max(most, ++counts[label]);
  return static_cast<double>(most) / static_cast<double>(labels.size());
}

// The fewest groups that a class of the sample has.
std::size_t fewest_groups(const std::vector<int>& labels, const std::vector<std::size_t>& groups,
                          std::size_t classes) {
  std::map<int, std::set<std::size_t>> of_class;
  for (std::size_t i = 0; i < labels.size(); ++i) of_class[labels[i]].insert(groups[i]);
  if (of_class.size() < classes) return 0;
  std::size_t fewest = labels.size();
  for (const auto& [label, numbers] : of_class) fewest = std::min(fewest, numbers.size());
  return fewest;
}

void probe(const Dataset& set, nn::ImageClassifier& pretrained, const nn::Normaliser& normalise,
           const data::Preprocessing& preprocessing, const Measuring& work, Measurements& found) {
  constexpr std::size_t kLeastFolds = 3, kMostFolds = 5;
  std::vector<int> labels;
  for (const std::size_t image : found.sample) labels.push_back(set.examples[image].labels.front());
  const std::vector<std::size_t> groups = group_numbers(labels.size(), found.copies.groups);
  const std::size_t fewest = fewest_groups(labels, groups, set.classes.size());
  const std::vector<std::filesystem::path> files = files_of_sample(set, found.sample);
  const Pixels pixels = pixels_of(files, preprocessing, work.compute.threads);
  const torch::Tensor features = features_of(pretrained, normalise, files, pixels, preprocessing, work);
  found.neighbours = kNeighbours;
  found.doubts = label_doubts(features, labels, groups, kNeighbours);
  if (fewest < kLeastFolds) {
    found.limits.emplace_back(
        "nearness was not measured: some class has fewer than three images in the sample that show different "
        "surfaces");
    return;
  }
  found.folds = static_cast<int>(std::min(kMostFolds, fewest));
  const std::vector<int> folds = stratified_folds(labels, found.copies.groups, found.folds, kAdviceSeed);
  const auto accuracy = [&](const torch::Tensor& some) {
    const Estimate estimate = cross_validated_accuracy(some, labels, static_cast<int>(set.classes.size()),
                                                       folds, groups, time_is_over(work, kForOneProbe));
    if (work.interrupted && work.interrupted()) interrupt_advice();
    if (estimate.images < labels.size())
      found.limits.push_back("a linear probe was measured on " + std::to_string(estimate.images) + " of " +
                             std::to_string(labels.size()) + " images, those of the first folds");
    return estimate;
  };
  Nearness nearness;
  nearness.chance = share_of_largest(labels);
  nearness.pretrained = accuracy(features);
  const auto random = network_for(work, set.classes, /*with_weights=*/false);
  nearness.random = accuracy(features_of(*random, normalise, files, pixels, preprocessing, work));
  found.nearness = nearness;
}

}  // namespace

std::vector<std::size_t> training_examples_of(const Dataset& set) {
  std::vector<std::size_t> training, all;
  for (std::size_t i = 0; i < set.examples.size(); ++i) {
    all.push_back(i);
    if (set.examples[i].part == "train") training.push_back(i);
  }
  return training.empty() ? all : training;
}

Measurements measure(const Dataset& set, const Measuring& work) {
  Measurements found;
  compare_bytes(set, work, found);
  const std::vector<std::size_t> training = training_examples_of(set);
  found.images = training.size();
  const data::Preprocessing& preprocessing = work.kind.input;
  const nn::Normaliser normalise(preprocessing.mean, preprocessing.std, work.compute.device);
  const auto network = network_for(work, set.classes, work.weights.has_value());
  found.stages = network->stages().body.size();
  std::vector<int> labels;
  for (const std::size_t image : training)
    labels.push_back(set.examples[image].labels.empty() ? -1 : set.examples[image].labels.front());
  // Few enough for the clock to be read within a second or two.
  constexpr std::size_t kTimed = 160;
  std::vector<std::size_t> timed;
  for (const std::size_t at : stratified_sample(labels, kTimed, kAdviceSeed)) timed.push_back(training[at]);
  found.images_per_second = measured_speed(*network, normalise, set, timed, preprocessing, work);
  const std::size_t most =
      work.weights ? sample_size(found.images_per_second * kForFeatures / 2 * work.seconds, training.size())
                   : std::min(kMostSampled, training.size());
  for (const std::size_t at : stratified_sample(labels, most, kAdviceSeed))
    found.sample.push_back(training[at]);
  search_overlaps(set, work, found);
  if (!work.weights) return found;
  if (set.multi_label) {
    found.limits.emplace_back("nearness and labels were not measured: images show several classes");
    return found;
  }
  if (found.sample.size() < found.images)
    found.limits.push_back("the network looked at " + std::to_string(found.sample.size()) + " of " +
                           std::to_string(found.images) + " images, as many of each class as its share");
  probe(set, *network, normalise, preprocessing, work, found);
  return found;
}

}  // namespace tune::trainer::image_classification
