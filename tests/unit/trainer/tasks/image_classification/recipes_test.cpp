// Recipes of classifiers: what other products' names stand for, and the lines that each prints.
#include "trainer/tasks/image_classification/recipes.h"

#include <re2/re2.h>

#include "torch_catch.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using tune::ExitCode;
using tune::Json;
using tune::trainer::tests::contains;
using tune::trainer::tests::message_of;

namespace {

Asked asked(const std::string& recipe, const Json& given) {
  return asked_of(classification_recipe(recipe), given);
}

loop::Plan plan_of(const std::string& recipe, const Json& given) {
  return fine_tuning_plan(fine_tuning_values(asked(recipe, given).parameters));
}

loop::Report report() {
  return {12,
          {0.5},
          {{"validation:accuracy", 0.81},
           {"validation:macro_f1", 0.7},
           {"validation:cross_entropy", 0.61},
           {"validation:top5", 0.99},
           {"validation:mAP", 0.33},
           {"train:cross_entropy", 0.5}},
          340};
}

}  // namespace

TEST_CASE("The defaults of mxnet are those of SageMaker's Image Classification") {
  const loop::Plan plan = plan_of("mxnet", Json::object());
  CHECK(plan.epochs == 30);
  CHECK(plan.batch_size == 32);
  CHECK(plan.schedule.base == 0.1);
  CHECK(plan.schedule.kind == loop::ScheduleKind::kConstant);
  CHECK(plan.schedule.warmup_epochs == 0);
  CHECK(plan.optimizer.kind == loop::OptimizerKind::kSgd);
  CHECK(plan.optimizer.momentum == 0.9);
  CHECK(plan.optimizer.weight_decay == 1e-4);
  CHECK(plan.optimizer.gradient_clip == 0);
  CHECK(plan.early_stopping.patience == 0);
  const Asked plain = asked("mxnet", Json::object());
  CHECK(plain.parameters["random_crop"] == false);
  CHECK(plain.parameters["horizontal_flip"] == false);
  CHECK(plain.notes.empty());
  CHECK_FALSE(plain.classes);
  CHECK_FALSE(plain.pretrained);
}

TEST_CASE("What mxnet's hyperparameters ask for is what is trained") {
  const Json given{{"optimizer", "nag"},
                   {"lr_scheduler_step", "10,20"},
                   {"lr_scheduler_factor", 0.5},
                   {"early_stopping", true},
                   {"early_stopping_tolerance", 0.01},
                   {"augmentation_type", "crop_color_transform"},
                   {"num_classes", 6},
                   {"num_training_samples", 1440},
                   {"num_layers", 18},
                   {"image_shape", "3,224,224"},
                   {"use_pretrained_model", 1},
                   {"multi_label", 0},
                   {"use_weighted_loss", true},
                   {"eval_steps", 50}};
  const loop::Plan plan = plan_of("mxnet", given);
  CHECK(plan.optimizer.nesterov);
  CHECK(plan.schedule.step_epochs == std::vector<double>{10, 20});
  CHECK(plan.schedule.factor == 0.5);
  CHECK(plan.early_stopping.patience == 5);
  CHECK(plan.early_stopping.relative == 0.01);
  CHECK(plan.early_stopping.first_epoch == 10);
  CHECK(plan.evaluation_steps == 50);
  const Asked found = asked("mxnet", given);
  CHECK(found.classes == 6);
  CHECK(found.images == 1440);
  CHECK(found.layers == 18);
  CHECK(found.parameters["image_size"] == 224);
  CHECK(found.pretrained == true);
  CHECK(found.head == "new");
  CHECK(found.multi_label == false);
  CHECK(found.parameters["class_weights"] == "balanced");
  CHECK(found.parameters["rotation"] == 10);
  const loop::Plan rms = plan_of("mxnet", {{"optimizer", "rmsprop"}, {"gamma", 0.8}, {"eps", 1e-6}});
  CHECK(rms.optimizer.kind == loop::OptimizerKind::kRmsprop);
  CHECK(rms.optimizer.alpha == 0.8);
  CHECK(rms.optimizer.epsilon == 1e-6);
  CHECK(rms.optimizer.momentum == 0);
  CHECK(rms.optimizer.weight_decay == 0);  // SageMaker's is of sgd and nag alone
  for (const char* shape : {"224", "3,224", "3,224,200", "1,28,28", "3,224,224,", "a,b,c"})
    CHECK(contains(message_of(ExitCode::kBadSpec, [&] { asked("mxnet", {{"image_shape", shape}}); }), shape));
}

TEST_CASE("What has no meaning here is named, not dropped") {
  const auto notes = [](const std::string& recipe, const Json& given) {
    std::string all;
    for (const std::string& note : asked(recipe, given).notes) all += note + "\n";
    return all;
  };
  for (const Json& given :
       {Json{{"top_k", 3}}, Json{{"checkpoint_frequency", 2}}, Json{{"precision_dtype", "float16"}},
        Json{{"kv_store", "dist_sync"}}, Json{{"resize", 256}}})
    CHECK(contains(notes("mxnet", given),
                   "hyperparameter " + given.begin().key() + " is taken, but changes nothing"));
  for (const Json& given : {Json{{"binary_mode", "True"}}, Json{{"eval_metric", "auc"}},
                            Json{{"image_resize_interpolation", "area"}}})
    CHECK(contains(notes("tensorflow", given), "hyperparameter " + given.begin().key()));
}

TEST_CASE("What would vary images is named where cached features are of images as they are") {
  const auto note = [](const std::string& recipe, Json given) {
    given["freeze"] = "features";
    const Asked found = asked(recipe, given);
    return found.notes.empty() ? std::string() : found.notes.back();
  };
  CHECK(contains(note("fine-tune", {{"color_jitter", 0.3}}),
                 "hyperparameter color_jitter is taken, but changes nothing: features are cached"));
  CHECK(contains(note("mxnet", {{"augmentation_type", "crop"}}), "hyperparameter augmentation_type"));
  CHECK(contains(note("tensorflow", {{"augmentation", true}}), "hyperparameter augmentation is"));
  CHECK(note("fine-tune", {{"color_jitter", 0.3}, {"feature_views", 4}}).empty());
  CHECK(note("fine-tune", {{"color_jitter", 0.3}, {"cache_features", false}}).empty());
  CHECK(note("fine-tune", {{"color_jitter", 0}}).empty());  // the default
  CHECK(note("fine-tune", {{"random_crop", false}, {"horizontal_flip", false}}).empty());
  CHECK(note("tensorflow", Json::object()).empty());
  CHECK(asked("fine-tune", {{"color_jitter", 0.3}}).notes.empty());
}

TEST_CASE("The hyperparameters of tensorflow are those of SageMaker's classifier of that name") {
  const loop::Plan plan = plan_of("tensorflow", Json::object());
  CHECK(plan.epochs == 3);
  CHECK(plan.schedule.base == 0.001);
  CHECK(plan.optimizer.kind == loop::OptimizerKind::kAdam);
  CHECK(plan.optimizer.epsilon == 1e-7);
  CHECK(plan.optimizer.weight_decay == 0);
  const Asked usual = asked("tensorflow", Json::object());
  CHECK(usual.parameters["head_weight_decay"] == 2e-4);  // the gradient of 1e-4 times a square
  CHECK(usual.parameters["dropout"] == 0.2);
  CHECK(usual.parameters["label_smoothing"] == 0.1);
  CHECK(usual.parameters["rotation"] == 0);
  CHECK(usual.head == "auto");
  const Asked varied = asked("tensorflow", {{"augmentation", true},
                                            {"augmentation_random_flip", "vertical"},
                                            {"reinitialize_top_layer", "True"},
                                            {"train_only_top_layer", true},
                                            {"early_stopping", true},
                                            {"early_stopping_min_delta", 0.5}});
  CHECK(varied.parameters["rotation"] == 72);
  CHECK(varied.parameters["vertical_flip"] == true);
  CHECK(varied.parameters["horizontal_flip"] == false);
  CHECK(varied.parameters["min_crop_area"].get<double>() == Approx(1 / 1.21));
  CHECK(varied.parameters["freeze"] == "features");
  CHECK(varied.head == "new");
  CHECK(fine_tuning_plan(fine_tuning_values(varied.parameters)).early_stopping.threshold == 0.5);
  for (const auto& [name, kind] :
       std::map<std::string, loop::OptimizerKind>{{"sgd", loop::OptimizerKind::kSgd},
                                                  {"nesterov", loop::OptimizerKind::kSgd},
                                                  {"rmsprop", loop::OptimizerKind::kRmsprop},
                                                  {"adagrad", loop::OptimizerKind::kAdagrad},
                                                  {"adadelta", loop::OptimizerKind::kAdadelta}}) {
    const loop::Plan made = plan_of("tensorflow", {{"optimizer", name}, {"rho", 0.8}});
    CHECK(made.optimizer.kind == kind);
    CHECK(made.optimizer.nesterov == (name == "nesterov"));
    CHECK(made.optimizer.alpha == 0.8);
  }
  CHECK(contains(message_of(ExitCode::kBadSpec,
                            [] {
                              asked("tensorflow", {{"train_only_top_layer", true}, {"freeze", "partial"}});
                            }),
                 "train_only_top_layer is true"));
}

TEST_CASE("A head on frozen features learns at a higher rate where none is given") {
  CHECK(plan_of("fine-tune", Json::object()).schedule.base == 3e-4);
  CHECK(plan_of("fine-tune", {{"freeze", "features"}}).schedule.base == 0.003);
  CHECK(plan_of("fine-tune", {{"freeze", "features"}, {"learning_rate", 0.1}}).schedule.base == 0.1);
}

TEST_CASE("The recipes print the lines of the products that they are named after") {
  CHECK(metric_lines(classification_recipe("mxnet"), report(), false) ==
        std::vector<std::string>{
            "Epoch[12] Validation-accuracy=0.810000", "Epoch[12] Validation-macro_f1=0.700000",
            "Epoch[12] Validation-cross-entropy=0.610000", "Epoch[12] Validation-top_k_accuracy_5=0.990000",
            "Epoch[12] Validation-mAP=0.330000", "Epoch[12] Train-cross-entropy=0.500000"});
  CHECK(metric_lines(classification_recipe("tensorflow"), report(), false) ==
        std::vector<std::string>{
            "[Epoch 12] loss: 0.500000 - val_accuracy: 0.810000 - val_macro_f1: 0.700000 - "
            "val_loss: 0.610000 - val_top_5_accuracy: 0.990000 - val_mAP: 0.330000"});
}

TEST_CASE("Each described regex finds its metric and its step in the lines of a classifier's recipe, once") {
  for (const loop::Recipe& recipe : classification_recipes()) {
    if (recipe.name == "fine-tune") continue;  // any training's lines, which the conformance suite reads
    for (const bool by_steps : {false, true})
      for (const loop::MetricDefinition& metric : recipe.metrics) {
        INFO(recipe.name << ' ' << metric.name << ' ' << by_steps);
        int found = 0;
        for (const std::string& line : metric_lines(recipe, report(), by_steps)) {
          std::string value, step;
          if (!RE2::PartialMatch(line, metric.regex, &value)) continue;
          ++found;
          CHECK(std::stod(value) == Approx(report().metrics.at(metric.name)));
          REQUIRE(RE2::PartialMatch(line, metric.step, &step));
          CHECK(step == (by_steps ? "340" : "12"));
        }
        CHECK(found == 1);
      }
    // What users paste.
    const std::string lines = metric_lines(recipe, report(), false).front();
    std::string value;
    CHECK(RE2::PartialMatch(
        lines, recipe.name == "mxnet" ? "Validation-accuracy=([0-9\\.]+)" : "val_accuracy: ([0-9\\.]+)",
        &value));
    CHECK(value == "0.810000");
  }
}
