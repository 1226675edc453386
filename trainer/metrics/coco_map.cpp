#include "trainer/metrics/coco_map.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <numeric>

namespace tune::trainer::metrics {
namespace {

// numpy.linspace(.5, .95, 10): .5 + i * .05 differs in the last bit at .85 and .9.
constexpr std::array<double, 10> kThresholds = {
    0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.8999999999999999, 0.95};
constexpr std::size_t kRecalls = 101;  // 0, .01, ..., 1
constexpr std::array<std::size_t, 3> kMostDetections = {1, 10, 100};
struct AreaRange {
  double low, high;  // both ends inclusive
};
constexpr std::array<AreaRange, 4> kAreas = {
    {{0, 1e10}, {0, 32.0 * 32}, {32.0 * 32, 96.0 * 96}, {96.0 * 96, 1e10}}};
constexpr double kSpacing = 2.220446049250313e-16;  // numpy.spacing(1), keeps 0 / 0 at 0

bool outside(double area, const AreaRange& range) { return area < range.low || area > range.high; }

double intersection_over_union(const Box& detected, const Box& truth, bool crowd) {
  const double w =
      std::min(detected.x + detected.width, truth.x + truth.width) - std::max(detected.x, truth.x);
  const double h =
      std::min(detected.y + detected.height, truth.y + truth.height) - std::max(detected.y, truth.y);
  if (w <= 0 || h <= 0) return 0;
  const double shared = w * h, area = detected.width * detected.height;
  // A crowd region may hold many objects, so only the detection's own area counts.
  return shared / (crowd ? area : area + truth.width * truth.height - shared);
}

// One image and class: its boxes, and what became of each detection at every threshold in one area range.
struct Cell {
  std::vector<const TruthBox*> truth;
  std::vector<const DetectedBox*> detections;  // at most 100, by falling score
  std::vector<double> overlaps;                // [detections, truth]
};

struct Fate {
  bool matched = false, ignored = false;
};

// Fates [kThresholds, detections] in `range`, and how many objects count there.
std::vector<Fate> judge(const Cell& cell, const AreaRange& range, std::size_t& counted) {
  const std::size_t objects = cell.truth.size(), n = cell.detections.size();
  const auto is_ignored = [&](std::size_t g) {
    return cell.truth[g]->crowd || outside(cell.truth[g]->area, range);
  };
  std::vector<std::size_t> order(objects);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_partition(order.begin(), order.end(), [&](std::size_t g) { return !is_ignored(g); });
  counted = static_cast<std::size_t>(
      std::count_if(order.begin(), order.end(), [&](std::size_t g) { return !is_ignored(g); }));

  std::vector<Fate> fates(kThresholds.size() * n);
  std::vector<char> taken(objects);
  for (std::size_t t = 0; t < kThresholds.size(); ++t) {
    std::fill(taken.begin(), taken.end(), char{0});
    for (std::size_t d = 0; d < n; ++d) {
      double best = std::min(kThresholds[t], 1 - 1e-10);
      std::size_t match = objects;  // position in `order`
      for (std::size_t o = 0; o < objects; ++o) {
        const std::size_t g = order[o];
        if (taken[g] && !cell.truth[g]->crowd) continue;
        // A real object is held and only ignored ones are left: no crowd may take the detection away.
        if (match < counted && o >= counted) break;
        // On equal overlap the later object wins.
        if (cell.overlaps[d * objects + g] < best) continue;
        best = cell.overlaps[d * objects + g];
        match = o;
      }
      Fate& fate = fates[t * n + d];
      if (match < objects) {
        fate = {!cell.truth[order[match]]->id_is_zero, match >= counted};
        taken[order[match]] = 1;
      }
      if (!fate.matched && outside(cell.detections[d]->box.width * cell.detections[d]->box.height, range))
        fate.ignored = true;
    }
  }
  return fates;
}

// One class at one setting: the interpolated precision at each recall and the final recall. Undefined without
// objects.
struct Curve {
  bool defined = false;
  std::array<double, kRecalls> precision{};
  double recall = 0;
};

Curve curve_of(const std::vector<Fate>& fates, std::size_t objects) {
  std::vector<double> precision, recall;
  double hits = 0, misses = 0;
  for (const Fate& fate : fates) {
    if (!fate.ignored) (fate.matched ? hits : misses) += 1;
    recall.push_back(hits / static_cast<double>(objects));
    precision.push_back(hits / (misses + hits + kSpacing));
  }
  for (std::size_t i = precision.size(); i-- > 1;)
    precision[i - 1] = std::max(precision[i - 1], precision[i]);
  Curve curve{true, {}, recall.empty() ? 0 : recall.back()};
  for (std::size_t r = 0; r < kRecalls; ++r) {
    const auto at = std::lower_bound(recall.begin(), recall.end(), static_cast<double>(r) * 0.01);
    if (at != recall.end()) curve.precision[r] = precision[static_cast<std::size_t>(at - recall.begin())];
  }
  return curve;
}

// [area][most detections][threshold]
using ClassCurves =
    std::array<std::array<std::array<Curve, kThresholds.size()>, kMostDetections.size()>, kAreas.size()>;

struct Ranked {
  double score;
  std::size_t cell, index;
};

// The detections of all cells by falling score, each cell's first `most` only; equal scores in image order.
std::vector<Ranked> rank(const std::vector<Cell>& cells, std::size_t most) {
  std::vector<Ranked> ranked;
  for (std::size_t c = 0; c < cells.size(); ++c)
    for (std::size_t d = 0; d < std::min(most, cells[c].detections.size()); ++d)
      ranked.push_back({cells[c].detections[d]->score, c, d});
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  return ranked;
}

ClassCurves class_curves(const std::vector<Cell>& cells) {
  ClassCurves curves{};
  std::array<std::vector<Ranked>, kMostDetections.size()> ranked;
  for (std::size_t m = 0; m < ranked.size(); ++m) ranked[m] = rank(cells, kMostDetections[m]);
  for (std::size_t a = 0; a < kAreas.size(); ++a) {
    std::vector<std::vector<Fate>> fates;
    std::size_t objects = 0;
    for (const Cell& cell : cells) {
      std::size_t counted = 0;
      fates.push_back(judge(cell, kAreas[a], counted));
      objects += counted;
    }
    if (objects == 0) continue;
    for (std::size_t m = 0; m < ranked.size(); ++m) {
      for (std::size_t t = 0; t < kThresholds.size(); ++t) {
        std::vector<Fate> in_order;
        for (const Ranked& r : ranked[m])
          in_order.push_back(fates[r.cell][t * cells[r.cell].detections.size() + r.index]);
        curves[a][m][t] = curve_of(in_order, objects);
      }
    }
  }
  return curves;
}

std::vector<Cell> cells_of_class(const std::map<std::int64_t, Cell>& by_image) {
  std::vector<Cell> cells;
  for (const auto& [image, boxes] : by_image) {
    Cell cell = boxes;
    std::stable_sort(cell.detections.begin(), cell.detections.end(),
                     [](const DetectedBox* a, const DetectedBox* b) { return a->score > b->score; });
    cell.detections.resize(std::min(cell.detections.size(), kMostDetections.back()));
    for (const DetectedBox* detection : cell.detections)
      for (const TruthBox* object : cell.truth)
        cell.overlaps.push_back(intersection_over_union(detection->box, object->box, object->crowd));
    cells.push_back(std::move(cell));
  }
  return cells;
}

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

double mean(const std::vector<double>& numbers) {
  return numbers.empty() ? -1 : pairwise_sum(numbers) / static_cast<double>(numbers.size());
}

// Over thresholds first..last, recalls and classes, in that order, with 100 detections; -1 if nothing is
// defined.
double mean_precision(std::span<const ClassCurves> classes, std::size_t area, std::size_t first,
                      std::size_t last) {
  std::vector<double> numbers;
  for (std::size_t t = first; t <= last; ++t)
    for (std::size_t r = 0; r < kRecalls; ++r)
      for (const ClassCurves& curves : classes)
        if (const Curve& curve = curves[area].back()[t]; curve.defined) numbers.push_back(curve.precision[r]);
  return mean(numbers);
}

// Over thresholds and classes, in that order; -1 if nothing is defined.
double mean_recall(std::span<const ClassCurves> classes, std::size_t area, std::size_t most) {
  std::vector<double> numbers;
  for (std::size_t t = 0; t < kThresholds.size(); ++t)
    for (const ClassCurves& curves : classes)
      if (const Curve& curve = curves[area][most][t]; curve.defined) numbers.push_back(curve.recall);
  return mean(numbers);
}

}  // namespace

CocoSummary coco_map(std::span<const TruthBox> truth, std::span<const DetectedBox> detections,
                     int categories) {
  std::vector<std::map<std::int64_t, Cell>> by_class(static_cast<std::size_t>(categories));
  for (const TruthBox& object : truth)
    by_class[static_cast<std::size_t>(object.category)][object.image_id].truth.push_back(&object);
  for (const DetectedBox& detection : detections)
    by_class[static_cast<std::size_t>(detection.category)][detection.image_id].detections.push_back(
        &detection);

  std::vector<ClassCurves> classes;
  for (const auto& by_image : by_class) classes.push_back(class_curves(cells_of_class(by_image)));

  constexpr std::size_t kLast = kThresholds.size() - 1, kAt50 = 0, kAt75 = 5, kHundred = 2;
  CocoSummary summary;
  summary.ap = mean_precision(classes, 0, 0, kLast);
  summary.ap50 = mean_precision(classes, 0, kAt50, kAt50);
  summary.ap75 = mean_precision(classes, 0, kAt75, kAt75);
  summary.ap_small = mean_precision(classes, 1, 0, kLast);
  summary.ap_medium = mean_precision(classes, 2, 0, kLast);
  summary.ap_large = mean_precision(classes, 3, 0, kLast);
  summary.ar1 = mean_recall(classes, 0, 0);
  summary.ar10 = mean_recall(classes, 0, 1);
  summary.ar100 = mean_recall(classes, 0, kHundred);
  summary.ar_small = mean_recall(classes, 1, kHundred);
  summary.ar_medium = mean_recall(classes, 2, kHundred);
  summary.ar_large = mean_recall(classes, 3, kHundred);
  for (const ClassCurves& curves : classes) {
    summary.class_ap.push_back(mean_precision({&curves, 1}, 0, 0, kLast));
    summary.class_ap50.push_back(mean_precision({&curves, 1}, 0, kAt50, kAt50));
  }
  return summary;
}

}  // namespace tune::trainer::metrics
