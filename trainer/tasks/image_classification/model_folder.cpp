#include "trainer/tasks/image_classification/model_folder.h"

#include "trainer/tasks/image_classification/models.h"
#include "trainer/weights/initial_weights.h"
#include "trainer/weights/state_dict.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace fs = std::filesystem;

namespace tune::trainer::image_classification {
namespace {

constexpr const char *kLabels = "labels.json", *kPreprocessing = "preprocessing.json", *kModel = "model.json";

// A copy of a part in the header of the weights has to be the same.
void check_header(const weights::Metadata& metadata, const char* key, const Json& part, const fs::path& file,
                  const fs::path& weights) {
  const auto found = metadata.find(key);
  if (found != metadata.end() && Json::parse(found->second, nullptr, /*allow_exceptions=*/false) == part)
    return;
  throw Error(ExitCode::kBadData,
              weights.string() + " was written with other " + key + " than " + file.string() + " has",
              weights::kRestoreModel);
}

}  // namespace

void write_model_files(const fs::path& folder, const weights::TensorMap& tensors, const std::string& model,
                       const data::Preprocessing& preprocessing, const std::vector<std::string>& classes,
                       bool multi_label) {
  const OrderedJson labels{{"schema", 1}, {"classes", classes}, {"multi_label", multi_label}},
      form = to_json(preprocessing);
  weights::write_safetensors(
      folder / weights::kWeightsFile, tensors,
      {{"format", "pt"}, {"model", model}, {"labels", labels.dump()}, {"preprocessing", form.dump()}});
  write_file_atomically(folder / kLabels, labels.dump(2) + "\n");
  write_file_atomically(folder / kPreprocessing, form.dump(2) + "\n");
}

LoadedClassifier load_classifier(const fs::path& folder) {
  const fs::path weights = folder / weights::kWeightsFile, labels_file = folder / kLabels,
                 form_file = folder / kPreprocessing, model_file = folder / kModel;
  const Json description = weights::read_model_json(model_file),
             labels = weights::read_model_json(labels_file), form = weights::read_model_json(form_file);
  LoadedClassifier loaded;
  try {
    if (description.at("task") != "image_classification")
      throw Error(ExitCode::kBadData, model_file.string() + ": not a classifier's",
                  "name a folder that `tune promote` or a trial of the task image_classification has made");
    loaded.name = description.at("model").get<std::string>();
    loaded.classes = weights::labels_from_json(labels, labels_file.string());
    loaded.multi_label = labels.value("multi_label", false);
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, folder.string() + ": not a classifier: " + error.what(),
                weights::kRestoreModel);
  }
  loaded.preprocessing = data::preprocessing_from_json(form, form_file.string());
  const weights::SafetensorsContent content = weights::read_safetensors(weights);
  check_header(content.metadata, "labels", labels, labels_file, weights);
  check_header(content.metadata, "preprocessing", form, form_file, weights);
  const ClassifierModel& kind = classifier_model(loaded.name);
  check_input_size(kind, loaded.preprocessing.size);
  loaded.network = kind.make(static_cast<std::int64_t>(loaded.classes.size()), /*dropout=*/0);
  const weights::LoadReport report = weights::load_state_dict(*loaded.network, content.tensors);
  if (!report.missing.empty() || !report.mismatched.empty())
    throw Error(ExitCode::kBadData,
                weights.string() + " does not fit the model " + loaded.name + " with " +
                    std::to_string(loaded.classes.size()) + " classes: " +
                    (report.missing.empty() ? report.mismatched.front().name + " has another shape"
                                            : "no " + weights::first_names(report.missing)),
                weights::kRestoreModel);
  loaded.network->eval();
  return loaded;
}

}  // namespace tune::trainer::image_classification
