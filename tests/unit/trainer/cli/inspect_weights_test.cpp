#include <sstream>

#include "torch_catch.h"
#include "trainer/cli/commands.h"
#include "trainer/nn/resnet.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/models.h"
#include "trainer/tasks/detection/ssd_model.h"
#include "trainer/weights/safetensors.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/json.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;

namespace {

const std::string kGolden = TUNE_SOURCE_DIR "/tests/golden/weights/";

std::string inspect(const std::vector<std::string>& arguments) {
  std::ostringstream out, err;
  cli::Console console{out, err};
  const int code = cli::run_inspect_weights(arguments, console);
  CHECK(code == 0);
  return out.str();
}

Json inspect_json(std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  return Json::parse(inspect(arguments));
}

}  // namespace

TEST_CASE("inspect-weights lists names, dtypes and shapes, and where in the file they stood") {
  const std::string text = inspect({kGolden + "nested.pth"});
  CHECK(contains(text, "conv.weight               float32   [2, 1, 3, 3]\n"));
  CHECK(contains(text, "norm.num_batches_tracked  int64     []\n"));
  CHECK(contains(text, "nested.pth: PyTorch zip, under \"model\", 9 tensors, 38 numbers\n"));
  const Json json = inspect_json({kGolden + "legacy_nested.pth"});
  CHECK(json["schema"] == 1);
  CHECK(json["format"] == "PyTorch legacy");
  CHECK(json["section"] == "model");
  CHECK(json["numbers"] == 38);
  CHECK(json["tensors"].size() == 9);
  CHECK(json["tensors"][1] == Json{{"name", "conv.weight"}, {"dtype", "float32"}, {"shape", {2, 1, 3, 3}}});
}

TEST_CASE("a link that leads to itself is bad data wherever weights are named") {
  const TestFolder folder;
  const std::string loop = (folder.path() / "loop").string();
  std::filesystem::create_symlink("loop", loop);
  for (const std::string& file : {loop, loop + "/weights.safetensors"}) {
    const std::string expected = "cannot read \"" + file + "\": Too many levels of symbolic links";
    CHECK(message_of(ExitCode::kBadData, [&] { inspect({file}); }) == expected);
    CHECK(message_of(ExitCode::kBadData, [&] {
            inspect({file, "--model", "ssd128-resnet18-half"});
          }) == expected);
  }
}

TEST_CASE("inspect-weights says how a torchvision ResNet fits a detector") {
  const TestFolder folder;
  nn::ResNet resnet(std::array<int, 4>{2, 2, 2, 2}, 64);
  weights::TensorMap tensors = weights::state_dict(*resnet);
  tensors["fc.weight"] = torch::zeros({1000, 512});
  tensors["fc.bias"] = torch::zeros({1000});
  tensors.erase("bn1.weight");
  tensors["conv1.weight"] = torch::zeros({64, 3, 3, 3});
  const std::string file = (folder.path() / "resnet18.safetensors").string();
  weights::write_safetensors(file, tensors);

  const Json model = inspect_json({file, "--model", "ssd224-resnet18"})["model"];
  CHECK(model["name"] == "ssd224-resnet18");
  CHECK(model["unexpected"] == Json{"fc.bias", "fc.weight"});
  REQUIRE(model["mismatched"].size() == 1);
  CHECK(model["mismatched"][0] ==
        Json{{"name", "backbone.conv1.weight"}, {"in_file", {64, 3, 3, 3}}, {"in_model", {64, 3, 7, 7}}});
  CHECK(model["loaded"].size() == tensors.size() - 3);
  const auto missing = model["missing"].get<std::vector<std::string>>();
  CHECK(std::find(missing.begin(), missing.end(), "backbone.bn1.weight") != missing.end());
  CHECK(std::none_of(missing.begin(), missing.end(),
                     [](const std::string& name) { return name.ends_with("num_batches_tracked"); }));

  const std::string text = inspect({file, "--model", "ssd224-resnet18"});
  CHECK(contains(text, "2 unexpected, 1 of another shape"));
  CHECK(contains(text, "backbone.conv1.weight: [64, 3, 3, 3] in the file, [64, 3, 7, 7] in the model"));
}

TEST_CASE("inspect-weights finds nothing missing in a model's own folder") {
  const TestFolder folder;
  const detection::DetectorModel& kind = detection::detector_model("ssd128-resnet18-half");
  detection::SsdModel model(kind, 3);
  detection::write_model_files(folder.path(), weights::state_dict(*model), kind, {"a", "b", "c"});
  const Json report = inspect_json({folder.path().string(), "--model", "ssd128-resnet18-half"})["model"];
  CHECK(report["missing"].empty());
  CHECK(report["unexpected"].empty());
  CHECK(report["mismatched"].empty());
}

TEST_CASE("Weights that were converted for another normalisation are refused, and what each takes is told") {
  const TestFolder folder;
  const std::string file = (folder.path() / "converted.safetensors").string();
  const auto write = [&](const std::string& normalisation) {
    weights::write_safetensors(file, {{"conv1.weight", torch::zeros({64, 3, 7, 7})}},
                               {{"normalisation", normalisation}});
  };
  write(R"({"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]})");
  CHECK(inspect_json({file, "--model", "ssd224-resnet18"})["model"]["loaded"] ==
        Json{"backbone.conv1.weight"});
  write(R"({"mean": [0, 0, 0], "std": [1, 1, 1]})");
  const std::string refusal = message_of(ExitCode::kBadData, [&] {
    inspect({file, "--model", "ssd224-resnet18"});
  });
  CHECK(contains(refusal, R"(takes images normalised by {"mean":[0,0,0],"std":[1,1,1]})"));
  CHECK(contains(refusal, "the model ssd224-resnet18 says"));
  CHECK(inspect_json({file})["metadata"].contains("normalisation"));
}

TEST_CASE("inspect-weights says when nothing of a file fits") {
  const Json model = inspect_json({kGolden + "state_dict.pth", "--model", "ssd128-resnet18-half"})["model"];
  CHECK(model["loaded"].empty());
  CHECK(model["unexpected"].size() == 9);
}

TEST_CASE("inspect-weights says where the tensors lay, what was taken off their names, and a refusal") {
  CHECK(contains(inspect({kGolden + "wrapped2.pth"}), "under \"state_dict\", 3 tensors"));
  CHECK(contains(inspect({kGolden + "wrapped2.pth"}), "not taken: the tensors at the top of the file\n"));
  CHECK(inspect_json({kGolden + "averaged.pth"})["other_sections"] == Json{"ema.module"});

  const TestFolder folder;
  const std::string file = (folder.path() / "wrapped.safetensors").string();
  weights::TensorMap wrapped;
  for (const auto& [name, tensor] : weights::state_dict(*nn::ResNet(std::array<int, 4>{2, 2, 2, 2}, 64)))
    wrapped["module." + name] = tensor;
  weights::write_safetensors(file, wrapped);
  const Json model = inspect_json({file, "--model", "ssd224-resnet18"})["model"];
  CHECK(model["prefix"] == "module.");
  CHECK(model["backbone_share"] == 1.0);
  CHECK(model["refused"].is_null());
  CHECK(model["loaded"].size() == 120);
  CHECK(contains(inspect({file, "--model", "ssd224-resnet18"}), "names are read without \"module.\"\n"));

  const Json other = inspect_json({file, "--model", "ssd128-resnet18-half"})["model"];
  CHECK(other["backbone_share"] == 0.0);
  CHECK(contains(other["refused"], "no weight fits the model ssd128-resnet18-half"));
  CHECK(contains(inspect({file, "--model", "ssd128-resnet18-half"}),
                 "a training would refuse the file: no weight fits"));
}

TEST_CASE("inspect-weights refuses what it does not understand") {
  CHECK(contains(message_of(ExitCode::kUsage, [] { inspect({"--json"}); }), "FILE is missing"));
  CHECK(contains(message_of(ExitCode::kBadSpec,
                            [] {
                              inspect({kGolden + "one.pth", "--model", "resnet"});
                            }),
                 "no task has a model \"resnet\""));
  CHECK(contains(message_of(ExitCode::kBadData, [] { inspect({kGolden + "whole_model.pth"}); }),
                 "Python object"));
}
