#include "trainer/tasks/classification/frozen_features.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <ostream>
#include <tuple>

#include "trainer/weights/state_dict.h"
#include "trainer/weights/tensor_hash.h"
#include "tuner/core/error.h"

namespace tune::trainer::classification {
namespace {

constexpr std::size_t kBatch = 32;
constexpr int kSchema = 1;  // of the keys

// Of all that features are computed with.
std::string hash_of_body(const torch::nn::Module& model, const std::vector<std::string>& head) {
  weights::TensorMap body = weights::state_dict(model);
  for (const std::string& prefix : head)
    std::erase_if(body, [&](const auto& entry) { return entry.first.starts_with(prefix); });
  Sha256 hash;
  weights::add_tensors(hash, body);
  return hash.hex();
}

std::string key_of(const Json& what) {
  Sha256 hash;
  hash.add(what.dump());
  return hash.hex();
}

}  // namespace

FrozenFeatures::FrozenFeatures(torch::nn::Module& model, const std::vector<std::string>& head,
                               const loop::Compute& compute, Json about, std::string unit,
                               FeatureCache& cache, std::ostream& notes, std::function<bool()> interrupted)
    : model_(model),
      compute_(compute),
      about_(std::move(about)),
      unit_(std::move(unit)),
      cache_(cache),
      notes_(notes),
      interrupted_(std::move(interrupted)) {
  about_["schema"] = kSchema;
  about_["weights"] = hash_of_body(model, head);
  about_["precision"] = loop::precision_name(compute.precision);
  about_["device"] = c10::DeviceTypeName(compute.device.type(), /*lower_case=*/true);
  about_["libtorch"] = compat::libtorch_version();
}

std::vector<torch::Tensor> FrozenFeatures::of(const std::vector<FeatureSet>& sets) {
  // In the order of their hashes, so that another cut of the same data set finds them too.
  std::map<std::string, Place> examples;
  for (std::size_t set = 0; set < sets.size(); ++set)
    for (std::size_t i = 0; i < sets[set].contents.size(); ++i)
      examples.try_emplace(sets[set].contents[i], Place{set, static_cast<std::int64_t>(i)});
  Json what = about_;
  std::vector<Place> places;
  std::map<std::string, std::int64_t> rows;
  for (const auto& [hash, place] : examples) {
    rows.emplace(hash, static_cast<std::int64_t>(places.size()));
    what[unit_].push_back(hash);
    places.push_back(place);
  }
  const torch::Tensor all = kept_or_computed(what, sets, places, /*epoch=*/0);
  std::vector<torch::Tensor> features;
  for (const FeatureSet& set : sets) {
    std::vector<std::int64_t> wanted;
    for (const std::string& hash : set.contents) wanted.push_back(rows.at(hash));
    features.push_back(all.index_select(0, torch::tensor(wanted, torch::kLong)));
  }
  return features;
}

torch::Tensor FrozenFeatures::of_view(const FeatureSet& set, std::int64_t epoch, const Json& variation) {
  Json what = about_;
  what[unit_] = set.contents;  // in their order, which the variation depends on
  what["view"] = epoch;
  what["variation"] = variation;
  std::vector<Place> places;
  for (std::size_t i = 0; i < set.contents.size(); ++i) places.push_back({0, static_cast<std::int64_t>(i)});
  return kept_or_computed(what, {set}, places, epoch);
}

torch::Tensor FrozenFeatures::kept_or_computed(const Json& what, const std::vector<FeatureSet>& sets,
                                               const std::vector<Place>& places, std::int64_t epoch) {
  bool computes = false;
  const auto begin = std::chrono::steady_clock::now();
  torch::Tensor features = cache_.get(key_of(what), static_cast<std::int64_t>(places.size()), [&] {
    computes = true;
    return computed(sets, places, epoch);
  });
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%.2f s", took.count());
  notes_ << "features: of " << places.size() << ' ' << unit_ << (epoch > 0 ? ", varied" : "") << ", "
         << (computes ? "computed in " : "found in ") << seconds << std::endl;
  return features;
}

torch::Tensor FrozenFeatures::computed(const std::vector<FeatureSet>& sets, const std::vector<Place>& places,
                                       std::int64_t epoch) {
  const torch::NoGradGuard no_grad;
  const compat::Autocast precision(compute_.device.type(), compute_.precision == loop::Precision::kBf16,
                                   torch::kBFloat16);
  model_.eval();
  // Set by set, as each has examples of its own, and those of one size together.
  std::vector<std::int64_t> order(places.size());
  std::iota(order.begin(), order.end(), 0);
  const auto place = [&](std::size_t row) -> const Place& {
    return places[static_cast<std::size_t>(order[row])];
  };
  std::stable_sort(order.begin(), order.end(), [&](std::int64_t a, std::int64_t b) {
    const Place &one = places[static_cast<std::size_t>(a)], &other = places[static_cast<std::size_t>(b)];
    const auto size = [&](const Place& of) {
      const std::vector<std::int64_t>& sizes = sets[of.set].sizes;
      return sizes.empty() ? 0 : sizes[static_cast<std::size_t>(of.index)];
    };
    return std::tuple(one.set, size(one), one.index) < std::tuple(other.set, size(other), other.index);
  });
  std::vector<torch::Tensor> batches;
  for (std::size_t row = 0; row < order.size();) {
    if (interrupted_ && interrupted_())
      throw Error(ExitCode::kInterrupted, "interrupted while features were computed",
                  "the same command computes them anew");
    const std::size_t set = place(row).set;
    std::vector<std::int64_t> examples;
    for (; row < order.size() && examples.size() < kBatch && place(row).set == set; ++row)
      examples.push_back(place(row).index);
    batches.push_back(sets[set].features(examples, epoch).to(torch::kFloat).cpu());
  }
  const torch::Tensor in_order = torch::cat(batches);
  return torch::empty_like(in_order).index_copy_(0, torch::tensor(order, torch::kLong), in_order);
}

}  // namespace tune::trainer::classification
