#include "trainer/tasks/pretraining/pretraining.h"

#include <cstdio>

#include "trainer/data/in_parallel.h"
#include "trainer/weights/safetensors.h"
#include "tuner/core/json.h"

namespace tune::trainer::pretraining {
namespace {

// Enough to see how far it is: the accuracy is known to two percent. Not more than an epoch has.
constexpr std::int64_t kMostValidationImages = 512;
// Above those of any epoch.
constexpr std::uint64_t kValidationInstances = std::uint64_t{1} << 60;

class ImageBatch final : public loop::Batch {
 public:
  torch::Tensor pixels;      // uint8 [B, size, size]
  torch::Tensor categories;  // int64 [B]
};

// Image number i is of class i modulo the number of classes, and is drawn as instance first + i of it.
ImageBatch drawn(const FormulaImages& images, const std::vector<std::int64_t>& numbers, std::uint64_t first,
                 int threads) {
  const std::int64_t count = static_cast<std::int64_t>(numbers.size()), size = images.size();
  ImageBatch batch;
  batch.pixels = torch::empty({count, size, size}, torch::kByte);
  batch.categories = torch::empty({count}, torch::kLong);
  auto* pixels = batch.pixels.data_ptr<std::uint8_t>();
  auto* categories = batch.categories.data_ptr<std::int64_t>();
  const auto draw = [&](std::size_t i) {
    categories[i] = numbers[i] % images.classes();
    images.draw(static_cast<int>(categories[i]), first + static_cast<std::uint64_t>(numbers[i]),
                pixels + i * static_cast<std::size_t>(size * size));
  };
  if (threads > 1)
    data::in_parallel(numbers.size(), threads, draw);
  else
    for (std::size_t i = 0; i < numbers.size(); ++i) draw(i);
  return batch;
}

loop::Plan make_plan(const PretrainingSettings& settings, const detection::DetectorModel& kind) {
  loop::Plan plan;
  plan.epochs = settings.epochs;
  plan.batch_size = settings.batch_size;
  plan.optimizer.kind = loop::OptimizerKind::kAdamW;
  plan.optimizer.weight_decay = 0.05;
  plan.optimizer.gradient_clip = 10;
  plan.schedule.kind = loop::ScheduleKind::kCosine;
  // VGG-16 has no normalisation between its layers, and diverges at the rate that a ResNet learns best at.
  plan.schedule.base = std::holds_alternative<detection::VggNetwork>(kind.network) ? 1e-4 : 2e-3;
  plan.schedule.warmup_epochs = 0.5;
  plan.schedule.epochs = static_cast<double>(settings.epochs);
  return plan;
}

std::string fixed(double number) {
  char text[400];
  std::snprintf(text, sizeof text, "%.6f", number);
  return text;
}

}  // namespace

Pretraining::Pretraining(const PretrainingSettings& settings, const loop::Compute& compute)
    : settings_(settings),
      compute_(compute),
      kind_(detection::detector_model(settings.model)),
      plan_(make_plan(settings, kind_)),
      images_(settings.classes, settings.size, settings.seed) {
  torch::manual_seed(settings.seed);
  model_ = BackboneClassifier(kind_, settings.classes);
  model_->to(compute.device);
}

std::unique_ptr<loop::Batch> Pretraining::prepare(const std::vector<std::int64_t>& examples,
                                                  std::int64_t epoch) const {
  // On a GPU several batches are made at once, each by a thread of its own.
  const int threads = compute_.device.is_cpu() ? compute_.threads : 1;
  const auto first = static_cast<std::uint64_t>(epoch * settings_.images);
  auto batch = std::make_unique<ImageBatch>(drawn(images_, examples, first, threads));
  batch->weight = static_cast<double>(examples.size());
  if (compute_.device.is_cuda()) {
    batch->pixels = batch->pixels.pin_memory();
    batch->categories = batch->categories.pin_memory();
  }
  return batch;
}

torch::Tensor Pretraining::logits(const torch::Tensor& pixels) {
  const auto options = torch::TensorOptions(torch::kFloat).device(compute_.device);
  const auto channels = [&](const std::array<double, 3>& values) {
    return torch::tensor(at::ArrayRef<double>(values), torch::kFloat).to(options).view({1, 3, 1, 1}) * 255;
  };
  torch::Tensor images = pixels.to(compute_.device, /*non_blocking=*/true).unsqueeze(1).to(torch::kFloat);
  images = (images - channels(kind_.preprocessing.mean)) / channels(kDeviation);
  return model_(images.contiguous(at::MemoryFormat::ChannelsLast));
}

loop::LossTerms Pretraining::losses(const loop::Batch& batch) {
  const auto& images = dynamic_cast<const ImageBatch&>(batch);
  const torch::Tensor categories = images.categories.to(compute_.device, /*non_blocking=*/true);
  return {torch::cross_entropy_loss(logits(images.pixels).to(torch::kFloat), categories)};
}

loop::Metrics Pretraining::evaluate(const std::function<bool()>& interrupted) {
  const std::int64_t images = std::min(kMostValidationImages, settings_.images);
  double loss = 0, right = 0;
  for (std::int64_t begin = 0; begin < images; begin += settings_.batch_size) {
    if (interrupted()) return {};
    std::vector<std::int64_t> examples;
    for (std::int64_t i = begin; i < std::min(begin + settings_.batch_size, images); ++i)
      examples.push_back(i);
    const ImageBatch batch = drawn(images_, examples, kValidationInstances, compute_.threads);
    const torch::Tensor scores = logits(batch.pixels).to(torch::kFloat);
    const torch::Tensor categories = batch.categories.to(compute_.device);
    loss += torch::cross_entropy_loss(scores, categories, {}, at::Reduction::Sum).item<double>();
    right += scores.argmax(1).eq(categories).sum().item<double>();
  }
  const auto count = static_cast<double>(images);
  return {{"validation:cross_entropy", loss / count}, {"validation:accuracy", right / count}};
}

std::vector<std::string> Pretraining::metric_lines(const loop::Report& report) const {
  std::string line = "[Epoch " + std::to_string(report.epoch) + "]";
  for (const auto& [name, value] : report.metrics) line += " " + name + "=" + fixed(value);
  return {line};
}

void Pretraining::export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                               const loop::Report& best) const {
  const Json normalisation{{"mean", kind_.preprocessing.mean}, {"std", kind_.preprocessing.std}};
  const Json pretraining{{"model", kind_.name},
                         {"classes", settings_.classes},
                         {"size", settings_.size},
                         {"images", settings_.images * settings_.epochs},
                         {"seed", settings_.seed},
                         {"accuracy", best.metrics.at("validation:accuracy")},
                         {"program", std::string("tune-train ") + TUNE_VERSION}};
  weights::write_safetensors(folder / settings_.file_name, backbone_weights(model, kind_),
                             {{"format", "pt"},
                              {"description", "pretrained on generated images"},
                              {"pretraining", pretraining.dump()},
                              {"normalisation", normalisation.dump()}});
}

std::string Pretraining::fingerprint() const {
  return Json{{"task", "pretraining"},         {"model", kind_.name},        {"classes", settings_.classes},
              {"size", settings_.size},        {"epochs", settings_.epochs}, {"images", settings_.images},
              {"batch", settings_.batch_size}, {"seed", settings_.seed}}
      .dump();
}

}  // namespace tune::trainer::pretraining
