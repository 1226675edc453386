#include <fstream>
#include <sstream>

#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/detection/ssd_model.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;
using tune::tests::TemporaryFolder;

namespace {

const DetectorModel& kind() { return detector_model("ssd128-resnet18-half"); }

void write_folder(const std::filesystem::path& folder, const SsdModel& model,
                  const std::vector<std::string>& classes) {
  write_model_files(folder, weights::state_dict(*model), kind(), classes);
  std::ofstream(folder / "model.json") << R"({"schema":1,"task":"detection","model":"ssd128-resnet18-half"})";
}

template <typename Function>
tune::ExitCode code_of(Function function) {
  try {
    function();
  } catch (const tune::Error& error) {
    return error.code();
  }
  return tune::ExitCode::kOk;
}

}  // namespace

TEST_CASE("A detector that was written and read answers the same") {
  const torch::NoGradGuard no_grad;
  const TemporaryFolder folder;
  torch::manual_seed(2);
  SsdModel model(kind(), 2);
  model->eval();
  write_folder(folder.path(), model, {"a", "b"});
  LoadedDetector loaded = load_detector(folder.path());
  CHECK(loaded.classes == std::vector<std::string>{"a", "b"});
  const weights::TensorMap read = weights::state_dict(loaded.model->network());
  for (const auto& [name, tensor] : weights::state_dict(*model)) CHECK(read.at(name).equal(tensor));
  const torch::Tensor image = torch::randn({1, 3, 128, 128});
  const auto found = loaded.model->answer({image, {}}, kind().limits, {}, nullptr, {}).found;
  REQUIRE(found.size() == 1);
  const SsdOutput output = model(image);
  const torch::Tensor scores = torch::softmax(output.logits, -1);
  const auto expected = detect(scores.data_ptr<float>(), output.offsets.contiguous().data_ptr<float>(),
                               default_boxes(kind().maps), 2, kind().limits);
  REQUIRE(found[0].size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(found[0][i].score == expected[i].score);
}

TEST_CASE("Files of a model folder that contradict each other are refused") {
  const TemporaryFolder folder;
  write_folder(folder.path(), SsdModel(kind(), 2), {"a", "b"});
  const auto with = [&](const char* file, const std::string& content) {
    const std::string before = tune::read_file(folder.path() / file);
    std::ofstream(folder.path() / file) << content;
    const tune::ExitCode code = code_of([&] { load_detector(folder.path()); });
    std::ofstream(folder.path() / file) << before;
    return code;
  };
  CHECK(with("labels.json", R"({"classes":["a","b","c"]})") == tune::ExitCode::kBadData);
  CHECK(with("labels.json", "[]") == tune::ExitCode::kBadData);
  CHECK(with("preprocessing.json",
             R"({"size":[224,224],"mean":[0.485,0.456,0.406],"std":[0.229,0.224,0.225]})") ==
        tune::ExitCode::kBadData);
  CHECK(with("preprocessing.json", R"({"size":[128,128],"mean":[0,0,0],"std":[1,1,1]})") ==
        tune::ExitCode::kBadData);
  CHECK(with("model.json", "{") == tune::ExitCode::kBadData);
  CHECK(with("model.json", R"({"task":"text"})") == tune::ExitCode::kBadData);
  CHECK(code_of([&] { load_detector(folder.path()); }) == tune::ExitCode::kOk);
  std::filesystem::remove(folder.path() / "labels.json");
  CHECK(code_of([&] { load_detector(folder.path()); }) == tune::ExitCode::kNotFound);
}

TEST_CASE("The classification head is kept for the same classes and drawn anew for others, by name") {
  const TemporaryFolder folder;
  torch::manual_seed(3);
  write_folder(folder.path(), SsdModel(kind(), 2), {"a", "b"});
  const auto weights_of = [](const torch::nn::Module& model, const char* name) {
    return weights::state_dict(model).at(name).clone();
  };
  const auto start = [&](const std::vector<std::string>& classes, std::string& notes) {
    SsdModel model(kind(), static_cast<int>(classes.size()));
    std::ostringstream stream;
    initialise_from(*model, folder.path(), kind(), classes, stream);
    notes = stream.str();
    return model;
  };
  std::string notes;
  const LoadedDetector loaded = load_detector(folder.path());
  const torch::nn::Module& source = loaded.model->network();
  const SsdModel same = start({"a", "b"}, notes);
  CHECK(weights_of(*same, "head.classification_head.weight")
            .equal(weights_of(source, "head.classification_head.weight")));
  const SsdModel other = start({"x", "y"}, notes);
  CHECK(notes.find("head.classification_head.weight") != std::string::npos);
  CHECK_FALSE(weights_of(*other, "head.classification_head.weight")
                  .equal(weights_of(source, "head.classification_head.weight")));
  CHECK(weights_of(*other, "backbone.conv1.weight").equal(weights_of(source, "backbone.conv1.weight")));
  CHECK(
      weights_of(*other, "head.regression_head.bias").equal(weights_of(source, "head.regression_head.bias")));
  start({"a", "b", "c"}, notes);
}

TEST_CASE("Weights for another size or normalisation, and weights that fit nowhere, are refused") {
  const TemporaryFolder folder;
  std::ostringstream notes;
  const auto path = folder.path() / "w.safetensors";
  SsdModel model(kind(), 2);
  const auto start = [&] { initialise_from(*model, path, kind(), {"a", "b"}, notes); };
  data::Preprocessing other = kind().preprocessing;
  other.mean = {0.5, 0.5, 0.5};
  weights::write_safetensors(path, weights::state_dict(*model), {{"preprocessing", to_json(other).dump()}});
  CHECK(code_of(start) == tune::ExitCode::kBadData);
  weights::write_safetensors(path, {{"unheard.of", torch::ones({2})}});
  CHECK(code_of(start) == tune::ExitCode::kBadData);
  weights::write_safetensors(path,
                             {{"conv1.weight", torch::ones({64, 3, 7, 7})}});  // torchvision's full width
  CHECK(code_of(start) == tune::ExitCode::kBadData);
}
