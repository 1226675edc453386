#include "trainer/tasks/detection/data/reader.h"

#include <algorithm>

#include "trainer/tasks/detection/data/annotation_checks.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

Dataset read_images_alone(const fs::path& folder, const ReadOptions& options) {
  Dataset dataset;
  Problems problems;
  dataset.labelled = false;
  ClassNames(options.classes).finish(dataset);
  for (const fs::path& image : images_in(folder)) {
    Example example;
    example.image_id = static_cast<std::int64_t>(dataset.examples.size()) + 1;
    example.image = image;
    measure_image(example, 0, 0, problems);
    dataset.examples.push_back(std::move(example));
  }
  problems.settle(options.problems, folder.string() + " cannot be used",
                  "Replace or remove the files named above.");
  return dataset;
}

Dataset read_folder(const fs::path& folder, const ReadOptions& options) {
  if (fs::exists(folder / "annotations.json")) return read_coco(folder / "annotations.json", options);
  const bool images = fs::is_directory(folder / "images");
  if (options.labels == Labels::kIgnored)
    return read_images_alone(images ? folder / "images" : folder, options);
  if (images && fs::is_directory(folder / "annotations")) return read_voc(folder, options);
  if (images && fs::is_directory(folder / "labels")) return read_yolo(folder, options);
  throw Error(
      ExitCode::kBadData, folder.string() + " holds no data set with annotations",
      "Expected images/ and annotations/ (PASCAL VOC XML), images/ and labels/ (YOLO), annotations.json, or "
      "the path of a COCO JSON.");
}

void require_examples(const Dataset& dataset, const fs::path& data, const ReadOptions& options) {
  if (dataset.examples.empty())
    throw Error(ExitCode::kBadData, data.string() + " holds no image", "Put JPEG or PNG files there.");
  if (options.labels == Labels::kIgnored || options.problems) return;
  if (std::all_of(dataset.examples.begin(), dataset.examples.end(),
                  [](const Example& example) { return example.objects.empty(); }))
    throw Error(ExitCode::kBadData,
                data.string() + " holds no object in any of its " + std::to_string(dataset.examples.size()) +
                    " images",
                "There is nothing to learn or to score; annotate some images.");
}

}  // namespace

Dataset read_dataset(const fs::path& data, const ReadOptions& options) {
  std::error_code error;
  const fs::file_status status = fs::status(data, error);
  if (status.type() == fs::file_type::not_found)
    throw Error(ExitCode::kBadData, "the data set " + data.string() + " does not exist",
                "Relative paths start in the working folder, " + fs::current_path().string() + ".");
  if (error)
    throw Error(ExitCode::kBadData, "the data set " + data.string() + " cannot be read: " + error.message(),
                "Name a folder or file that this user may read.");
  Dataset dataset = fs::is_directory(status) ? read_folder(data, options) : read_coco(data, options);
  dataset.labelled = options.labels == Labels::kRequired;
  require_examples(dataset, data, options);
  return dataset;
}

}  // namespace tune::trainer::detection
