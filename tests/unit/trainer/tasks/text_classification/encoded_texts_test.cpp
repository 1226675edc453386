// Texts as batches of token ids, and the recipes' lines and names.
#include "trainer/tasks/text_classification/encoded_texts.h"

#include <set>

#include "torch_catch.h"
#include "trainer/tasks/text_classification/recipes.h"
#include "unit/trainer/tasks/text_classification/tiny_encoder.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using namespace tune::trainer::text_classification;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::Json;
using Lines = std::vector<std::string>;
using Batches = std::vector<std::vector<std::int64_t>>;

namespace {

Dataset texts(const std::vector<std::pair<std::string, std::string>>& all, bool pairs) {
  Dataset set;
  set.classes = {"a", "b"};
  set.pairs = pairs;
  for (const auto& [first, second] : all) set.examples.push_back({first, second, {0}, "1"});
  return set;
}

text::Tokenizer tokenizer(const TestFolder& folder) {
  tune::tests::write_vocabulary(folder.path());
  return text::Tokenizer::open(folder.path());
}

}  // namespace

TEST_CASE("Texts become ids with their ends around them, padded to the longest of a batch") {
  const TestFolder folder;
  const EncodedTexts encoded(tokenizer(folder),
                             texts({{"the film", ""}, {"good", ""}, {"a bad film .", ""}}, false), 5, 2);
  CHECK(encoded.lengths() == std::vector<std::int64_t>{4, 3, 5});
  CHECK(encoded.tokens() == 12);
  CHECK(encoded.longest() == 5);
  CHECK(encoded.cut_texts() == 1);
  CHECK(encoded.cut_tokens() == 1);
  const weights::TensorMap batch = encoded.batch({1, 0}, 0, 1);
  CHECK(batch.at(kIds).equal(torch::tensor({{2, 11, 3, 0}, {2, 5, 7, 3}}, torch::kLong)));
  CHECK(batch.at(kMask).equal(torch::tensor({{true, true, true, false}, {true, true, true, true}})));
  CHECK_FALSE(batch.contains(kTypes));
  CHECK_FALSE(encoded.batch({0}, 0, 1).contains(kMask));
  CHECK(encoded.batch({0}, 0, 8).at(kIds).sizes() == std::vector<std::int64_t>{1, 8});
  CHECK(encoded.batch({0}, 0, 8).at(kMask).sum().item<std::int64_t>() == 4);
}

TEST_CASE("Of pairs a token says which text it is of, and equal contents are known by them") {
  const TestFolder folder;
  const text::Tokenizer words = tokenizer(folder);
  const EncodedTexts encoded(words, texts({{"a film", "good"}, {"a", "film good"}, {"a film", "good"}}, true),
                             32, 1);
  const weights::TensorMap batch = encoded.batch({0, 1}, 0, 1);
  CHECK(batch.at(kTypes).equal(torch::tensor({{0, 0, 0, 0, 1, 1}, {0, 0, 0, 1, 1, 1}}, torch::kLong)));
  CHECK(encoded.largest_type() == 1);
  const std::vector<std::string> contents = encoded.contents();
  CHECK(contents[0] == contents[2]);
  CHECK(contents[0] != contents[1]);
}

TEST_CASE("Batches to measure go from short to long, within so many tokens") {
  CHECK(batches_to_measure({5, 2, 2, 9, 3}, 6) == Batches{{1, 2}, {4}, {0}, {3}});
  CHECK(batches_to_measure({5, 2, 2, 9, 3}, 100) == Batches{{1, 2, 4, 0, 3}});
}

TEST_CASE("The recipe hugging-face takes its Trainer's names, and prints its lines") {
  const auto ours = [](const Json& given) { return asked_of(text_recipe("hugging-face"), given); };
  const Asked usual = ours(Json::object());
  CHECK(usual.parameters["learning_rate"] == 5e-5);
  CHECK(usual.parameters["batch_size"] == 8);
  CHECK(usual.parameters["epochs"] == 3);
  CHECK(usual.parameters["weight_decay"] == 0);
  CHECK(usual.parameters["lr_scheduler"] == "linear");
  CHECK(usual.parameters["warmup_epochs"] == 0);
  CHECK(usual.parameters["max_grad_norm"] == 1);
  CHECK(ours({{"warmup_ratio", 0.1}}).parameters["warmup_ratio"] == 0.1);
  CHECK(ours({{"warmup_steps", 0.25}}).parameters["warmup_ratio"] == 0.25);
  CHECK(ours({{"warmup_steps", 40}}).parameters["warmup_steps"] == 40);
  CHECK(ours({{"eval_strategy", "steps"}, {"eval_steps", 7}}).parameters["eval_steps"] == 7);
  CHECK(ours({{"eval_strategy", "steps"}, {"logging_steps", 9}}).parameters["eval_steps"] == 9);
  CHECK(ours({{"freeze", "features"}}).parameters["freeze"] == "features");
  const auto refusal = [&](const Json& given) {
    return message_of(ExitCode::kBadSpec, [&] { ours(given); });
  };
  CHECK(contains(refusal({{"eval_steps", 7}}), "eval_strategy is \"epoch\""));
  CHECK(contains(refusal({{"eval_strategy", "steps"}}), "neither eval_steps nor logging_steps"));
  CHECK(contains(refusal({{"warmup_steps", 4}, {"warmup_ratio", 0.1}}), "yet warmup_ratio is 0.1"));
  CHECK(
      contains(refusal({{"lr_scheduler_type", "constant"}, {"warmup_steps", 4}}), "yet a warm-up is given"));

  const loop::Recipe recipe = recipe_for(text_recipe("hugging-face"), {"a", "b"}, false);
  const loop::Report report{2,
                            {0.5},
                            {{"train:cross_entropy", 0.5},
                             {"validation:cross_entropy", 0.149323},
                             {"validation:accuracy", 0.94},
                             {"validation:macro_f1", 0.9},
                             {"validation:matthews", -0.25}},
                            40};
  CHECK(metric_lines(recipe, report, false) ==
        Lines{"{'loss': 0.500000, 'epoch': 2.0}",
              "{'eval_accuracy': 0.940000, 'eval_f1': 0.900000, 'eval_loss': 0.149323, "
              "'eval_matthews_correlation': -0.250000, 'epoch': 2.0}"});
  CHECK(metric_lines(recipe, report, true)[0] == "{'loss': 0.500000, 'step': 40, 'epoch': 2.0}");
}

TEST_CASE("The recipe tensorflow takes SageMaker's names, and prints its lines") {
  const auto ours = [](const Json& given) { return asked_of(text_recipe("tensorflow"), given); };
  const Asked usual = ours(Json::object());
  CHECK(usual.parameters["optimizer"] == "adam");
  CHECK(usual.parameters["learning_rate"] == 1e-3);
  CHECK(usual.parameters["epochs"] == 10);
  CHECK(usual.parameters["head_weight_decay"] == Approx(2e-4));
  CHECK(usual.parameters["lr_scheduler"] == "constant");
  CHECK(ours({{"optimizer", "adamw"}, {"warmup_steps_fraction", 0.2}}).parameters["warmup_epochs"] ==
        Approx(2));
  CHECK(ours({{"train_only_on_top_layer", true}}).parameters["freeze"] == "features");
  CHECK(ours({{"reinitialize_top_layer", "True"}}).head == "new");
  CHECK(ours({{"validation_split_ratio", 0.3}}).notes.size() == 1);
  const loop::Recipe recipe = recipe_for(text_recipe("tensorflow"), {"a", "b"}, false);
  const loop::Report report{
      2,
      {0.5},
      {{"train:cross_entropy", 0.5}, {"validation:accuracy", 0.94}, {"validation:cross_entropy", 0.2}},
      40};
  CHECK(metric_lines(recipe, report, false) ==
        Lines{"[Epoch 2] loss=0.500000 - val_accuracy=0.940000 - val_loss=0.200000"});
}

TEST_CASE("A recipe has the metrics that a data set has") {
  const auto has = [](const std::vector<std::string>& classes, bool multi_label, const std::string& metric) {
    const auto& names = recipe_for(text_recipe("fine-tune"), classes, multi_label).metric_names;
    return std::find(names.begin(), names.end(), "validation:" + metric) != names.end();
  };
  CHECK(has({"a", "b"}, false, "matthews"));
  CHECK_FALSE(has({"a", "b"}, false, "spearman"));
  CHECK(has({"1", "2"}, false, "spearman"));
  CHECK_FALSE(has({"1", "2"}, true, "spearman"));
  CHECK_FALSE(has({"a", "b"}, true, "matthews"));
  CHECK(has({"a", "b"}, true, "mAP"));
  CHECK(has({"a", "b", "c", "d", "e", "f"}, false, "top5"));
}
