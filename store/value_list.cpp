#include "store/value_list.h"

#include <stdexcept>

namespace tune::store {

Json values_json(const std::vector<double>& values) {
  Json list = Json::array();
  for (const double value : values) list.push_back(number_to_json(value));
  return list;
}

std::vector<double> values_from(const Json& json) {
  if (!json.is_array()) throw std::invalid_argument("it is not a list of numbers");
  std::vector<double> values;
  values.reserve(json.size());
  for (const Json& value : json) values.push_back(number_from_json(value));
  return values;
}

}  // namespace tune::store
