#pragma once
// Columns and cells of tables of labelled examples, which data sets and predictions have alike.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/core/characters.h"

namespace tune::trainer::classification {

// How columns may be titled, in any case.
inline constexpr std::array<std::string_view, 7> kLabelColumns{"label",    "labels", "class", "classes",
                                                               "category", "tag",    "tags"};
inline constexpr std::array<std::string_view, 5> kPartColumns{"split", "set", "part", "subset", "ml_use"};

// `names` are texts in lower case.
template <typename Names>
bool is_titled(const std::string& title, const Names& names) {
  return std::find(names.begin(), names.end(), lower_case(title)) != names.end();
}

// The labels of a cell that may hold several: between `|`, or without one between `;`. White space around a
// label is no part of it, and empty ones are passed over.
std::vector<std::string> labels_in_cell(const std::string& cell);

}  // namespace tune::trainer::classification
