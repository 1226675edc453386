// `tune-train score --task image_classification`: anybody's predictions against the truth, and how far the
// numbers would move on other images like these.
#include <set>
#include <sstream>

#include "trainer/data/folder_listing.h"
#include "trainer/data/text_file.h"
#include "trainer/images/image.h"
#include "trainer/loop/device.h"
#include "trainer/metrics/classification_bootstrap.h"
#include "trainer/tasks/image_classification/data/scored_images.h"
#include "trainer/tasks/image_classification/data_parts.h"
#include "trainer/tasks/image_classification/offers.h"
#include "trainer/tasks/image_classification/quality_json.h"
#include "trainer/tasks/image_sets/part_options.h"
#include "trainer/tasks/image_sets/score_options.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::image_classification {
namespace {

namespace fs = std::filesystem;

struct ScoreRequest : image_sets::ScoreOptions {
  DataChoice truth;
  std::vector<std::string> predictions;
  std::vector<std::string> classes;  // of --labels
};

// What one file of predictions is worth.
struct Scored {
  MatchedPredictions said;
  metrics::ClassificationQuality quality;
};

struct Resampled {
  std::size_t groups = 0;
  metrics::ResampledQuality quality;
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
  static_cast<image_sets::ScoreOptions&>(asked) = image_sets::score_options(request);
  asked.truth = {request.text("ground-truth"), image_sets::part_choice(request),
                 image_sets::images_choice(request)};
  if (request.has("classes-from"))
    asked.truth.classes_from = classes_from(request.text("classes-from"), "--classes-from", ExitCode::kUsage);
  asked.predictions = request.values.at("predictions");
  if (request.has("labels")) asked.classes = classes_of_labels(request.text("labels"));
  return asked;
}

// The images to score, and the names of those that lie in other parts of the data.
struct Truth {
  ScoredImages images;
  std::set<std::string> elsewhere;
};

Truth read_truth(const ScoreRequest& asked, const loop::Request& request) {
  const std::string place = asked.truth.data.string();
  // A table of labels needs no images; those of a part, or of --examples, do.
  const bool is_table = data::has_extension(asked.truth.data, {".csv", ".json"});
  if (is_table && !asked.truth.part && asked.examples == 0)
    return {scored_images(read_predictions(place), place), {}};
  ReadOptions options;
  options.classes = asked.classes;
  options.threads = loop::threads_to_use(0);
  const Dataset dataset = read_chosen(asked.truth, options, request.notes, [] { return false; });
  Truth truth{scored_images(dataset, place), {}};
  if (!asked.truth.part) return truth;
  // Predictions of the whole set may be scored on a part of it.
  DataChoice whole = asked.truth;
  whole.part.reset();
  options.labels = Labels::kIgnored;
  const std::set<std::string> inside(truth.images.names.begin(), truth.images.names.end());
  for (const Example& example : read_chosen(whole, options, request.notes, [] { return false; }).examples)
    if (!inside.contains(example.name)) truth.elsewhere.insert(example.name);
  return truth;
}

std::vector<Scored> score_all(const ScoreRequest& asked, Truth& truth) {
  std::vector<Predictions> files;
  for (const std::string& file : asked.predictions) {
    files.push_back(read_predictions(file, truth.images.multi_label));
    add_classes(files.back(), file, truth.images);
  }
  std::vector<Scored> all;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Scored one{match(files[i], asked.predictions[i], truth.images, truth.elsewhere), {}};
    one.quality = metrics::classification_quality(
        truth.images.truth, one.said.labels, truth.images.classes.size(), truth.images.multi_label,
        one.said.probabilities ? &*one.said.probabilities : nullptr);
    all.push_back(std::move(one));
  }
  return all;
}

Resampled resample(const std::vector<Scored>& all, const ScoredImages& images, const ScoreRequest& asked) {
  const auto groups = asked.groups.empty() ? every_image_alone(images) : read_groups(asked.groups, images);
  std::vector<std::vector<metrics::Labels>> predicted;
  for (const Scored& one : all) predicted.push_back(one.said.labels);
  return {groups.size(),
          metrics::bootstrap_quality(images.truth, predicted, images.classes.size(), images.multi_label,
                                     groups, asked.resamples, asked.seed, [](std::size_t) {})};
}

OrderedJson names_json(const metrics::Labels& labels, const ScoredImages& images) {
  OrderedJson names = OrderedJson::array();
  for (const int label : labels) names.push_back(images.classes[static_cast<std::size_t>(label)]);
  return names;
}

OrderedJson said_json(const Scored& one, std::size_t image, const ScoredImages& images) {
  OrderedJson json{{"labels", names_json(one.said.labels[image], images)}};
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
OrderedJson examples_json(const std::vector<Scored>& all, const ScoredImages& images, std::size_t count) {
  const std::size_t shown = std::min(count, images.names.size());
  OrderedJson list = OrderedJson::array();
  for (std::size_t i = 0; i < shown; ++i) {
    const std::size_t image = (2 * i + 1) * images.names.size() / (2 * shown);
    const images::Header header = images::read_header(images.files[image]);
    OrderedJson predicted = OrderedJson::array();
    for (const Scored& one : all) predicted.push_back(said_json(one, image, images));
    list.push_back({{"image_id", image + 1},
                    {"file_name", images.names[image]},
                    {"path", fs::absolute(images.files[image]).lexically_normal().string()},
                    {"width", header.size.width},
                    {"height", header.size.height},
                    {"labels", names_json(images.truth[image], images)},
                    {"predicted", std::move(predicted)}});
  }
  return list;
}

void add_members(OrderedJson& json, const OrderedJson& members) {
  for (const auto& [key, value] : members.items()) json[key] = value;
}

OrderedJson to_json(const std::vector<Scored>& all, const ScoredImages& images, const ScoreRequest& asked,
                    const std::optional<Resampled>& resampled) {
  OrderedJson json{{"schema", 1}};
  if (all.size() == 1 && !resampled) {
    add_members(json, quality_json(images.classes, all.front().quality));
  } else {
    json["images"] = images.names.size();
    json["results"] = OrderedJson::array();
    for (const Scored& one : all) {
      OrderedJson result{{"predictions", one.said.file}};
      add_members(result, quality_json(images.classes, one.quality));
      json["results"].push_back(std::move(result));
    }
  }
  if (resampled)
    json["resamples"] = {{"count", asked.resamples},
                         {"seed", asked.seed},
                         {"groups", resampled->groups},
                         {"accuracy", resampled->quality.accuracy},
                         {"macro_f1", resampled->quality.macro_f1}};
  json["form"] = images.form;
  json["warnings"] = images.warnings;
  if (asked.examples > 0) json["examples"] = examples_json(all, images, asked.examples);
  return json;
}

void print_resamples(const std::vector<Scored>& all, const Resampled& resampled, const ScoreRequest& asked,
                     std::ostream& out) {
  const auto& [accuracy, macro_f1] = resampled.quality;
  out << "\n95 % intervals of " << asked.resamples << " resamples of " << resampled.groups
      << " groups of images (seed " << asked.seed << "):\n";
  for (std::size_t f = 0; f < all.size(); ++f)
    out << "  " << visible_text(all[f].said.file) << ": accuracy " << image_sets::interval_text(accuracy[f])
        << ", macro F1 " << image_sets::interval_text(macro_f1[f]) << "\n";
  for (std::size_t f = 1; f < all.size(); ++f)
    out << "  " << visible_text(all[f].said.file) << " minus " << visible_text(all[0].said.file)
        << ": accuracy " << image_sets::interval_of_differences(accuracy[f], accuracy[0]) << ", macro F1 "
        << image_sets::interval_of_differences(macro_f1[f], macro_f1[0]) << "\n";
}

loop::Answer answer_score(const loop::Request& request) {
  const ScoreRequest asked = asked_for(request);
  Truth truth = read_truth(asked, request);
  const std::vector<Scored> all = score_all(asked, truth);
  for (const std::string& warning : truth.images.warnings) request.notes << "warning: " << warning << '\n';
  request.notes << std::flush;
  std::optional<Resampled> resampled;
  if (asked.resamples > 0) resampled = resample(all, truth.images, asked);
  if (request.as_json) return {to_json(all, truth.images, asked, resampled), "", resampled ? -1 : 2};
  std::ostringstream text;
  for (const Scored& one : all) {
    if (all.size() > 1) text << (&one == &all.front() ? "" : "\n") << visible_text(one.said.file) << ": ";
    print_quality(truth.images.classes, one.quality, text);
  }
  if (resampled) print_resamples(all, *resampled, asked, text);
  return {{}, text.str()};
}

}  // namespace

loop::Offer score_offer() {
  std::vector<loop::Option> options{
      {"ground-truth", "DATA", "labelled images, or a CSV of paths and labels without them", true},
      {"predictions", "FILE", "what `predict` writes, or a CSV; several are compared with the first", true,
       true},
      {"resamples", "N", "also 95 % intervals, by so many draws of images with replacement"},
      {"seed", "N", "of those draws; 0 by default"},
      {"groups", "FILE", "what `audit --json` prints: images that are drawn together"},
      {"labels", "FILE", "labels.json of a model, whose classes the data has"},
      {"examples", "N", "with --json, so many images with what is true and what was predicted"}};
  add_data_options(options);
  return {"score", options, answer_score, false, "with each class, and the confusion of classes"};
}

}  // namespace tune::trainer::image_classification
