#include "trainer/tasks/image_classification/augmentation_hyperparameters.h"

namespace tune::trainer::image_classification {

std::vector<loop::Hyperparameter> augmentation_hyperparameters() {
  const Augmentation usual;
  return {
      loop::flag("random_crop", usual.random_crop,
                 "trains on a part of each image, of another shape and place in every epoch; without it on "
                 "the middle, as images are measured"),
      loop::real("min_crop_area", usual.min_crop_area, 0.05, 1, "linear",
                 "the smallest share of an image that random_crop takes"),
      loop::flag("horizontal_flip", usual.horizontal_flip, "mirrors half of the images"),
      loop::flag("vertical_flip", usual.vertical_flip,
                 "turns half of the images upside down: for surfaces and views from above"),
      loop::real("rotation", usual.rotation, 0, 180, "linear",
                 "turns each image by up to so many degrees, to either side"),
      loop::real("color_jitter", usual.color_jitter, 0, 1, "linear",
                 "changes brightness, contrast and saturation by up to this share"),
      loop::real("hue_jitter", usual.hue_jitter, 0, 0.5, "linear",
                 "turns the hue by up to this share of a whole turn, to either side"),
      loop::real("random_erasing", usual.random_erasing, 0, 1, "linear",
                 "the probability of covering a rectangle of an image with the mean colour"),
      loop::whole("randaugment", usual.randaugment, 0, 4, "linear",
                  "so many operations of RandAugment on each image"),
      loop::whole("randaugment_magnitude", usual.randaugment_magnitude, 0, 30, "linear",
                  "the strength of randaugment")};
}

Augmentation augmentation_of(const loop::Hyperparameters& values) {
  Augmentation augmentation;
  augmentation.random_crop = values.flag("random_crop");
  augmentation.min_crop_area = values.number("min_crop_area");
  augmentation.horizontal_flip = values.flag("horizontal_flip");
  augmentation.vertical_flip = values.flag("vertical_flip");
  augmentation.rotation = values.number("rotation");
  augmentation.color_jitter = values.number("color_jitter");
  augmentation.hue_jitter = values.number("hue_jitter");
  augmentation.random_erasing = values.number("random_erasing");
  augmentation.randaugment = static_cast<int>(values.integer("randaugment"));
  augmentation.randaugment_magnitude = static_cast<int>(values.integer("randaugment_magnitude"));
  return augmentation;
}

}  // namespace tune::trainer::image_classification
