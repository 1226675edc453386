// The table of classifiers, and what each network of it holds to.
#include <cmath>

#include "torch_catch.h"
#include "trainer/nn/inverted_residual.h"
#include "trainer/nn/multiply_adds.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/weights/state_dict.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using tests::contains;
using tests::message_of;
using tune::ExitCode;

namespace {

std::int64_t count_parameters(const torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const torch::Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

bool begins_with(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

}  // namespace

TEST_CASE("Every classifier costs what the table says, and each of its tensors has one place") {
  const torch::NoGradGuard no_grad;
  for (const ClassifierModel& kind : classifier_models()) {
    INFO(kind.name);
    const auto model = kind.make(5, kind.dropout);
    CHECK(count_parameters(*model) == kind.parameters.of(5));
    model->eval();
    const std::int64_t size = kind.input.size;
    torch::Tensor logits;
    CHECK(nn::count_multiply_adds([&] {
            logits = model->forward(torch::zeros({1, 3, size, size}));
          }) == kind.multiply_adds.of(5));
    CHECK(logits.sizes() == at::IntArrayRef{1, 5});

    const nn::Stages stages = model->stages();
    std::vector<std::size_t> tensors(stages.body.size() + 1);
    const auto state = weights::ordered_state(*model);
    for (const auto& [name, tensor] : state) {
      std::size_t owners = 0;
      for (std::size_t i = 0; i <= stages.body.size(); ++i)
        if (begins_with(name, i < stages.body.size() ? stages.body[i].prefixes : stages.head)) {
          ++owners;
          ++tensors[i];
        }
      INFO(name);
      CHECK(owners == 1);
      if (tensor.dim() == 4) CHECK(tensor.is_contiguous(at::MemoryFormat::ChannelsLast));
    }
    CHECK(std::count(tensors.begin(), tensors.end(), 0U) == 0);
    // The head is the last layer alone: a weight and a bias, by class.
    CHECK(tensors.back() == 2);
    CHECK(begins_with(state.back().first, stages.head));
    CHECK(state.back().second.sizes() == at::IntArrayRef{5});
  }
}

TEST_CASE("Features and head make the logits, for every image by itself in evaluation mode") {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  for (const ClassifierModel& kind : classifier_models()) {
    INFO(kind.name);
    if (kind.name == "vit_b_16") continue;  // large, and built as its smaller brother
    const auto model = kind.make(3, 0.5);
    const std::int64_t size = kind.one_size ? kind.input.size : 64, smallest = kind.smallest_size;
    const torch::Tensor images = torch::randn({2, 3, size, size}).contiguous(at::MemoryFormat::ChannelsLast);
    model->train();
    model->forward(images);  // moves the statistics
    model->eval();
    const torch::Tensor logits = model->forward(images), features = model->features(images);
    CHECK(logits.equal(model->forward(images)));
    CHECK(model->head(features).equal(logits));
    CHECK(torch::allclose(model->forward(images.slice(0, 0, 1)), logits.slice(0, 0, 1), 1e-4, 1e-4));

    CHECK(model->forward(torch::zeros({1, 3, smallest, smallest})).isfinite().all().item<bool>());
    check_input_size(kind, kind.smallest_size);
    CHECK(contains(message_of(ExitCode::kBadSpec, [&] { check_input_size(kind, kind.smallest_size - 1); }),
                   kind.name + " takes images of "));
    if (kind.one_size)
      CHECK(contains(message_of(ExitCode::kBadSpec, [&] { check_input_size(kind, 256); }),
                     "takes images of 224 pixels, not of 256"));
  }
}

TEST_CASE("Dropout acts before the head in training mode, whatever mode the body is in") {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(4);
  for (const ClassifierModel& kind : classifier_models()) {
    INFO(kind.name);
    if (kind.name == "vit_b_16") continue;  // large, and built as its smaller brother
    const auto model = kind.make(3, 0.5);
    const auto named = model->named_parameters();
    for (const auto& parameter : named) {  // so that no head is all zeros
      torch::Tensor weight = parameter.value();
      if (begins_with(parameter.key(), model->stages().head)) weight.fill_(weight.dim() > 1 ? 0.1 : 0);
    }
    const std::int64_t size = kind.one_size ? kind.input.size : 64;
    const torch::Tensor images = torch::randn({2, 3, size, size});
    model->train();
    if (kind.name == "vgg16") CHECK_FALSE(model->features(images).equal(model->features(images)));
    for (const nn::Stage& stage : model->stages().body)
      for (const auto& part : model->named_modules())
        if (begins_with(part.key() + ".", stage.prefixes)) part.value()->eval();
    const torch::Tensor features = model->features(images);
    CHECK(features.equal(model->features(images)));
    CHECK_FALSE(model->head(features).equal(model->head(features)));
    model->eval();
    CHECK(model->head(features).equal(model->head(features)));
  }
}

TEST_CASE("EfficientNet passes blocks by in training mode alone") {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(5);
  const auto model = classifier_model("efficientnet_b0").make(3, 0);
  const torch::Tensor images = torch::randn({8, 3, 32, 32});
  model->train();
  CHECK_FALSE(model->features(images).equal(model->features(images)));
  model->eval();
  CHECK(model->features(images).equal(model->features(images)));
}

TEST_CASE("A block passes some images by, and the others count for as much more") {
  const torch::NoGradGuard no_grad;
  torch::manual_seed(6);
  nn::InvertedResidual block(
      nn::InvertedResidualOptions{.in = 8, .expanded = 16, .out = 8, .squeezed = 2, .skipped = 0.25});
  block->eval();
  const torch::Tensor images = torch::randn({400, 8, 4, 4}), added = block(images) - images;
  block->train();
  for (const auto& part : block->modules(/*include_self=*/false)) part->eval();
  const torch::Tensor trained = block(images) - images;
  std::int64_t passed_by = 0;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    const bool is_passed_by = trained[i].abs().max().item<double>() == 0;
    passed_by += is_passed_by ? 1 : 0;
    if (!is_passed_by) CHECK(torch::allclose(trained[i], added[i] / 0.75, 1e-4, 1e-5));
  }
  CHECK(static_cast<double>(passed_by) / 400 == Approx(0.25).margin(0.08));  // four standard errors
}

TEST_CASE("An unknown classifier is refused with the names that there are") {
  CHECK(&classifier_model("vgg16") == &classifier_model("vgg16"));
  try {
    classifier_model("resnet19");
    FAIL("it is refused");
  } catch (const tune::Error& error) {
    CHECK(error.code() == ExitCode::kBadSpec);
    CHECK(contains(error.what(), "unknown image classification model \"resnet19\""));
    CHECK(contains(error.hint(), "resnet18, resnet34"));
    CHECK(contains(error.hint(), "vit_tiny_patch16_224"));
  }
}

TEST_CASE("An input of another size is cut out of the same share of the image") {
  const ClassifierModel& kind = classifier_model("mobilenet_v2");
  const data::Preprocessing own = input_at(kind, 0), same = input_at(kind, 224), small = input_at(kind, 96);
  CHECK((own.size == 224 && own.resize == 232));
  CHECK((same.size == 224 && same.resize == 232));
  CHECK((small.size == 96 && small.resize == 99));
  CHECK(small.mean == kind.input.mean);
  CHECK(
      contains(message_of(ExitCode::kBadSpec, [] { input_at(classifier_model("vit_tiny_patch16_224"), 96); }),
               "takes images of 224 pixels, not of 96"));
  CHECK(contains(message_of(ExitCode::kBadSpec, [] { input_at(classifier_model("vgg16"), 31); }),
                 "vgg16 takes images of 32 pixels and more, not of 31"));
}
