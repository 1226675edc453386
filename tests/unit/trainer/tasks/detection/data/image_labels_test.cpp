// Objects that take the class of their image.
#include "trainer/tasks/detection/data/image_labels.h"

#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tests::contains;
using tests::message_of;
using tune::ExitCode;

namespace {

Example example(const std::string& image, const std::vector<int>& categories) {
  Example made;
  made.image = image;
  for (const int category : categories) made.objects.push_back({0, 0, 5, 5, category, 25, false, false});
  return made;
}

Dataset dataset_of(std::vector<Example> examples) {
  Dataset dataset;
  dataset.classes = {"pit", "pitted_surface", "scratches"};
  dataset.examples = std::move(examples);
  return dataset;
}

}  // namespace

TEST_CASE(
    "An image says its class by a folder that it lies in, else by the longest that its name begins with") {
  const Dataset dataset = dataset_of({});
  const auto said = [&](const char* image) {
    return class_of_image(dataset, example(image, {})).value_or(0);
  };
  CHECK(said("data/Scratches/images/7.jpg") == 3);
  CHECK(said("data/scratches/pit_7.jpg") == 3);
  CHECK(said("/pit/scratches/images/7.jpg") == 3);
  CHECK(said("images/pitted_surface_12.jpg") == 2);
  CHECK(said("images/pit_12.jpg") == 1);
  CHECK(said("images/PIT-12.jpg") == 1);
  CHECK(said("images/pitch_12.jpg") == 0);
  CHECK(said("images/12.jpg") == 0);
}

TEST_CASE("Objects of another class than their image's are counted, and take that one") {
  Dataset dataset =
      dataset_of({example("pit_1.jpg", {1, 3, 2}), example("scratches_1.jpg", {3}), example("8.jpg", {})});
  const Relabelled changed = label_by_image(dataset);
  CHECK(changed.objects == 2);
  CHECK(changed.images == 1);
  for (const GroundTruth& object : dataset.examples[0].objects) CHECK(object.category == 1);
  CHECK(to_text(changed, dataset) ==
        "2 of 4 objects, in 1 of 3 images, are of another class than their image says");
}

TEST_CASE("Folders above the data set say nothing of its images") {
  Dataset dataset = dataset_of({example("/home/scratches/set/images/pit_1.jpg", {1}),
                                example("/home/scratches/set/images/pitted_surface_1.jpg", {2})});
  CHECK(label_by_image(dataset).objects == 0);
  Dataset nested = dataset_of({example("/home/scratches/set/pit/1.jpg", {3}),
                               example("/home/scratches/set/pitted_surface/1.jpg", {2})});
  CHECK(label_by_image(nested).objects == 1);
  // All of one class lie in its folder.
  Dataset one = dataset_of({example("set/pit/1.jpg", {3}), example("set/pit/2.jpg", {1})});
  CHECK(label_by_image(one).objects == 1);
}

TEST_CASE("Images with objects that say no class are refused by name") {
  Dataset dataset = dataset_of({example("pit_1.jpg", {1}), example("photo_1.jpg", {3})});
  CHECK(contains(message_of(ExitCode::kBadData, [&] { label_by_image(dataset); }),
                 "photo_1.jpg says no class"));
}
