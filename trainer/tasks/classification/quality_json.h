#pragma once
// A classifier's numbers in the forms that reports and people read.
#include <iosfwd>
#include <span>
#include <string>

#include "trainer/metrics/classification_quality.h"
#include "tuner/core/json.h"

namespace tune::trainer::classification {

// {UNIT, "accuracy", "top5", "balanced_accuracy", "macro_f1", "weighted_f1", ..., "classes": [{"name",
// UNIT, "precision", "recall", "f1"}], "confusion": {"classes", "counts"}}: what does not apply is left
// out. `names` are those of the classes, `unit` is that of the examples: "images".
OrderedJson quality_json(std::span<const std::string> names, const metrics::ClassificationQuality& quality,
                         const char* unit);

// The same as tables: numbers, classes, and where each example has one class what is taken for what.
void print_quality(std::span<const std::string> names, const metrics::ClassificationQuality& quality,
                   const char* unit, std::ostream& out);

}  // namespace tune::trainer::classification
