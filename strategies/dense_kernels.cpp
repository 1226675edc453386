#include "strategies/dense_kernels.h"

#include <cstdlib>
#include <string>

#include "tuner/core/error.h"

namespace tune::strategies {

namespace baseline {
extern const DenseKernels kKernels;
}
#ifdef TUNE_HAS_avx2
namespace avx2 {
extern const DenseKernels kKernels;
}
#endif
#ifdef TUNE_HAS_avx512
namespace avx512 {
extern const DenseKernels kKernels;
}
#endif

namespace {

const DenseKernels& chosen() {
  const auto& levels = dense_levels();
  const char* wanted = std::getenv("TUNE_SIMD");
  if (!wanted || !*wanted) return *levels.back();
  std::string names;
  for (const DenseKernels* level : levels) {
    if (std::string_view(level->name) == wanted) return *level;
    names += std::string(names.empty() ? "" : ", ") + level->name;
  }
  throw Error(
      ExitCode::kEnvironment,
      std::string("TUNE_SIMD names \"") + wanted + "\", which this processor or program does not have",
      "take one of: " + names + "; or unset it");
}

const DenseKernels*& active() {
  static const DenseKernels* kernels = &chosen();
  return kernels;
}

}  // namespace

const std::vector<const DenseKernels*>& dense_levels() {
  static const std::vector<const DenseKernels*> levels = [] {
    std::vector<const DenseKernels*> found{&baseline::kKernels};
#ifdef TUNE_HAS_avx2
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(&avx2::kKernels);
#endif
#ifdef TUNE_HAS_avx512
    __builtin_cpu_init();
    if (__builtin_cpu_supports("x86-64-v4")) found.push_back(&avx512::kKernels);
#endif
    return found;
  }();
  return levels;
}

const DenseKernels& dense_kernels() { return *active(); }

FixedLevel::FixedLevel(const DenseKernels& level) : before_(active()) { active() = &level; }
FixedLevel::~FixedLevel() { active() = before_; }

}  // namespace tune::strategies
