#include "trainer/tasks/text_classification/data_options.h"

#include <algorithm>
#include <ostream>

#include "trainer/data/part_names.h"
#include "tuner/core/error.h"

namespace tune::trainer::text_classification {

void add_data_options(std::vector<loop::Option>& options) {
  options.push_back(
      {"part", "PART", "train, validation or test, where DATA is a folder with a table for each"});
  options.push_back({"text-column", "NAME", "the column of the texts"});
  options.push_back({"second-text-column", "NAME", "of the second texts of pairs"});
  options.push_back({"label-column", "NAME", "of the labels"});
  options.push_back({"label-columns", "NAME", "of 0 and 1, one for each class of a multi-label set", false,
                     /*repeated=*/true});
}

ReadOptions read_options(const loop::Request& request) {
  ReadOptions options;
  const auto text = [&](const char* option) {
    return request.has(option) ? request.text(option) : std::string();
  };
  options.part = text("part");
  const bool is_part =
      std::find(data::kPartNames.begin(), data::kPartNames.end(), options.part) != data::kPartNames.end();
  if (!options.part.empty() && !is_part)
    throw Error(ExitCode::kUsage, "--part is \"" + options.part + "\"", "train, validation or test");
  options.columns = {text("text-column"), text("second-text-column"), text("label-column"), {}};
  if (request.has("label-columns")) options.columns.flags = request.values.at("label-columns");
  return options;
}

Dataset read_like(const TextForm& form, const loop::Request& request, Labels labels) {
  ReadOptions options = read_options(request);
  options.labels = labels;
  options.classes = form.classes;
  options.multi_label = form.multi_label;
  options.pairs = form.pairs;
  const std::string& data = request.text("data");
  Dataset dataset = read_dataset(data, options);
  request.notes << recognised(data, dataset) << '\n';
  for (const std::string& warning : dataset.warnings) request.notes << "warning: " << warning << '\n';
  request.notes << std::flush;
  return dataset;
}

const classification::Items& text_items() {
  static const classification::Items items{
      "text_classification", "text", "line", {"line", "row", "id"}, /*are_numbers=*/true};
  return items;
}

}  // namespace tune::trainer::text_classification
