#include "trainer/tasks/image_sets/data_keys.h"

#include "trainer/loop/task.h"

namespace tune::trainer::image_sets {
namespace {

OrderedJson split_key() {
  const auto key = loop::trainer_key;
  OrderedJson split = key("split", "object", "how `data` is cut into parts, where no `validation` is given"),
              grouping =
                  key("grouping", "choice",
                      "image (the default) cuts image by image and may leak; content keeps overlapping "
                      "crops of one surface on one side"),
              test = key("test", "choice",
                         "each trial's best model is measured on the third part (measured, the default), or "
                         "nobody looks at it (untouched)");
  grouping["values"] = {"image", "content"};
  test["values"] = {"measured", "untouched"};
  split["keys"] = {
      key("fractions", "fractions", "[train, validation] or [train, validation, test], together 1"),
      key("seed", "count", "of the draw; 0 by default"), grouping, test};
  return split;
}

}  // namespace

std::vector<OrderedJson> data_keys(const char* images) {
  const auto key = loop::trainer_key;
  OrderedJson data = key("data", "path", "the data set to train on");
  data["required"] = true;
  return {
      data, key("images", "path", images),
      key("validation", "path",
          "a data set to validate on, instead of a part of `data`; where `data` has parts of its own, that "
          "is the default"),
      key("test", "path",
          "a data set on which each trial's best model is measured at the end; where `data` has such a part "
          "of its own, that is the default"),
      split_key()};
}

}  // namespace tune::trainer::image_sets
