// A training of a classifier, on a tiny network and images that tests draw.
#include "trainer/tasks/image_classification/image_classification_training.h"

#include "class_pictures.h"
#include "torch_catch.h"
#include "trainer/loop/training_loop.h"
#include "trainer/weights/state_dict.h"

using namespace tune::trainer;
using namespace tune::trainer::image_classification;
using namespace tune::trainer::tests;
using tune::ExitCode;
using tune::Json;
namespace fs = std::filesystem;

namespace {

const Json kShort{{"epochs", 6},        {"batch_size", 6},      {"learning_rate", 0.02},
                  {"warmup_epochs", 0}, {"random_crop", false}, {"horizontal_flip", false}};

Json with(Json more) {
  Json all = kShort;
  all.update(more);
  return all;
}

struct Ran {
  std::string lines, err;
  ExitCode code = ExitCode::kOk;
  Json model;  // model.json
};

Ran run(
    ClassifierPlace& place, loop::Training& training, const std::string& name, bool resume = false,
    std::function<bool()> interrupted = [] { return false; }) {
  loop::LoopSettings settings;
  settings.seed = place.trial.seed;
  settings.compute = place.compute;
  settings.checkpoint_dir = place.folder.path() / name / "checkpoints";
  settings.output_dir = place.folder.path() / name / "output";
  settings.resume = resume;
  settings.interrupted = std::move(interrupted);
  std::ostringstream out, err;
  Ran ran;
  ran.code = loop::TrainingLoop(training, settings, out, err, false).run();
  ran.err = err.str();
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);)
    if (!contains(line, "seconds:validation")) ran.lines += line + '\n';
  if (const fs::path file = settings.output_dir / "model.json"; fs::exists(file))
    ran.model = Json::parse(tune::read_file(file));
  return ran;
}

weights::TensorMap exported(ClassifierPlace& place, const std::string& name) {
  return weights::read_safetensors(place.folder.path() / name / "output" / "weights.safetensors").tensors;
}

std::string refusal(ClassifierPlace& place, const Json& given, const std::string& recipe = "fine-tune") {
  return message_of(ExitCode::kBadSpec, [&] { place.start(given, recipe); });
}

}  // namespace

TEST_CASE("A classifier learns its classes, and its folder says what it was made of") {
  ClassifierPlace place;
  const Ran ran = run(place, *place.start(kShort), "run");
  CHECK(ran.code == ExitCode::kOk);
  CHECK(ran.model["metrics"]["validation:accuracy"].get<double>() > 0.9);
  CHECK(ran.model["validation"]["accuracy"] == ran.model["metrics"]["validation:accuracy"]);
  CHECK(ran.model["validation"]["macro_f1"] == ran.model["metrics"]["validation:macro_f1"]);
  CHECK(ran.model["task"] == "image_classification");
  CHECK(ran.model["data"]["training_images"] == 30);
  CHECK(ran.model["hyperparameters"]["epochs"] == 6);
  CHECK(contains(ran.lines, "[Epoch 1] train:cross_entropy="));
  const Json labels = Json::parse(tune::read_file(place.folder.path() / "run/output/labels.json"));
  CHECK(labels["classes"] == Json{"a", "b", "c"});
  CHECK(exported(place, "run").size() == weights::state_dict(*place.network).size());
}

TEST_CASE("Five answers are reported with more than five classes, and mean precision with several labels") {
  ClassifierPlace place({6, 6, 6, 6, 6, 6}), few;
  const auto names = [](ClassifierPlace& at) {
    const auto training = at.start(kShort);
    training->model().eval();
    const torch::NoGradGuard no_grad;
    const loop::Metrics metrics = training->evaluate([] { return false; });
    std::vector<std::string> found;
    for (const auto& [name, value] : metrics) found.push_back(name.substr(11));
    for (const std::string& name : training->recipe().metric_names) CHECK(metrics.contains(name));
    CHECK(training->recipe().metric_names.size() == metrics.size());
    return found;
  };
  using Names = std::vector<std::string>;
  CHECK(names(place) == Names{"accuracy", "cross_entropy", "macro_f1", "top5"});
  CHECK(names(few) == Names{"accuracy", "cross_entropy", "macro_f1"});
  for (Dataset* set : {&few.training, &few.validation}) {
    set->multi_label = true;
    set->examples[0].labels = {0, 2};
    set->examples[1].labels = {};
  }
  CHECK(names(few) == Names{"accuracy", "cross_entropy", "mAP", "macro_f1"});
  CHECK(run(few, *few.start(with({{"class_weights", "balanced"}})), "run").code == ExitCode::kOk);
  CHECK(contains(refusal(few, with({{"balanced_sampling", true}})), "show several classes"));
}

TEST_CASE("On cached features each image passes the network once, in all epochs and trials") {
  ClassifierPlace place;
  const OwnFeatureCache own(place.folder.path() / "cache");
  const Json given = with({{"freeze", "features"}});
  const Ran first = run(place, *place.start(given), "first");
  // One to see how large features are, then training and validation.
  CHECK(place.network->passed == 1 + 30 + 12);
  CHECK(contains(place.notes.str(), "features: of 42 images, computed in"));
  CHECK(contains(place.notes.str(), "what is frozen was never trained"));
  const Ran second =
      run(place, *place.start(with({{"freeze", "features"}, {"learning_rate", 0.03}})), "second");
  CHECK(place.network->passed == 1);
  CHECK(contains(place.notes.str(), "features: of 42 images, found in"));
  CHECK(second.lines != first.lines);
  const Ran again = run(place, *place.start(given), "again");
  CHECK(again.lines == first.lines);
  CHECK(again.model["metrics"] == first.model["metrics"]);
  CHECK(again.model["validation"]["accuracy"] == again.model["metrics"]["validation:accuracy"]);
  // The same as the head of a frozen network that every image passes in each epoch.
  const Ran uncached =
      run(place, *place.start(with({{"freeze", "features"}, {"cache_features", false}})), "uncached");
  CHECK(uncached.model["metrics"]["validation:accuracy"].get<double>() ==
        Approx(first.model["metrics"]["validation:accuracy"].get<double>()).margin(0.2));
  CHECK(place.network->passed > 30 * 6);
}

TEST_CASE("Cached features are those of their images, weights and inputs alone") {
  ClassifierPlace place;
  const OwnFeatureCache own(place.folder.path() / "cache");
  const Json given = with({{"freeze", "features"}});
  const auto computes = [&] {
    place.start(given);
    return contains(place.notes.str(), "computed in");
  };
  CHECK(computes());
  CHECK_FALSE(computes());
  place.change_network = [](TinyClassifier& network) {
    const torch::NoGradGuard no_grad;
    network.named_parameters()["wide.bias"][0] += 1;
  };
  CHECK(computes());
  // A head has no part in them.
  place.change_network = [](TinyClassifier& network) {
    const torch::NoGradGuard no_grad;
    network.named_parameters()["fc.bias"][0] += 1;
  };
  CHECK_FALSE(computes());
  place.change_network = {};
  // Another cut of the same images, and other names.
  std::swap(place.training.examples[3], place.validation.examples[2]);
  std::swap(place.training.examples[3].labels, place.validation.examples[2].labels);
  CHECK_FALSE(computes());
  images::Image other = images::decode(place.training.examples[0].image);
  other.pixels[0] ^= 1;
  images::write_png(place.training.examples[0].image, other);
  CHECK(computes());
  place.trial.precision = "bf16";
  CHECK(computes());
}

TEST_CASE("Features are in the order of their examples") {
  ClassifierPlace place;
  const OwnFeatureCache own(place.folder.path() / "cache");
  const auto training = place.start(with({{"freeze", "features"}}));
  const auto batch = training->prepare({7, 0, 23}, 1);
  const std::int64_t before = place.network->passed;
  training->model().eval();
  const double cached = training->losses(batch.tensors).front().item<double>();
  CHECK(place.network->passed == before);
  const auto plain = place.start(with({{"freeze", "features"}, {"cache_features", false}}));
  plain->model().eval();
  weights::TensorMap tensors = plain->prepare({7, 0, 23}, 1).tensors;
  std::int64_t decoded = 0;
  tensors["pixels"] = open_pictures(files_of(place.training), false, decoded)({7, 0, 23}, 0);
  CHECK(plain->losses(tensors).front().item<double>() == Approx(cached).epsilon(1e-5));
}

TEST_CASE("Several views of each image are cached, and an epoch draws one of each by the trial's seed") {
  ClassifierPlace place;
  const OwnFeatureCache own(place.folder.path() / "cache");
  const Json given = with({{"freeze", "features"}, {"feature_views", 3}});
  const auto training = place.start(given);
  CHECK(contains(place.notes.str(), "features: of 30 images, varied, computed in"));
  std::set<std::int64_t> rows;
  const std::vector<std::int64_t> examples{0, 1, 2, 3, 4, 5};
  for (std::int64_t epoch = 1; epoch <= 10; ++epoch) {
    const torch::Tensor drawn = training->prepare(examples, epoch).tensors.at("rows");
    CHECK(drawn.equal(training->prepare(examples, epoch).tensors.at("rows")));
    for (std::int64_t i = 0; i < drawn.size(0); ++i) {
      rows.insert(drawn[i].item<std::int64_t>());
      CHECK(drawn[i].item<std::int64_t>() % 30 == i);
    }
  }
  CHECK(*rows.rbegin() >= 60);
  place.trial.seed = 4;  // another trial's views are the same, though it draws others of them
  place.change_network = [](TinyClassifier& network) {
    torch::manual_seed(3);
    TinyClassifier first(3, 0);
    weights::load_state_dict(network, weights::state_dict(first));
  };
  place.start(given);
  CHECK_FALSE(contains(place.notes.str(), "computed in"));
}

TEST_CASE("What needs pixels is refused on cached features, and what needs frozen features without them") {
  ClassifierPlace place;
  CHECK(
      contains(refusal(place, with({{"freeze", "features"}, {"mixup_alpha", 0.2}})), "features are cached"));
  CHECK(contains(refusal(place, with({{"cache_features", false}})), "freeze is \"none\""));
  CHECK(contains(refusal(place, with({{"feature_views", 2}})), "freeze is \"none\""));
  CHECK(contains(
      refusal(place, with({{"freeze", "features"}, {"cache_features", false}, {"feature_views", 2}})),
      "cache_features is false"));
  CHECK(contains(refusal(place, with({{"freeze", "partial"}, {"train_stages", 3}})),
                 "train_stages is 3, yet the network has 2 stages"));
}

TEST_CASE("A training of mixed, weighted and balanced images goes on bit for bit from where it was stopped") {
  for (const Json& more :
       {Json{{"mixup_alpha", 0.2}, {"cutmix_alpha", 1.0}, {"dropout", 0.3}, {"ema_decay", 0.9}},
        Json{{"freeze", "features"}, {"feature_views", 2}, {"dropout", 0.3}},
        Json{{"class_weights", "balanced"},
             {"balanced_sampling", true},
             {"gradual_unfreezing", 0.5},
             {"accumulate", 2}}}) {
    INFO(more.dump());
    ClassifierPlace place({8, 5, 11});
    const OwnFeatureCache own(place.folder.path() / "cache");
    const Json given = with(more);
    int questions = 0;
    const Ran whole =
        run(place, *place.start(given), "whole", false, [&questions] { return ++questions < 0; });
    for (int question = 1; question < questions; question += 7) {
      const std::string name = "stopped-" + std::to_string(question);
      const Ran stopped =
          run(place, *place.start(given), name, false, [left = question]() mutable { return left-- <= 0; });
      REQUIRE(stopped.code == ExitCode::kInterrupted);
      const Ran rest = run(place, *place.start(given), name, true);
      CHECK(stopped.lines + rest.lines == whole.lines);
      CHECK(rest.model == whole.model);
    }
  }
}

TEST_CASE("A head has a weight decay of its own where one is given") {
  ClassifierPlace place;
  const auto decays = [&](const Json& given) {
    std::map<std::string, double> found;
    for (const loop::ParameterGroup& group : place.start(given)->parameter_groups())
      for (const std::string& name : group.parameters) found[name] = group.weight_decay;
    return found;
  };
  const auto own = decays(with({{"weight_decay", 0.1}, {"head_weight_decay", 0.4}}));
  CHECK(own.at("fc.weight") == 0.4);
  CHECK(own.at("conv.weight") == 0.1);
  CHECK(own.at("fc.bias") == 0);
  CHECK(decays(with({{"weight_decay", 0.1}})).at("fc.weight") == 0.1);
}
