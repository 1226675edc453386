#include "trainer/tasks/detection/model_folder.h"

#include <algorithm>
#include <ostream>

#include "trainer/tasks/detection/weight_names.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace fs = std::filesystem;

namespace tune::trainer::detection {
namespace {

constexpr const char *kWeights = "weights.safetensors", *kDefaultBoxes = "default_boxes";

Json read_json(const fs::path& path) {
  try {
    return Json::parse(read_file(path));
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, path.string() + ": not JSON: " + error.what());
  }
}

std::vector<std::string> labels_from_json(const Json& json, const std::string& place) {
  try {
    return json.at("classes").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    throw Error(ExitCode::kBadData, place + ": no list \"classes\"");
  }
}

// "" for what is absent or no text.
std::string text_of(const Json& object, const char* key) {
  const auto member = object.find(key);
  return member != object.end() && member->is_string() ? member->get<std::string>() : std::string();
}

Json metadata_json(const weights::Metadata& metadata, const std::string& key, const fs::path& place) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return {};
  try {
    return Json::parse(found->second);
  } catch (const Json::exception&) {
    throw Error(ExitCode::kBadData, place.string() + ": \"" + key + "\" in its header is not JSON");
  }
}

// Those who convert other projects' weights write what the first layer takes, for images of any size.
void check_normalisation(const weights::Metadata& metadata, const Preprocessing& expected,
                         const std::string& whose, const fs::path& place) {
  const Json own = metadata_json(metadata, "normalisation", place);
  const Json wanted{{"mean", expected.mean}, {"std", expected.std}};
  if (own.is_null() || own == wanted) return;
  throw Error(ExitCode::kBadData,
              place.string() + " takes images normalised by " + own.dump() + ", but " + whose + " says " +
                  wanted.dump(),
              "convert the weights for this model, or use the model that they are for");
}

// The weights' own header, where it says something, must agree with `expected`.
void check_preprocessing(const weights::Metadata& metadata, const Preprocessing& expected,
                         const std::string& whose, const fs::path& place) {
  check_normalisation(metadata, expected, whose, place);
  const Json json = metadata_json(metadata, "preprocessing", place);
  if (json.is_null()) return;
  const Preprocessing own = preprocessing_from_json(json, place.string());
  if (own == expected) return;
  throw Error(ExitCode::kBadData,
              place.string() + " was trained with the preprocessing " + to_json(own).dump() + ", but " +
                  whose + " says " + to_json(expected).dump(),
              "use the model that the weights were trained for");
}

// Of preprocessing.json or its copy in the weights' header; the model's stock boxes where it names none.
std::vector<FeatureMap> maps_of(const Json& preprocessing, const DetectorModel& model,
                                const std::string& place) {
  if (!preprocessing.is_object() || !preprocessing.contains(kDefaultBoxes)) return model.maps;
  return maps_from_json(preprocessing[kDefaultBoxes], model.maps, place);
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < std::min(kShown, names.size()); ++i) text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

void write_report(const weights::LoadReport& report, std::ostream& notes) {
  notes << "weights: " << report.loaded.size() << " tensors loaded\n";
  if (!report.missing.empty())
    notes << "weights: not in the file, initialised anew: " << listed(report.missing) << '\n';
  if (!report.unexpected.empty())
    notes << "weights: not in the model, ignored: " << listed(report.unexpected) << '\n';
  for (const weights::Mismatch& mismatch : report.mismatched)
    notes << "weights: " << mismatch.name << " is " << c10::IntArrayRef(mismatch.in_file)
          << " in the file and " << c10::IntArrayRef(mismatch.in_model)
          << " in the model, initialised anew\n";
  notes << std::flush;
}

// Whether heads of the file were trained for other default boxes than `kind` has.
bool has_other_boxes(const weights::WeightFile& content, const DetectorModel& kind, const fs::path& place) {
  const Json header = metadata_json(content.metadata, "preprocessing", place);
  const bool has_heads = std::any_of(content.tensors.begin(), content.tensors.end(),
                                     [](const auto& entry) { return entry.first.starts_with(kHeads); });
  return has_heads && maps_of(header, detector_model(kind.name), place.string()) != kind.maps;
}

// Copies into `model` what fits of the file's content.
weights::LoadReport load_initial(SsdModel& model, weights::WeightFile content, const fs::path& place,
                                 const DetectorModel& kind, const std::vector<std::string>& classes) {
  check_preprocessing(content.metadata, kind.preprocessing, "the model " + kind.name, place);
  if (has_other_boxes(content, kind, place))
    std::erase_if(content.tensors, [](const auto& entry) { return entry.first.starts_with(kHeads); });
  content.tensors = with_model_names(std::move(content.tensors), kind);
  const Json labels = metadata_json(content.metadata, "labels", place);
  if (labels.is_null() || labels_from_json(labels, place.string()) != classes)
    std::erase_if(content.tensors,
                  [](const auto& entry) { return entry.first.starts_with(kClassificationHead); });
  return weights::load_state_dict(*model, content.tensors, "backbone.");
}

}  // namespace

void write_model_files(const fs::path& folder, const weights::TensorMap& tensors, const DetectorModel& model,
                       const std::vector<std::string>& classes) {
  const OrderedJson labels{{"schema", 1}, {"classes", classes}};
  OrderedJson preprocessing = to_json(model.preprocessing);
  if (model.maps != detector_model(model.name).maps) preprocessing[kDefaultBoxes] = to_json(model.maps);
  weights::write_safetensors(folder / kWeights, tensors,
                             {{"format", "pt"},
                              {"model", model.name},
                              {"labels", labels.dump()},
                              {"preprocessing", preprocessing.dump()}});
  write_file_atomically(folder / "labels.json", labels.dump(2) + "\n");
  write_file_atomically(folder / "preprocessing.json", preprocessing.dump(2) + "\n");
}

LoadedDetector load_detector(const fs::path& folder) {
  const fs::path file = folder / kWeights, model_file = folder / "model.json";
  const Json description = read_json(model_file);
  if (!description.is_object() || text_of(description, "task") != "detection")
    throw Error(ExitCode::kBadData, model_file.string() + ": not a detector's",
                "name a folder that `tune promote` or a trial of the detection task has made");
  LoadedDetector detector;
  DetectorModel kind = detector_model(text_of(description, "model"));
  detector.classes = labels_from_json(read_json(folder / "labels.json"), (folder / "labels.json").string());
  const fs::path preprocessing_file = folder / "preprocessing.json";
  const Json preprocessing = read_json(preprocessing_file);
  if (preprocessing_from_json(preprocessing, preprocessing_file.string()) != kind.preprocessing)
    throw Error(ExitCode::kBadData, preprocessing_file.string() + " contradicts the model " + kind.name,
                "restore the file that came with the model");
  const weights::SafetensorsContent content = weights::read_safetensors(file);
  check_preprocessing(content.metadata, kind.preprocessing, preprocessing_file.string(), file);
  const std::vector<FeatureMap> maps = maps_of(preprocessing, kind, preprocessing_file.string());
  const Json header = metadata_json(content.metadata, "preprocessing", file);
  if (!header.is_null() && maps_of(header, kind, file.string()) != maps)
    throw Error(
        ExitCode::kBadData,
        file.string() + " was trained with other default boxes than " + preprocessing_file.string() + " has",
        "restore the file that came with the model");
  kind.maps = maps;
  detector.kind = std::make_shared<const DetectorModel>(std::move(kind));
  detector.model = SsdModel(*detector.kind, static_cast<int>(detector.classes.size()));
  const weights::LoadReport report = weights::load_state_dict(*detector.model, content.tensors);
  if (!report.missing.empty() || !report.mismatched.empty())
    throw Error(ExitCode::kBadData,
                file.string() + " does not fit the model " + detector.kind->name + " with " +
                    std::to_string(detector.classes.size()) + " classes: " +
                    (report.missing.empty() ? report.mismatched.front().name + " has another shape"
                                            : "no " + listed(report.missing)));
  detector.model->eval();
  return detector;
}

void initialise_from(SsdModel& model, const fs::path& weights, const DetectorModel& kind,
                     const std::vector<std::string>& classes, std::ostream& notes) {
  const fs::path file = weights::weights_file(weights);
  const weights::WeightFile content = weights::read_weights(file);
  if (has_other_boxes(content, kind, file))
    notes << "weights: the heads are initialised anew, since the default boxes are others\n";
  const weights::LoadReport report = load_initial(model, content, file, kind, classes);
  write_report(report, notes);
  if (report.loaded.empty())
    throw Error(ExitCode::kBadData, file.string() + ": no tensor fits the model " + kind.name,
                report.mismatched.empty()
                    ? "its names are neither this model's nor torchvision's"
                    : report.mismatched.front().name + " has another shape: another model's file?");
}

weights::LoadReport fit_report(const weights::WeightFile& content, const fs::path& place,
                               const DetectorModel& kind) {
  const Json labels = metadata_json(content.metadata, "labels", place);
  const std::vector<std::string> classes =
      labels.is_null() ? std::vector<std::string>{"any"} : labels_from_json(labels, place.string());
  SsdModel model(kind, static_cast<int>(classes.size()));
  return load_initial(model, content, place, kind, classes);
}

}  // namespace tune::trainer::detection
