#include "trainer/tasks/image_classification/task_parts.h"

#include <ostream>

#include "trainer/loop/stop_signal.h"
#include "trainer/nn/multiply_adds.h"
#include "trainer/tasks/classification/weight_lineage.h"
#include "trainer/tasks/image_classification/augmentation_hyperparameters.h"
#include "trainer/tasks/image_classification/data/image_batches.h"
#include "trainer/tasks/image_classification/initial_weights.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/tasks/image_classification/training_data.h"
#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

// Of the variation that all trials share.
constexpr std::uint64_t kSharedSeed = 0;

[[noreturn]] void contradict(const std::string& what, const std::string& cure) {
  throw Error(ExitCode::kBadSpec, what, cure);
}

// The network that the trial names; recipe mxnet may name it by its layers.
const ClassifierModel& model_of(const Json& trainer, const Asked& asked) {
  const std::string layers = asked.layers ? "resnet" + std::to_string(*asked.layers) : "";
  const std::string name = loop::text_key(trainer, "model", layers.c_str());
  if (!layers.empty() && name != layers)
    contradict("num_layers is " + std::to_string(*asked.layers) + ", yet trainer.model is \"" + name + "\"",
               "leave num_layers out, or name the model \"" + layers + "\"");
  if (name.empty()) contradict("trainer.model is missing", "name the network, as in \"model\": \"resnet18\"");
  return classifier_model(name);
}

void check_weights(const Json& trainer, const Asked& asked) {
  const bool has_weights = !loop::text_key(trainer, "weights", "").empty();
  if (asked.pretrained == true && !has_weights)
    contradict("use_pretrained_model is 1, yet trainer.weights names no weights",
               "name a model folder, a .safetensors or a .pth file in trainer.weights");
  if (asked.pretrained == false && has_weights)
    contradict("use_pretrained_model is 0, yet trainer.weights names weights", "leave one of them out");
  if (!asked.head.empty() && asked.head != "auto" && trainer.contains("head") &&
      trainer["head"] != asked.head)
    contradict("the recipe's hyperparameters ask for the head \"" + asked.head + "\", yet trainer.head is " +
                   trainer["head"].dump(),
               "leave one of them out");
}

// What the hyperparameters of other products state about the data.
void check_data(const Asked& asked, const Dataset& training) {
  const auto compare = [](const char* name, std::optional<std::int64_t> stated, std::size_t found) {
    if (stated && static_cast<std::size_t>(*stated) != found)
      contradict(std::string(name) + " is " + std::to_string(*stated) + ", yet the data has " +
                     std::to_string(found),
                 std::string("leave ") + name + " out: it is counted");
  };
  compare("num_classes", asked.classes, training.classes.size());
  compare("num_training_samples", asked.images, training.examples.size());
  if (asked.multi_label && *asked.multi_label != training.multi_label)
    contradict(std::string("multi_label is ") + (*asked.multi_label ? "1" : "0") +
                   ", yet images of the data show " +
                   (training.multi_label ? "several classes" : "one class each"),
               "leave multi_label out: the data shows it");
}

HeadPolicy head_of(const Json& trainer, const Asked& asked) {
  if (asked.head.empty()) return head_policy(trainer);
  return head_policy(
      {{"head", asked.head == "auto" && trainer.contains("head") ? trainer["head"] : Json(asked.head)}});
}

Json variation_json(const loop::Hyperparameters& values) {
  Json variation;
  for (const loop::Hyperparameter& row : augmentation_hyperparameters())
    variation[row.name] = values.values().at(row.name);
  return variation;
}

void read_data(const loop::TrialFile& trial, const Asked& asked, int threads, std::ostream& notes,
               ClassifierParts& parts) {
  TrainingData data = read_training_data(trial.trainer, threads, notes, loop::stop_requested);
  check_data(asked, data.training);
  parts.training = std::move(data.training);
  parts.validation = std::move(data.validation);
  parts.test = std::move(data.test);
  parts.data_fingerprint = std::move(data.fingerprint);
  parts.split = std::move(data.split);
  parts.form = std::move(data.form);
  parts.warnings = std::move(data.warnings);
}

// For an accelerator several batches are made at once, each by a thread of its own; else all threads make
// one.
auto opener(const data::Preprocessing& preprocessing, const Augmentation& augmentation, std::uint64_t seed,
            const loop::Compute& compute) {
  return [=](const std::vector<std::filesystem::path>& files, Variation variation) -> Pixels {
    const bool varies = variation != Variation::kNone;
    const auto images = std::make_shared<const ImageBatches>(
        files, preprocessing, varies ? std::optional(augmentation) : std::nullopt,
        variation == Variation::kShared ? kSharedSeed : seed, compute.threads);
    const int threads = compute.accelerated && variation == Variation::kOwn ? 1 : compute.threads;
    return [images, threads](const std::vector<std::int64_t>& examples, std::int64_t epoch) {
      const std::int64_t size = images->size();
      torch::Tensor pixels =
          torch::empty({static_cast<std::int64_t>(examples.size()), size, size, 3}, torch::kByte);
      images->fill(examples, epoch, pixels.data_ptr<std::uint8_t>(), threads);
      return pixels;
    };
  };
}

// Of one forward pass over one image.
std::int64_t multiply_adds_at(nn::ImageClassifier& network, std::int64_t size) {
  const torch::NoGradGuard no_grad;
  network.eval();
  const std::int64_t counted = nn::count_multiply_adds([&] {
    network.forward(torch::zeros({1, 3, size, size}));
  });
  network.train();
  return counted;
}

void build_network(const loop::TrialFile& trial, const ClassifierModel& kind, HeadPolicy head,
                   std::ostream& notes, ClassifierParts& parts) {
  torch::manual_seed(trial.seed);
  const std::vector<std::string>& classes = parts.training.classes;
  const double dropout = parts.values.given("dropout") ? parts.values.number("dropout") : kind.dropout;
  parts.network = kind.make(static_cast<std::int64_t>(classes.size()), dropout);
  parts.parameters = kind.parameters.of(classes.size());
  parts.multiply_adds = multiply_adds_at(*parts.network, parts.preprocessing.size);
  const std::string weights = loop::text_key(trial.trainer, "weights", "");
  if (weights.empty()) return;
  initialise_from(*parts.network, weights, kind, parts.preprocessing, {classes, parts.training.multi_label},
                  head, notes);
  parts.initial_weights = classification::initial_weights_json(weights);
}

}  // namespace

ClassifierParts parts_of(const loop::TrialFile& trial, const loop::Compute& compute, std::ostream& notes) {
  const loop::Recipe& recipe = classification_recipe(
      loop::text_key(trial.trainer, "recipe", classification_recipes().front().name.c_str()));
  const Asked asked = asked_of(recipe, trial.parameters);
  const ClassifierModel& kind = model_of(trial.trainer, asked);
  check_weights(trial.trainer, asked);
  ClassifierParts parts{.recipe = recipe.name,
                        .model_name = kind.name,
                        .values = fine_tuning_values(asked.parameters),
                        .given = loop::Hyperparameters(recipe.hyperparameters, trial.parameters).values()};
  parts.preprocessing = input_at(kind, static_cast<int>(parts.values.integer("image_size")));
  for (const std::string& note : asked.notes) notes << "note: " << note << std::endl;
  fine_tuning_plan(parts.values);  // what contradicts itself is said before the data is read
  read_data(trial, asked, compute.threads, notes, parts);
  build_network(trial, kind, head_of(trial.trainer, asked), notes, parts);
  parts.open = opener(parts.preprocessing, augmentation_of(parts.values), trial.seed, compute);
  parts.shared_variation = variation_json(parts.values);
  return parts;
}

}  // namespace tune::trainer::image_classification
