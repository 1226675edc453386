#include "trainer/weights/unwrap.h"

#include <algorithm>
#include <array>

namespace tune::trainer::weights {
namespace {

// What torch.compile, FullyShardedDataParallel and activation checkpointing name the module that they wrap.
constexpr auto kWrappers =
    std::to_array<std::string_view>({"_orig_mod.", "_fsdp_wrapped_module.", "_checkpoint_wrapped_module."});
// The most components that a prefix has; a name of the model itself has up to seven.
constexpr int kDeepestName = 4;
// A prefix has to be shared by this part of the names: a generator's beside a discriminator's, a student's
// beside several teachers'.
constexpr std::size_t kLeastShare = 10;

std::string without_wrappers(std::string name) {
  for (const std::string_view wrapper : kWrappers)
    for (std::size_t at = name.find(wrapper); at != name.npos; at = name.find(wrapper, at)) {
      const bool is_component = at == 0 || name[at - 1] == '.';
      if (is_component)
        name.erase(at, wrapper.size());
      else
        ++at;
    }
  return name;
}

// In the order of their length.
std::vector<std::string> prefixes_of(const TensorMap& tensors) {
  std::map<std::string, std::size_t> counts;
  for (const auto& [name, tensor] : tensors) {
    std::size_t end = name.find('.');
    for (int depth = 0; depth < kDeepestName && end != name.npos; ++depth, end = name.find('.', end + 1))
      ++counts[name.substr(0, end + 1)];
  }
  std::vector<std::string> prefixes;
  for (const auto& [prefix, count] : counts)
    if (count * kLeastShare >= tensors.size()) prefixes.push_back(prefix);
  std::stable_sort(prefixes.begin(), prefixes.end(),
                   [](const std::string& a, const std::string& b) { return a.size() < b.size(); });
  return prefixes;
}

TensorMap without(const std::string& prefix, const TensorMap& tensors) {
  TensorMap renamed;
  for (const auto& [name, tensor] : tensors)
    if (name.starts_with(prefix)) renamed.emplace(name.substr(prefix.size()), tensor);
  for (const auto& [name, tensor] : tensors)
    if (!name.starts_with(prefix)) renamed.emplace(name, tensor);
  return renamed;
}

}  // namespace

Unwrapped unwrap(const TensorMap& tensors, const Fit& fit) {
  TensorMap plain;
  for (const auto& [name, tensor] : tensors) plain.emplace(without_wrappers(name), tensor);
  Unwrapped best{plain, ""};
  std::int64_t most = fit(plain);
  for (const std::string& prefix : prefixes_of(plain)) {
    TensorMap renamed = without(prefix, plain);
    if (const std::int64_t fits = fit(renamed); fits > most) {
      most = fits;
      best = {std::move(renamed), prefix};
    }
  }
  return best;
}

}  // namespace tune::trainer::weights
