#include "tuner/import/detection_import.h"

#include <algorithm>
#include <array>

namespace tune::amt {
namespace {

// A number where the text is one, else the text.
OrderedJson number_or_text(const std::string& text) {
  const OrderedJson value = OrderedJson::parse(text, nullptr, false);
  return value.is_number() ? value : OrderedJson(text);
}

struct Default {
  const char *name, *value;
};

// Where Object Detection's defaults differ from tune-train's: "Object Detection Hyperparameters" in
// SageMaker's guide. Without lr_scheduler_step its learning rate stays as it is.
constexpr std::array kDefaults{Default{"learning_rate", "0.001"}, Default{"mini_batch_size", "32"},
                               Default{"epochs", "30"}};

constexpr std::array kSame{"learning_rate", "momentum",          "weight_decay",       "epochs",
                           "optimizer",     "lr_scheduler_step", "lr_scheduler_factor"};
constexpr std::array kFromData{"num_classes", "num_training_samples", "label_width"};

template <typename List>
bool is_among(const std::string& name, const List& list) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

// Writes one trainer. Lives for one call of write_detection.
class DetectionWriter {
 public:
  DetectionWriter(const Definition& definition, const PathMap& paths, SearchDraft& draft)
      : definition_(definition), paths_(paths), draft_(draft) {}

  void write() {
    draft_.put("/trainer/task", "detection", definition_.image_pointer);
    write_model();
    draft_.put("/trainer/recipe", "legacy", definition_.image_pointer,
               "it prints the lines of Object Detection");
    for (const NamedText& channel : definition_.channels) write_channel(channel);
    for (const NamedText& each : definition_.fixed) write_fixed(each);
    write_defaults();
    for (const NamedText& metric : definition_.metrics)
      draft_.ignore(metric.pointer, {{"Name", metric.name}, {"Regex", metric.text}},
                    "the built-in trainer brings its own metrics");
  }

 private:
  std::string fixed_text(const std::string& name, const std::string& otherwise) const {
    for (const NamedText& each : definition_.fixed)
      if (each.name == name) return each.text;
    return otherwise;
  }
  std::string place_of(const std::string& name) const {
    for (const NamedText& each : definition_.fixed)
      if (each.name == name) return each.pointer;
    return definition_.image_pointer;
  }

  void write_model() {
    const std::string network = fixed_text("base_network", "vgg-16"), size = fixed_text("image_shape", "300");
    const bool is_vgg = network != "resnet-50";
    const std::string model = !is_vgg ? "ssd300-resnet50" : size == "512" ? "ssd512-vgg16" : "ssd300-vgg16";
    std::string note = "SSD on " + network + " at " + size + " pixels";
    if (size != "300" && !(is_vgg && size == "512"))
      note += ", of which the nearest that tune-train has is taken";
    const std::string from = place_of("base_network");
    draft_.put("/trainer/model", model, from, note);
    if (const std::string shape = place_of("image_shape");
        shape != definition_.image_pointer && shape != from)
      draft_.put("/trainer/model", model, shape, note);
  }

  void write_channel(const NamedText& channel) {
    const bool is_data = channel.name == "train", is_validation = channel.name == "validation";
    if (!is_data && !is_validation) {
      draft_.leave_out(channel.pointer, channel.text,
                       channel.name == "model"
                           ? "weights of MXNet; name a file of weights in trainer.weights"
                           : "tune-train finds annotations beside the images, as VOC, COCO or YOLO");
      return;
    }
    const auto local = paths_.local(channel.text);
    const std::string key = is_data ? "data" : "validation";
    if (local)
      draft_.put("/trainer/" + key, *local, channel.pointer,
                 "tune-train reads annotations of VOC, COCO and YOLO, not RecordIO");
    else
      draft_.leave_out(channel.pointer, channel.text,
                       "say where this data lies here: --map " + channel.text + "=FOLDER, or trainer." + key);
  }

  void write_fixed(const NamedText& each) {
    const std::string& name = each.name;
    if (name == "base_network" || name == "image_shape" || name == kObjectiveParameter) return;
    if (is_among(name, kSame) || name == "mini_batch_size") {
      if (name == "lr_scheduler_step" && each.text.empty())
        return draft_.ignore(each.pointer, each.text, "it is empty");
      // "10, 20" and "10" are texts there.
      draft_.put(member_pointer("/fixed", detection_name(name)),
                 name == "lr_scheduler_step" ? OrderedJson(each.text) : number_or_text(each.text),
                 each.pointer, name == "mini_batch_size" ? "tune-train's name for mini_batch_size" : "");
    } else if (is_among(name, kFromData)) {
      draft_.ignore(each.pointer, each.text, "tune-train finds it in the data");
    } else if (name == "early_stopping_patience" && stops_itself()) {
      draft_.put("/fixed/early_stopping_patience", number_or_text(each.text), each.pointer);
    } else if (name.starts_with("early_stopping") && !stops_itself()) {
      draft_.ignore(each.pointer, each.text, "the algorithm would not stop a training itself");
    } else if (name.starts_with("sagemaker_")) {
      draft_.ignore(each.pointer, each.text, "it is SageMaker's own");
    } else {
      leave_out(each);
    }
  }

  bool stops_itself() const {
    const std::string text = fixed_text("early_stopping", "False");
    return text == "True" || text == "true" || text == "1";
  }

  void leave_out(const NamedText& each) {
    const bool wants_weights = each.name == "use_pretrained_model" && each.text != "0";
    if (each.name == "early_stopping")
      draft_.ignore(each.pointer, each.text, "early_stopping_patience says it");
    else if (each.name == "use_pretrained_model" && !wants_weights)
      draft_.ignore(each.pointer, each.text, "without trainer.weights a training begins from scratch");
    else
      draft_.leave_out(
          each.pointer, each.text,
          wants_weights
              ? "name a file of weights in trainer.weights; without it a training begins from scratch"
              : "tune-train's recipe legacy has no such hyperparameter");
  }

  void write_defaults() {
    for (const Default& each : kDefaults)
      if (!is_given(each.name))
        draft_.put(member_pointer("/fixed", detection_name(each.name)), number_or_text(each.value),
                   definition_.image_pointer, "Object Detection's default");
    if (fixed_text("lr_scheduler_step", "").empty() && !is_given("lr_scheduler_step"))
      draft_.put("/fixed/lr_scheduler", "constant", definition_.image_pointer,
                 "Object Detection's way without lr_scheduler_step; cosine does better as a rule");
    if (stops_itself() && !is_given("early_stopping_patience"))
      draft_.put("/fixed/early_stopping_patience", 5, place_of("early_stopping"),
                 "Object Detection's default");
  }

  bool is_given(const std::string& name) const {
    const auto has_name = [&](const auto& each) { return each.name == name; };
    return std::any_of(definition_.ranges.begin(), definition_.ranges.end(), has_name) ||
           std::any_of(definition_.hints.begin(), definition_.hints.end(), has_name) ||
           (std::any_of(definition_.fixed.begin(), definition_.fixed.end(), has_name) &&
            !fixed_text(name, "").empty());
  }

  const Definition& definition_;
  const PathMap& paths_;
  SearchDraft& draft_;
};

}  // namespace

std::string algorithm_of(const std::string& image) {
  const std::string last = image.substr(image.rfind('/') + 1);
  return last.substr(0, last.find_first_of(":@"));
}

std::string detection_name(const std::string& name) {
  return name == "mini_batch_size" ? "batch_size" : name;
}

bool keep_known_optimizers(Range& optimizer, SearchDraft& draft) {
  for (std::size_t i = 0; i < optimizer.values.size(); ++i)
    if (optimizer.values[i] != "sgd" && optimizer.values[i] != "adam")
      draft.leave_out(element_pointer(optimizer.pointer + "/Values", i), optimizer.values[i],
                      "tune-train has the optimizers sgd and adam");
  std::erase_if(optimizer.values, [](const std::string& value) { return value != "sgd" && value != "adam"; });
  return !optimizer.values.empty();
}

void write_detection(const Definition& definition, const PathMap& paths, SearchDraft& draft) {
  DetectionWriter(definition, paths, draft).write();
}

}  // namespace tune::amt
