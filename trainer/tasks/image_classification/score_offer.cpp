// `tune-train score --task image_classification`: anybody's predictions against the truth.
#include <algorithm>
#include <numeric>

#include "trainer/data/folder_listing.h"
#include "trainer/data/text_file.h"
#include "trainer/images/image.h"
#include "trainer/loop/device.h"
#include "trainer/tasks/classification/score.h"
#include "trainer/tasks/image_classification/data/image_items.h"
#include "trainer/tasks/image_classification/data_parts.h"
#include "trainer/tasks/image_classification/offers.h"
#include "trainer/tasks/image_sets/part_options.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::image_classification {
namespace {

namespace fs = std::filesystem;
using classification::Scored, classification::ScoredExamples, classification::Truth;

struct ScoreRequest : loop::ScoreOptions {
  DataChoice truth;
  std::vector<std::string> classes;  // of --labels
};

std::vector<std::string> classes_of_labels(const std::string& file) {
  try {
    return data::read_json(file).at("classes").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    throw Error(ExitCode::kBadData, file + " holds no list \"classes\"",
                "--labels wants the labels.json of a model.");
  }
}

ScoreRequest asked_for(const loop::Request& request) {
  ScoreRequest asked;
  static_cast<loop::ScoreOptions&>(asked) = loop::read_score_options(request);
  asked.truth = {request.text("ground-truth"), image_sets::part_choice(request),
                 image_sets::images_choice(request)};
  if (request.has("classes-from"))
    asked.truth.classes_from = classes_from(request.text("classes-from"), "--classes-from", ExitCode::kUsage);
  if (request.has("labels")) asked.classes = classes_of_labels(request.text("labels"));
  return asked;
}

ScoredExamples scored_images(const Dataset& dataset, const std::string& place) {
  ScoredExamples images{image_items(),       place, dataset.form, dataset.classes,
                        dataset.multi_label, {},    {},           dataset.warnings};
  for (const Example& example : dataset.examples) {
    images.names.push_back(example.name);
    images.truth.push_back(example.labels);
  }
  return images;
}

// `files` gets those of the images, where they are looked at.
Truth read_truth(const ScoreRequest& asked, const loop::Request& request, std::vector<fs::path>& files) {
  const std::string place = asked.truth.data.string();
  // A table of labels needs no images; those of a part, of --examples, or for an endpoint do.
  const bool is_table = data::has_extension(asked.truth.data, {".csv", ".json"});
  if (is_table && !asked.truth.part && asked.examples == 0 && !request.has("endpoint"))
    return {classification::scored_examples(classification::read_predictions(place, image_items()),
                                            image_items(), place, asked.classes)};
  ReadOptions options;
  options.classes = asked.classes;
  options.threads = loop::threads_to_use(0);
  const Dataset dataset = read_chosen(asked.truth, options, request.notes, [] { return false; });
  files = files_of(dataset);
  Truth truth{scored_images(dataset, place)};
  if (!asked.truth.part) return truth;
  // Predictions of the whole set may be scored on a part of it.
  DataChoice whole = asked.truth;
  whole.part.reset();
  options.labels = Labels::kIgnored;
  const std::set<std::string> inside(truth.examples.names.begin(), truth.examples.names.end());
  for (const Example& example : read_chosen(whole, options, request.notes, [] { return false; }).examples)
    if (!inside.contains(example.name)) truth.elsewhere.insert(example.name);
  return truth;
}

OrderedJson said_json(const Scored& one, std::size_t image, const ScoredExamples& images) {
  OrderedJson json{{"labels", classification::names_json(one.said.labels[image], images)}};
  if (!one.said.probabilities) return json;
  OrderedJson probabilities = OrderedJson::array();
  for (const int label : one.said.labels[image])
    probabilities.push_back(one.said.probabilities->of(image)[static_cast<std::size_t>(label)]);
  json["probabilities"] = std::move(probabilities);
  return json;
}

// `count` images spread evenly over the set in the order of their names, so that nobody has chosen them; all
// where there are fewer: [{"image_id", "file_name", "path", "width", "height", "labels": [names],
// "predicted":
// [{"labels", "probabilities"}]}], the predictions in the order of their files.
OrderedJson examples_json(const std::vector<Scored>& all, const ScoredExamples& images,
                          const std::vector<fs::path>& files, std::size_t count) {
  const std::size_t shown = std::min(count, images.names.size());
  OrderedJson list = OrderedJson::array();
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t image = (2 * i + 1) * images.names.size() / (2 * shown);
    const images::Header header = images::read_header(files[image]);
    OrderedJson predicted = OrderedJson::array();
    for (const Scored& one : all) predicted.push_back(said_json(one, image, images));
    list.push_back({{"image_id", image + 1},
                    {"file_name", images.names[image]},
                    {"path", fs::absolute(files[image]).lexically_normal().string()},
                    {"width", header.size.width},
                    {"height", header.size.height},
                    {"labels", classification::names_json(images.truth[image], images)},
                    {"predicted", std::move(predicted)}});
  }
  return list;
}

loop::Answer answer_score(const loop::Request& request) {
  const ScoreRequest asked = asked_for(request);
  std::vector<fs::path> files;
  Truth truth = read_truth(asked, request, files);
  const std::vector<std::string> names = truth.examples.names;
  const bool multi_label = truth.examples.multi_label;
  const auto said_by = [&](const endpoint::AskedEndpoint& deployed) {
    return classification::ask_endpoint(
        deployed, names,
        [&](std::size_t i) {
          return endpoint::Question{"application/x-image", read_file(files[i])};
        },
        multi_label, request.interrupted);
  };
  return classification::answer_score(
      request, asked, std::move(truth), said_by,
      [&](const std::vector<Scored>& all, const ScoredExamples& images, OrderedJson& json) {
        if (asked.examples > 0) json["examples"] = examples_json(all, images, files, asked.examples);
      });
}

}  // namespace

loop::Offer score_offer() {
  std::vector<loop::Option> options{
      {"ground-truth", "DATA", "labelled images, or a CSV of paths and labels without them", true}};
  for (const loop::Option& option : classification::score_options(image_items())) options.push_back(option);
  options.push_back({"labels", "FILE", "labels.json of a model, whose classes the data has"});
  options.push_back(
      {"examples", "N", "with --json, so many images with what is true and what was predicted"});
  add_data_options(options);
  return {"score", options, answer_score, false, "with each class, and the confusion of classes"};
}

}  // namespace tune::trainer::image_classification
