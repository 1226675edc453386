#pragma once
// Columns and cells of tables of labelled images, which data sets and predictions have alike.
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tune::trainer::image_classification {

// How columns may be titled, in any case.
inline constexpr std::array<std::string_view, 7> kPathColumns{
    "path", "image", "file", "filename", "file_name", "image_path", "image_name"};
inline constexpr std::array<std::string_view, 7> kLabelColumns{"label",    "labels", "class", "classes",
                                                               "category", "tag",    "tags"};
inline constexpr std::array<std::string_view, 5> kPartColumns{"split", "set", "part", "subset", "ml_use"};
bool is_titled(const std::string& title, std::span<const std::string_view> names);

// The labels of a cell that may hold several: between `|`, or without one between `;`. White space around a
// label is no part of it, and empty ones are passed over.
std::vector<std::string> labels_in_cell(const std::string& cell);

}  // namespace tune::trainer::image_classification
