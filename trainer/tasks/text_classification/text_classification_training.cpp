#include "trainer/tasks/text_classification/text_classification_training.h"

#include <algorithm>
#include <ostream>

#include "trainer/loop/epoch_batches.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/classification/answers.h"
#include "trainer/tasks/classification/frozen_features.h"
#include "trainer/tasks/classification/quality_json.h"
#include "trainer/tasks/text_classification/inference.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::text_classification {
namespace {

constexpr const char* kRows = "rows";  // of a batch: where its features are

bool wants_cache(const loop::Hyperparameters& values) {
  return values.text("freeze") == "features" && values.flag("cache_features");
}

// What of the layout features depend on and the weights do not show.
Json to_json(const nn::EncoderLayout& layout) {
  return {{"family", static_cast<int>(layout.family)},
          {"heads", layout.heads},
          {"activation", static_cast<int>(layout.activation)},
          {"epsilon", layout.epsilon},
          {"padding", layout.padding}};
}

std::string print_of_texts(const EncodedTexts& texts) {
  Sha256 hash;
  for (const std::string& content : texts.contents()) hash.add(content);
  return hash.hex();
}

void say_lengths(const EncodedTexts& texts, std::size_t max_length, std::ostream& notes) {
  notes << "texts: " << texts.tokens() << " tokens in " << texts.size() << " texts to train on, "
        << texts.tokens() / std::max<std::int64_t>(texts.size(), 1) << " in the mean, " << texts.longest()
        << " at most";
  if (texts.cut_texts() > 0)
    notes << "; " << texts.cut_texts() << " were cut at " << max_length << ", by " << texts.cut_tokens()
          << " tokens in all";
  notes << std::endl;
}

void check_types(const EncodedTexts& texts, const nn::EncoderLayout& layout) {
  if (layout.family == nn::EncoderFamily::kDistilBert || texts.largest_type() < layout.types) return;
  throw Error(ExitCode::kBadData,
              "the tokenizer marks second texts with type " + std::to_string(texts.largest_type()) +
                  ", and the encoder knows " + std::to_string(layout.types) + " (\"type_vocab_size\")",
              "Give the tokenizer's files that came with the weights.");
}

}  // namespace

TextClassificationTraining::TextClassificationTraining(const loop::TrialFile& trial,
                                                       const loop::Compute& compute, TextParts parts,
                                                       std::ostream& notes)
    : trial_(trial),
      compute_(compute),
      parts_(std::move(parts)),
      recipe_(recipe_for(text_recipe(parts_.recipe), parts_.form.classes, parts_.form.multi_label)),
      training_labels_(labels_of(parts_.sets.training)),
      validation_labels_(labels_of(parts_.sets.validation)),
      targets_(training_labels_, parts_.values.number("label_smoothing"),
               parts_.values.text("class_weights") == "balanced"),
      positive_weights_(targets_.positive_weights().defined() ? targets_.positive_weights().to(compute.device)
                                                              : torch::Tensor()),
      training_texts_(parts_.tokenizer, parts_.sets.training, parts_.form.max_length, compute.threads),
      validation_texts_(parts_.tokenizer, parts_.sets.validation, parts_.form.max_length, compute.threads),
      plan_(classification::fine_tuning_plan(parts_.values)),
      stages_(parts_.network, parts_.network->stages(), loop::make_transfer(parts_.values)) {
  const loop::Transfer transfer = loop::make_transfer(parts_.values);
  check(transfer);
  for (const EncodedTexts* texts : {&training_texts_, &validation_texts_})
    check_types(*texts, parts_.config.layout);
  say_lengths(training_texts_, parts_.form.max_length, notes);
  parts_.network->to(compute_.device);
  say_what_is_trained(transfer, notes);
  if (wants_cache(parts_.values)) cache_features(notes);
}

void TextClassificationTraining::check(const loop::Transfer& transfer) const {
  const loop::Hyperparameters& values = parts_.values;
  if (transfer.freeze != loop::Freeze::kFeatures && values.changed("cache_features"))
    throw Error(ExitCode::kBadSpec,
                "cache_features is false, yet freeze is \"" + values.text("freeze") + "\"",
                "cache_features goes with \"freeze\": \"features\"; in a search, say \"when\": {\"freeze\": "
                "\"features\"} in it");
  if (values.flag("balanced_sampling") && parts_.form.multi_label)
    throw Error(ExitCode::kBadSpec, "balanced_sampling is true, yet texts of this data have several labels",
                "class_weights balances those");
}

void TextClassificationTraining::say_what_is_trained(const loop::Transfer& transfer,
                                                     std::ostream& notes) const {
  if (transfer.freeze == loop::Freeze::kNone && transfer.unfreeze_every == 0) return;
  notes << "transfer: " << stages_.to_text() << std::endl;
}

torch::Tensor TextClassificationTraining::features_of(const EncodedTexts& texts,
                                                      const std::vector<std::int64_t>& examples) const {
  return text_classification::features_of(
      *parts_.network, texts.batch(examples, parts_.config.layout.padding, 1), compute_.device);
}

void TextClassificationTraining::cache_features(std::ostream& notes) {
  loop::Compute compute = compute_;
  // What is measured to choose a precision is the head here: the features are in the one that was asked for.
  compute.precision = trial_.precision == "bf16" ? loop::Precision::kBf16 : loop::Precision::kFp32;
  classification::FeatureCache cache = classification::FeatureCache::of_user(notes, loop::stop_requested);
  classification::FrozenFeatures frozen(*parts_.network, parts_.network->stages().head, compute,
                                        {{"encoder", to_json(parts_.config.layout)}}, "texts", cache, notes,
                                        loop::stop_requested);
  const auto set_of = [this](const EncodedTexts& texts) {
    return classification::FeatureSet{
        texts.contents(),
        [this, &texts](const std::vector<std::int64_t>& examples, std::int64_t /*epoch*/) {
          return features_of(texts, examples);
        },
        texts.lengths()};
  };
  const std::vector<torch::Tensor> features = frozen.of({set_of(training_texts_), set_of(validation_texts_)});
  training_features_ = features[0].to(compute_.device);
  validation_features_ = features[1].to(compute_.device);
  // A head is too small to share: threads that wait for each other cost more than they bring.
  at::set_num_threads(1);
}

std::int64_t TextClassificationTraining::training_examples() const { return training_texts_.size(); }

std::string TextClassificationTraining::initial_weights() const {
  return loop::text_key(trial_.trainer, "weights", "");
}

std::vector<loop::ParameterGroup> TextClassificationTraining::parameter_groups() {
  return stages_.by_stage(
      classification::fine_tuning_groups(*parts_.network, parts_.network->stages().head, parts_.values));
}

std::vector<std::vector<std::int64_t>> TextClassificationTraining::epoch_batches(std::int64_t epoch,
                                                                                 std::uint64_t seed) const {
  std::vector<std::int64_t> order = parts_.values.flag("balanced_sampling")
                                        ? classification::balanced_order(training_labels_, seed, epoch)
                                        : loop::epoch_order(seed, epoch, training_examples());
  if (training_features_.defined() || !parts_.values.flag("group_by_length"))
    return loop::cut_into_batches(order, plan_.batch_size, loop::LastBatch::kKept);
  return loop::batches_by_length(std::move(order), training_texts_.lengths(), plan_.batch_size, seed, epoch);
}

std::vector<std::int64_t> TextClassificationTraining::largest_examples(std::int64_t count) const {
  return loop::longest_first(training_texts_.lengths(), count);
}

loop::Sizes TextClassificationTraining::sizes() const {
  loop::Sizes sizes;
  sizes.validation_examples = validation_texts_.size();
  return sizes;
}

loop::Batch TextClassificationTraining::prepare(const std::vector<std::int64_t>& examples,
                                                std::int64_t /*epoch*/) const {
  // So many tokens are one step of a GPU's matrix units, and steps of few lengths are repeated more often.
  constexpr std::int64_t kLengthsOnDevice = 8;
  loop::Batch batch;
  if (training_features_.defined())
    batch.tensors[kRows] = torch::tensor(examples, torch::kLong);
  else
    batch.tensors = training_texts_.batch(examples, parts_.config.layout.padding,
                                          compute_.accelerated ? kLengthsOnDevice : 1);
  batch.weight = targets_.weight(examples);
  targets_.add(examples, batch.tensors);
  return batch;
}

loop::LossTerms TextClassificationTraining::losses(const weights::TensorMap& tensors) {
  const torch::Tensor features =
      training_features_.defined()
          ? training_features_.index_select(0, tensors.at(kRows))
          : text_classification::features_of(*parts_.network, tensors, compute_.device);
  return {classification::classification_loss(
      parts_.network->head(features), tensors.at(classification::kTargets),
      tensors.at(classification::kCounts), targets_.multi_label(), positive_weights_)};
}

loop::Metrics TextClassificationTraining::evaluate(const std::function<bool()>& interrupted) {
  const bool is_cached = validation_features_.defined();
  if (is_cached && compute_.team->any(interrupted())) return {};
  const auto logits = is_cached ? std::optional(parts_.network->head(validation_features_))
                                : logits_of(validation_texts_, interrupted, *compute_.team);
  if (!logits) return {};
  classification::Answers answers(validation_labels_);
  answers.add(*logits);
  const metrics::ClassificationQuality quality = answers.quality();
  loop::Metrics found{{"validation:accuracy", quality.accuracy},
                      {"validation:macro_f1", quality.macro.f1},
                      {"validation:cross_entropy", answers.cross_entropy()}};
  const auto add = [&](const char* name, const std::optional<double>& number) {
    if (number) found[name] = *number;
  };
  add("validation:matthews", quality.matthews);
  add("validation:spearman", quality.spearman);
  add("validation:top5", quality.top5);
  add("validation:mAP", quality.average_precision);
  return found;
}

std::optional<torch::Tensor> TextClassificationTraining::logits_of(const EncodedTexts& texts,
                                                                   const std::function<bool()>& interrupted,
                                                                   const parallel::Team& team) const {
  return text_classification::logits_of(*parts_.network, texts, compute_.device, interrupted, team);
}

std::vector<std::string> TextClassificationTraining::metric_lines(const loop::Report& report) const {
  if (recipe_.name == "fine-tune") return Training::metric_lines(report);
  return text_classification::metric_lines(recipe_, report, plan_.evaluation_steps > 0);
}

OrderedJson TextClassificationTraining::quality_of(const Dataset& set, const EncodedTexts& texts) const {
  const torch::NoGradGuard no_grad;
  parts_.network->eval();
  const metrics::LabelSet labels = labels_of(set);
  classification::Answers answers(labels);
  // Features that are kept in fp32 are what the whole encoder would come to.
  const bool is_cached =
      validation_features_.defined() && &texts == &validation_texts_ && trial_.precision != "bf16";
  answers.add(is_cached ? parts_.network->head(validation_features_)
                        : *logits_of(
                              texts, [] { return false; }, *parallel::alone()));
  return classification::quality_json(set.classes, answers.quality(), "texts");
}

void TextClassificationTraining::export_model(const std::filesystem::path& folder,
                                              const weights::TensorMap& model,
                                              const loop::Report& best) const {
  write_model_files(folder, model, parts_.config, parts_.tokenizer, parts_.form);
  weights::load_state_dict(*parts_.network, model);  // the training is over
  OrderedJson test;
  if (parts_.sets.test) {
    const EncodedTexts texts(parts_.tokenizer, *parts_.sets.test, parts_.form.max_length, compute_.threads);
    test = {{"fingerprint", text_classification::fingerprint(*parts_.sets.test)}};
    test.update(quality_of(*parts_.sets.test, texts));
  }
  const OrderedJson description{
      {"schema", 1},
      {"task", "text_classification"},
      {"model", parts_.config.family},
      {"recipe", recipe_.name},
      {"metrics", best.metrics},
      {"test", test},
      {"validation", quality_of(parts_.sets.validation, validation_texts_)},
      {"epoch", best.epoch},
      {"hyperparameters", parts_.given},
      {"seed", trial_.seed},
      {"precision", loop::precision_name(compute_.precision)},
      {"data",
       {{"fingerprint", parts_.sets.fingerprint},
        {"training_texts", parts_.sets.training.examples.size()},
        {"validation_texts", parts_.sets.validation.examples.size()},
        {"training_tokens", training_texts_.tokens()},
        {"cut_texts", training_texts_.cut_texts()},
        {"multi_label", parts_.form.multi_label},
        {"pairs", parts_.form.pairs},
        {"split", parts_.sets.split},
        {"form", parts_.sets.form},
        {"warnings", parts_.sets.warnings}}},
      {"parameters", weight_count(*parts_.network)},
      {"multiply_adds", nn::multiply_adds(parts_.config.layout, validation_texts_.longest())},
      {"initial_weights", parts_.initial_weights},
      {"libraries", {{"tune-train", TUNE_VERSION}, {"libtorch", compat::libtorch_version()}}}};
  write_file_atomically(folder / "model.json", description.dump(2) + "\n");
}

std::string TextClassificationTraining::fingerprint() const {
  Json json{{"task", "text_classification"},
            {"model", parts_.config.family},
            {"recipe", recipe_.name},
            {"seed", trial_.seed},
            {"hyperparameters", loop::lasting_values(parts_.values)},
            {"classes", parts_.form.classes},
            {"data", parts_.sets.fingerprint},
            // As the tokenizer has them.
            {"training", print_of_texts(training_texts_)},
            {"validation", print_of_texts(validation_texts_)}};
  for (const char* key : {"weights", "tokenizer", "head"})
    if (trial_.trainer.contains(key)) json[key] = trial_.trainer[key];
  return json.dump();
}

}  // namespace tune::trainer::text_classification
