#include "trainer/tasks/image_classification/data/fingerprint.h"

#include "trainer/data/fingerprint.h"

namespace tune::trainer::image_classification {

std::string fingerprint(const Dataset& dataset) {
  data::Fingerprint print(dataset.classes);
  for (const Example& example : dataset.examples)
    print.add(example.image, [&](std::size_t bytes) {
      return Json({example.image.filename().string(), bytes, example.labels});
    });
  return print.text();
}

}  // namespace tune::trainer::image_classification
