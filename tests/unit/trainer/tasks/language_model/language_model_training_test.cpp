// A training of a language model, from a trial's file to a model that answers.
#include <sstream>

#include "formula_decoder.h"
#include "test_folder.h"
#include "tiny_language_model.h"
#include "trainer/loop/training_loop.h"
#include "trainer/tasks/language_model/adapter.h"
#include "trainer/tasks/language_model/generation.h"
#include "trainer/tasks/language_model/language_model_training.h"
#include "trainer/tasks/language_model/model_folder.h"
#include "trainer/tasks/language_model/task.h"
#include "trainer/tasks/language_model/task_parts.h"
#include "trainer/weights/model_tensors.h"

namespace {

using namespace tune;
using namespace tune::trainer;
using namespace tune::trainer::language_model;
namespace fs = std::filesystem;
using trainer::tests::contains, trainer::tests::message_of, trainer::tests::TestFolder;

// A folder with a tiny base and sums to learn.
class Workplace {
 public:
  Workplace() {
    tune::tests::write_tiny_language_model(base());
    tune::tests::write_sums(data(), 40);
  }
  fs::path base() const { return folder_.path() / "base"; }
  fs::path data() const { return folder_.path() / "sums.jsonl"; }
  fs::path path(const std::string& name) const { return folder_.path() / name; }

  loop::TrialFile trial(const Json& parameters = Json::object(), const Json& more = Json::object()) const {
    loop::TrialFile trial;
    trial.seed = 5;
    trial.trainer = {{"task", "language_model"}, {"weights", base().string()}, {"data", data().string()}};
    trial.trainer.update(more);
    trial.parameters = {{"epochs", 2}, {"batch_size", 4}, {"learning_rate", 0.01}};
    trial.parameters.update(parameters);
    trial.output_dir = path("output");
    trial.checkpoint_dir = path("checkpoints");
    return trial;
  }
  std::unique_ptr<loop::Training> start(const Json& parameters = Json::object(),
                                        const Json& more = Json::object()) const {
    return language_model_task().start(trial(parameters, more), loop::set_up_compute(1, false), notes);
  }
  // The lines of stdout.
  std::string run(const Json& parameters = Json::object(), const Json& more = Json::object(),
                  const std::string& name = "output") const {
    loop::TrialFile file = trial(parameters, more);
    file.output_dir = path(name);
    file.checkpoint_dir = path(name + "-checkpoints");
    const loop::Compute compute = loop::set_up_compute(1, false);
    const auto training = language_model_task().start(file, compute, notes);
    std::ostringstream out, err;
    loop::LoopSettings settings = loop::loop_settings(file, "tokens", compute);
    settings.interrupted = [] { return false; };
    REQUIRE(loop::TrainingLoop(*training, settings, out, err, false).run() == ExitCode::kOk);
    return out.str();
  }
  double loss_of(const fs::path& model) const {
    OpenedModel opened = open_model(model, "", notes);
    const auto made = opened.tokens().of(read_examples(data(), {}), 128);
    return measure_tokens(opened.decoder, made.sequences, 8, torch::kCPU, [] { return false; })->loss;
  }
  mutable std::ostringstream notes;

 private:
  TestFolder folder_;
};

double in_line(const std::string& lines, const std::string& key) {
  const std::size_t at = lines.rfind("'" + key + "': ");
  REQUIRE(at != std::string::npos);
  return std::stod(lines.substr(at + key.size() + 4));
}

}  // namespace

TEST_CASE("50 steps from PEFT's adapter, over PEFT's batches, have PEFT's losses") {
  const Json golden = tune::tests::golden_of("training.json");
  nn::Decoder decoder =
      tune::tests::formula_decoder(tune::tests::golden_of("decoders.json")["llama"]["config"]);
  load_adapter(decoder, "default", tune::tests::golden_file("adapters/initial"), "the base");
  std::vector<TokenSequence> rows;
  for (int i = 0; i < 20; ++i) {
    const torch::Tensor ids =
        tune::tests::formula_ids("row " + std::to_string(i), 1, 8 + 3 * (i % 4)).contiguous();
    TokenSequence row{{ids.data_ptr<std::int64_t>(), ids.data_ptr<std::int64_t>() + ids.numel()}, {}};
    row.learned.assign(row.ids.size(), true);
    std::fill_n(row.learned.begin(), 5, false);
    rows.push_back(std::move(row));
  }
  loop::OptimizerSettings settings{
      .kind = loop::OptimizerKind::kAdamW, .weight_decay = 0.01, .gradient_clip = 1};
  loop::Optimizer optimizer(*decoder, settings);
  decoder->train();
  for (std::size_t step = 0; step < 50; ++step) {
    // Two batches of two rows, whose tokens are counted together: not the mean of two means.
    double weight = 0, loss = 0;
    std::vector<loop::Batch> batches;
    for (std::size_t half = 0; half < 2; ++half) {
      const Row first{(4 * step + 2 * half) % 20}, second{(4 * step + 2 * half + 1) % 20};
      batches.push_back(batch_of(rows, {&first, &second}, false, 1));
      weight += batches.back().weight;
    }
    for (const loop::Batch& batch : batches) {
      const torch::Tensor mean = nn::token_loss(hidden_at_places(decoder, batch.tensors), decoder->output(),
                                                batch.tensors.at("targets"), 0) /
                                 batch.weight;
      (mean * (batch.weight / weight)).backward();
      loss += mean.item<double>() * batch.weight / weight;
    }
    optimizer.step(0.01);
    INFO("step " << step);
    CHECK(loss == Approx(golden["losses"][step].get<double>()).epsilon(1e-3));
  }
}

TEST_CASE("A training of an adapter learns, and what it exports answers, measures and goes on") {
  const Workplace place;
  const std::string lines =
      place.run({{"epochs", 4}, {"lora_config", {{"r", 4}, {"target_modules", "all-linear"}}}});
  CHECK(in_line(lines, "eval_loss") < 5.4);  // log 264 is 5.58
  CHECK(fs::exists(place.path("output/adapter_config.json")));
  CHECK(fs::exists(place.path("output/tokenizer.json")));
  CHECK_FALSE(fs::exists(place.path("output/model.safetensors")));
  const Json description = Json::parse(read_file(place.path("output/model.json")));
  CHECK(description["form"] == "adapter");
  CHECK(description["data"]["training"]["examples"] == 32);
  OpenedModel model = open_model(place.path("output"), "", place.notes);
  const auto answers = generate(model.decoder, model.base->tokenizer, model.base->ends,
                                {model.tokens().prompt_of({"", "1+2=", "", {}})}, {.max_new_tokens = 4}, 8,
                                torch::kCPU, [] { return false; });
  CHECK(answers.front().ids.size() <= 4);
  // The adapter is a start, too.
  const std::string more = place.run({{"epochs", 1}}, {{"weights", place.path("output").string()}}, "more");
  CHECK(in_line(more, "eval_loss") < in_line(lines, "eval_loss") + 0.2);
}

TEST_CASE("Merged, exported and kept apart, an adapter has the same losses") {
  const Workplace place;
  place.run({{"lora_config", {{"r", 4}}}}, Json::object(), "apart");
  place.run({{"lora_config", {{"r", 4}}}, {"merge_adapters", true}}, Json::object(), "merged");
  CHECK(fs::exists(place.path("merged/model.safetensors")));
  CHECK(place.loss_of(place.path("merged")) == Approx(place.loss_of(place.path("apart"))).epsilon(1e-5));
  std::ostringstream notes;
  loop::Request request{{}, true, notes};
  for (const auto& [file, type, margin] :
       {std::tuple("a.gguf", "f32", 1e-5), std::tuple("b.gguf", "q8_0", 2e-2)}) {
    request.values = {
        {"model", {place.path("apart").string()}}, {"output", {place.path(file).string()}}, {"type", {type}}};
    loop::offer_of(language_model_task(), "export").answer(request);
    CHECK(place.loss_of(place.path(file)) == Approx(place.loss_of(place.path("apart"))).epsilon(margin));
  }
}

TEST_CASE("All weights are trained where no adapter is asked for") {
  const Workplace place;
  place.run({{"use_lora", false}, {"learning_rate", 0.001}});
  CHECK(fs::exists(place.path("output/model.safetensors")));
  CHECK(fs::exists(place.path("output/config.json")));
  CHECK(place.loss_of(place.path("output")) < place.loss_of(place.base()));
}

TEST_CASE("A base out of shards is the base out of one file, and a missing shard is named") {
  const Workplace place;
  const double whole = place.loss_of(place.base());
  const auto tensors = weights::read_model_tensors(place.base());
  weights::TensorMap first, second;
  Json map = Json::object();
  for (const auto& [name, tensor] : tensors) {
    const bool in_first = first.size() < tensors.size() / 2;
    (in_first ? first : second)[name] = tensor;
    map[name] = in_first ? "model-1.safetensors" : "model-2.safetensors";
  }
  fs::remove(place.base() / "model.safetensors");
  weights::write_safetensors(place.base() / "model-1.safetensors", first);
  weights::write_safetensors(place.base() / "model-2.safetensors", second);
  write_file_atomically(place.base() / "model.safetensors.index.json", Json{{"weight_map", map}}.dump());
  CHECK(place.loss_of(place.base()) == whole);
  map.begin().value() = "../model-1.safetensors";
  write_file_atomically(place.base() / "model.safetensors.index.json", Json{{"weight_map", map}}.dump());
  CHECK(contains(message_of(ExitCode::kBadData, [&] { place.loss_of(place.base()); }),
                 "../model-1.safetensors"));
  map.begin().value() = "model-1.safetensors";
  write_file_atomically(place.base() / "model.safetensors.index.json", Json{{"weight_map", map}}.dump());
  fs::remove(place.base() / "model-2.safetensors");
  CHECK(
      contains(message_of(ExitCode::kNotFound, [&] { place.loss_of(place.base()); }), "model-2.safetensors"));
}

TEST_CASE("GGUF files of both kinds of blocks have the logits of their numbers, packed in memory and not") {
  const torch::NoGradGuard no_grad;
  std::ostringstream notes;
  const Json golden = tune::tests::golden_of("gguf.json");
  for (const auto& [type, one] : golden.items()) {
    INFO(type);
    const BaseModel base = open_base(tune::tests::golden_file("tiny-llama-" + type + ".gguf"), notes);
    for (const Held held : {Held::kDense, Held::kAsInFile}) {
      nn::Decoder decoder = load_decoder(base, at::kFloat, held);
      CHECK(decoder->linear_layers().front().second->is_packed() == (held == Held::kAsInFile));
      CHECK(tune::tests::distance(
                tune::tests::logits_of(decoder, tune::tests::formula_ids("ids", 2, 11)).slice(1, 0, 11, 5),
                one["logits"]) < 1e-3);
    }
  }
}

TEST_CASE("Packed examples have the loss of the same examples in rows of their own") {
  const Workplace place;
  const auto mean = [&](bool packing) {
    const auto training = place.start({{"packing", packing}, {"max_length", 40}, {"batch_size", 64}});
    double sum = 0, weight = 0;
    for (const auto& batch : training->epoch_batches(1, 1)) {
      const loop::Batch made = training->prepare(batch, 1);
      sum += training->losses(made.tensors).front().item<double>() * made.weight;
      weight += made.weight;
    }
    CHECK(training->training_examples() < (packing ? 8 : 33));
    return sum / weight;
  };
  CHECK(mean(true) == Approx(mean(false)).epsilon(1e-5));
}

TEST_CASE("What other products call a hyperparameter is that hyperparameter") {
  const Asked asked =
      asked_of(Json::parse(R"({"use_lora": true, "merge_adapters": true, "num_train_epochs": 7,
    "per_device_train_batch_size": 2, "early_stopping_patience": 3, "early_stopping_threshold": 0.01,
    "lora_config": {"r": 4, "alpha": 16, "dropout": 0.05, "target_modules": ["q_proj"], "fan_in_fan_out": false, "bias": "none"},
    "sft_config": {"logging_strategy": "steps", "logging_steps": 50, "eval_strategy": "steps", "fp16": "false", "bf16": "true",
      "gradient_accumulation_steps": 4, "warmup_ratio": 0.1, "lr_scheduler_type": "constant_with_warmup", "optim": "adamw_torch"},
    "model_init_config": {"attn_implementation": "flash_attention_2", "use_cache": false}})"),
               false);
  const loop::Plan plan = plan_of(asked);
  CHECK(plan.epochs == 7);
  CHECK(plan.batch_size == 2);
  CHECK(plan.accumulate == 4);
  CHECK(plan.log_steps == 50);
  CHECK(plan.evaluation_steps == 50);
  CHECK(plan.early_stopping.patience == 3);
  CHECK(plan.schedule.warmup_ratio == 0.1);
  CHECK(plan.schedule.kind == loop::ScheduleKind::kConstant);
  CHECK(asked.precision == loop::Precision::kBf16);
  CHECK(asked.lora->alpha == 16);
  CHECK(asked.notes.size() == 2);  // use_cache, and flash attention on a CPU
  CHECK(plan_of(asked_of({{"eval_strategy", "no"}}, false)).evaluation_steps > 1'000'000);
  CHECK(plan_of(asked_of({{"eval_strategy", "steps"}}, false)).evaluation_steps == 500);
  CHECK_FALSE(asked_of({{"use_lora", false}}, false).lora.has_value());
}

TEST_CASE("Hyperparameters that contradict each other, or that nothing here does, are refused by name") {
  const auto refused = [](const Json& parameters) {
    return message_of(ExitCode::kBadSpec, [&] { asked_of(parameters, false); });
  };
  CHECK(contains(refused({{"epochs", 3}, {"num_train_epochs", 4}}), "num_train_epochs"));
  CHECK(contains(refused({{"learning_rate", 0.1}, {"sft_config", {{"learning_rate", 0.2}}}}),
                 "sft_config.learning_rate"));
  CHECK(contains(refused({{"sft_config", {{"fp16", "true"}}}}), "fp16"));
  CHECK(contains(refused({{"optim", "adafactor"}}), "adafactor"));
  CHECK(contains(refused({{"use_lora", false}, {"lora_config", {{"r", 4}}}}), "use_lora"));
  CHECK(contains(refused({{"eval_strategy", "epoch"}, {"eval_steps", 10}}), "eval_steps"));
  CHECK(contains(refused({{"sft_config", {{"lerning_rate", 0.1}}}}), "lerning_rate"));
  CHECK(contains(refused({{"warmup_steps", 5}, {"warmup_ratio", 0.5}}), "warmup_ratio"));
}

TEST_CASE("Bases, data and adapters that do not fit are refused with what would") {
  const Workplace place;
  const auto refused = [&](ExitCode code, const Json& more, const Json& parameters = Json::object()) {
    return message_of(code, [&] { place.start(parameters, more); });
  };
  CHECK(contains(refused(ExitCode::kBadSpec, {{"model", "qwen2"}}), "llama"));
  CHECK(contains(refused(ExitCode::kBadSpec, Json::object(), {{"max_length", 500}}), "128"));
  CHECK(contains(refused(ExitCode::kBadData, Json::object(), {{"max_length", 3}}), "max_length"));
  CHECK(contains(
      refused(ExitCode::kBadSpec, Json::object(), {{"lora_config", {{"target_modules", {"query"}}}}}),
      "query"));
  CHECK(contains(
      refused(ExitCode::kBadData, {{"adapter", tune::tests::golden_file("adapters/all-linear").string()}}),
      "another model"));
  write_file_atomically(place.base() / "model.safetensors",
                        read_file(place.base() / "model.safetensors").substr(0, 5000));
  CHECK(contains(refused(ExitCode::kBadData, Json::object()), "model.safetensors"));
}

TEST_CASE("A training that counts steps ends after them, and warms up over a part of them") {
  const Workplace place;
  const std::string lines = place.run({{"max_steps", 11},
                                       {"eval_steps", 4},
                                       {"logging_steps", 1},
                                       {"warmup_ratio", 0.5},
                                       {"lr_scheduler", "constant"}});
  CHECK(contains(lines, "'step': 11}"));
  CHECK_FALSE(contains(lines, "'step': 12}"));
  CHECK(contains(lines, "'learning_rate': 0.005000, 'epoch': 0.375000, 'step': 3}"));
}

TEST_CASE("Without a validation set the training loss is the objective") {
  const Workplace place;
  const std::string lines = place.run(Json::object(), {{"split", {{"fractions", {1, 0}}}}});
  CHECK(in_line(lines, "train_loss") > 0);
  CHECK_FALSE(contains(lines, "eval_loss"));
}

TEST_CASE(
    "Drawn answers are the seed's, and temperature, top-p, top-k, penalties and stop texts do what they "
    "say") {
  const Workplace place;
  OpenedModel model = open_model(place.base(), "", place.notes);
  const std::vector<std::vector<std::int64_t>> prompts{{49, 43, 50, 61}, {49}, {50, 43, 50, 61}};
  const auto answers = [&](const GenerationSettings& settings, std::int64_t batch = 8) {
    std::vector<std::vector<std::int64_t>> ids;
    for (const auto& answer : generate(model.decoder, model.base->tokenizer, {}, prompts, settings, batch,
                                       torch::kCPU, [] { return false; }))
      ids.push_back(answer.ids);
    return ids;
  };
  const GenerationSettings hot{.max_new_tokens = 12, .temperature = 1, .seed = 3};
  CHECK(answers(hot) == answers(hot));
  CHECK(answers(hot) != answers({.max_new_tokens = 12, .temperature = 1, .seed = 4}));
  CHECK(answers(hot, 1) == answers(hot, 8));
  const auto greedy = answers({.max_new_tokens = 12});
  CHECK(answers({.max_new_tokens = 12, .temperature = 1, .top_k = 1}) == greedy);
  CHECK(answers({.max_new_tokens = 12, .temperature = 1, .top_p = 1e-9}) == greedy);
  for (const auto& ids : answers({.max_new_tokens = 12, .repetition_penalty = 50}))
    CHECK(std::set<std::int64_t>(ids.begin(), ids.end()).size() == ids.size());
  const auto stopped = generate(model.decoder, model.base->tokenizer, {greedy[0][0]}, {prompts[0]},
                                {.max_new_tokens = 12}, 1, torch::kCPU, [] { return false; });
  CHECK(stopped.front().ids.empty());
  CHECK(stopped.front().is_complete);
  CHECK(contains(message_of(ExitCode::kBadData,
                            [&] {
                              generate(model.decoder, model.base->tokenizer, {},
                                       {std::vector<std::int64_t>(128, 49)}, {}, 1, torch::kCPU,
                                       [] { return false; });
                            }),
                 "128 tokens"));
}
