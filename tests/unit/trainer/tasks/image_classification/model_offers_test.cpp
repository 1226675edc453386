// `evaluate` and `predict` with a model of random weights, as a training would have left it.
#include <sstream>

#include "trainer/nn/normaliser.h"
#include "trainer/tasks/image_classification/data/image_batches.h"
#include "trainer/tasks/image_classification/data/image_items.h"
#include "trainer/tasks/image_classification/model_folder.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/tasks/image_classification/offers.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/json.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::OrderedJson;

namespace {

using Values = std::map<std::string, std::vector<std::string>>;

constexpr const char* kModel = "squeezenet1_1";
const std::vector<std::string> kClasses{"cat", "dog", "owl"};

// A folder with a model and labelled images.
class Folder {
 public:
  explicit Folder(bool multi_label = false) {
    torch::manual_seed(7);
    form_.size = 64;
    form_.resize = 72;
    const auto network = classifier_model(kModel).make(static_cast<std::int64_t>(kClasses.size()), 0.0);
    std::filesystem::create_directories(path("model"));
    write_model_files(path("model"), weights::state_dict(*network), kModel, form_, kClasses, multi_label);
    folder_.write("model/model.json",
                  OrderedJson{{"schema", 1}, {"task", "image_classification"}, {"model", kModel}}.dump());
    int width = 80;
    for (const char* name : {"cat/a.png", "cat/b.png", "dog/c.png", "owl/d.png", "owl/e.png"})
      folder_.write_image(std::string("data/") + name, width += 9, 90);
  }
  std::string path(const std::string& name) const {
    const auto path = folder_.path() / name;
    std::filesystem::create_directories(path.parent_path());
    return path.string();
  }
  // By hand: [images, classes].
  torch::Tensor logits() const {
    const LoadedClassifier loaded = load_classifier(path("model"));
    std::vector<std::filesystem::path> files;
    for (const char* name : {"cat/a.png", "cat/b.png", "dog/c.png", "owl/d.png", "owl/e.png"})
      files.push_back(path(std::string("data/") + name));
    const ImageBatches images(files, form_, std::nullopt, 0, 1);
    const std::vector<std::int64_t> all{0, 1, 2, 3, 4};
    std::vector<std::uint8_t> bytes = images.pixels(all, 0);
    const nn::Normaliser normalise(form_.mean, form_.std, torch::kCPU);
    const torch::NoGradGuard no_grad;
    return loaded.network->forward(normalise(torch::from_blob(bytes.data(), {5, 64, 64, 3}, torch::kByte)));
  }

 private:
  TestFolder folder_;
  data::Preprocessing form_;
};

OrderedJson answer(const loop::Offer& offer, const Values& values) {
  std::ostringstream notes;
  const loop::Request request{values, true, notes};
  return offer.answer(request).json;
}

}  // namespace

TEST_CASE("predict writes the probabilities of the network's own answers, and what it took") {
  for (const bool multi_label : {false, true}) {
    const Folder folder(multi_label);
    const std::string output = folder.path("said.json");
    const OrderedJson json =
        answer(predict_offer(),
               {{"model", {folder.path("model")}}, {"data", {folder.path("data")}}, {"output", {output}}});
    CHECK(json.at("images") == 5);
    CHECK(json.at("parameters") > 100'000);
    CHECK(json.at("multiply_adds") > 1'000'000);
    CHECK(json.at("latency_ms") > 0);
    const classification::Predictions said =
        classification::read_predictions(output, image_items(), multi_label);
    CHECK(said.classes == kClasses);
    CHECK(said.names.front() == "cat/a.png");
    const torch::Tensor logits = folder.logits();
    const torch::Tensor wanted = multi_label ? logits.sigmoid() : logits.softmax(1);
    for (std::int64_t image = 0; image < 5; ++image)
      for (std::int64_t c = 0; c < 3; ++c)
        CHECK(said.probabilities[static_cast<std::size_t>(3 * image + c)] ==
              Approx(wanted[image][c].item<double>()).margin(1e-5));
  }
}

TEST_CASE("evaluate gives the numbers that score gives of what predict has written") {
  const Folder folder;
  const std::string output = folder.path("said.json"), model = folder.path("model"),
                    data = folder.path("data");
  answer(predict_offer(), {{"model", {model}}, {"data", {data}}, {"output", {output}}});
  OrderedJson scored = answer(score_offer(), {{"ground-truth", {data}}, {"predictions", {output}}}),
              evaluated = answer(evaluate_offer(), {{"model", {model}}, {"data", {data}}});
  CHECK(evaluated.at("images_per_second") > 0);
  CHECK(evaluated.at("images") == 5);
  for (const char* key : {"accuracy", "macro_f1", "matthews", "classes", "confusion"})
    CHECK(evaluated.at(key) == scored.at(key));
  CHECK(evaluated.at("log_loss").get<double>() == Approx(scored.at("log_loss").get<double>()));
}

TEST_CASE("images of a class that the model does not know are refused by its name") {
  const Folder folder;
  std::filesystem::rename(folder.path("data/owl"), folder.path("data/emu"));
  const std::string message = message_of(ExitCode::kBadData, [&] {
    answer(evaluate_offer(), {{"model", {folder.path("model")}}, {"data", {folder.path("data")}}});
  });
  CHECK(tests::contains(message, "emu"));
}
