#pragma once
// What a detector finds of each class and takes for which, in the form that reports read.
#include <span>

#include "trainer/metrics/coco_map.h"
#include "trainer/metrics/confusion.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {

// [{"name", "objects", "AP", "AP50"}]; -1 where there is no object.
OrderedJson classes_json(std::span<const std::string> names, std::span<const std::int64_t> objects,
                         const metrics::CocoSummary& coco);

// {"classes": [names..., "background"], "counts": [[rows: true classes; columns: predicted ones]], "iou",
// "score"}; see confusion.h.
OrderedJson confusion_json(std::span<const std::string> names, const metrics::Confusion& confusion);

}  // namespace tune::trainer::detection
