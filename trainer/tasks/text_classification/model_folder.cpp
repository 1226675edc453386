#include "trainer/tasks/text_classification/model_folder.h"

#include <ostream>
#include <sstream>

#include "trainer/weights/initial_weights.h"
#include "trainer/weights/state_dict.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/regular_file.h"

namespace fs = std::filesystem;

namespace tune::trainer::text_classification {
namespace {

constexpr const char *kLabels = "labels.json", *kPreprocessing = "preprocessing.json", *kModel = "model.json";

void copy_file_whole(const fs::path& from, const fs::path& to) {
  constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;
  const FileContent content = read_regular_file(from, kMostBytes, Links::kFollow);
  if (!content.is_there)
    throw Error(ExitCode::kEnvironment, from.string() + " is gone, while a model with it was written",
                "Leave the folder of the weights as it is while trials run.");
  write_file_atomically(to, content.bytes);
}

TextForm form_of(const fs::path& folder) {
  const fs::path labels_file = folder / kLabels, form_file = folder / kPreprocessing,
                 model_file = folder / kModel;
  const Json description = weights::read_model_json(model_file),
             labels = weights::read_model_json(labels_file), form = weights::read_model_json(form_file);
  TextForm made;
  try {
    if (description.at("task") != "text_classification")
      throw Error(ExitCode::kBadData, model_file.string() + ": not a classifier of texts",
                  "name a folder that `tune promote` or a trial of the task text_classification has made");
    made.classes = weights::labels_from_json(labels, labels_file.string());
    made.multi_label = labels.at("multi_label").get<bool>();
    made.pairs = form.at("pairs").get<bool>();
    made.max_length = form.at("max_length").get<std::size_t>();
  } catch (const Json::exception& error) {
    throw Error(ExitCode::kBadData, folder.string() + ": not a classifier of texts: " + error.what(),
                weights::kRestoreModel);
  }
  return made;
}

}  // namespace

void write_model_files(const fs::path& folder, const weights::TensorMap& tensors, const EncoderConfig& config,
                       const text::Tokenizer& tokenizer, const TextForm& form) {
  weights::write_safetensors(folder / weights::kHuggingFaceFile, tensors, {{"format", "pt"}});
  write_file_atomically(folder / kConfigFile,
                        config_for_classes(config, form.classes, form.multi_label).dump(2) + "\n");
  for (const fs::path& file : tokenizer.files()) copy_file_whole(file, folder / file.filename());
  const OrderedJson labels{{"schema", 1}, {"classes", form.classes}, {"multi_label", form.multi_label}},
      preprocessing{{"schema", 1}, {"max_length", form.max_length}, {"pairs", form.pairs}};
  write_file_atomically(folder / kLabels, labels.dump(2) + "\n");
  write_file_atomically(folder / kPreprocessing, preprocessing.dump(2) + "\n");
}

void check_tokenizer(const text::Tokenizer& tokenizer, const nn::EncoderLayout& layout,
                     const fs::path& weights, std::ostream& notes) {
  constexpr const char* kCure = "Give the tokenizer's files that came with the weights.";
  const auto rows = static_cast<std::size_t>(layout.vocabulary);
  const std::string doubt = tokenizer.check_rows(rows, weights.string());
  const std::optional<std::int64_t> pad = tokenizer.specials().pad;
  if (pad && *pad != layout.padding)
    throw Error(ExitCode::kBadData,
                "the tokenizer pads with id " + std::to_string(*pad) + ", and the weights of " +
                    weights.string() + " with " + std::to_string(layout.padding) +
                    " (\"pad_token_id\" of its config.json): it is another model's",
                kCure);
  // Rows are rounded up, but not to twice as many.
  if (!doubt.empty() && 2 * tokenizer.size() < rows)
    throw Error(ExitCode::kBadData,
                "the tokenizer has " + std::to_string(tokenizer.size()) + " tokens, and the embedding of " +
                    weights.string() + " " + std::to_string(rows) + " rows: it is another model's",
                kCure);
  if (!doubt.empty()) notes << "warning: " << doubt << std::endl;
}

LoadedTextClassifier load_text_classifier(const fs::path& folder) {
  TextForm form = form_of(folder);
  LoadedTextClassifier loaded{read_encoder_config(folder / kConfigFile), std::move(form),
                              text::Tokenizer::open(folder), nullptr};
  if (loaded.config.classes != loaded.form.classes)
    throw Error(ExitCode::kBadData,
                (folder / kConfigFile).string() + " names other classes than " + (folder / kLabels).string(),
                weights::kRestoreModel);
  std::ostringstream doubts;  // were told when it was trained
  check_tokenizer(loaded.tokenizer, loaded.config.layout, folder, doubts);
  loaded.network = std::make_shared<nn::TextEncoder>(loaded.config.layout,
                                                     static_cast<std::int64_t>(loaded.form.classes.size()));
  const fs::path file = folder / weights::kHuggingFaceFile;
  const weights::LoadReport report =
      weights::load_state_dict(*loaded.network, weights::read_safetensors(file).tensors);
  if (!report.missing.empty() || !report.mismatched.empty())
    throw Error(ExitCode::kBadData,
                file.string() + " does not fit " + (folder / kConfigFile).string() + " with " +
                    std::to_string(loaded.form.classes.size()) + " classes: " +
                    (report.missing.empty() ? report.mismatched.front().name + " has another shape"
                                            : "no " + weights::first_names(report.missing)),
                weights::kRestoreModel);
  loaded.network->eval();
  return loaded;
}

}  // namespace tune::trainer::text_classification
