#include "trainer/tasks/detection/anchors.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "trainer/tasks/detection/matching.h"

namespace tune::trainer::detection {
namespace {

constexpr std::size_t kMostObjects = 10000;
constexpr int kRaster =
    24;  // widths, and as many heights: neighbours differ by a sixth for objects of 3 to 100 %
// A map may take shapes whose side (of the square of equal area) is from its smallest stock shape's divided
// by this to its largest's times this: a cell must not be asked for objects far beyond what it sees.
constexpr double kSideRange = 2;

// How much of [-object/2, object/2] lies under a box of this size at this distance.
double shared(double object, double box, double distance) {
  return std::max(0.0, std::min({object, box, (object + box) / 2 - distance}));
}

// From a position to the nearest centre of a cell.
double distance_to_center(double position, const FeatureMap& map) {
  const double cell = std::clamp(std::round(position * map.grid - 0.5), 0.0, map.cells - 1.0);
  return std::abs(position - (cell + 0.5) / map.grid);
}

double side_of(const Shape& shape) { return std::sqrt(shape.width * shape.height); }

double gain_of(double overlap) { return overlap >= kMatchOverlap ? 1 + overlap : overlap; }

std::vector<ObjectShape> even_choice(const std::vector<ObjectShape>& objects) {
  if (objects.size() <= kMostObjects) return objects;
  std::vector<ObjectShape> chosen;
  for (std::size_t i = 0; i < kMostObjects; ++i) chosen.push_back(objects[i * objects.size() / kMostObjects]);
  return chosen;
}

std::vector<double> weights_of(const std::vector<ObjectShape>& objects) {
  std::vector<double> counts;
  for (const ObjectShape& object : objects) {
    const auto category = static_cast<std::size_t>(object.category);
    if (counts.size() <= category) counts.resize(category + 1, 0);
    counts[category] += 1;
  }
  std::vector<double> weights;
  for (const ObjectShape& object : objects)
    weights.push_back(1 / std::sqrt(counts[static_cast<std::size_t>(object.category)]));
  return weights;
}

// `count` numbers from the smallest to the largest side, equally far apart by ratio.
std::vector<double> raster(const std::vector<ObjectShape>& objects, double ObjectShape::*side) {
  double low = 1, high = 0;
  for (const ObjectShape& object : objects) {
    low = std::min(low, object.*side);
    high = std::max(high, object.*side);
  }
  std::vector<double> sides;
  for (int i = 0; i < kRaster; ++i)
    sides.push_back(low * std::pow(high / low, static_cast<double>(i) / (kRaster - 1)));
  return sides;
}

// A shape that a map may take, and what each object would gain by it alone.
struct Offer {
  std::size_t map;
  Shape shape;
  std::vector<float> gains;
};

std::vector<Offer> offers_for(const std::vector<ObjectShape>& objects, const std::vector<FeatureMap>& stock) {
  const std::vector<double> widths = raster(objects, &ObjectShape::width),
                            heights = raster(objects, &ObjectShape::height);
  std::vector<Offer> offers;
  for (std::size_t map = 0; map < stock.size(); ++map) {
    const auto [smallest, largest] =
        std::minmax_element(stock[map].shapes.begin(), stock[map].shapes.end(),
                            [](const Shape& a, const Shape& b) { return side_of(a) < side_of(b); });
    const double least = side_of(*smallest) / kSideRange, most = side_of(*largest) * kSideRange;
    for (const double width : widths)
      for (const double height : heights) {
        const Shape shape{width, height};
        if (side_of(shape) < least || side_of(shape) > most) continue;
        Offer offer{map, shape, {}};
        for (const ObjectShape& object : objects)
          offer.gains.push_back(static_cast<float>(gain_of(best_overlap(object, stock[map], shape))));
        offers.push_back(std::move(offer));
      }
  }
  return offers;
}

double improvement(const Offer& offer, const std::vector<float>& so_far, const std::vector<double>& weights) {
  double sum = 0;
  for (std::size_t i = 0; i < so_far.size(); ++i)
    sum += weights[i] * std::max(0.0F, offer.gains[i] - so_far[i]);
  return sum;
}

}  // namespace

std::vector<ObjectShape> object_shapes(const Dataset& dataset) {
  std::vector<ObjectShape> shapes;
  for (const Example& example : dataset.examples)
    for (const GroundTruth& object : example.objects)
      if (!object.crowd)
        shapes.push_back({(static_cast<double>(object.x1) + object.x2) / 2 / example.width,
                          (static_cast<double>(object.y1) + object.y2) / 2 / example.height,
                          (static_cast<double>(object.x2) - object.x1) / example.width,
                          (static_cast<double>(object.y2) - object.y1) / example.height, object.category});
  return shapes;
}

// Boxes of one size overlap an object the more the nearer they are to it, along each axis.
double best_overlap(const ObjectShape& object, const FeatureMap& map, const Shape& shape) {
  const double intersection = shared(object.width, shape.width, distance_to_center(object.center_x, map)) *
                              shared(object.height, shape.height, distance_to_center(object.center_y, map));
  return intersection / (object.width * object.height + shape.width * shape.height - intersection);
}

Reach reach(const std::vector<ObjectShape>& objects, const std::vector<FeatureMap>& maps, int classes) {
  std::vector<double> reached(static_cast<std::size_t>(classes), 0), count = reached;
  for (const ObjectShape& object : objects) {
    const auto category = static_cast<std::size_t>(object.category - 1);
    const bool in_reach = std::any_of(maps.begin(), maps.end(), [&](const FeatureMap& map) {
      return std::any_of(map.shapes.begin(), map.shapes.end(), [&](const Shape& shape) {
        return best_overlap(object, map, shape) >= kMatchOverlap;
      });
    });
    count[category] += 1;
    if (in_reach) reached[category] += 1;
  }
  Reach result;
  result.worst = 2;
  double total = 0;
  for (std::size_t i = 0; i < count.size(); ++i) {
    result.by_class.push_back(count[i] > 0 ? reached[i] / count[i] : -1);
    total += reached[i];
    if (count[i] == 0 || result.by_class[i] >= result.worst) continue;
    result.worst = result.by_class[i];
    result.worst_class = static_cast<int>(i) + 1;
  }
  result.overall = objects.empty() ? 0 : total / static_cast<double>(objects.size());
  return result;
}

std::string to_text(const Reach& reach, const std::vector<std::string>& classes) {
  char overall[32], worst[32];
  std::snprintf(overall, sizeof overall, "%.1f %%", 100 * reach.overall);
  std::snprintf(worst, sizeof worst, "%.1f %%", 100 * reach.worst);
  return std::string(overall) + " of the objects (worst: " + worst + " of " +
         classes[static_cast<std::size_t>(reach.worst_class - 1)] + ")";
}

std::vector<FeatureMap> fit_default_boxes(const std::vector<ObjectShape>& all,
                                          const std::vector<FeatureMap>& stock) {
  const std::vector<ObjectShape> objects = even_choice(all);
  const std::vector<double> weights = weights_of(objects);
  std::vector<Offer> offers = offers_for(objects, stock);
  std::vector<float> so_far(objects.size(), 0);
  std::vector<FeatureMap> fitted = stock;
  for (FeatureMap& map : fitted) map.shapes.clear();
  while (!offers.empty()) {
    double best = 0;
    std::size_t taken = offers.size();
    for (std::size_t i = 0; i < offers.size(); ++i) {
      if (fitted[offers[i].map].shapes.size() == stock[offers[i].map].shapes.size()) continue;
      const double sum = improvement(offers[i], so_far, weights);
      if (sum <= best) continue;
      best = sum;
      taken = i;
    }
    if (taken == offers.size()) break;
    fitted[offers[taken].map].shapes.push_back(offers[taken].shape);
    for (std::size_t i = 0; i < so_far.size(); ++i) so_far[i] = std::max(so_far[i], offers[taken].gains[i]);
  }
  for (std::size_t i = 0; i < fitted.size(); ++i) {
    std::vector<Shape>& shapes = fitted[i].shapes;
    // What no object asks for stays as it was.
    for (const Shape& shape : stock[i].shapes)
      if (shapes.size() < stock[i].shapes.size()) shapes.push_back(shape);
    // Heads that serve several maps see like shapes at like places.
    std::sort(shapes.begin(), shapes.end(), [](const Shape& a, const Shape& b) {
      return std::pair(a.width / a.height, a.width) < std::pair(b.width / b.height, b.width);
    });
  }
  return fitted;
}

}  // namespace tune::trainer::detection
