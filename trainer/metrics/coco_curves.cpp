#include "trainer/metrics/coco_curves.h"

#include <algorithm>
#include <bit>

namespace tune::trainer::metrics {
namespace {

constexpr std::size_t kThresholds = kOverlapThresholds.size();
constexpr double kSpacing = 2.220446049250313e-16;  // numpy.spacing(1), keeps 0 / 0 at 0

std::uint64_t count_of(ImageCounts counts, std::uint32_t image) { return counts.empty() ? 1 : counts[image]; }

std::uint64_t objects_in(const JudgedClass& judged, std::size_t area, ImageCounts counts) {
  std::uint64_t objects = 0;
  for (const auto& image : judged.objects) objects += count_of(counts, image.image) * image.objects[area];
  return objects;
}

// Precision rises only where a detection is right, so a curve is known by those points alone.
struct Points {
  std::vector<double> hits, precision;
};

// numpy's pairwise summation: another order of adding would change the last bits.
double pairwise_sum(std::span<const double> numbers) {
  const std::size_t n = numbers.size();
  if (n > 128) {
    const std::size_t half = n / 2 - n / 2 % 8;
    return pairwise_sum(numbers.first(half)) + pairwise_sum(numbers.subspan(half));
  }
  double sum = 0;
  std::size_t i = 0;
  if (n >= 8) {
    std::array<double, 8> r{};
    for (; i < n - n % 8; i += 8)
      for (std::size_t j = 0; j < 8; ++j) r[j] += numbers[i + j];
    sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
  }
  for (; i < n; ++i) sum += numbers[i];
  return sum;
}

double mean(std::span<const double> numbers) {
  return numbers.empty() ? -1 : pairwise_sum(numbers) / static_cast<double>(numbers.size());
}

void find_points(const JudgedClass& judged, std::size_t area, ImageCounts counts,
                 std::array<Points, kThresholds>& points) {
  std::array<std::uint64_t, kThresholds> hits{}, passed_over{};
  std::uint64_t seen = 0;
  for (const JudgedDetection& detection : judged.detections) {
    const std::uint64_t count = count_of(counts, detection.image);
    const ThresholdBits ignored = detection.ignored[area], right = detection.right[area];
    if (count == 0 || ignored == kEveryThreshold) continue;
    seen += count;
    for (unsigned bits = ignored | right; bits != 0; bits &= bits - 1) {
      const auto t = static_cast<std::size_t>(std::countr_zero(bits));
      if ((ignored >> t & 1U) != 0) {
        passed_over[t] += count;
        continue;
      }
      hits[t] += count;
      const auto found = static_cast<double>(hits[t]);
      points[t].hits.push_back(found);
      points[t].precision.push_back(found / (static_cast<double>(seen - passed_over[t]) + kSpacing));
    }
  }
}

void interpolate(Points& points, double objects, std::array<double, kRecalls>& precision) {
  for (std::size_t i = points.precision.size(); i-- > 1;)
    points.precision[i - 1] = std::max(points.precision[i - 1], points.precision[i]);
  std::size_t at = 0;
  for (std::size_t r = 0; r < kRecalls; ++r) {
    while (at < points.hits.size() && points.hits[at] / objects < static_cast<double>(r) * 0.01) ++at;
    precision[r] = at < points.hits.size() ? points.precision[at] : 0;
  }
}

}  // namespace

void trace_curves(const JudgedClass& judged, std::size_t area, ImageCounts counts, ClassCurves& curves) {
  const auto objects = static_cast<double>(objects_in(judged, area, counts));
  curves.defined = objects > 0;
  if (!curves.defined) return;
  thread_local std::array<Points, kThresholds> points;  // only for its memory
  for (Points& of_threshold : points) of_threshold.hits.clear(), of_threshold.precision.clear();
  find_points(judged, area, counts, points);
  for (std::size_t t = 0; t < kThresholds; ++t) {
    curves.recall[t] = points[t].hits.empty() ? 0 : points[t].hits.back() / objects;
    interpolate(points[t], objects, curves.precision[t]);
  }
}

std::array<double, kThresholds> recall_with_at_most(const JudgedClass& judged, std::size_t most) {
  std::array<double, kThresholds> recall{};
  const auto objects = static_cast<double>(objects_in(judged, /*area=*/0, {}));
  for (const JudgedDetection& detection : judged.detections) {
    if (detection.rank >= most) continue;
    for (std::size_t t = 0; t < kThresholds; ++t) recall[t] += detection.right[0] >> t & 1U;
  }
  for (double& number : recall) number /= objects;
  return recall;
}

double mean_precision(std::span<const ClassCurves> classes, std::size_t first, std::size_t last) {
  thread_local std::vector<double> numbers;  // only for its memory
  numbers.clear();
  for (std::size_t t = first; t <= last; ++t)
    for (std::size_t r = 0; r < kRecalls; ++r)
      for (const ClassCurves& curves : classes)
        if (curves.defined) numbers.push_back(curves.precision[t][r]);
  return mean(numbers);
}

double mean_recall(std::span<const ClassCurves> classes) {
  std::vector<double> numbers;
  for (std::size_t t = 0; t < kThresholds; ++t)
    for (const ClassCurves& curves : classes)
      if (curves.defined) numbers.push_back(curves.recall[t]);
  return mean(numbers);
}

}  // namespace tune::trainer::metrics
