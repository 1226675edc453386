#include "tuner/import/instance_gpus.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace tune::amt {
namespace {

struct Row {
  std::string_view type;
  int gpus;
};

// AWS's pages of accelerated instances. Of the families with one GPU in small sizes, those sizes are left to
// kOneGpu.
constexpr std::array kGpus{
    Row{"p2.xlarge", 1},     Row{"p2.8xlarge", 8},       Row{"p2.16xlarge", 16},  Row{"p3.2xlarge", 1},
    Row{"p3.8xlarge", 4},    Row{"p3.16xlarge", 8},      Row{"p3dn.24xlarge", 8}, Row{"p4d.24xlarge", 8},
    Row{"p4de.24xlarge", 8}, Row{"p5.4xlarge", 1},       Row{"p5.48xlarge", 8},   Row{"p5e.48xlarge", 8},
    Row{"p5en.48xlarge", 8}, Row{"p6-b200.48xlarge", 8}, Row{"g4dn.12xlarge", 4}, Row{"g5.12xlarge", 4},
    Row{"g5.24xlarge", 4},   Row{"g5.48xlarge", 8},      Row{"g6.12xlarge", 4},   Row{"g6.24xlarge", 4},
    Row{"g6.48xlarge", 8},   Row{"g6e.12xlarge", 4},     Row{"g6e.24xlarge", 4},  Row{"g6e.48xlarge", 8},
};
constexpr std::array<std::string_view, 4> kOneGpu{"g4dn", "g5", "g6", "g6e"};
constexpr std::array<std::string_view, 5> kOneGpuSizes{"xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"};
constexpr std::array<std::string_view, 20> kNoGpu{"t2",  "t3",  "m4",  "m5",  "m5d", "m6i", "m6id",
                                                  "m6a", "m7i", "c4",  "c5",  "c5d", "c5n", "c6i",
                                                  "c7i", "r5",  "r5d", "r6i", "r7i", "c6id"};

template <typename List>
bool is_among(std::string_view name, const List& list) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

}  // namespace

std::optional<int> gpus_of(const std::string& instance_type) {
  std::string_view type = instance_type;
  if (type.starts_with("ml.")) type.remove_prefix(3);
  const auto row =
      std::find_if(kGpus.begin(), kGpus.end(), [&](const Row& each) { return each.type == type; });
  if (row != kGpus.end()) return row->gpus;
  const std::size_t dot = type.find('.');
  if (dot == std::string_view::npos) return std::nullopt;
  const std::string_view family = type.substr(0, dot), size = type.substr(dot + 1);
  if (is_among(family, kOneGpu) && is_among(size, kOneGpuSizes)) return 1;
  return is_among(family, kNoGpu) ? std::optional(0) : std::nullopt;
}

}  // namespace tune::amt
