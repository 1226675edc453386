// What a training takes of a file of weights, and what it says of that.
#include "trainer/tasks/image_classification/initial_weights.h"

#include <sstream>

#include "formula_classifier.h"
#include "trainer/tasks/classification/weight_lineage.h"
#include "trainer/tasks/image_classification/weight_names.h"
#include "trainer/weights/weight_file.h"
#include "tuner/os/sha256.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using classification::initial_weights_json;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;
using tune::OrderedJson;
using tune::tests::copy_of;

namespace {

using Names = std::vector<std::string>;
constexpr const char *kSmall = "mobilenet_v3_small", *kSqueeze = "squeezenet1_1";

weights::TensorMap trained(const char* model, std::int64_t classes) {
  const auto network = classifier_model(model).make(classes, 0);
  tune::tests::fill_classifier(*network);
  return copy_of(*network);
}

struct Started {
  std::string notes;
  weights::TensorMap tensors;
};
Started start_from(const std::filesystem::path& file, const char* model, const Names& classes,
                   HeadPolicy policy = HeadPolicy::kAuto, bool multi_label = false) {
  const ClassifierModel& kind = classifier_model(model);
  torch::manual_seed(8);
  const auto network = kind.make(static_cast<std::int64_t>(classes.size()), 0);
  std::ostringstream notes;
  initialise_from(*network, file, kind, kind.input, {classes, multi_label}, policy, notes);
  return {notes.str(), copy_of(*network)};
}
Started start_with(const weights::TensorMap& tensors, const char* model, const Names& classes,
                   HeadPolicy policy = HeadPolicy::kAuto, const weights::Metadata& metadata = {}) {
  const TestFolder folder;
  const auto file = folder.path() / "given.safetensors";
  weights::write_safetensors(file, tensors, metadata);
  return start_from(file, model, classes, policy);
}

weights::Metadata labels(const Names& classes) {
  return {{"labels", OrderedJson{{"schema", 1}, {"classes", classes}}.dump()}};
}

}  // namespace

TEST_CASE("A head is kept where the file names the data's classes, and made anew where it does not") {
  const weights::TensorMap given = trained(kSmall, 3);
  const auto check = [&](const Started& started, bool kept) {
    CHECK(started.tensors.at("features.4.block.0.0.weight").equal(given.at("features.4.block.0.0.weight")));
    CHECK(started.tensors.at("features.12.1.running_var").equal(given.at("features.12.1.running_var")));
    CHECK(started.tensors.at("classifier.0.weight").equal(given.at("classifier.0.weight")));
    CHECK(started.tensors.at("classifier.3.bias").equal(given.at("classifier.3.bias")) == kept);
    CHECK_FALSE(contains(started.notes, "not in the file"));
    CHECK(contains(started.notes, "100.0 % of the network without its head"));
  };
  const Started same = start_with(given, kSmall, {"a", "b", "c"}, HeadPolicy::kAuto, labels({"a", "b", "c"}));
  check(same, true);
  CHECK(contains(same.notes, "weights: the head is kept: its classes are the data's\n"));
  CHECK(contains(same.notes, "weights: 244 tensors loaded"));

  const Started other =
      start_with(given, kSmall, {"a", "b", "d"}, HeadPolicy::kAuto, labels({"a", "b", "c"}));
  check(other, false);
  CHECK(contains(other.notes,
                 "weights: the head is initialised anew: the file's is for the classes a, b, c (3), the data "
                 "has a, b, d (3)\n"));
  // Another order gives other classes to the same outputs.
  check(start_with(given, kSmall, {"b", "a", "c"}, HeadPolicy::kAuto, labels({"a", "b", "c"})), false);
  const Started unnamed = start_with(given, kSmall, {"a", "b", "c"});
  check(unnamed, false);
  CHECK(contains(unnamed.notes, "the file's is for 3 classes that it does not name\n"));
  const Started asked = start_with(given, kSmall, {"a", "b", "c"}, HeadPolicy::kNew, labels({"a", "b", "c"}));
  check(asked, false);
  CHECK(contains(asked.notes, "the head is initialised anew: as trainer.head asks\n"));
}

TEST_CASE("A head that has to be kept and cannot be is an error with both sides") {
  const weights::TensorMap given = trained(kSmall, 3);
  const auto keep = [&](const Names& classes, const weights::Metadata& metadata = {}) {
    return message_of(ExitCode::kBadSpec,
                      [&] { start_with(given, kSmall, classes, HeadPolicy::kKeep, metadata); });
  };
  const std::string size = keep({"a", "b"});
  INFO(size);
  CHECK(contains(size,
                 "its head cannot be kept, as trainer.head asks: the file's is for 3 classes that it "
                 "does not name, the data has 2"));
  CHECK(contains(keep({"a", "b", "d"}, labels({"a", "b", "c"})),
                 "the file's is for the classes a, b, c (3), the data has a, b, d (3)"));
  CHECK(contains(keep({"a", "b", "c"}, labels({"a", "b"})), "names 2 classes for a head of 3"));
  weights::TensorMap body = given;
  std::erase_if(body, [](const auto& entry) { return entry.first.starts_with("classifier.3."); });
  CHECK(contains(message_of(ExitCode::kBadSpec,
                            [&] {
                              start_with(body, kSmall, {"a", "b"}, HeadPolicy::kKeep);
                            }),
                 "the file has none"));

  const Started taken = start_with(given, kSmall, {"a", "b", "c"}, HeadPolicy::kKeep);
  CHECK(taken.tensors.at("classifier.3.weight").equal(given.at("classifier.3.weight")));
  CHECK(contains(taken.notes,
                 "the head is kept: the file does not name its 3 classes: they are taken for the "
                 "data's, in the order a, b, c (3)\n"));
  CHECK(start_with(given, kSmall, {"a", "b", "c"}, HeadPolicy::kKeep, labels({"a", "b", "c"}))
            .tensors.at("classifier.3.weight")
            .equal(given.at("classifier.3.weight")));
}

TEST_CASE("trainer.head is auto, keep or new") {
  CHECK(head_policy(Json::object()) == HeadPolicy::kAuto);
  CHECK(head_policy({{"head", "auto"}}) == HeadPolicy::kAuto);
  CHECK(head_policy({{"head", "keep"}}) == HeadPolicy::kKeep);
  CHECK(head_policy({{"head", "new"}}) == HeadPolicy::kNew);
  CHECK(message_of(ExitCode::kBadSpec, [] {
          head_policy({{"head", "kept"}});
        }) == "trainer.head is \"kept\"");
  CHECK(head_key()["values"] == Json{"auto", "keep", "new"});
}

TEST_CASE("A promoted folder says its classes beside the weights, and may not contradict them") {
  const TestFolder folder;
  const weights::TensorMap given = trained(kSqueeze, 2);
  weights::write_safetensors(folder.path() / "weights.safetensors", given);
  folder.write("labels.json", R"({"schema": 1, "classes": ["cat", "dog"]})");
  const Started kept = start_from(folder.path(), kSqueeze, {"cat", "dog"});
  CHECK(kept.tensors.at("classifier.1.weight").equal(given.at("classifier.1.weight")));
  CHECK(contains(start_from(folder.path() / "weights.safetensors", kSqueeze, {"cat", "dog"}).notes,
                 "the head is kept"));
  weights::write_safetensors(folder.path() / "weights.safetensors", given, labels({"dog", "cat"}));
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              start_from(folder.path(), kSqueeze, {"cat", "dog"});
                            }),
                 "is for the classes dog, cat (2), but "));
}

TEST_CASE("Another network's weights are refused, and the error names the model that they are of") {
  const auto refusal = [](const weights::TensorMap& tensors, const char* model) {
    return message_of(ExitCode::kBadData, [&] { start_with(tensors, model, {"a", "b"}); });
  };
  const weights::TensorMap resnet34 = trained("resnet34", 1000);
  const std::string text = refusal(resnet34, "resnet18");
  INFO(text);
  CHECK(contains(text, "another network's weights: 52.5 % of them fit the model resnet18"));
  CHECK(contains(text, "; it looks like a file of resnet34"));
  CHECK(contains(refusal(trained("mobilenet_v3_large", 9), kSmall),
                 "it looks like a file of mobilenet_v3_large"));
  CHECK(contains(refusal(trained(kSqueeze, 1000), "resnet18"), "it looks like a file of squeezenet1_1"));
  weights::TensorMap wrapped;
  for (const auto& [name, tensor] : resnet34) wrapped["module." + name] = tensor;
  CHECK(contains(refusal(wrapped, "resnet18"), "it looks like a file of resnet34"));
  const std::string unknown =
      refusal({{"embeddings.weight", torch::ones({30000, 400})}, {"fc.bias", torch::ones({2})}}, "resnet18");
  INFO(unknown);
  CHECK(contains(unknown, "no weight fits the model resnet18"));
  CHECK_FALSE(contains(unknown, "looks like"));
  // A head that happens to fit makes no network.
  CHECK(contains(
      message_of(ExitCode::kBadData,
                 [&] {
                   start_with(trained("mobilenet_v2", 2), "efficientnet_b0", {"a", "b"}, HeadPolicy::kKeep);
                 }),
      "it looks like a file of mobilenet_v2"));
}

TEST_CASE("Tensors in the network's order are taken by it, whatever their names are") {
  const auto network = classifier_model("mobilenet_v2").make(4, 0);
  tune::tests::fill_classifier(*network);
  const auto state = weights::ordered_state(*network);
  // Other names in the same order, without a head, or with one for other classes.
  const auto old_file = [&](std::size_t head_rows, const std::string& ending = "") {
    weights::WeightFile content;
    for (const auto& [name, tensor] : state) {
      const bool head = name.starts_with("classifier.");
      if (head && head_rows == 0) continue;
      const std::string place = name.substr(0, name.rfind('.')), last = name.substr(name.rfind('.'));
      const std::string old = "layer" + std::to_string(1000 - content.order.size()) + last + ending;
      content.order.push_back(old);
      content.tensors[old] =
          head ? tensor.repeat_interleave(static_cast<std::int64_t>(head_rows), 0) : tensor.detach();
    }
    return content;
  };
  const NamedWeights named = named_weights(*network, old_file(0));
  CHECK(named.by_order);
  CHECK(body_fit(*network, named.tensors).share() == 1.0);
  for (const auto& [name, tensor] : state)
    if (tensor.is_floating_point() && !name.starts_with("classifier."))
      CHECK(named.tensors.at(name).equal(tensor));
  CHECK(named_weights(*network, old_file(3)).tensors.at("classifier.1.weight").size(0) == 12);

  // What a name ends with and the shape have to agree, and nothing may be between.
  CHECK_FALSE(named_weights(*network, old_file(0, ".extra")).by_order);
  weights::WeightFile swapped = old_file(0);
  std::swap(swapped.order[3], swapped.order[4]);  // a norm's variance and its mean have one shape
  CHECK_FALSE(named_weights(*network, swapped).by_order);
  weights::WeightFile longer = old_file(0);
  longer.order.emplace_back("more.weight");
  longer.tensors["more.weight"] = torch::ones({2});
  CHECK_FALSE(named_weights(*network, longer).by_order);
  // A file with the network's names is not looked at that way.
  weights::WeightFile plain;
  for (const auto& [name, tensor] : state) plain.tensors[name] = tensor.detach();
  CHECK_FALSE(named_weights(*network, plain).by_order);
}

TEST_CASE("Weights for another normalisation are refused with both") {
  const weights::TensorMap given = trained(kSqueeze, 2);
  const auto start_saying = [&](const char* key, const std::string& json) {
    return message_of(ExitCode::kBadData, [&] {
      start_with(given, kSqueeze, {"a", "b"}, HeadPolicy::kAuto, {{key, json}});
    });
  };
  CHECK(start_saying("normalisation", R"({"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]})")
            .empty());
  const std::string refusal =
      R"(takes images normalised by {"mean":[0.5,0.5,0.5],"std":[0.5,0.5,0.5]}, but the model squeezenet1_1 says )";
  CHECK(contains(start_saying("normalisation", R"({"mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]})"),
                 refusal));
  // A promoted model's own header, of which the size alone is no reason.
  CHECK(contains(start_saying("preprocessing",
                              R"({"size": [224, 224], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]})"),
                 refusal));
  CHECK(start_saying("preprocessing",
                     R"({"size": [96, 96], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]})")
            .empty());
}

TEST_CASE("A head for one class an image is not kept for images of several, and the other way about") {
  const TestFolder folder;
  const auto file = folder.path() / "given.safetensors";
  const weights::TensorMap given = trained(kSqueeze, 2);
  const auto promote = [&](const OrderedJson& multi_label) {
    OrderedJson said{{"schema", 1}, {"classes", Names{"a", "b"}}};
    if (!multi_label.is_null()) said["multi_label"] = multi_label;
    weights::write_safetensors(file, given, {{"labels", said.dump()}});
  };
  const auto refusal = [&](bool multi_label, HeadPolicy policy) {
    return message_of(ExitCode::kBadSpec, [&] {
      start_from(file, kSqueeze, {"a", "b"}, policy, multi_label);
    });
  };
  promote(true);
  for (const HeadPolicy policy : {HeadPolicy::kAuto, HeadPolicy::kKeep})
    CHECK(contains(refusal(false, policy),
                   "its head is for examples of several classes or none, but those of the data have one "
                   "class each"));
  CHECK(contains(start_from(file, kSqueeze, {"a", "b"}, HeadPolicy::kNew, false).notes,
                 "as trainer.head asks"));
  CHECK(contains(start_from(file, kSqueeze, {"a", "c"}, HeadPolicy::kAuto, false).notes, "initialised anew"));
  CHECK(contains(start_from(file, kSqueeze, {"a", "b"}, HeadPolicy::kAuto, true).notes, "the head is kept"));
  promote(false);
  CHECK(contains(refusal(true, HeadPolicy::kAuto),
                 "its head is for examples of one class each, but those of the data have several classes or "
                 "none"));
  promote(nullptr);  // a header of somebody else's says nothing of the kind
  CHECK(refusal(true, HeadPolicy::kKeep).empty());
}

TEST_CASE("Weights that saw images of another size are taken, and the log says so once") {
  const TestFolder folder;
  const weights::TensorMap given = trained(kSqueeze, 2);
  const std::string small =
      R"({"size": [96, 96], "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "resize": 112})";
  const std::string said =
      "weights: they were trained on images of 96x96 pixels, cut out of a shorter side of 112, bilinear; a "
      "training of squeezenet1_1 shows them 224x224 pixels, cut out of a shorter side of 256, bilinear\n";
  const auto times = [&](const std::string& notes) {
    return contains(notes, said) && notes.find(said) == notes.rfind(said);
  };
  CHECK(times(start_with(given, kSqueeze, {"a", "b"}, HeadPolicy::kAuto, {{"preprocessing", small}}).notes));
  const Json same = to_json(classifier_model(kSqueeze).input);
  CHECK_FALSE(contains(
      start_with(given, kSqueeze, {"a", "b"}, HeadPolicy::kAuto, {{"preprocessing", same.dump()}}).notes,
      "were trained on images"));
  // In a promoted folder the file beside the weights says it too, and may not contradict their header.
  weights::write_safetensors(folder.path() / "weights.safetensors", given);
  folder.write("preprocessing.json", small);
  CHECK(times(start_from(folder.path(), kSqueeze, {"a", "b"}).notes));
  weights::write_safetensors(folder.path() / "weights.safetensors", given, {{"preprocessing", same.dump()}});
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              start_from(folder.path(), kSqueeze, {"a", "b"});
                            }),
                 "preprocessing.json has images like"));
}

TEST_CASE("A network that was never trained is said to be random, whatever the file says") {
  const auto fresh = copy_of(*classifier_model(kSmall).make(2, 0));
  CHECK(contains(
      start_with(fresh, kSmall, {"a", "b"}).notes,
      "weights: every batch normalisation has the mean 0 and the variance 1, as before any training: "
      "these weights are random"));
  weights::TensorMap touched = fresh;
  touched["features.5.block.0.1.running_mean"][3] = 0.25;
  CHECK_FALSE(contains(start_with(touched, kSmall, {"a", "b"}).notes, "these weights are random"));
  // A network without such layers says nothing of the kind.
  CHECK_FALSE(contains(start_with(trained(kSqueeze, 2), kSqueeze, {"a", "b"}).notes, "random"));
}

TEST_CASE("inspect-weights hears how a file fits a classifier, its head included") {
  const TestFolder folder;
  const auto file = folder.path() / "given.safetensors";
  weights::TensorMap wrapped;
  for (const auto& [name, tensor] : trained(kSmall, 11)) wrapped["net." + name] = tensor;
  weights::write_safetensors(file, wrapped);
  const loop::FittedWeights fitted = fit_weights(file, kSmall);
  CHECK(fitted.file.tensors.size() == wrapped.size());
  CHECK(fitted.report.loaded.size() == wrapped.size());
  CHECK(fitted.report.missing.empty());
  CHECK(fitted.report.prefix == "net.");
  CHECK(fitted.report.share == 1.0);
  CHECK(fitted.report.refusal.empty());
  REQUIRE(fitted.report.remarks.size() == 1);
  CHECK(contains(fitted.report.remarks.front(), "does not name the classes of its head"));
  CHECK(contains(fit_weights(file, "mobilenet_v3_large").report.refusal,
                 "it looks like a file of mobilenet_v3_small"));
  std::erase_if(wrapped, [](const auto& entry) { return entry.first.starts_with("net.classifier.3."); });
  weights::write_safetensors(file, wrapped);
  CHECK(fit_weights(file, kSmall).report.remarks == Names{"the file has no head: a training makes one"});
}

TEST_CASE("A model's lineage names the weights that it began with, and what those began with") {
  const TestFolder folder;
  const auto file = folder.path() / "start.safetensors";
  weights::write_safetensors(file, {{"a", torch::ones({2})}});
  const OrderedJson plain = initial_weights_json(file);
  CHECK(plain ==
        OrderedJson{{"path", file.string()}, {"sha256", tune::sha256_of_file(file)}, {"parent", nullptr}});

  // Each generation is a folder with weights and a model.json that says where they come from.
  OrderedJson initial = plain;
  std::string last_hash;
  for (int generation = 1; generation <= 20; ++generation) {
    const std::string name = "model" + std::to_string(generation);
    folder.write(name + "/model.json", OrderedJson{{"task", "image_classification"},
                                                   {"model", "resnet18"},
                                                   {"recipe", "fine-tune"},
                                                   {"data", {{"fingerprint", std::to_string(generation)}}},
                                                   {"initial_weights", initial}}
                                           .dump());
    const auto weights = folder.path() / name / "weights.safetensors";
    weights::write_safetensors(weights, {{"a", torch::full({2}, generation)}});
    last_hash = tune::sha256_of_file(weights);
    initial = initial_weights_json(folder.path() / name);
    CHECK(initial["path"] == (folder.path() / name).string());
    CHECK(initial["sha256"] == last_hash);
    CHECK(initial["parent"]["model"] == "resnet18");
    CHECK(initial["parent"]["data_fingerprint"] == std::to_string(generation));
    CHECK(initial_weights_json(weights)["parent"] == initial["parent"]);
  }
  int generations = 0;
  const OrderedJson* at = &initial;
  while (at->is_object() && at->at("parent").is_object()) {
    ++generations;
    at = &at->at("parent").at("initial_weights");
  }
  CHECK(generations == 16);
  CHECK(at->at("parent") == "left out: more generations than are kept");

  folder.write("model20/model.json", "{");
  CHECK(contains(message_of(ExitCode::kBadData, [&] { initial_weights_json(folder.path() / "model20"); }),
                 "model.json"));
  CHECK(contains(message_of(ExitCode::kNotFound, [&] { initial_weights_json(folder.path() / "nowhere"); }),
                 "there is no file"));
}
