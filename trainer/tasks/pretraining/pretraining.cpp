#include "trainer/tasks/pretraining/pretraining.h"

#include "trainer/data/in_parallel.h"
#include "trainer/weights/safetensors.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::pretraining {
namespace {

// Enough to see how far it is: the accuracy is known to two percent. Not more than an epoch has.
constexpr std::int64_t kMostValidationImages = 512;
// Above those of any epoch.
constexpr std::uint64_t kValidationInstances = std::uint64_t{1} << 60;

// Image number i is of class i modulo the number of classes, and is drawn as instance first + i of it:
// "pixels" uint8 [B, size, size] and "categories" int64 [B].
weights::TensorMap drawn(const FormulaImages& images, const std::vector<std::int64_t>& numbers,
                         std::uint64_t first, int threads) {
  const std::int64_t count = static_cast<std::int64_t>(numbers.size()), size = images.size();
  weights::TensorMap tensors{{"pixels", torch::empty({count, size, size}, torch::kByte)},
                             {"categories", torch::empty({count}, torch::kLong)}};
  auto* pixels = tensors["pixels"].data_ptr<std::uint8_t>();
  auto* categories = tensors["categories"].data_ptr<std::int64_t>();
  const auto draw = [&](std::size_t i) {
    categories[i] = numbers[i] % images.classes();
    images.draw(static_cast<int>(categories[i]), first + static_cast<std::uint64_t>(numbers[i]),
                pixels + i * static_cast<std::size_t>(size * size));
  };
  if (threads > 1)
    data::in_parallel(numbers.size(), threads, draw);
  else
    for (std::size_t i = 0; i < numbers.size(); ++i) draw(i);
  return tensors;
}

loop::Recipe generated_images() {
  loop::Recipe recipe;
  recipe.name = "generated-images";
  recipe.description = "AdamW on images drawn by formulas, of which every epoch has new ones";
  recipe.hyperparameters = {
      loop::real("learning_rate", 2e-3, 1e-6, 0.5, "log",
                 "of AdamW; where it is not given, a model on VGG-16 learns at 0.0001"),
      loop::real("weight_decay", 0.05, 0, 0.999, "log", "on weights; biases and normalisation have none"),
      loop::whole("images", 4096, 2, 1e8, "log", "images in an epoch"),
      loop::whole("classes", 256, 2, 1e5, "log", "how many kinds of images to tell apart"),
      loop::whole("size", 96, 32, 512, "linear", "pixels on a side of the images")};
  for (loop::Hyperparameter& row : loop::plan_hyperparameters("images")) {
    if (row.name == "epochs") row.default_value = 15;
    if (row.name == "batch_size")
      row.default_value = 64, row.max = 4096, row.least_part = loop::kNormalisedPart;
    recipe.hyperparameters.push_back(std::move(row));
  }
  recipe.metrics = {loop::plain_metric("validation:cross_entropy", "minimize"),
                    loop::plain_metric("validation:accuracy", "maximize"),
                    loop::plain_metric("train:cross_entropy", "minimize")};
  recipe.loss_names = {"train:cross_entropy"};
  recipe.metric_names = {"validation:cross_entropy", "validation:accuracy"};
  return recipe;
}

loop::Plan make_plan(const loop::Hyperparameters& values, const detection::DetectorModel& kind) {
  loop::Plan plan = loop::make_plan(values);
  plan.optimizer.kind = loop::OptimizerKind::kAdamW;
  plan.optimizer.weight_decay = values.number("weight_decay");
  // VGG-16 has no normalisation between its layers, and diverges at the rate that a ResNet learns best at.
  const bool is_vgg = std::holds_alternative<detection::VggNetwork>(kind.network);
  plan.schedule.base = is_vgg && !values.given("learning_rate") ? 1e-4 : values.number("learning_rate");
  return plan;
}

}  // namespace

const std::vector<loop::Recipe>& pretraining_recipes() {
  static const std::vector<loop::Recipe> recipes{generated_images()};
  return recipes;
}

Pretraining::Pretraining(const loop::TrialFile& trial, const loop::Compute& compute)
    : seed_(trial.seed),
      compute_(compute),
      kind_(detection::detector_model(loop::text_key(trial.trainer, "model", ""))),
      values_(pretraining_recipes().front().hyperparameters, trial.parameters),
      plan_(make_plan(values_, kind_)),
      images_(static_cast<int>(values_.integer("classes")), static_cast<int>(values_.integer("size")),
              seed_) {
  torch::manual_seed(seed_);
  model_ = BackboneClassifier(kind_, images_.classes());
  model_->to(compute.device);
  const auto of_channels = [&](const std::array<double, 3>& values) {
    return torch::tensor(at::ArrayRef<double>(values), torch::kFloat).to(compute.device).view({1, 3, 1, 1}) *
           255;
  };
  mean_ = of_channels(kind_.preprocessing.mean);
  deviation_ = of_channels(kDeviation);
}

loop::Batch Pretraining::prepare(const std::vector<std::int64_t>& examples, std::int64_t epoch) const {
  // For an accelerator several batches are made at once, each by a thread of its own.
  const int threads = compute_.accelerated ? 1 : compute_.threads;
  const auto first = static_cast<std::uint64_t>(epoch * training_examples());
  loop::Batch batch;
  batch.tensors = drawn(images_, examples, first, threads);
  batch.weight = static_cast<double>(examples.size());
  return batch;
}

torch::Tensor Pretraining::logits(const torch::Tensor& pixels) {
  const torch::Tensor images = (pixels.unsqueeze(1).to(torch::kFloat) - mean_) / deviation_;
  return model_(images.contiguous(at::MemoryFormat::ChannelsLast));
}

loop::LossTerms Pretraining::losses(const weights::TensorMap& tensors) {
  return {
      torch::cross_entropy_loss(logits(tensors.at("pixels")).to(torch::kFloat), tensors.at("categories"))};
}

loop::Metrics Pretraining::evaluate(const std::function<bool()>& interrupted) {
  const std::int64_t images = std::min(kMostValidationImages, training_examples());
  double loss = 0, right = 0;
  const parallel::Team& team = *compute_.team;
  const auto [first, last] = team.share((images + plan_.batch_size - 1) / plan_.batch_size);
  bool stops = false;
  for (std::int64_t batch = first; batch < last; ++batch) {
    stops = interrupted();
    if (stops) break;
    const std::int64_t begin = batch * plan_.batch_size;
    std::vector<std::int64_t> examples;
    for (std::int64_t i = begin; i < std::min(begin + plan_.batch_size, images); ++i) examples.push_back(i);
    const weights::TensorMap made = drawn(images_, examples, kValidationInstances, compute_.threads);
    const torch::Tensor scores = logits(made.at("pixels").to(compute_.device)).to(torch::kFloat);
    const torch::Tensor categories = made.at("categories").to(compute_.device);
    loss += torch::cross_entropy_loss(scores, categories, {}, at::Reduction::Sum).item<double>();
    right += scores.argmax(1).eq(categories).sum().item<double>();
  }
  if (team.any(stops)) return {};
  const std::vector<double> sums = team.sums({loss, right});
  const auto count = static_cast<double>(images);
  return {{"validation:cross_entropy", sums[0] / count}, {"validation:accuracy", sums[1] / count}};
}

void Pretraining::export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                               const loop::Report& best) const {
  const Json normalisation{{"mean", kind_.preprocessing.mean}, {"std", kind_.preprocessing.std}};
  const Json pretraining{{"model", kind_.name},
                         {"classes", images_.classes()},
                         {"size", images_.size()},
                         {"images", training_examples() * plan_.epochs},
                         {"seed", seed_},
                         {"accuracy", best.metrics.at("validation:accuracy")},
                         {"program", std::string("tune-train ") + TUNE_VERSION}};
  weights::write_safetensors(folder / weights::kWeightsFile, backbone_weights(model, kind_),
                             {{"format", "pt"},
                              {"description", "pretrained on generated images"},
                              {"pretraining", pretraining.dump()},
                              {"normalisation", normalisation.dump()}});
  const OrderedJson description{
      {"schema", 1},
      {"task", "pretraining"},
      {"model", kind_.name},
      {"recipe", recipe().name},
      {"metrics", best.metrics},
      {"epoch", best.epoch},
      {"hyperparameters", values_.values()},
      {"seed", seed_},
      {"precision", loop::precision_name(compute_.precision)},
      {"libraries", {{"tune-train", TUNE_VERSION}, {"libtorch", compat::libtorch_version()}}}};
  write_file_atomically(folder / "model.json", description.dump(2) + "\n");
}

std::string Pretraining::fingerprint() const {
  return Json{{"task", "pretraining"},
              {"model", kind_.name},
              {"hyperparameters", loop::lasting_values(values_)},
              {"seed", seed_}}
      .dump();
}

}  // namespace tune::trainer::pretraining
