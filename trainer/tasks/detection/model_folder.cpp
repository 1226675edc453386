#include "trainer/tasks/detection/model_folder.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <sstream>

#include "trainer/tasks/detection/weight_fit.h"
#include "trainer/tasks/detection/weight_names.h"
#include "trainer/weights/unwrap.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/bounded_json.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/regular_file.h"

namespace fs = std::filesystem;

namespace tune::trainer::detection {
namespace {

constexpr const char* kDefaultBoxes = "default_boxes";
constexpr const char* kRestore = "restore the file that came with the model";
constexpr std::uint64_t kMostJsonBytes = 64 << 20;

Json read_json(const fs::path& path) {
  JsonFile file = read_json_file(path, kMostJsonBytes, Links::kFollow);
  if (!file.spoilt.empty()) throw Error(ExitCode::kBadData, file.spoilt, kRestore);
  if (!file.is_there)
    throw Error(ExitCode::kNotFound, "there is no file \"" + path.string() + "\"", kRestore);
  return std::move(file.value);
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
  BoundedJson json = parse_bounded_json(found->second);
  if (!json.problem.empty())
    throw Error(ExitCode::kBadData, place.string() + ": \"" + key + "\" in its header: " + json.problem,
                "write the header again, or leave that out");
  return std::move(json.value);
}

// Those who convert other projects' weights write what the first layer takes, for images of any size.
void check_normalisation(const weights::Metadata& metadata, const data::Preprocessing& expected,
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
void check_preprocessing(const weights::Metadata& metadata, const data::Preprocessing& expected,
                         const std::string& whose, const fs::path& place) {
  check_normalisation(metadata, expected, whose, place);
  const Json json = metadata_json(metadata, "preprocessing", place);
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

std::string percent(double share) {
  char text[16];
  // Rounded down, so that the whole is said of the whole alone.
  std::snprintf(text, sizeof text, "%.1f %%", std::floor(share * 1000) / 10);
  return text;
}

// How the tensors were found.
void write_wrapping(const weights::WeightFile& content, const FitReport& report, std::ostream& notes) {
  if (!content.section.empty()) notes << "weights: those under \"" << content.section << "\" are taken\n";
  if (!content.others.empty())
    notes << "weights: not taken: the tensors " << weights::places_of(content.others) << '\n';
  if (!report.prefix.empty()) notes << "weights: names are read without \"" << report.prefix << "\"\n";
}

void write_report(const FitReport& report, std::ostream& notes) {
  if (report.new_boxes)
    notes << "weights: the heads are initialised anew, since the default boxes are others\n";
  notes << "weights: " << report.loaded.size() << " tensors loaded, " << percent(report.share)
        << " of the backbone\n";
  if (!report.missing.empty())
    notes << "weights: not in the file, initialised anew: " << weights::first_names(report.missing) << '\n';
  if (!report.unexpected.empty())
    notes << "weights: not in the model, ignored: " << weights::first_names(report.unexpected) << '\n';
  for (const weights::Mismatch& mismatch : report.mismatched)
    notes << "weights: " << mismatch.name << " is " << c10::IntArrayRef(mismatch.in_file)
          << " in the file and " << c10::IntArrayRef(mismatch.in_model)
          << " in the model, initialised anew\n";
  notes << std::flush;
}

// How many numbers of a dict of a file such a model would take.
weights::Fit fit_of(const weights::TensorMap& own, const DetectorModel& kind) {
  return [&own, &kind](const weights::TensorMap& tensors) {
    return weight_fit(own, with_model_names(tensors, kind), kind).fit;
  };
}

// Whether heads of the file were trained for other default boxes than `kind` has.
bool has_other_boxes(const weights::WeightFile& content, const DetectorModel& kind, const fs::path& place) {
  const Json header = metadata_json(content.metadata, "preprocessing", place);
  const bool has_heads = std::any_of(content.tensors.begin(), content.tensors.end(),
                                     [](const auto& entry) { return entry.first.starts_with(kHeads); });
  return has_heads && maps_of(header, detector_model(kind.name), place.string()) != kind.maps;
}

// As the file's own format has it.
std::string dtype_in_file(const weights::WeightFile& content, at::ScalarType dtype) {
  return content.format == "safetensors" ? weights::safetensors_dtype(dtype) : weights::dtype_name(dtype);
}

// A quantized tensor under a model's name would be copied as numbers that mean nothing.
void refuse_other_dtypes(const weights::WeightFile& content, const weights::TensorMap& own,
                         const fs::path& place) {
  for (const auto& [name, tensor] : content.tensors) {
    auto target = own.find(name);
    if (target == own.end()) target = own.find(std::string(kBackbone) + name);
    if (target == own.end() || weights::holds_weights(tensor.scalar_type())) continue;
    const bool counts = tensor.scalar_type() != at::kBool && at::isIntegralType(tensor.scalar_type(), false);
    if (!target->second.is_floating_point() && counts) continue;
    throw Error(ExitCode::kBadData,
                place.string() + ": tensor \"" + name + "\" has the dtype " +
                    dtype_in_file(content, tensor.scalar_type()) + ", which is not read as weights",
                "a quantized file? give the weights as float32, float16 or bfloat16");
  }
}

// What does not fit, for one.
std::string first_difference(const weights::LoadReport& report, const DetectorModel& kind) {
  const auto is_base = [&](const std::string& name) { return is_of_base_network(name, kind); };
  for (const weights::Mismatch& mismatch : report.mismatched)
    if (is_base(mismatch.name)) {
      std::ostringstream text;
      text << mismatch.name << " is " << c10::IntArrayRef(mismatch.in_file) << " in the file and "
           << c10::IntArrayRef(mismatch.in_model) << " in the model";
      return text.str();
    }
  for (const auto& [names, what] : {std::make_pair(&report.unexpected, "the model has no "),
                                    std::make_pair(&report.missing, "the file has no ")})
    if (const auto found = std::find_if(names->begin(), names->end(), is_base); found != names->end())
      return what + *found;
  return {};
}

// Why a training does not start from the file; "" where it does.
std::string refusal_of(const WeightFit& fit, const weights::LoadReport& report, const DetectorModel& kind) {
  if (fit.is_same_network()) return {};
  const std::string difference = first_difference(report, kind);
  return (fit.fit == 0 ? "no weight fits the model " + kind.name
                       : "another network's weights: " + percent(fit.share()) +
                             " of them fit the backbone of the model " + kind.name) +
         (difference.empty() ? "" : ": " + difference);
}

// Copies into `model` what fits of the file's content.
FitReport load_initial(SsdModel& model, weights::WeightFile content, const fs::path& place,
                       const DetectorModel& kind, const std::vector<std::string>& classes) {
  check_preprocessing(content.metadata, kind.preprocessing, "the model " + kind.name, place);
  const weights::TensorMap own = weights::state_dict(*model);
  weights::Unwrapped unwrapped = weights::unwrap(content.tensors, fit_of(own, kind));
  content.tensors = std::move(unwrapped.tensors);
  FitReport report;
  report.new_boxes = has_other_boxes(content, kind, place);
  if (report.new_boxes)
    std::erase_if(content.tensors, [](const auto& entry) { return entry.first.starts_with(kHeads); });
  content.tensors = with_model_names(std::move(content.tensors), kind);
  const Json labels = metadata_json(content.metadata, "labels", place);
  if (labels.is_null() || labels_from_json(labels, place.string()) != classes)
    std::erase_if(content.tensors,
                  [](const auto& entry) { return entry.first.starts_with(kClassificationHead); });
  refuse_other_dtypes(content, own, place);
  const WeightFit fit = weight_fit(own, content.tensors, kind);
  static_cast<weights::LoadReport&>(report) =
      weights::load_state_dict(*model, content.tensors, std::string(kBackbone));
  report.prefix = std::move(unwrapped.prefix);
  report.share = fit.share();
  report.refusal = refusal_of(fit, report, kind);
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
  const Json description = read_json(model_file);
  if (!description.is_object() || text_of(description, "task") != "detection")
    throw Error(ExitCode::kBadData, model_file.string() + ": not a detector's",
                "name a folder that `tune promote` or a trial of the detection task has made");
  LoadedDetector detector;
  DetectorModel kind = detector_model(text_of(description, "model"));
  detector.classes = labels_from_json(read_json(folder / "labels.json"), (folder / "labels.json").string());
  const fs::path preprocessing_file = folder / "preprocessing.json";
  const Json preprocessing = read_json(preprocessing_file);
  if (data::preprocessing_from_json(preprocessing, preprocessing_file.string()) != kind.preprocessing)
    throw Error(ExitCode::kBadData, preprocessing_file.string() + " contradicts the model " + kind.name,
                kRestore);
  const weights::SafetensorsContent content = weights::read_safetensors(file);
  check_preprocessing(content.metadata, kind.preprocessing, preprocessing_file.string(), file);
  const std::vector<FeatureMap> maps = maps_of(preprocessing, kind, preprocessing_file.string());
  const Json header = metadata_json(content.metadata, "preprocessing", file);
  if (!header.is_null() && maps_of(header, kind, file.string()) != maps)
    throw Error(
        ExitCode::kBadData,
        file.string() + " was trained with other default boxes than " + preprocessing_file.string() + " has",
        kRestore);
  kind.maps = maps;
  detector.kind = std::make_shared<const DetectorModel>(std::move(kind));
  detector.model = SsdModel(*detector.kind, static_cast<int>(detector.classes.size()));
  const weights::LoadReport report = weights::load_state_dict(*detector.model, content.tensors);
  if (!report.missing.empty() || !report.mismatched.empty())
    throw Error(ExitCode::kBadData,
                file.string() + " does not fit the model " + detector.kind->name + " with " +
                    std::to_string(detector.classes.size()) + " classes: " +
                    (report.missing.empty() ? report.mismatched.front().name + " has another shape"
                                            : "no " + weights::first_names(report.missing)));
  detector.model->eval();
  return detector;
}

weights::WeightFile read_initial_weights(const fs::path& file, const DetectorModel& kind) {
  const SsdModel model(kind, 1);
  const weights::TensorMap own = weights::state_dict(*model);
  return weights::read_weights(file, [fit = fit_of(own, kind)](const weights::TensorMap& tensors) {
    return fit(weights::unwrap(tensors, fit).tensors);
  });
}

void initialise_from(SsdModel& model, const fs::path& weights, const DetectorModel& kind,
                     const std::vector<std::string>& classes, std::ostream& notes) {
  const fs::path file = weights::weights_file(weights);
  const weights::WeightFile content = read_initial_weights(file, kind);
  const FitReport report = load_initial(model, content, file, kind, classes);
  write_wrapping(content, report, notes);
  write_report(report, notes);
  if (!report.refusal.empty())
    throw Error(ExitCode::kBadData, file.string() + ": " + report.refusal,
                "give weights of this model's backbone, under its names or torchvision's: `tune-train "
                "inspect-weights FILE --model " +
                    kind.name + "` lists what differs");
}

FitReport fit_report(const weights::WeightFile& content, const fs::path& place, const DetectorModel& kind) {
  const Json labels = metadata_json(content.metadata, "labels", place);
  const std::vector<std::string> classes =
      labels.is_null() ? std::vector<std::string>{"any"} : labels_from_json(labels, place.string());
  SsdModel model(kind, static_cast<int>(classes.size()));
  return load_initial(model, content, place, kind, classes);
}

}  // namespace tune::trainer::detection
