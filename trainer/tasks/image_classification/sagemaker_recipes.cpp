#include "trainer/tasks/image_classification/sagemaker_recipes.h"

#include <charconv>

#include "tuner/core/error.h"

namespace tune::trainer::image_classification {
namespace {

using loop::choice, loop::flag, loop::real, loop::text, loop::whole;
using loop::Hyperparameter, loop::Hyperparameters;

constexpr double kMostImages = 1e9;

std::vector<Hyperparameter> with(std::vector<Hyperparameter> rows,
                                 const std::vector<Hyperparameter>& shared) {
  rows.insert(rows.end(), shared.begin(), shared.end());
  return rows;
}

// Notes of what a person gave that changes nothing here.
void note_unused(const Hyperparameters& values,
                 const std::vector<std::pair<const char*, const char*>>& unused, Asked& asked) {
  for (const auto& [name, why] : unused)
    if (values.given(name))
      asked.notes.push_back(std::string("hyperparameter ") + name + " is taken, but changes nothing: " + why);
}

// "3,224,224": channels, height and width.
std::int64_t size_of_shape(const std::string& shape) {
  std::int64_t channels = 0, height = 0, width = 0;
  const char *at = shape.data(), *end = shape.data() + shape.size();
  bool fits = true;
  for (std::int64_t* number : {&channels, &height, &width}) {
    const auto [rest, error] = std::from_chars(at, end, *number);
    fits = fits && error == std::errc() && (number == &width ? rest == end : rest != end && *rest == ',');
    if (!fits) break;
    at = rest + 1;
  }
  if (!fits || channels != 3 || height != width || height < 1)
    throw Error(ExitCode::kBadSpec, "hyperparameter \"image_shape\" is \"" + shape + "\"",
                "channels, height and width of a square colour image, as in \"3,224,224\"");
  return height;
}

void ask_optimizer_of_mxnet(const Hyperparameters& values, Json& ours) {
  const std::string& optimizer = values.text("optimizer");
  const bool is_sgd = optimizer == "sgd" || optimizer == "nag";
  ours["optimizer"] = is_sgd ? "sgd" : optimizer;
  ours["nesterov"] = optimizer == "nag";
  ours["momentum"] = is_sgd ? values.number("momentum") : 0;
  ours["weight_decay"] = is_sgd ? values.number("weight_decay") : 0;
  ours["beta1"] = values.number("beta_1");
  ours["beta2"] = values.number("beta_2");
  ours["epsilon"] = values.number("eps");
  ours["alpha"] = values.number("gamma");
}

void ask_augmentation_of_mxnet(const std::string& type, Json& ours) {
  const bool crops = type != "none", colours = type == "crop_color" || type == "crop_color_transform";
  ours["random_crop"] = crops;
  ours["horizontal_flip"] = crops;
  // It shifts hue by up to 36 of 360 degrees, saturation and lightness by up to 50 of 255, and turns by up to
  // 10 degrees.
  ours["color_jitter"] = colours ? 0.2 : 0;
  ours["hue_jitter"] = colours ? 0.1 : 0;
  ours["rotation"] = type == "crop_color_transform" ? 10 : 0;
}

}  // namespace

std::vector<Hyperparameter> mxnet_hyperparameters(const std::vector<Hyperparameter>& shared) {
  return with(
      {weighty(whole("epochs", 30, 0, 10000, "log",
                     "passes over the training images; 0 exports the untrained model")),
       parted(weighty(whole("mini_batch_size", 32, 2, 512, "log", "images in a batch")),
              loop::kNormalisedPart),
       real("learning_rate", 0.1, 1e-6, 0.5, "log", "of the optimizer"),
       weighty(choice("optimizer", {"sgd", "adam", "rmsprop", "nag"}, "nag is SGD with Nesterov's momentum")),
       real("momentum", 0.9, 0, 0.999, "reverse_log", "of sgd and nag"),
       real("weight_decay", 1e-4, 0, 0.999, "log", "of sgd and nag; biases and normalisation have none"),
       real("beta_1", 0.9, 1e-6, 0.999, "reverse_log", "decay of Adam's mean of gradients"),
       real("beta_2", 0.999, 1e-6, 0.999, "reverse_log", "decay of Adam's mean of squared gradients"),
       real("eps", 1e-8, 1e-8, 1, "log", "added to the divisor of adam and rmsprop"),
       real("gamma", 0.9, 1e-8, 0.999, "reverse_log", "decay of RMSprop's mean of squared gradients"),
       text("lr_scheduler_step", "",
            "epochs, as in \"10,20\", after which the rate is multiplied by lr_scheduler_factor"),
       real("lr_scheduler_factor", 0.1, 1e-3, 1, "log", "factor of lr_scheduler_step"),
       whole("num_layers", 0, 0, 200, "linear",
             "of a ResNet: has to be that of trainer.model; 0: whatever that has"),
       whole("use_pretrained_model", 0, 0, 1, "linear",
             "1: from trainer.weights, with a new head; where it is not given, trainer.weights decides"),
       whole("num_classes", 0, 0, 1e6, "linear", "has to be the data's; 0: whatever that has"),
       whole("num_training_samples", 0, 0, kMostImages, "linear",
             "has to be the data's; 0: whatever that has"),
       text("image_shape", "", "as \"3,224,224\": the size that images are resized to"),
       whole("resize", 0, 0, 10000, "linear", "not used: the model says what images are resized to"),
       choice("augmentation_type", {"none", "crop", "crop_color", "crop_color_transform"},
              "crops and flips; with colours; with rotations too"),
       flag("early_stopping", false, "ends a training that no longer improves"),
       whole("early_stopping_min_epochs", 10, 0, 10000, "linear", "none stops before so many epochs"),
       whole("early_stopping_patience", 5, 1, 10000, "linear", "epochs in a row without an improvement"),
       real("early_stopping_tolerance", 0, 0, 1, "linear",
            "the least improvement, as a part of the best value"),
       whole("multi_label", 0, 0, 1, "linear",
             "has to be the data's: whether an image may show several classes"),
       flag("use_weighted_loss", false, "examples of rare classes count for more in the loss"),
       whole("top_k", 5, 2, 1000, "linear", "not used: the best five answers are reported"),
       whole("checkpoint_frequency", 1, 1, 10000, "linear",
             "not used: a checkpoint is kept after each epoch"),
       choice("precision_dtype", {"float32", "float16"}, "not used: the trial's precision decides"),
       choice("kv_store", {"dist_sync", "dist_async"}, "not used: a trial trains on one device")},
      shared);
}

Asked asked_of_mxnet(const Hyperparameters& values) {
  Asked asked;
  Json& ours = asked.parameters = {{"epochs", values.integer("epochs")},
                                   {"batch_size", values.integer("mini_batch_size")},
                                   {"learning_rate", values.number("learning_rate")},
                                   {"class_weights", values.flag("use_weighted_loss") ? "balanced" : "none"}};
  ask_optimizer_of_mxnet(values, ours);
  ask_augmentation_of_mxnet(values.text("augmentation_type"), ours);
  const std::string& steps = values.text("lr_scheduler_step");
  ours["lr_scheduler"] = steps.empty() ? "constant" : "step";
  if (!steps.empty()) {
    ours["lr_scheduler_step"] = steps;
    ours["lr_scheduler_factor"] = values.number("lr_scheduler_factor");
  }
  if (values.flag("early_stopping"))
    for (const char* name :
         {"early_stopping_patience", "early_stopping_tolerance", "early_stopping_min_epochs"})
      ours[name] = values.values().at(name);
  const auto stated = [&](const char* name) {
    const std::int64_t value = values.integer(name);
    return value > 0 ? std::optional(value) : std::nullopt;
  };
  asked.layers = stated("num_layers");
  asked.classes = stated("num_classes");
  asked.images = stated("num_training_samples");
  if (const std::string& shape = values.text("image_shape"); !shape.empty())
    ours["image_size"] = size_of_shape(shape);
  if (values.given("multi_label")) asked.multi_label = values.integer("multi_label") == 1;
  if (values.given("use_pretrained_model")) asked.pretrained = values.integer("use_pretrained_model") == 1;
  if (asked.pretrained == true) asked.head = "new";
  note_unused(values,
              {{"resize", "the model says what images are resized to"},
               {"top_k", "validation:top5 is reported with more than five classes"},
               {"checkpoint_frequency", "a checkpoint is kept after each epoch"},
               {"precision_dtype", "the trial's `precision` decides"},
               {"kv_store", "a trial trains on one device"}},
              asked);
  return asked;
}

std::vector<Hyperparameter> tensorflow_hyperparameters(const std::vector<Hyperparameter>& shared) {
  return with(
      {weighty(whole("epochs", 3, 0, 10000, "log",
                     "passes over the training images; 0 exports the untrained model")),
       parted(weighty(whole("batch_size", 32, 2, 1024, "log", "images in a batch")), loop::kNormalisedPart),
       real("learning_rate", 1e-3, 1e-6, 0.5, "log", "of the optimizer"),
       weighty(choice("optimizer", {"adam", "sgd", "nesterov", "rmsprop", "adagrad", "adadelta"},
                      "nesterov is SGD with Nesterov's momentum")),
       real("beta_1", 0.9, 0, 0.999, "reverse_log", "decay of Adam's mean of gradients"),
       real("beta_2", 0.999, 0, 0.99999, "reverse_log", "decay of Adam's mean of squared gradients"),
       real("momentum", 0.9, 0, 0.999, "reverse_log", "of sgd, nesterov and rmsprop"),
       real("epsilon", 1e-7, 1e-12, 1, "log", "added to the divisor of adam, rmsprop, adagrad and adadelta"),
       real("rho", 0.95, 0, 0.99999, "reverse_log",
            "decay of the mean of squared gradients in adadelta and rmsprop"),
       real("initial_accumulator_value", 1e-4, 0, 1, "linear",
            "what Adagrad's sum of squared gradients begins at"),
       weighty(flag("train_only_top_layer", false, "the head alone is trained")),
       weighty(flag("train_only_on_top_layer", false, "another name of train_only_top_layer")),
       choice("reinitialize_top_layer", {"Auto", "True", "False"},
              "Auto keeps the head of weights that were trained on the same classes"),
       real("dropout_rate", 0.2, 0, 0.95, "linear", "of the head's input"),
       real("regularizers_l2", 1e-4, 0, 0.49, "log", "L2 penalty on the head's weights"),
       real("label_smoothing", 0.1, 0, 0.9, "linear", "the part of the probability that all classes share"),
       flag("augmentation", false, "varies the images, as the following say"),
       choice("augmentation_random_flip", {"horizontal_and_vertical", "horizontal", "vertical", "none"},
              "which way images are mirrored"),
       real("augmentation_random_rotation", 0.2, 0, 0.5, "linear",
            "at most so many whole turns, to either side"),
       real("augmentation_random_zoom", 0.1, 0, 0.75, "linear", "at most so much larger"),
       choice("image_resize_interpolation",
              {"bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic"},
              "not used: the model says how images are resized"),
       choice("binary_mode", {"False", "True"}, "not used: two classes are two answers"),
       choice("eval_metric", {"accuracy", "auc", "precision", "recall"},
              "not used: the spec's objective decides"),
       flag("early_stopping", false, "ends a training that no longer improves"),
       whole("early_stopping_patience", 5, 1, 10000, "linear", "epochs in a row without an improvement"),
       real("early_stopping_min_delta", 0, 0, 1e6, "linear", "the least improvement")},
      shared);
}

Asked asked_of_tensorflow(const Hyperparameters& values) {
  Asked asked;
  const std::string &optimizer = values.text("optimizer"), &head = values.text("reinitialize_top_layer"),
                    &flip = values.text("augmentation_random_flip");
  const bool varies = values.flag("augmentation"), both = flip == "horizontal_and_vertical";
  const double zoom = 1 / (1 + values.number("augmentation_random_zoom"));
  Json& ours = asked.parameters = {
      {"epochs", values.integer("epochs")},
      {"batch_size", values.integer("batch_size")},
      {"learning_rate", values.number("learning_rate")},
      {"lr_scheduler", "constant"},
      {"optimizer", optimizer == "nesterov" ? "sgd" : optimizer},
      {"nesterov", optimizer == "nesterov"},
      {"momentum", values.number("momentum")},
      {"beta1", values.number("beta_1")},
      {"beta2", values.number("beta_2")},
      {"epsilon", values.number("epsilon")},
      {"alpha", values.number("rho")},
      {"initial_accumulator", values.number("initial_accumulator_value")},
      // The penalty's gradient is twice its factor times the weight.
      {"weight_decay", 0},
      {"head_weight_decay", 2 * values.number("regularizers_l2")},
      {"dropout", values.number("dropout_rate")},
      {"label_smoothing", values.number("label_smoothing")},
      {"random_crop", varies && zoom < 1},
      {"min_crop_area", zoom * zoom},
      {"horizontal_flip", varies && (both || flip == "horizontal")},
      {"vertical_flip", varies && (both || flip == "vertical")},
      {"rotation", varies ? 360 * values.number("augmentation_random_rotation") : 0},
  };
  asked.head = head == "Auto" ? "auto" : head == "True" ? "new" : "keep";
  if (values.flag("train_only_top_layer") || values.flag("train_only_on_top_layer")) {
    if (values.given("freeze") && values.text("freeze") != "features")
      throw Error(ExitCode::kBadSpec,
                  "train_only_top_layer is true, yet freeze is \"" + values.text("freeze") + "\"",
                  "leave one of them out");
    ours["freeze"] = "features";
  }
  if (values.flag("early_stopping")) {
    ours["early_stopping_patience"] = values.integer("early_stopping_patience");
    ours["early_stopping_threshold"] = values.number("early_stopping_min_delta");
  }
  note_unused(values,
              {{"image_resize_interpolation", "the model says how images are resized"},
               {"binary_mode", "two classes are two answers"},
               {"eval_metric", "the spec's objective decides"}},
              asked);
  return asked;
}

}  // namespace tune::trainer::image_classification
