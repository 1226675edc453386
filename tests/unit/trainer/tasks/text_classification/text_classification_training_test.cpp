// Whole trainings of a tiny encoder, and what is done with the models that they make.
#include "trainer/tasks/text_classification/text_classification_training.h"

#include <set>
#include <sstream>

#include "torch_catch.h"
#include "trainer/loop/training_loop.h"
#include "trainer/tasks/text_classification/offers.h"
#include "trainer/tasks/text_classification/task.h"
#include "tuner/os/regular_file.h"
#include "unit/trainer/tasks/text_classification/tiny_encoder.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::text_classification;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;
using tune::OrderedJson;
namespace fs = std::filesystem;

namespace {

// A tiny encoder and its trainings.
class Place {
 public:
  explicit Place(const std::string& family = "bert") {
    setenv("XDG_CACHE_HOME", (folder.path() / "cache").c_str(), 1);
    tune::tests::write_tiny_encoder(folder.path() / "weights", family);
    folder.write("texts.csv", tune::tests::tiny_texts(60));
    trainer = {{"task", "text_classification"},
               {"weights", (folder.path() / "weights").string()},
               {"data", (folder.path() / "texts.csv").string()}};
    compute = loop::set_up_compute(/*threads=*/1, /*wants_gpu=*/false);
  }
  ~Place() { unsetenv("XDG_CACHE_HOME"); }

  std::unique_ptr<loop::Training> start(const Json& parameters = Json::object(),
                                        const Json& more = Json::object()) {
    loop::TrialFile trial;
    trial.seed = 3;
    trial.trainer = trainer;
    trial.trainer.update(more);
    trial.parameters = parameters;
    notes.str("");
    return text_classification_task().start(trial, compute, notes);
  }
  // Trains and exports into a folder of that name; gives the lines.
  std::string run(loop::Training& training, const std::string& name) {
    loop::LoopSettings settings;
    settings.seed = 3;
    settings.objective = {"validation:accuracy", true};
    settings.compute = compute;
    settings.checkpoint_dir = folder.path() / (name + "-checkpoints");
    settings.output_dir = folder.path() / name;
    settings.interrupted = [] { return false; };
    std::ostringstream out, err;
    REQUIRE(loop::TrainingLoop(training, settings, out, err, false).run() == ExitCode::kOk);
    return out.str();
  }
  OrderedJson answer(const loop::Offer& offer, std::map<std::string, std::vector<std::string>> values) {
    loop::Request request{{}, /*as_json=*/true, notes};
    request.values = std::move(values);
    return offer.answer(request).json;
  }
  std::string path(const std::string& name) const { return (folder.path() / name).string(); }

  TestFolder folder;
  Json trainer;
  loop::Compute compute;
  std::ostringstream notes;
};

const Json kQuick{{"epochs", 25}, {"batch_size", 8}, {"learning_rate", 0.003}, {"warmup_epochs", 1}};

double last_accuracy(const std::string& lines) {
  const std::size_t at = lines.rfind("validation:accuracy=");
  return at == std::string::npos ? -1 : std::stod(lines.substr(at + 20));
}

}  // namespace

TEST_CASE("A tiny encoder learns to tell texts apart, and its model says so again") {
  Place place;
  const auto training = place.start(kQuick);
  CHECK(contains(place.notes.str(), "48 texts to train on, 12 to validate, 2 classes"));
  CHECK(last_accuracy(place.run(*training, "model")) > 0.9);
  const OrderedJson evaluated =
      place.answer(evaluate_offer(), {{"model", {place.path("model")}}, {"data", {place.path("texts.csv")}}});
  CHECK(evaluated["accuracy"] > 0.9);
  CHECK(evaluated["texts"] == 60);
  CHECK(evaluated.contains("matthews"));
  CHECK(evaluated.contains("spearman"));  // the classes are 0 and 1
  place.answer(predict_offer(), {{"model", {place.path("model")}},
                                 {"data", {place.path("texts.csv")}},
                                 {"output", {place.path("said.json")}}});
  const Json said = Json::parse(tune::read_file(place.path("said.json")));
  CHECK(said["predictions"].size() == 60);
  CHECK(said["predictions"][2]["line"] == 3);
  const OrderedJson scored = place.answer(score_offer(), {{"ground-truth", {place.path("texts.csv")}},
                                                          {"predictions", {place.path("said.json")}}});
  for (const char* key : {"accuracy", "macro_f1", "matthews", "spearman"})
    CHECK(scored[key] == evaluated[key]);
  const Json description = Json::parse(tune::read_file(place.path("model/model.json")));
  CHECK(description["data"]["training_texts"] == 48);
  CHECK(description["initial_weights"]["path"] == place.path("weights"));
  for (const char* file :
       {"config.json", "model.safetensors", "vocab.txt", "labels.json", "preprocessing.json"})
    CHECK(fs::exists(place.path("model") + "/" + file));
}

TEST_CASE("A promoted classifier is a start too, with its layer for the classes") {
  Place place;
  place.run(*place.start(kQuick), "model");
  const auto again = place.start({{"epochs", 0}}, {{"weights", place.path("model")}});
  CHECK(contains(place.notes.str(), "the layer for the classes is kept: its classes are the data's"));
  CHECK(last_accuracy(place.run(*again, "again")) > 0.9);
  const Json description = Json::parse(tune::read_file(place.path("again/model.json")));
  CHECK(description["initial_weights"]["parent"]["task"] == "text_classification");
}

TEST_CASE("Every family trains, pairs and several labels too") {
  for (const std::string family : {"distilbert", "roberta"}) {
    Place place(family);
    CHECK(last_accuracy(place.run(*place.start(kQuick), "model")) > 0.8);
    CHECK(load_text_classifier(place.path("model")).config.family == family);
  }
  Place place;
  std::string pairs = "text,text2,label\n";
  for (int i = 0; i < 24; ++i) pairs += i % 2 == 0 ? "the film,is good,yes\n" : "the film,is bad,no\n";
  place.folder.write("pairs.csv", pairs);
  place.run(
      *place.start(kQuick, {{"data", place.path("pairs.csv")}, {"validation", place.path("pairs.csv")}}),
      "pairs");
  CHECK(load_text_classifier(place.path("pairs")).form.pairs);
  std::string several;
  for (int i = 0; i < 24; ++i)
    several +=
        Json{{"text", i % 2 == 0 ? "very good film " + std::to_string(i) : "very bad " + std::to_string(i)},
             {"labels", i % 2 == 0 ? Json{"good", "film"} : Json::array()}}
            .dump() +
        "\n";
  place.folder.write("several.jsonl", several);
  const auto training = place.start(kQuick, {{"data", place.path("several.jsonl")}});
  const std::string lines = place.run(*training, "several");
  CHECK(contains(lines, "validation:mAP="));
  CHECK_FALSE(contains(lines, "matthews"));
  const OrderedJson evaluated = place.answer(
      evaluate_offer(), {{"model", {place.path("several")}}, {"data", {place.path("several.jsonl")}}});
  CHECK(evaluated.contains("micro_f1"));
}

TEST_CASE("A head on kept features trains as one behind a frozen encoder that each text passes") {
  Place place;
  const Json head{{"freeze", "features"}, {"epochs", 2},        {"batch_size", 8},
                  {"dropout", 0},         {"warmup_epochs", 0}, {"group_by_length", false}};
  Json passes = head;
  passes["cache_features"] = false;
  const std::string kept = place.run(*place.start(head), "kept");
  CHECK(contains(place.notes.str(), "features: of "));
  CHECK(contains(place.notes.str(), "computed in "));
  const std::string passed = place.run(*place.start(passes), "passed");
  const auto number = [](const std::string& lines) {
    return std::stod(lines.substr(lines.rfind("validation:cross_entropy=") + 25));
  };
  CHECK(number(kept) == Approx(number(passed)).margin(1e-5));
  place.start(head);
  CHECK(contains(place.notes.str(), "found in "));
}

TEST_CASE("Stages of an encoder are frozen, and join one by one") {
  Place place;
  const auto training = place.start({{"freeze", "partial"}, {"train_stages", 1}});
  for (const auto& parameter : training->model().named_parameters())
    CHECK(parameter.value().requires_grad() == (parameter.key().starts_with("bert.encoder.layer.1.") ||
                                                parameter.key().starts_with("bert.pooler.") ||
                                                parameter.key().starts_with("classifier.")));
  const auto gradual = place.start({{"gradual_unfreezing", 0.5}, {"epochs", 2}});
  CHECK(contains(place.notes.str(), "the head, layer1, layer0, embeddings are trained"));
  // AdamW without decay on biases and norms.
  for (const loop::ParameterGroup& group : gradual->parameter_groups())
    for (const std::string& name : group.parameters)
      CHECK((group.weight_decay == 0) == (name.ends_with("bias") || name.find("LayerNorm") != name.npos));
}

TEST_CASE("Equal texts stay on one side of a split, and a label that is there once is refused") {
  Place place;
  std::string rows;
  for (int i = 0; i < 40; ++i)
    rows += std::to_string(i % 2) + ",text " + std::to_string(i / 4 * 2 + i % 2) + "\n";
  place.folder.write("twice.csv", rows);
  std::ostringstream notes;
  for (const std::uint64_t seed : {0U, 1U, 2U}) {
    const TextSets sets = read_text_sets(
        {{"data", place.path("twice.csv")}, {"split", {{"fractions", {0.5, 0.5}}, {"seed", seed}}}}, notes);
    std::set<std::string> trained;
    for (const Example& example : sets.training.examples) trained.insert(example.text);
    for (const Example& example : sets.validation.examples) CHECK_FALSE(trained.contains(example.text));
    CHECK(sets.split["groups_of_equal_texts"] == 20);
  }
  place.folder.write("once.csv", "0,a\n1,b\n0,c\n1,d\n2,e\n");
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              read_text_sets({{"data", place.path("once.csv")}}, notes);
                            }),
                 "labels of one text alone: \"2\" in line 5"));
  // Texts that a validation set of its own shares are told.
  const TextSets shared =
      read_text_sets({{"data", place.path("twice.csv")}, {"validation", place.path("twice.csv")}}, notes);
  CHECK(contains(shared.warnings.back(), "40 of 40 texts to validate are among those of"));
  // Texts before labels: each text is a label, of which ten are told.
  std::string exchanged;
  for (int i = 0; i < 30; ++i) exchanged += "text " + std::to_string(i) + "," + std::to_string(i % 2) + "\n";
  place.folder.write("exchanged.csv", exchanged);
  CHECK(message_of(ExitCode::kBadData, [&] {
          read_text_sets({{"data", place.path("exchanged.csv")}}, notes);
        }).find(" and 20 more; it cannot be trained on") != std::string::npos);
  place.folder.write("contradicting.csv", "0,a\n1,a\n0,b\n1,c\n0,d\n1,e\n");
  const TextSets contradicting = read_text_sets({{"data", place.path("contradicting.csv")}}, notes);
  CHECK(contains(contradicting.warnings.front(),
                 "1 text has different labels where it is there again, such as in "
                 "lines 1 and 2"));
}

TEST_CASE("What contradicts itself in a trial is refused before anything is trained") {
  Place place;
  const auto refusal = [&](const Json& parameters, const Json& more = Json::object(),
                           ExitCode code = ExitCode::kBadSpec) {
    return message_of(code, [&] { place.start(parameters, more); });
  };
  CHECK(contains(refusal({{"max_length", 33}}), "the encoder has positions for 32 tokens"));
  CHECK(contains(refusal({{"cache_features", false}}), "cache_features is false, yet freeze is \"none\""));
  CHECK(contains(refusal(Json::object(), {{"model", "roberta"}}), "trainer.model is \"roberta\""));
  CHECK(contains(refusal(Json::object(), {{"validation", "x"}, {"split", Json::object()}}), "contradict"));
  CHECK(contains(refusal(Json::object(), {{"split", {{"grouping", "image"}}}}), "grouping is \"image\""));
  CHECK_NOTHROW(place.start(Json::object(), {{"split", {{"grouping", "content"}}}}));
  CHECK(contains(refusal(Json::object(), {{"label_columns", {"a", "b"}}, {"label_column", "c"}}),
                 "contradict"));
  // A tokenizer of another model: more ids than rows, or another padding.
  place.folder.write("larger/vocab.txt", tune::read_file(place.path("weights/vocab.txt")) + "one\nmore\n");
  CHECK_FALSE(refusal(Json::object(), {{"tokenizer", place.path("larger")}}, ExitCode::kBadData).empty());
  place.folder.write("shifted/vocab.txt",
                     "first\n" + tune::read_file(place.path("weights/vocab.txt")).substr(0, 30));
  CHECK(contains(refusal(Json::object(), {{"tokenizer", place.path("shifted")}}, ExitCode::kBadData),
                 "the tokenizer pads with id 1"));
  Json config = Json::parse(tune::read_file(place.path("weights/config.json")));
  config["num_hidden_layers"] = 1000000;
  place.folder.write("weights/config.json", config.dump());
  CHECK(contains(refusal(Json::object(), Json::object(), ExitCode::kBadData),
                 "\"num_hidden_layers\" is 1000000"));
  fs::remove(place.path("weights/config.json"));
  CHECK_FALSE(refusal(Json::object(), Json::object(), ExitCode::kNotFound).empty());
}

TEST_CASE("Weights that are no numbers, and a tokenizer of far fewer words, are refused before a training") {
  Place place;
  weights::SafetensorsContent content = weights::read_safetensors(place.path("weights/model.safetensors"));
  const std::string name = "encoder.layer.1.output.dense.weight";
  content.tensors.at(name)[0][0] = std::numeric_limits<float>::infinity();
  weights::write_safetensors(place.path("weights/model.safetensors"), content.tensors);
  CHECK(contains(message_of(ExitCode::kBadData, [&] { place.start(); }),
                 name + " holds what is no finite number"));
  const text::Tokenizer small = text::Tokenizer::open(place.path("weights"));
  nn::EncoderLayout layout;  // BERT's, of 30,522 rows
  std::ostringstream doubts;
  CHECK(contains(message_of(ExitCode::kBadData, [&] { check_tokenizer(small, layout, "bert", doubts); }),
                 "the tokenizer has 21 tokens, and the embedding of bert 30522 rows"));
  CHECK(doubts.str().empty());
}

TEST_CASE("A model whose files contradict each other is refused") {
  Place place;
  place.run(*place.start({{"epochs", 0}}), "model");
  const auto refusal = [&] {
    return message_of(ExitCode::kBadData, [&] { load_text_classifier(place.path("model")); });
  };
  const std::string labels = tune::read_file(place.path("model/labels.json"));
  place.folder.write("model/labels.json", R"({"schema": 1, "classes": ["1", "0"], "multi_label": false})");
  CHECK(contains(refusal(), "names other classes"));
  place.folder.write("model/labels.json", labels);
  const std::string description = tune::read_file(place.path("model/model.json"));
  place.folder.write("model/model.json", R"({"task": "detection"})");
  CHECK(contains(refusal(), "not a classifier of texts"));
  place.folder.write("model/model.json", description);
  weights::SafetensorsContent content = weights::read_safetensors(place.path("model/model.safetensors"));
  content.tensors.erase("classifier.bias");
  weights::write_safetensors(place.path("model/model.safetensors"), content.tensors);
  CHECK(contains(refusal(), "no classifier.bias"));
}
