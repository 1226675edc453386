#include "trainer/tasks/detection/model_folder.h"

#include <algorithm>
#include <ostream>

#include "trainer/tasks/detection/weight_fit.h"
#include "trainer/tasks/detection/weight_names.h"
#include "trainer/weights/initial_weights.h"
#include "trainer/weights/unwrap.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace fs = std::filesystem;

namespace tune::trainer::detection {
namespace {

constexpr const char* kDefaultBoxes = "default_boxes";

// "" for what is absent or no text.
std::string text_of(const Json& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

// The weights' own header, where it says something, must agree with `expected`.
void check_preprocessing(const weights::Metadata& metadata, const data::Preprocessing& expected,
                         const std::string& whose, const fs::path& place) {
  weights::check_normalisation(metadata, expected.mean, expected.std, whose, place);
  const Json json = weights::header_json(metadata, "preprocessing", place);
  if (json.is_null()) return;
  const data::Preprocessing own = data::preprocessing_from_json(json, place.string());
  if (own == expected) return;
  throw Error(ExitCode::kBadData,
              place.string() + " was trained with the preprocessing " + to_json(own).dump() + ", but " +
                  whose + " says " + to_json(expected).dump(),
              "use the model that the weights were trained for");
}

// The default boxes that preprocessing.json, or its copy in the weights' header, names; the model's stock
// boxes where it names none.
std::vector<FeatureMap> maps_of(const Json& preprocessing, const DetectorModel& model,
                                const std::string& place) {
  if (!preprocessing.is_object() || !preprocessing.contains(kDefaultBoxes)) return model.maps;
  return maps_from_json(preprocessing[kDefaultBoxes], model.maps, place);
}

// How many numbers of a dict of a file such a model would take.
weights::Fit fit_of(const weights::TensorMap& own, const DetectorModel& kind) {
  return [&own, &kind](const weights::TensorMap& tensors) {
    return weight_fit(own, with_model_names(tensors, kind), kind).fit;
  };
}

// Whether heads of the file were trained for other default boxes than `kind` has.
bool has_other_boxes(const weights::WeightFile& content, const DetectorModel& kind, const fs::path& place) {
  const Json header = weights::header_json(content.metadata, "preprocessing", place);
  const bool has_heads = std::any_of(content.tensors.begin(), content.tensors.end(),
                                     [](const auto& entry) { return entry.first.starts_with(kHeads); });
  return has_heads && maps_of(header, detector_model(kind.name), place.string()) != kind.maps;
}

// A detector that torchvision trained on COCO has frozen normalisations, which add no epsilon to the variance
// and count no batches. With one that is added here anyway, the sum is the same.
bool take_epsilon_off(weights::TensorMap& tensors, const DetectorModel& kind) {
  const auto* network = std::get_if<TwoStageNetwork>(&kind.network);
  if (network == nullptr || !network->pyramid || !tensors.contains("rpn.head.cls_logits.weight"))
    return false;
  for (const auto& [name, tensor] : tensors)
    if (name.ends_with(".num_batches_tracked")) return false;
  const double epsilon = torch::nn::BatchNorm2dOptions(1).eps();
  for (auto& [name, tensor] : tensors)
    if (name.ends_with(".running_var") && tensor.is_floating_point())
      tensor = tensor.to(torch::kDouble) - epsilon;
  return true;
}

// Copies into `network` what fits of the file's content.
weights::FitReport load_initial(torch::nn::Module& network, weights::WeightFile content,
                                const fs::path& place, const DetectorModel& kind,
                                const std::vector<std::string>& classes) {
  check_preprocessing(content.metadata, kind.preprocessing, "the model " + kind.name, place);
  const weights::TensorMap own = weights::state_dict(network);
  const std::string prefix(backbone_prefix(kind));
  weights::Unwrapped unwrapped = weights::unwrap(content.tensors, fit_of(own, kind));
  content.tensors = std::move(unwrapped.tensors);
  weights::FitReport report;
  if (has_other_boxes(content, kind, place)) {
    report.remarks.emplace_back("the heads are initialised anew, since the default boxes are others");
    std::erase_if(content.tensors, [](const auto& entry) { return entry.first.starts_with(kHeads); });
  }
  content.tensors = with_model_names(std::move(content.tensors), kind);
  if (take_epsilon_off(content.tensors, kind))
    report.remarks.emplace_back(
        "the normalisation counts no batches, so it is taken for torchvision's frozen one, which adds "
        "nothing to the variance");
  const Json labels = weights::header_json(content.metadata, "labels", place);
  if (labels.is_null() || weights::labels_from_json(labels, place.string()) != classes)
    std::erase_if(content.tensors,
                  [&](const auto& entry) { return entry.first.starts_with(classification_head(kind)); });
  weights::refuse_other_dtypes(content, own, prefix, place);
  const weights::WeightFit fit = weight_fit(own, content.tensors, kind);
  static_cast<weights::LoadReport&>(report) = weights::load_state_dict(network, content.tensors, prefix);
  report.prefix = std::move(unwrapped.prefix);
  report.share = fit.share();
  report.refusal = weights::refusal_of(
      fit, report, [&](std::string_view name) { return is_of_base_network(name, kind); },
      "the backbone of the model " + kind.name, kind.name);
  return report;
}

}  // namespace

void write_model_files(const fs::path& folder, const weights::TensorMap& tensors, const DetectorModel& model,
                       const std::vector<std::string>& classes) {
  const OrderedJson labels{{"schema", 1}, {"classes", classes}};
  OrderedJson preprocessing = to_json(model.preprocessing);
  if (model.maps != detector_model(model.name).maps) preprocessing[kDefaultBoxes] = to_json(model.maps);
  weights::write_safetensors(folder / weights::kWeightsFile, tensors,
                             {{"format", "pt"},
                              {"model", model.name},
                              {"labels", labels.dump()},
                              {"preprocessing", preprocessing.dump()}});
  write_file_atomically(folder / "labels.json", labels.dump(2) + "\n");
  write_file_atomically(folder / "preprocessing.json", preprocessing.dump(2) + "\n");
}

LoadedDetector load_detector(const fs::path& folder) {
  const fs::path file = folder / weights::kWeightsFile, model_file = folder / "model.json";
  const Json description = weights::read_model_json(model_file);
  if (!description.is_object() || text_of(description, "task") != "detection")
    throw Error(ExitCode::kBadData, model_file.string() + ": not a detector's",
                "name a folder that `tune promote` or a trial of the detection task has made");
  LoadedDetector detector;
  DetectorModel kind = detector_model(text_of(description, "model"));
  detector.classes = weights::labels_from_json(weights::read_model_json(folder / "labels.json"),
                                               (folder / "labels.json").string());
  const fs::path preprocessing_file = folder / "preprocessing.json";
  const Json preprocessing = weights::read_model_json(preprocessing_file);
  if (data::preprocessing_from_json(preprocessing, preprocessing_file.string()) != kind.preprocessing)
    throw Error(ExitCode::kBadData, preprocessing_file.string() + " contradicts the model " + kind.name,
                weights::kRestoreModel);
  const weights::SafetensorsContent content = weights::read_safetensors(file);
  check_preprocessing(content.metadata, kind.preprocessing, preprocessing_file.string(), file);
  const std::vector<FeatureMap> maps = maps_of(preprocessing, kind, preprocessing_file.string());
  const Json header = weights::header_json(content.metadata, "preprocessing", file);
  if (!header.is_null() && maps_of(header, kind, file.string()) != maps)
    throw Error(
        ExitCode::kBadData,
        file.string() + " was trained with other default boxes than " + preprocessing_file.string() + " has",
        weights::kRestoreModel);
  kind.maps = maps;
  detector.kind = std::make_shared<const DetectorModel>(std::move(kind));
  detector.model = make_detector(*detector.kind, static_cast<int>(detector.classes.size()));
  const weights::LoadReport report = weights::load_state_dict(detector.model->network(), content.tensors);
  if (!report.missing.empty() || !report.mismatched.empty())
    throw Error(ExitCode::kBadData,
                file.string() + " does not fit the model " + detector.kind->name + " with " +
                    std::to_string(detector.classes.size()) + " classes: " +
                    (report.missing.empty() ? report.mismatched.front().name + " has another shape"
                                            : "no " + weights::first_names(report.missing)));
  detector.model->network().eval();
  return detector;
}

weights::WeightFile read_initial_weights(const fs::path& file, const DetectorModel& kind) {
  const std::unique_ptr<Detector> model = make_detector(kind, 1);
  const weights::TensorMap own = weights::state_dict(model->network());
  return weights::read_weights(file, [fit = fit_of(own, kind)](const weights::TensorMap& tensors) {
    return fit(weights::unwrap(tensors, fit).tensors);
  });
}

void initialise_from(torch::nn::Module& network, const fs::path& weights, const DetectorModel& kind,
                     const std::vector<std::string>& classes, std::ostream& notes) {
  const fs::path file = weights::weights_file(weights);
  const weights::WeightFile content = read_initial_weights(file, kind);
  const weights::FitReport report = load_initial(network, content, file, kind, classes);
  weights::write_wrapping(content, report, notes);
  weights::write_report(report, "the backbone", notes);
  if (!report.refusal.empty())
    throw Error(ExitCode::kBadData, file.string() + ": " + report.refusal,
                "give weights of this model's backbone, under its names or torchvision's: `tune-train "
                "inspect-weights FILE --model " +
                    kind.name + "` lists what differs");
}

weights::FitReport fit_report(const weights::WeightFile& content, const fs::path& place,
                              const DetectorModel& kind) {
  const Json labels = weights::header_json(content.metadata, "labels", place);
  const std::vector<std::string> classes =
      labels.is_null() ? std::vector<std::string>{"any"} : weights::labels_from_json(labels, place.string());
  const std::unique_ptr<Detector> model = make_detector(kind, static_cast<int>(classes.size()));
  return load_initial(model->network(), content, place, kind, classes);
}

}  // namespace tune::trainer::detection
