// What a training of a classifier leaves behind, and what it is known by.
#include "trainer/loop/plan.h"
#include "trainer/tasks/image_classification/answers.h"
#include "trainer/tasks/image_classification/data/fingerprint.h"
#include "trainer/tasks/image_classification/image_classification_training.h"
#include "trainer/tasks/image_classification/model_folder.h"
#include "trainer/tasks/image_classification/quality_json.h"
#include "trainer/weights/state_dict.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::image_classification {
namespace {

std::string print_of_names(const Dataset& set) {
  Sha256 hash;
  for (const Example& example : set.examples) hash.add(example.name + '\n');
  return hash.hex();
}

}  // namespace

OrderedJson ImageClassificationTraining::quality_of(nn::ImageClassifier& network, const Dataset& set) const {
  const torch::NoGradGuard no_grad;
  network.eval();
  // Features that are kept in fp32 are what the whole network would come to.
  const bool cached =
      validation_features_.defined() && &set == &parts_.validation && trial_.precision != "bf16";
  const Pixels pixels = cached ? Pixels() : parts_.open(files_of(set), Variation::kNone);
  const auto answers = answers_to(
      set, kEvaluationBatch,
      [&](const std::vector<std::int64_t>& examples) {
        if (!cached) return logits_of(network, pixels, examples);
        return network.head(validation_features_.slice(0, examples.front(), examples.back() + 1));
      },
      [] { return false; });
  return quality_json(set.classes, answers->quality());
}

void ImageClassificationTraining::export_model(const std::filesystem::path& folder,
                                               const weights::TensorMap& model,
                                               const loop::Report& best) const {
  const std::vector<std::string>& classes = parts_.training.classes;
  write_model_files(folder, model, parts_.model_name, parts_.preprocessing, classes,
                    parts_.training.multi_label);
  weights::load_state_dict(*parts_.network, model);  // the training is over
  OrderedJson test;
  if (parts_.test) {
    test = {{"fingerprint", image_classification::fingerprint(*parts_.test)},
            {"images", parts_.test->examples.size()}};
    test.update(quality_of(*parts_.network, *parts_.test));
  }
  const OrderedJson description{
      {"schema", 1},
      {"task", "image_classification"},
      {"model", parts_.model_name},
      {"recipe", recipe_.name},
      {"metrics", best.metrics},
      {"test", test},
      {"validation", quality_of(*parts_.network, parts_.validation)},
      {"epoch", best.epoch},
      {"hyperparameters", parts_.given},
      {"seed", trial_.seed},
      {"precision", loop::precision_name(compute_.precision)},
      {"data",
       {{"fingerprint", parts_.data_fingerprint},
        {"training_images", parts_.training.examples.size()},
        {"validation_images", parts_.validation.examples.size()},
        {"multi_label", parts_.training.multi_label},
        {"split", parts_.split},
        {"form", parts_.form},
        {"warnings", parts_.warnings}}},
      {"parameters", parts_.parameters},
      {"multiply_adds", parts_.multiply_adds},
      {"initial_weights", parts_.initial_weights},
      {"libraries", {{"tune-train", TUNE_VERSION}, {"libtorch", compat::libtorch_version()}}}};
  write_file_atomically(folder / "model.json", description.dump(2) + "\n");
}

std::string ImageClassificationTraining::fingerprint() const {
  Json json{{"task", "image_classification"},
            {"model", parts_.model_name},
            {"recipe", recipe_.name},
            {"seed", trial_.seed},
            {"hyperparameters", loop::lasting_values(parts_.values)},
            {"classes", parts_.training.classes},
            {"data", parts_.data_fingerprint},
            {"training_images", parts_.training.examples.size()},
            // Which images those are depends on the overlaps too.
            {"validation", print_of_names(parts_.validation)}};
  for (const char* key : {"weights", "head"})
    if (trial_.trainer.contains(key)) json[key] = trial_.trainer[key];
  return json.dump();
}

}  // namespace tune::trainer::image_classification
