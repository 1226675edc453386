// The table of detectors: what each costs, that each learns, and what it starts from.
#include <sstream>

#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/loop/optimizer.h"
#include "trainer/nn/multiply_adds.h"
#include "trainer/nn/resnet.h"
#include "trainer/synthetic/steel_data_set.h"
#include "trainer/tasks/detection/detection_training.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/recipes.h"
#include "trainer/tasks/detection/ssd_model.h"
#include "trainer/tasks/detection/two_stage_model.h"
#include "tuner/core/error.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tune::Json;
using tune::tests::TemporaryFolder;

namespace {

// As many regions as a detector of two stages looks at.
std::int64_t multiply_adds_of(Detector& detector, const DetectorModel& kind) {
  const torch::NoGradGuard no_grad;
  detector.network().eval();
  const std::int64_t size = kind.preprocessing.size;
  const torch::Tensor image = torch::zeros({1, 3, size, size});
  if (auto* ssd = dynamic_cast<SsdModelImpl*>(&detector.network()))
    return nn::count_multiply_adds([&] { ssd->forward(image); });
  auto& model = dynamic_cast<TwoStageModelImpl&>(detector.network());
  const std::int64_t regions = std::get<TwoStageNetwork>(kind.network).proposals.inference.in_all;
  return nn::count_multiply_adds([&] {
    const std::vector<torch::Tensor> maps = model.maps(image);
    model.anchor_scores(maps);
    model.head(torch::zeros({regions, maps.front().size(1), 7, 7}));
  });
}

std::int64_t count_parameters(const torch::nn::Module& network) {
  std::int64_t count = 0;
  for (const torch::Tensor& parameter : network.parameters()) count += parameter.numel();
  return count;
}

loop::TrialFile trial_of(const std::string& model, const std::string& recipe,
                         const std::filesystem::path& data, const Json& parameters) {
  return loop::parse_trial(
      {{"schema", 1},
       {"study", "models"},
       {"trial", 1},
       {"attempt", 1},
       {"token", "t"},
       {"seed", 3},
       {"parameters", parameters},
       {"fixed", {{"batch_size", 2}, {"augmentation", false}}},
       {"objective", {{"metric", "validation:mAP"}, {"goal", "maximize"}, {"reduce", "best"}}},
       {"trainer",
        {{"task", "detection"},
         {"model", model},
         {"recipe", recipe},
         {"data", data.string()},
         {"split", {{"fractions", {0.5, 0.5}}}}}},
       {"budget", 1},
       {"threads", 2},
       {"devices", Json::array()},
       {"precision", "fp32"},
       {"checkpoint_dir", "unused"},
       {"output_dir", "unused"},
       {"resume_from", nullptr}},
      "test");
}

}  // namespace

TEST_CASE("The table says how many parameters each model has, and how many multiply-adds it takes") {
  for (const DetectorModel& kind : detector_models()) {
    for (const int classes : {6, 1}) {
      INFO(kind.name << ", classes " << classes);
      const std::unique_ptr<Detector> detector = make_detector(kind, classes);
      CHECK(kind.parameters.of(static_cast<std::size_t>(classes)) == count_parameters(detector->network()));
      CHECK(kind.multiply_adds.of(static_cast<std::size_t>(classes)) == multiply_adds_of(*detector, kind));
    }
  }
}

TEST_CASE("The default boxes are as many as the published networks'") {
  const auto count = [](const char* name) { return default_boxes(detector_model(name).maps).size(); };
  CHECK(count("ssd300-vgg16") == 8732);
  CHECK(count("ssd512-vgg16") == 24564);
  CHECK(count("ssd300-resnet50") == 2268);
}

TEST_CASE("Each large model learns a few images by heart") {
  const TemporaryFolder folder;
  synthetic::write_steel_data_set(folder.path(), 4, 96, 5, [](int) {});
  struct Case {
    const char *model, *recipe;
    std::vector<std::int64_t> images;  // batch normalisation wants several
    int steps;
  };
  for (const auto& [name, recipe, images, steps] : {Case{"ssd300-resnet50", "legacy", {0, 1}, 12},
                                                    {"ssd300-vgg16", "legacy", {0}, 4},
                                                    {"fasterrcnn-resnet18-fpn", "legacy", {0, 1}, 12},
                                                    {"ssd512-vgg16", "latest", {1}, 4}}) {
    INFO(name);
    std::ostringstream notes;
    DetectionTraining task(trial_of(name, recipe, folder.path(), {}), loop::set_up_compute(2, false), notes);
    CHECK((notes.str().find("default boxes: the model's own reach ") != std::string::npos) ==
          !is_two_stage(detector_model(name)));
    task.model().train();
    loop::Optimizer optimizer(task.model(), task.plan().optimizer, task.parameter_groups());
    const auto batch = task.prepare(images, 1);
    std::vector<double> losses;
    for (int step = 0; step <= steps; ++step) {
      const loop::LossTerms terms = task.losses(batch.tensors);
      const torch::Tensor loss = terms[0] + terms[1];
      losses.push_back(loss.item<double>());
      if (step == steps) break;
      loss.backward();
      optimizer.step(std::string(recipe) == "legacy" ? 1e-3 : 1e-4);
    }
    INFO("losses " << Json(losses).dump());
    CHECK(std::isfinite(losses.back()));
    CHECK(losses.back() < losses.front());
  }
}

TEST_CASE("Default boxes are fitted for detectors of one stage, and for those of two that is refused") {
  const TemporaryFolder folder;
  synthetic::write_steel_data_set(folder.path(), 4, 96, 5, [](int) {});
  std::ostringstream notes;
  loop::TrialFile trial = trial_of("ssd128-resnet18-half", "legacy", folder.path(), {});
  trial.trainer["anchors"] = "auto";
  DetectionTraining(trial, loop::set_up_compute(1, false), notes);
  CHECK(notes.str().find("fitted to the training objects") != std::string::npos);
  trial.trainer["model"] = "fasterrcnn-resnet18-half-fpn";
  CHECK_THROWS_WITH(DetectionTraining(trial, loop::set_up_compute(1, false), notes),
                    Catch::Matchers::Contains("fasterrcnn-resnet18-half-fpn has no default boxes"));
}

TEST_CASE(
    "The normalisation of a Faster R-CNN's backbone keeps what given weights say, and is learned without "
    "any") {
  const TemporaryFolder folder;
  synthetic::write_steel_data_set(folder.path() / "data", 4, 96, 5, [](int) {});
  torch::manual_seed(1);
  weights::write_safetensors(folder.path() / "resnet.safetensors",
                             weights::state_dict(*nn::ResNet(std::array{2, 2, 2, 2}, 32)));
  for (const bool starts_from_weights : {true, false}) {
    INFO("from weights: " << starts_from_weights);
    loop::TrialFile trial = trial_of("fasterrcnn-resnet18-half-fpn", "legacy", folder.path() / "data", {});
    if (starts_from_weights) trial.trainer["weights"] = (folder.path() / "resnet.safetensors").string();
    std::ostringstream notes;
    DetectionTraining task(trial, loop::set_up_compute(2, false), notes);
    CHECK((notes.str().find("normalisation: 20 layers of the backbone keep") != std::string::npos) ==
          starts_from_weights);
    task.model().train();
    task.enter_step(0);
    const auto parameters = task.model().named_parameters();
    const auto buffers = task.model().named_buffers();
    const torch::Tensor before = buffers["backbone.body.layer2.0.bn1.running_mean"].clone();
    const loop::LossTerms terms = task.losses(task.prepare({0, 1}, 1).tensors);
    (terms[0] + terms[1]).backward();
    CHECK(buffers["backbone.body.layer2.0.bn1.running_mean"].equal(before) == starts_from_weights);
    CHECK(parameters["backbone.body.layer2.0.bn1.weight"].grad().defined() != starts_from_weights);
    CHECK(parameters["backbone.body.layer2.0.conv1.weight"].grad().defined());
  }
}

TEST_CASE("VGG-16's weights load under torchvision's names and those of the first files for SSD") {
  const TemporaryFolder folder;
  const auto path = folder.path() / "vgg.safetensors";
  const DetectorModel& kind = detector_model("ssd512-vgg16");
  torch::manual_seed(4);
  const torch::Tensor first = torch::randn({64, 3, 3, 3}), conv5 = torch::randn({512, 512, 3, 3}),
                      fc6 = torch::randn({1024});
  for (const std::string prefix : {"features.", ""}) {
    weights::write_safetensors(
        path, {{prefix + "0.weight", first}, {prefix + "28.weight", conv5}, {prefix + "31.bias", fc6}});
    SsdModel model(kind, 2);
    std::ostringstream notes;
    initialise_from(*model, path, kind, {"a", "b"}, notes);
    CHECK(notes.str().find("3 tensors loaded") != std::string::npos);
    CHECK(notes.str().find("not in the model") == std::string::npos);
    const weights::TensorMap state = weights::state_dict(*model);
    CHECK(state.at("backbone.features.0.weight").equal(first));
    CHECK(state.at("backbone.extra.0.5.weight").equal(conv5));
    CHECK(state.at("backbone.extra.0.7.1.bias").equal(fc6));
  }
}

TEST_CASE("The biases of convolutions may learn faster, those of normalisation do not") {
  torch::nn::Sequential net(torch::nn::Conv2d(1, 1, 1), torch::nn::BatchNorm2d(1));
  loop::OptimizerSettings settings;
  settings.momentum = 0;
  loop::Optimizer optimizer(*net, settings,
                            detection::parameter_groups(*net, /*weight_decay=*/0, /*bias_factor=*/2));
  auto parameters = net->named_parameters();
  std::map<std::string, float> before;
  for (auto& parameter : parameters) {
    before[parameter.key()] = parameter.value().item<float>();
    parameter.value().mutable_grad() = torch::ones_like(parameter.value());
  }
  optimizer.step(0.125);
  const auto moved = [&](const char* name) { return before.at(name) - parameters[name].item<float>(); };
  CHECK(moved("0.weight") == Approx(0.125));
  CHECK(moved("0.bias") == Approx(0.25));
  CHECK(moved("1.weight") == Approx(0.125));
  CHECK(moved("1.bias") == Approx(0.125));
}
