#include "trainer/tasks/detection/default_boxes.h"

#include "tuner/core/error.h"

namespace tune::trainer::detection {

std::vector<Box> default_boxes(const std::vector<FeatureMap>& maps) {
  std::vector<Box> boxes;
  for (const FeatureMap& map : maps) {
    for (int cell = 0; cell < map.cells * map.cells; ++cell) {
      const double center_x = (cell % map.cells + 0.5) / map.grid;
      const double center_y = (cell / map.cells + 0.5) / map.grid;
      for (const Shape& shape : map.shapes) {
        const double half_width = shape.width / 2, half_height = shape.height / 2;
        boxes.push_back(
            {static_cast<float>(center_x - half_width), static_cast<float>(center_y - half_height),
             static_cast<float>(center_x + half_width), static_cast<float>(center_y + half_height)});
      }
    }
  }
  return boxes;
}

OrderedJson to_json(const std::vector<FeatureMap>& maps) {
  OrderedJson list = OrderedJson::array();
  for (const FeatureMap& map : maps) {
    OrderedJson shapes = OrderedJson::array();
    for (const Shape& shape : map.shapes) shapes.push_back({shape.width, shape.height});
    list.push_back({{"cells", map.cells}, {"grid", map.grid}, {"shapes", shapes}});
  }
  return list;
}

std::vector<FeatureMap> maps_from_json(const Json& json, const std::vector<FeatureMap>& stock,
                                       const std::string& place) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ExitCode::kBadData, place + ": default_boxes: " + what,
                "restore the file that came with the model");
  };
  std::vector<FeatureMap> maps;
  try {
    for (const Json& entry : json) {
      FeatureMap map{entry.at("cells").get<int>(), entry.at("grid").get<double>(), {}};
      for (const Json& shape : entry.at("shapes")) {
        const auto sides = shape.get<std::array<double, 2>>();
        // Written so that NaN is refused too.
        if (!(sides[0] > 0 && sides[0] <= 10 && sides[1] > 0 && sides[1] <= 10))
          refuse("a shape is " + shape.dump());
        map.shapes.push_back({sides[0], sides[1]});
      }
      maps.push_back(std::move(map));
    }
  } catch (const Json::exception& error) {
    refuse(std::string("not a list of maps with cells, grid and shapes: ") + error.what());
  }
  if (maps.size() != stock.size())
    refuse(std::to_string(maps.size()) + " maps, and the model has " + std::to_string(stock.size()));
  for (std::size_t i = 0; i < maps.size(); ++i)
    if (maps[i].cells != stock[i].cells || maps[i].grid != stock[i].grid ||
        maps[i].shapes.size() != stock[i].shapes.size())
      refuse("map " + std::to_string(i + 1) + " is not the model's");
  return maps;
}

}  // namespace tune::trainer::detection
