#include "trainer/tasks/image_classification/image_classification_training.h"

#include <algorithm>
#include <ostream>

#include "trainer/loop/epoch_batches.h"
#include "trainer/loop/plan.h"
#include "trainer/loop/stop_signal.h"
#include "trainer/tasks/classification/answers.h"
#include "trainer/tasks/classification/quality_json.h"
#include "trainer/tasks/image_classification/data/fingerprint.h"
#include "trainer/tasks/image_classification/model_folder.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::image_classification {
namespace {

constexpr std::int64_t kFeatureBatch = 4096;
constexpr const char* kRows = "rows";  // of a batch: where its features are
// Streams of random numbers of a trial's seed, apart from those of shuffles and augmentation.
constexpr std::uint64_t kMixingStream = 0x6d6978, kViewStream = 0x766965;
// What features may take of memory.
constexpr std::uint64_t kMostFeatureBytes = std::uint64_t{4} << 30;

// A stream of its own for each of some numbers.
Rng stream_of(std::uint64_t seed, std::uint64_t kind, std::int64_t epoch,
              const std::vector<std::int64_t>& examples) {
  std::uint64_t mixed = kind;
  const auto add = [&mixed](std::int64_t number) {
    mixed = Rng(mixed, static_cast<std::uint64_t>(number))();
  };
  add(epoch);
  for (const std::int64_t example : examples) add(example);
  return Rng(seed, mixed);
}

Mixing mixing_of(const loop::Hyperparameters& values) {
  return {values.number("mixup_alpha"), values.number("cutmix_alpha")};
}

// LibTorch's threads while it lives.
class Threads {
 public:
  explicit Threads(int count) : before_(at::get_num_threads()) { at::set_num_threads(count); }
  ~Threads() { at::set_num_threads(before_); }
  Threads(const Threads&) = delete;
  Threads& operator=(const Threads&) = delete;

 private:
  int before_;
};

bool wants_cache(const loop::Hyperparameters& values) {
  return values.text("freeze") == "features" && values.flag("cache_features");
}

std::string print_of_names(const Dataset& set) {
  Sha256 hash;
  for (const Example& example : set.examples) hash.add(example.name + '\n');
  return hash.hex();
}

}  // namespace

ImageClassificationTraining::ImageClassificationTraining(const loop::TrialFile& trial,
                                                         const loop::Compute& compute, ClassifierParts parts,
                                                         std::ostream& notes)
    : trial_(trial),
      compute_(compute),
      parts_(std::move(parts)),
      recipe_(recipe_for(classification_recipe(parts_.recipe), parts_.training.classes.size(),
                         parts_.training.multi_label)),
      plan_(fine_tuning_plan(parts_.values)),
      mixing_(mixing_of(parts_.values)),
      training_labels_(labels_of(parts_.training)),
      validation_labels_(labels_of(parts_.validation)),
      targets_(training_labels_, parts_.values.number("label_smoothing"),
               parts_.values.text("class_weights") == "balanced"),
      positive_weights_(targets_.positive_weights().defined() ? targets_.positive_weights().to(compute.device)
                                                              : torch::Tensor()),
      normalise_(parts_.preprocessing.mean, parts_.preprocessing.std, compute.device),
      stages_(parts_.network, parts_.network->stages(), loop::make_transfer(parts_.values)) {
  const loop::Transfer transfer = loop::make_transfer(parts_.values);
  check(transfer);
  parts_.network->to(compute_.device);
  say_what_is_trained(transfer, notes);
  const std::vector<std::filesystem::path> files = files_of(parts_.training),
                                           others = files_of(parts_.validation);
  if (wants_cache(parts_.values)) cache_features(notes);
  if (training_features_.defined()) return;
  training_pixels_ = parts_.open(files, Variation::kOwn);
  validation_pixels_ = parts_.open(others, Variation::kNone);
}

void ImageClassificationTraining::check(const loop::Transfer& transfer) const {
  const loop::Hyperparameters& values = parts_.values;
  const bool on_features = transfer.freeze == loop::Freeze::kFeatures;
  if (!on_features)
    for (const char* name : {"cache_features", "feature_views"})
      if (values.changed(name))
        throw Error(ExitCode::kBadSpec,
                    std::string(name) + " is " + values.values().at(name).dump() + ", yet freeze is \"" +
                        values.text("freeze") + "\"",
                    std::string(name) +
                        " goes with \"freeze\": \"features\"; in a search, say \"when\": "
                        "{\"freeze\": \"features\"} in it");
  if (on_features && !values.flag("cache_features") && values.integer("feature_views") > 1)
    throw Error(ExitCode::kBadSpec,
                "feature_views is " + std::to_string(values.integer("feature_views")) +
                    ", yet cache_features is false",
                "without cached features every epoch has views of its own: leave feature_views out");
  if (wants_cache(values) && mixing_.is_on())
    throw Error(
        ExitCode::kBadSpec, "mixup_alpha or cutmix_alpha is above 0, yet features are cached",
        "images are mixed before they enter the network: leave both out, or say \"cache_features\": false");
  if (values.flag("balanced_sampling") && parts_.training.multi_label)
    throw Error(ExitCode::kBadSpec, "balanced_sampling is true, yet images of this data show several classes",
                "class_weights balances those");
}

void ImageClassificationTraining::say_what_is_trained(const loop::Transfer& transfer,
                                                      std::ostream& notes) const {
  if (transfer.freeze == loop::Freeze::kNone && transfer.unfreeze_every == 0) return;
  notes << "transfer: " << stages_.to_text() << std::endl;
  if (parts_.initial_weights.is_null())
    notes << "warning: what is frozen was never trained, since trainer.weights names no weights" << std::endl;
}

void ImageClassificationTraining::cache_features(std::ostream& notes) {
  loop::Compute compute = compute_;
  // What is measured to choose a precision is the head here: the features are in the one that was asked for.
  compute.precision = trial_.precision == "bf16" ? loop::Precision::kBf16 : loop::Precision::kFp32;
  const std::int64_t examples = training_examples(), wanted = parts_.values.integer("feature_views");
  const Pixels plain = parts_.open({parts_.training.examples.front().image}, Variation::kNone);
  {
    const torch::NoGradGuard no_grad;
    parts_.network->eval();
    const torch::Tensor one = parts_.network->features(normalise_(plain({0}, 0).to(compute_.device)));
    const std::uint64_t bytes =
        static_cast<std::uint64_t>(one.numel()) * sizeof(float) *
        static_cast<std::uint64_t>(examples * wanted +
                                   static_cast<std::int64_t>(parts_.validation.examples.size()));
    if (bytes > kMostFeatureBytes) {
      notes << "warning: features of these images take " << (bytes >> 20) << " MB, more than "
            << (kMostFeatureBytes >> 20) << ", and are computed in each epoch instead" << std::endl;
      return;
    }
  }
  classification::FeatureCache cache = classification::FeatureCache::of_user(notes, loop::stop_requested);
  classification::FrozenFeatures frozen(
      *parts_.network, parts_.network->stages().head, compute,
      {{"model", parts_.model_name}, {"preprocessing", to_json(parts_.preprocessing)}}, "images", cache,
      notes, loop::stop_requested);
  // Images are opened when the first of them is needed: not at all where all features are kept.
  const auto set_of = [this, &compute](const Dataset& dataset, Variation variation) {
    const std::vector<std::filesystem::path> files = files_of(dataset);
    const Pixels opened = [this, files, variation, pixels = std::make_shared<Pixels>()](
                              const std::vector<std::int64_t>& asked, std::int64_t epoch) {
      if (!*pixels) *pixels = parts_.open(files, variation);
      return (*pixels)(asked, epoch);
    };
    return picture_set(files, opened, *parts_.network, normalise_, compute);
  };
  const std::vector<torch::Tensor> plain_features =
      frozen.of({set_of(parts_.training, Variation::kNone), set_of(parts_.validation, Variation::kNone)});
  std::vector<torch::Tensor> views{plain_features[0]};
  if (wanted > 1) {
    const classification::FeatureSet varied = set_of(parts_.training, Variation::kShared);
    for (std::int64_t view = 1; view < wanted; ++view)
      views.push_back(frozen.of_view(varied, view, parts_.shared_variation));
  }
  views_ = wanted;
  training_features_ = torch::cat(views).to(compute_.device);
  validation_features_ = plain_features[1].to(compute_.device);
  // A head is too small to share: threads that wait for each other after each operation cost more than they
  // bring, and on a busy machine fifty times as much.
  at::set_num_threads(1);
}

std::int64_t ImageClassificationTraining::training_examples() const {
  return static_cast<std::int64_t>(parts_.training.examples.size());
}

std::string ImageClassificationTraining::initial_weights() const {
  return loop::text_key(trial_.trainer, "weights", "");
}

std::vector<loop::ParameterGroup> ImageClassificationTraining::parameter_groups() {
  return stages_.by_stage(
      classification::fine_tuning_groups(*parts_.network, parts_.network->stages().head, parts_.values));
}

std::vector<std::vector<std::int64_t>> ImageClassificationTraining::epoch_batches(std::int64_t epoch,
                                                                                  std::uint64_t seed) const {
  if (!parts_.values.flag("balanced_sampling")) return Training::epoch_batches(epoch, seed);
  return loop::cut_into_batches(classification::balanced_order(training_labels_, seed, epoch),
                                plan_.batch_size, loop::LastBatch::kDropped);
}

loop::Batch ImageClassificationTraining::prepare(const std::vector<std::int64_t>& examples,
                                                 std::int64_t epoch) const {
  loop::Batch batch;
  batch.weight = targets_.weight(examples);
  targets_.add(examples, batch.tensors);
  if (training_features_.defined()) {
    std::vector<std::int64_t> rows = examples;
    Rng rng = stream_of(trial_.seed, kViewStream, epoch, examples);
    for (std::int64_t& row : rows)
      row += training_examples() * static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(views_)));
    batch.tensors[kRows] = torch::tensor(rows, torch::kLong);
    return batch;
  }
  batch.tensors[kPixels] = training_pixels_(examples, epoch);
  if (mixing_.is_on()) {
    Rng rng = stream_of(trial_.seed, kMixingStream, epoch, examples);
    mix(mixing_, rng, batch.tensors);
  }
  return batch;
}

loop::LossTerms ImageClassificationTraining::losses(const weights::TensorMap& tensors) {
  nn::ImageClassifier& network = *parts_.network;
  const torch::Tensor logits = training_features_.defined()
                                   ? network.head(training_features_.index_select(0, tensors.at(kRows)))
                                   : network.forward(mixed(normalise_(tensors.at(kPixels)), tensors));
  return {classification::classification_loss(logits, tensors.at(classification::kTargets),
                                              tensors.at(classification::kCounts), targets_.multi_label(),
                                              positive_weights_)};
}

torch::Tensor ImageClassificationTraining::logits_of(nn::ImageClassifier& network, const Pixels& pixels,
                                                     const std::vector<std::int64_t>& examples) const {
  return network.forward(normalise_(pixels(examples, /*epoch=*/0).to(compute_.device)));
}

loop::Metrics ImageClassificationTraining::evaluate(const std::function<bool()>& interrupted) {
  nn::ImageClassifier& network = *parts_.network;
  const bool cached = validation_features_.defined();
  const auto answers = classification::answers_to(
      validation_labels_, cached ? kFeatureBatch : kEvaluationBatch,
      [&](const std::vector<std::int64_t>& examples) {
        if (!cached) return logits_of(network, validation_pixels_, examples);
        return network.head(validation_features_.slice(0, examples.front(), examples.back() + 1));
      },
      interrupted, *compute_.team);
  if (!answers) return {};
  const metrics::ClassificationQuality quality = answers->quality();
  loop::Metrics found{{"validation:accuracy", quality.accuracy},
                      {"validation:macro_f1", quality.macro.f1},
                      {"validation:cross_entropy", answers->cross_entropy()}};
  if (quality.top5) found["validation:top5"] = *quality.top5;
  if (quality.average_precision) found["validation:mAP"] = *quality.average_precision;
  return found;
}

std::vector<std::string> ImageClassificationTraining::metric_lines(const loop::Report& report) const {
  if (recipe_.name == "fine-tune") return Training::metric_lines(report);
  return image_classification::metric_lines(recipe_, report, plan_.evaluation_steps > 0);
}

OrderedJson ImageClassificationTraining::quality_of(nn::ImageClassifier& network, const Dataset& set) const {
  const torch::NoGradGuard no_grad;
  network.eval();
  // Features that are kept in fp32 are what the whole network would come to.
  const bool cached =
      validation_features_.defined() && &set == &parts_.validation && trial_.precision != "bf16";
  const Threads threads(cached ? 1 : compute_.threads);
  const Pixels pixels = cached ? Pixels() : parts_.open(files_of(set), Variation::kNone);
  const metrics::LabelSet labels = labels_of(set);
  const auto answers = classification::answers_to(
      labels, kEvaluationBatch,
      [&](const std::vector<std::int64_t>& examples) {
        if (!cached) return logits_of(network, pixels, examples);
        return network.head(validation_features_.slice(0, examples.front(), examples.back() + 1));
      },
      [] { return false; });
  return classification::quality_json(set.classes, answers->quality(), "images");
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
