#include "trainer/tasks/detection/detector.h"

#include <algorithm>

#include "trainer/tasks/detection/ssd_detector.h"
#include "trainer/tasks/detection/two_stage_detector.h"

namespace tune::trainer::detection {

std::unique_ptr<Detector> make_detector(const DetectorModel& kind, int classes) {
  if (is_two_stage(kind)) return std::make_unique<TwoStageDetector>(kind, classes);
  return std::make_unique<SsdDetector>(kind, classes);
}

std::size_t most_objects(const Dataset& dataset) {
  std::size_t most = 0;
  for (const Example& example : dataset.examples) most = std::max(most, example.objects.size());
  return most;
}

}  // namespace tune::trainer::detection
