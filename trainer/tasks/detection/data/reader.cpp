#include "trainer/tasks/detection/data/reader.h"

#include <algorithm>
#include <set>

#include "trainer/data/folder_listing.h"
#include "trainer/data/part_names.h"
#include "trainer/tasks/detection/data/annotation_checks.h"
#include "tuner/core/error.h"

namespace tune::trainer::detection {

namespace {

namespace fs = std::filesystem;

Dataset read_images_alone(const fs::path& data, const Layout& layout, const ReadOptions& options) {
  Dataset dataset;
  data::Problems problems;
  AnnotationChecks checks(dataset, problems);
  ClassNames(options.classes).finish(dataset);
  dataset.examples = examples_of(layout, options.part);
  for (Example& example : dataset.examples) checks.measure(example, 0, 0);
  checks.finish();
  problems.settle(options.problems, data.string() + " cannot be used",
                  "Replace or remove the files named above.");
  return dataset;
}

// The COCO files of several parts as one set.
Dataset read_coco_files(const fs::path& data, const Layout& layout, const ReadOptions& options) {
  Dataset whole;
  std::set<std::int64_t> ids;
  ReadOptions of_file = options;
  std::vector<std::string> parts;  // of the examples, in their order
  bool first = true, collided = false;
  for (const CocoPlace& place : layout.files) {
    if (!options.part.empty() && place.part != options.part) continue;
    Dataset part = read_coco(place, of_file);
    for (const Example& example : part.examples)
      if (!place.part.empty()) part.parts_of_images[example.image_id].insert(place.part);
    for (const Example& example : part.examples) collided = !ids.insert(example.image_id).second || collided;
    parts.insert(parts.end(), part.examples.size(), place.part);
    if (first) {
      whole = std::move(part);
      of_file.classes = whole.classes;
      first = false;
      continue;
    }
    whole.examples.insert(whole.examples.end(), std::make_move_iterator(part.examples.begin()),
                          std::make_move_iterator(part.examples.end()));
    whole.warnings.insert(whole.warnings.end(), part.warnings.begin(), part.warnings.end());
    whole.parts_of_images.merge(part.parts_of_images);
  }
  if (collided && !options.problems)
    throw Error(ExitCode::kUsage, "the parts of " + data.string() + " number their images alike",
                "Name one of them with --part, or its file as the data.");
  if (collided) {
    whole.parts_of_images.clear();
    for (std::size_t i = 0; i < whole.examples.size(); ++i) {
      whole.examples[i].image_id = static_cast<std::int64_t>(i) + 1;
      whole.parts_of_images[whole.examples[i].image_id].insert(parts[i]);
    }
    whole.warnings.push_back("the parts of " + data.string() +
                             " number their images alike, so here they count from 1 over all parts");
  }
  std::sort(whole.examples.begin(), whole.examples.end(),
            [](const Example& a, const Example& b) { return a.image_id < b.image_id; });
  return whole;
}

Dataset read_layout(const fs::path& data, const Layout& layout, const ReadOptions& options) {
  if (layout.kind == Layout::Kind::kCoco) return read_coco_files(data, layout, options);
  if (options.labels == Labels::kIgnored) return read_images_alone(data, layout, options);
  return layout.kind == Layout::Kind::kVoc ? read_voc(data, layout, options)
                                           : read_yolo(data, layout, options);
}

void require_examples(const Dataset& dataset, const fs::path& data, const ReadOptions& options) {
  if (options.problems && !options.problems->empty()) return;  // they say why there is nothing
  if (dataset.examples.empty())
    throw Error(ExitCode::kBadData, data.string() + " holds no image",
                "Put JPEG, PNG, BMP, TIFF or WebP files there.");
  if (options.labels == Labels::kIgnored || options.problems) return;
  if (std::all_of(dataset.examples.begin(), dataset.examples.end(),
                  [](const Example& example) { return example.objects.empty(); }))
    throw Error(ExitCode::kBadData,
                data.string() + " holds no object in any of its " + std::to_string(dataset.examples.size()) +
                    " images",
                "There is nothing to learn or to score; annotate some images.");
}

}  // namespace

std::filesystem::path find_coco_image(const CocoPlace& place, const std::string& name) {
  std::error_code ignored;
  for (const fs::path& folder : place.folders)
    if (!name.empty() && fs::exists(folder / name, ignored)) return folder / name;
  return {};
}

Layout layout_of(const fs::path& data, const ReadOptions& options) {
  data::status_of_data(data);
  return recognise(data, {options.labels == Labels::kRequired, options.images});
}

Dataset read_dataset(const fs::path& data, const ReadOptions& options) {
  const Layout layout = layout_of(data, options);
  if (!options.part.empty() && !layout.has_part(options.part))
    throw Error(ExitCode::kBadData, data.string() + " has no part of its own for " + options.part,
                layout.parts.empty() ? "It is one set (" + layout.words + "); `split` cuts it."
                                     : "Its parts are " + data::listed_names(layout.parts) + ".");
  if (options.problems && options.part.empty())
    options.problems->insert(options.problems->end(), layout.problems.begin(), layout.problems.end());
  if (!options.problems) {
    data::Problems problems;
    for (const data::DataProblem& problem : layout.problems) problems.add(problem);
    problems.throw_if_any(data.string() + " cannot be used", "Correct the lists named above.");
  }
  Dataset dataset = read_layout(data, layout, options);
  dataset.labelled = options.labels == Labels::kRequired;
  dataset.form = layout.words;
  for (std::size_t i = 0; i < layout.images.size() && !layout.parts.empty(); ++i)
    dataset.parts_of_images[static_cast<std::int64_t>(i) + 1] = layout.images[i].parts;
  dataset.warnings.insert(dataset.warnings.begin(), layout.warnings.begin(), layout.warnings.end());
  require_examples(dataset, data, options);
  return dataset;
}

std::string recognised(const fs::path& data, const Dataset& dataset) {
  return "data: " + data.string() + " is " + dataset.form + "; " + std::to_string(dataset.examples.size()) +
         (dataset.examples.size() == 1 ? " image" : " images");
}

}  // namespace tune::trainer::detection
