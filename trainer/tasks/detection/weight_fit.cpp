#include "trainer/tasks/detection/weight_fit.h"

#include "trainer/tasks/detection/weight_names.h"

namespace tune::trainer::detection {

weights::WeightFit weight_fit(const weights::TensorMap& own, const weights::TensorMap& tensors,
                              const DetectorModel& model) {
  return weights::weight_fit(
      own, tensors, [&](std::string_view name) { return is_of_base_network(name, model); },
      std::string(backbone_prefix(model)));
}

}  // namespace tune::trainer::detection
