#include "tuner/serve/value_column.h"

#include <algorithm>

namespace tune::serve {

void ValueColumn::set(std::size_t index, const Json& value) {
  if (!has_labels() && !value.is_number()) become_labels();
  if (has_labels())
    codes_[index] = code_of(value);
  else
    numbers_[index] = value.get<double>();
}

void ValueColumn::clear(std::size_t index) {
  if (has_labels())
    codes_[index] = kNone;
  else
    numbers_[index] = std::numeric_limits<double>::quiet_NaN();
}

Json ValueColumn::value(std::size_t index) const {
  if (!has(index)) return nullptr;
  if (has_labels()) return labels_[static_cast<std::size_t>(codes_[index])];
  // Ints of a space lie within +-2^53 (parameter.h).
  if (type_ == ParameterType::kInt) return static_cast<std::int64_t>(numbers_[index]);
  return numbers_[index];
}

bool ValueColumn::varies() const {
  std::size_t first = 0;
  while (first < size() && !has(first)) ++first;
  for (std::size_t i = first + 1; i < size(); ++i) {
    if (!has(i)) continue;
    if (has_labels() ? codes_[i] != codes_[first] : numbers_[i] != numbers_[first]) return true;
  }
  return false;
}

// The space was amended since, or the spec cannot be read any more.
void ValueColumn::become_labels() {
  std::vector<double> numbers;
  numbers.swap(numbers_);
  const bool is_int = type_ == ParameterType::kInt;
  type_ = ParameterType::kCategorical;
  codes_.assign(numbers.size(), kNone);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    if (!std::isnan(numbers[i]))
      codes_[i] = code_of(is_int ? Json(static_cast<std::int64_t>(numbers[i])) : Json(numbers[i]));
}

std::int32_t ValueColumn::code_of(const Json& value) {
  const auto found = std::find(labels_.begin(), labels_.end(), value);
  if (found == labels_.end()) {
    labels_.push_back(value);
    return static_cast<std::int32_t>(labels_.size()) - 1;
  }
  return static_cast<std::int32_t>(found - labels_.begin());
}

}  // namespace tune::serve
