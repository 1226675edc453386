// `tune-train score`: COCO's twelve numbers and VOC's two for anybody's detections, how far they would move
// on other images like these, and which classes are mixed up.
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <iomanip>
#include <set>
#include <sstream>

#include "trainer/endpoint/asked_endpoint.h"
#include "trainer/loop/score_options.h"
#include "trainer/metrics/bootstrap.h"
#include "trainer/metrics/coco_map.h"
#include "trainer/metrics/voc_map.h"
#include "trainer/tasks/detection/data/score_input.h"
#include "trainer/tasks/detection/data_parts.h"
#include "trainer/tasks/detection/quality_json.h"
#include "trainer/tasks/detection/task.h"
#include "trainer/tasks/image_sets/part_options.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::detection {
namespace {

struct Row {
  const char* key;
  const char* text;  // as pycocotools prints it
};
constexpr std::array<Row, 12> kRows = {{
    {"AP", "Average Precision  (AP) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ]"},
    {"AP50", "Average Precision  (AP) @[ IoU=0.50      | area=   all | maxDets=100 ]"},
    {"AP75", "Average Precision  (AP) @[ IoU=0.75      | area=   all | maxDets=100 ]"},
    {"APs", "Average Precision  (AP) @[ IoU=0.50:0.95 | area= small | maxDets=100 ]"},
    {"APm", "Average Precision  (AP) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ]"},
    {"APl", "Average Precision  (AP) @[ IoU=0.50:0.95 | area= large | maxDets=100 ]"},
    {"AR1", "Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=  1 ]"},
    {"AR10", "Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets= 10 ]"},
    {"AR100", "Average Recall     (AR) @[ IoU=0.50:0.95 | area=   all | maxDets=100 ]"},
    {"ARs", "Average Recall     (AR) @[ IoU=0.50:0.95 | area= small | maxDets=100 ]"},
    {"ARm", "Average Recall     (AR) @[ IoU=0.50:0.95 | area=medium | maxDets=100 ]"},
    {"ARl", "Average Recall     (AR) @[ IoU=0.50:0.95 | area= large | maxDets=100 ]"},
}};

constexpr const char* kMisread = " (corners misread)";

struct Asked : loop::ScoreOptions {
  std::string truth;
  std::optional<PartChoice> part;
  std::vector<std::string> detections;
  std::string labels;
  std::filesystem::path images;
  bool misreads_corners = false;

  ReadOptions options() const {
    ReadOptions options;
    options.images = images;
    if (!labels.empty()) options.classes = read_labels(labels);
    if (!part) return options;
    options.part = part->part;
    if (part->split) {
      const OwnParts own = own_parts(truth, options, *part->split);
      if (!own.has(part->part)) options.part = own.training;
    }
    return options;
  }
};

// One file of detections.
struct Scored {
  std::string file;
  bool corners_misread = false;
  std::vector<metrics::JudgedClass> judged;
  metrics::CocoSummary coco;
  metrics::VocSummary voc;
  metrics::Confusion confusion;
};

struct Resampled {
  std::size_t count = 0, groups = 0;
  std::uint64_t seed = 0;
  metrics::ResampledPrecision precision;
};

// Leaves the chosen part of the data in `truth`. Gives the images of the other parts, whose detections may be
// in the files too.
std::set<std::int64_t> keep_part(ScoreTruth& truth, const Asked& asked, const loop::Request& request) {
  if (!asked.part || !asked.part->split) return {};
  const Dataset part = read_part(asked.truth, asked.options(), asked.part, loop::threads_to_use(0),
                                 request.notes, [] { return false; });
  std::set<std::int64_t> inside, elsewhere;
  for (const Example& example : part.examples) inside.insert(example.image_id);
  for (const std::int64_t image : truth.images)
    if (!inside.contains(image)) elsewhere.insert(image);
  keep_images(truth, inside);
  return elsewhere;
}

// What a deployed model finds in the images of the truth.
std::vector<metrics::DetectedBox> ask_endpoint(const endpoint::AskedEndpoint& deployed, ScoreTruth& truth,
                                               const std::function<bool()>& interrupted) {
  std::map<std::string, int> categories;
  for (std::size_t i = 0; i < truth.names.size(); ++i) categories[truth.names[i]] = static_cast<int>(i);
  const auto question = [&](std::size_t i) -> endpoint::Question {
    const auto file = truth.files.find(truth.images[i]);
    if (file == truth.files.end() || file->second.path.empty())
      throw Error(ExitCode::kBadData,
                  truth.place + ": the file of image " + std::to_string(truth.images[i]) + " is not there",
                  "name the folder of the images with --images: an endpoint looks at them");
    return {"application/x-image", read_file(file->second.path)};
  };
  const std::vector<Json> answers = deployed.ask(truth.images.size(), question, interrupted);
  std::vector<metrics::DetectedBox> detections;
  std::set<std::string> unknown;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    try {
      for (const Json& found : answers[i].at("detections")) {
        const auto category = categories.find(found.at("class").get<std::string>());
        if (category == categories.end()) {
          unknown.insert(found.at("class").get<std::string>());
          continue;
        }
        const auto box = found.at("box").get<std::array<double, 4>>();
        detections.push_back({truth.images[i],
                              category->second,
                              {box[0], box[1], box[2] - box[0], box[3] - box[1]},
                              // The float that it was.
                              static_cast<float>(found.at("score").get<double>())});
      }
    } catch (const Json::exception&) {
      endpoint::refuse_answer(deployed, "its answers hold no detections");
    }
  }
  for (const std::string& name : unknown)
    truth.warnings.push_back(truth.place + " has no category \"" + name +
                             "\", so its detections are left out");
  return detections;
}

Scored score(const std::string& file, const ScoreTruth& truth,
             const std::vector<metrics::DetectedBox>& detections) {
  const int classes = static_cast<int>(truth.categories.size());
  Scored scored{file, false, metrics::match_detections(truth.boxes, detections, classes, truth.images),
                {},   {},    {}};
  scored.coco = metrics::summarize(scored.judged);
  scored.voc = metrics::voc_map(truth.boxes, detections, classes);
  scored.confusion = metrics::confusion_of(truth.boxes, detections, classes);
  return scored;
}

// A published study handed corners [x1, y1, x2, y2] to a scorer that takes [x, y, width, height].
std::vector<metrics::DetectedBox> with_corners_misread(std::vector<metrics::DetectedBox> detections) {
  for (metrics::DetectedBox& found : detections) {
    found.box.width += found.box.x;
    found.box.height += found.box.y;
  }
  return detections;
}

// As asked: as they are, and misread beside that.
void add_scores(std::vector<Scored>& scored, const std::string& name, const ScoreTruth& truth,
                const Asked& asked, const std::vector<metrics::DetectedBox>& detections) {
  scored.push_back(score(name, truth, detections));
  if (!asked.misreads_corners) return;
  scored.push_back(score(name + kMisread, truth, with_corners_misread(detections)));
  scored.back().corners_misread = true;
}

// Tells how far the resampling is: on a terminal in one line, elsewhere every few seconds.
class ResampleProgress {
 public:
  ResampleProgress(std::size_t total, const loop::Request& request) : total_(total), request_(request) {}
  ~ResampleProgress() {
    if (open_) request_.notes << "\r\x1b[K" << std::flush;
  }
  ResampleProgress(const ResampleProgress&) = delete;
  ResampleProgress& operator=(const ResampleProgress&) = delete;

  void operator()(std::size_t done) {
    const auto now = Clock::now();
    if (now - shown_ < (request_.notes_are_terminal ? kOnTerminal : kElsewhere) || done == total_) return;
    shown_ = now;
    const double seconds = std::chrono::duration<double>(now - begun_).count();
    const double left = seconds / static_cast<double>(done) * static_cast<double>(total_ - done);
    if (request_.notes_are_terminal) request_.notes << '\r';
    request_.notes << "resample " << done << " of " << total_ << ", " << std::lround(left) << "s left";
    open_ = request_.notes_are_terminal;
    request_.notes << (open_ ? "\x1b[K" : "\n") << std::flush;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr Clock::duration kOnTerminal = std::chrono::milliseconds(200),
                                   kElsewhere = std::chrono::seconds(5);
  std::size_t total_;
  const loop::Request& request_;
  bool open_ = false;
  Clock::time_point begun_ = Clock::now(), shown_ = begun_;
};

Resampled resample(const std::vector<Scored>& scored, const ScoreTruth& truth, const Asked& asked,
                   const loop::Request& request) {
  const auto groups = asked.groups.empty() ? every_image_alone(truth) : read_groups(asked.groups, truth);
  std::vector<std::vector<metrics::JudgedClass>> detectors;
  for (const Scored& one : scored) detectors.push_back(one.judged);
  ResampleProgress progress(asked.resamples, request);
  return {asked.resamples, groups.size(), asked.seed,
          metrics::bootstrap(detectors, groups, truth.images.size(), asked.resamples, asked.seed,
                             [&](std::size_t done) { progress(done); })};
}

OrderedJson numbers_to_json(OrderedJson json, const Scored& scored, const ScoreTruth& truth) {
  const std::array<double, 12> numbers = scored.coco.numbers();
  for (std::size_t i = 0; i < kRows.size(); ++i) json[kRows[i].key] = numbers[i];
  json["VOC07_AP50"] = scored.voc.map07;
  json["VOC12_AP50"] = scored.voc.map12;
  const auto objects = metrics::count_objects(truth.boxes, static_cast<int>(truth.names.size()));
  json["classes"] = classes_json(truth.names, objects, scored.coco);
  for (const auto& [id, index] : truth.categories)
    json["classes"][static_cast<std::size_t>(index)]["category_id"] = id;
  json["confusion"] = confusion_json(truth.names, scored.confusion);
  return json;
}

OrderedJson results_to_json(const std::vector<Scored>& scored, const ScoreTruth& truth,
                            const std::optional<Resampled>& resampled) {
  if (scored.size() == 1 && !resampled) return numbers_to_json({{"schema", 1}}, scored.front(), truth);
  OrderedJson json = {{"schema", 1}, {"images", truth.images.size()}, {"results", OrderedJson::array()}};
  for (const Scored& one : scored) {
    OrderedJson result{{"detections", one.file}};
    if (one.corners_misread) result["corners_misread"] = true;
    json["results"].push_back(numbers_to_json(std::move(result), one, truth));
  }
  if (resampled)
    json["resamples"] = {{"count", resampled->count},
                         {"seed", resampled->seed},
                         {"groups", resampled->groups},
                         {"AP", resampled->precision.ap},
                         {"AP50", resampled->precision.ap50}};
  return json;
}

OrderedJson objects_json(const ScoreTruth& truth, std::int64_t image) {
  OrderedJson list = OrderedJson::array();
  for (const metrics::TruthBox& box : truth.boxes)
    if (box.image_id == image && !box.crowd)
      list.push_back({{"name", truth.names[static_cast<std::size_t>(box.category)]},
                      {"bbox", {box.box.x, box.box.y, box.box.width, box.box.height}}});
  return list;
}

OrderedJson example_json(const ScoreTruth& truth, std::int64_t image) {
  const auto known = truth.files.find(image);
  const ImageFile file = known == truth.files.end() ? ImageFile{} : known->second;
  const std::filesystem::path& path = file.path;
  const auto side = [](int pixels) { return pixels > 0 ? OrderedJson(pixels) : OrderedJson(); };
  return {{"image_id", image},
          {"file_name", file.name},
          {"path", path.empty() ? OrderedJson()
                                : OrderedJson(std::filesystem::absolute(path).lexically_normal().string())},
          {"width", side(file.width)},
          {"height", side(file.height)},
          {"objects", objects_json(truth, image)}};
}

// `count` images spread evenly over the set in the order of their ids, so that nobody has chosen them; all
// where there are fewer: [{"image_id", "file_name", "path", "width", "height", "objects": [{"name", "bbox":
// [x, y, width, height]}]}]. "path" is absolute, and null where the file was not found; a side is null where
// the data does not say it. Crowd regions are left out.
OrderedJson examples_json(const ScoreTruth& truth, std::size_t count) {
  const std::size_t images = truth.images.size(), shown = std::min(count, images);
  OrderedJson list = OrderedJson::array();
  // The middle one of each of as many stretches.
  for (std::size_t i = 0; i < shown; ++i)
    list.push_back(example_json(truth, truth.images[(2 * i + 1) * images / (2 * shown)]));
  return list;
}

OrderedJson to_json(const std::vector<Scored>& scored, const ScoreTruth& truth,
                    const std::optional<Resampled>& resampled, std::size_t examples) {
  OrderedJson json = results_to_json(scored, truth, resampled);
  json["form"] = truth.form;
  json["warnings"] = truth.warnings;
  if (examples > 0) json["examples"] = examples_json(truth, examples);
  return json;
}

void print_summary(const Scored& scored, std::ostream& out) {
  const std::array<double, 12> numbers = scored.coco.numbers();
  std::array<char, 160> line{};
  for (std::size_t i = 0; i < kRows.size(); ++i) {
    std::snprintf(line.data(), line.size(), " %s = %0.3f\n", kRows[i].text, numbers[i]);
    out << line.data();
  }
  std::snprintf(line.data(), line.size(),
                " VOC 2007 AP50 (11 points) = %0.3f\n VOC 2012 AP50 (area)      = %0.3f\n", scored.voc.map07,
                scored.voc.map12);
  out << line.data();
}

void print_resamples(const std::vector<Scored>& scored, const Resampled& resampled, std::ostream& out) {
  out << "\n95 % intervals of " << resampled.count << " resamples of " << resampled.groups
      << " groups of images (seed " << resampled.seed << "):\n";
  for (std::size_t f = 0; f < scored.size(); ++f)
    out << "  " << visible_text(scored[f].file) << ": AP " << loop::interval_text(resampled.precision.ap[f])
        << ", AP50 " << loop::interval_text(resampled.precision.ap50[f]) << "\n";
  for (std::size_t f = 1; f < scored.size(); ++f)
    out << "  " << visible_text(scored[f].file) << " minus " << visible_text(scored[0].file) << ": AP "
        << loop::interval_of_differences(resampled.precision.ap[f], resampled.precision.ap[0]) << ", AP50 "
        << loop::interval_of_differences(resampled.precision.ap50[f], resampled.precision.ap50[0]) << "\n";
}

Asked asked_for(const loop::Request& request) {
  Asked asked;
  static_cast<loop::ScoreOptions&>(asked) = loop::read_score_options(request);
  asked.truth = request.text("ground-truth");
  if (request.has("detections")) asked.detections = request.values.at("detections");
  asked.part = image_sets::part_choice(request);
  asked.images = image_sets::images_choice(request);
  asked.misreads_corners = request.has("misread-corners");
  if (request.has("labels")) asked.labels = request.text("labels");
  return asked;
}

loop::Answer answer_score(const loop::Request& request) {
  const Asked asked = asked_for(request);
  const auto deployed = endpoint::endpoint_or_files(request, "detections");
  ScoreTruth truth = read_score_truth(asked.truth, asked.options());
  if (truth.has_id_zero)
    truth.warnings.push_back(
        truth.place +
        ": pycocotools, and so this command, counts a detection that finds the annotation of id 0 "
        "as wrong; number annotations from 1");
  const std::set<std::int64_t> elsewhere = keep_part(truth, asked, request);
  std::vector<Scored> scored;
  for (const std::string& file : asked.detections)
    add_scores(scored, file, truth, asked, read_detections(file, truth, elsewhere, &truth.warnings));
  if (deployed)
    add_scores(scored, deployed->url(), truth, asked, ask_endpoint(*deployed, truth, request.interrupted));
  if (asked.misreads_corners)
    truth.warnings.push_back(
        "numbers of corners that were misread as [x, y, width, height] repeat the mistake of a published "
        "study; they say nothing about a detector");
  if (std::filesystem::is_directory(asked.truth))  // of a file it is known
    request.notes << "data: " << truth.place << " is " << truth.form << '\n';
  for (const std::string& warning : truth.warnings) request.notes << "warning: " << warning << '\n';
  request.notes << std::flush;
  std::optional<Resampled> resampled;
  if (asked.resamples > 0) resampled = resample(scored, truth, asked, request);

  if (request.as_json)
    return {to_json(scored, truth, resampled, asked.examples), "", asked.resamples > 0 ? -1 : 2};
  std::ostringstream text;
  for (const Scored& one : scored) {
    if (scored.size() > 1) text << (&one == &scored.front() ? "" : "\n") << visible_text(one.file) << "\n";
    print_summary(one, text);
  }
  if (resampled) print_resamples(scored, *resampled, text);
  return {{}, text.str()};
}

}  // namespace

loop::Offer score_offer() {
  std::vector<loop::Option> options{
      {"ground-truth", "DATA", "data set with annotations; a COCO JSON needs no images", true},
      {"detections", "FILE", "detections in COCO's results format (JSON); may be given several times", false,
       true},
      {"resamples", "N", "score N resamples of the images too, the same for every FILE"},
      {"groups", "FILE", "JSON with \"groups\": lists of image ids that are drawn together"},
      {"seed", "S", "of the resamples; 0 by default"},
      {"labels", "FILE", "labels.json of a model, where DATA has no category ids of its own"},
      {"misread-corners", "",
       "beside each FILE, score it as a published study did: its corners read as [x, y, width, height]"},
      {"examples", "N", "with --json: N images spread evenly over the set, with their files and objects"}};
  for (const loop::Option& option : endpoint::endpoint_options()) options.push_back(option);
  image_sets::add_part_options(options, kImagesOption);
  return {"score", options, answer_score, false,
          "with each class, and the confusion of classes at IoU 0.5 and a score of 0.25"};
}

}  // namespace tune::trainer::detection
