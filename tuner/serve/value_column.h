#pragma once
// One hyperparameter's values of all trials of a study.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "tuner/core/json.h"
#include "tuner/core/space.h"

namespace tune::serve {

// Numbers where the parameter is one, else places in a list of labels: eight bytes a trial, however the
// values are written. A column of numbers that meets another value becomes one of labels. Owned by a
// StudyTable.
class ValueColumn {
 public:
  explicit ValueColumn(std::string name, ParameterType type) : name_(std::move(name)), type_(type) {}

  void resize(std::size_t count) {
    numbers_.resize(has_labels() ? 0 : count, std::numeric_limits<double>::quiet_NaN());
    codes_.resize(has_labels() ? count : 0, kNone);
  }
  void set(std::size_t index, const Json& value);
  void clear(std::size_t index);  // the parameter is not active there

  const std::string& name() const { return name_; }
  ParameterType type() const { return type_; }
  bool has_labels() const { return type_ == ParameterType::kCategorical; }
  std::size_t size() const { return has_labels() ? codes_.size() : numbers_.size(); }
  bool has(std::size_t index) const {
    return has_labels() ? codes_[index] != kNone : !std::isnan(numbers_[index]);
  }
  double number(std::size_t index) const { return numbers_[index]; }    // without labels; NaN: none
  std::int32_t code(std::size_t index) const { return codes_[index]; }  // with labels; -1: none
  const std::vector<Json>& labels() const { return labels_; }
  Json value(std::size_t index) const;  // null where there is none
  bool varies() const;                  // whether two trials have different values

 private:
  static constexpr std::int32_t kNone = -1;
  void become_labels();
  std::int32_t code_of(const Json& value);

  std::string name_;
  ParameterType type_;
  std::vector<double> numbers_;
  std::vector<std::int32_t> codes_;
  std::vector<Json> labels_;
};

}  // namespace tune::serve
