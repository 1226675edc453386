#pragma once
// The options by which commands name labelled texts.
#include <string>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/tasks/classification/data/predictions.h"
#include "trainer/tasks/text_classification/data/reader.h"
#include "trainer/tasks/text_classification/model_folder.h"

namespace tune::trainer::text_classification {

// --part and those of the columns.
void add_data_options(std::vector<loop::Option>& options);
// What they say; the rest is as it is by default.
ReadOptions read_options(const loop::Request& request);
// The texts of --data, as a model takes them.
Dataset read_like(const TextForm& form, const loop::Request& request, Labels labels);

// How files of predictions name texts: by the lines that they begin in.
const classification::Items& text_items();

}  // namespace tune::trainer::text_classification
