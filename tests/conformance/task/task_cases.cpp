#include "task_cases.h"

#include "line_task.h"
#include "support/run_shell.h"
#include "torch_catch.h"
#include "trainer/images/encode.h"
#include "trainer/synthetic/steel_data_set.h"
#include "trainer/tasks/detection/task.h"
#include "trainer/tasks/image_classification/task.h"
#include "trainer/tasks/language_model/task.h"
#include "trainer/tasks/pretraining/task.h"
#include "trainer/tasks/text_classification/task.h"
#include "tuner/core/rng.h"
#include "unit/trainer/tasks/language_model/tiny_language_model.h"
#include "unit/trainer/tasks/text_classification/tiny_encoder.h"

namespace tune::tests {
namespace {

using namespace tune::trainer;
namespace fs = std::filesystem;

void draw_line(const fs::path& file) {
  std::string rows;
  Rng rng(1, 1);
  for (int i = 0; i < 11; ++i) {
    const double x = rng.normal();
    rows += shortest(x) + "," + shortest(2 * x - 0.5) + "\n";
  }
  write_file_atomically(file, rows);
}

void draw_steel(const fs::path& folder) {
  synthetic::write_steel_data_set(folder, 10, 64, 5, [](int) {});
}

// A folder for each of two classes, of which one is bright and the other dark.
void draw_classes(const fs::path& folder) {
  for (const int brightness : {60, 180}) {
    const fs::path of_class = folder / (brightness > 100 ? "bright" : "dark");
    fs::create_directories(of_class);
    for (int i = 0; i < 8; ++i) {
      Rng rng(static_cast<std::uint64_t>(brightness), static_cast<std::uint64_t>(i));
      images::Image image{40, 32, 3, {}};
      for (int value = 0; value < 40 * 32 * 3; ++value)
        image.pixels.push_back(static_cast<std::uint8_t>(brightness + static_cast<int>(rng.below(40))));
      images::write_png(of_class / (std::to_string(i) + ".png"), image);
    }
  }
}

// An encoder to start from, for as long as the tests run. It drops nothing out, which each process of several
// would draw for itself; the head in front of it does.
const fs::path& tiny_encoder() {
  static const TemporaryFolder folder;
  static const bool written = [] {
    write_tiny_encoder(folder.path());
    Json config = Json::parse(read_file(folder.path() / "config.json"));
    config["hidden_dropout_prob"] = config["attention_probs_dropout_prob"] = 0.0;
    config["classifier_dropout"] = 0.1;
    write_file_atomically(folder.path() / "config.json", config.dump());
    return true;
  }();
  TUNE_CHECK(written);
  return folder.path();
}

void draw_texts(const fs::path& file) { write_file_atomically(file, tiny_texts(20)); }

}  // namespace

const std::vector<TaskCase>& task_cases() {
  static const std::vector<TaskCase> all{
      {"line",
       &line_task(),
       draw_line,
       Json::object(),
       {{"epochs", 4},
        {"batch_size", 4},
        {"accumulate", 2},
        {"lr_scheduler", "constant"},
        {"warmup_epochs", 0}},
       4,
       {"validation:rmse", false},
       "rmse"},
      {"detection",
       &detection::detection_task(),
       draw_steel,
       {{"model", "ssd128-resnet18-half"}, {"split", {{"fractions", {0.8, 0.2}}}}},
       {{"epochs", 2}, {"batch_size", 2}, {"accumulate", 2}, {"learning_rate", 0.02}},
       2,
       {"validation:mAP", true},
       ""},
      {"image_classification",
       &image_classification::image_classification_task(),
       draw_classes,
       {{"model", "mobilenet_v3_small"}, {"split", {{"fractions", {0.75, 0.25}}}}},
       {{"epochs", 3}, {"batch_size", 2}, {"accumulate", 2}, {"learning_rate", 0.001}, {"warmup_epochs", 0}},
       3,
       {"validation:accuracy", true},
       ""},
      {"language_model",
       &language_model::language_model_task(),
       [](const fs::path& data) {
         write_tiny_language_model(data.parent_path() / "base");
         write_sums(data, 15);
       },
       {{"weights", "base"}, {"split", {{"fractions", {0.8, 0.2}}}}},
       {{"epochs", 3},
        {"batch_size", 2},
        {"accumulate", 2},
        {"learning_rate", 0.02},
        {"lora_config", {{"r", 2}, {"dropout", 0.1}}}},
       3,
       {"validation:loss", false},
       ""},
      {"pretraining",
       &pretraining::pretraining_task(),
       nullptr,
       {{"model", "ssd128-resnet18-half"}},
       {{"epochs", 2}, {"classes", 3}, {"size", 32}, {"images", 24}, {"batch_size", 4}},
       2,
       {"validation:cross_entropy", false},
       ""},
      {"text_classification",
       &text_classification::text_classification_task(),
       draw_texts,
       {{"weights", tiny_encoder().string()}, {"split", {{"fractions", {0.75, 0.25}}}}},
       {{"epochs", 3}, {"batch_size", 2}, {"accumulate", 2}, {"learning_rate", 0.003}, {"warmup_epochs", 0}},
       3,
       {"validation:accuracy", true},
       ""},
  };
  return all;
}

}  // namespace tune::tests
