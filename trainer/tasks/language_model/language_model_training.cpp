#include "trainer/tasks/language_model/language_model_training.h"

#include <algorithm>
#include <cmath>

#include "trainer/loop/epoch_batches.h"
#include "trainer/loop/plan.h"
#include "trainer/tasks/language_model/adapter.h"
#include "trainer/tasks/language_model/data/answer_scores.h"
#include "trainer/tasks/language_model/data/packing.h"
#include "trainer/tasks/language_model/generation.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::language_model {
namespace {

// Lengths of batches on a GPU, whose kernels like round numbers.
constexpr std::int64_t kRoundLength = 8;
constexpr std::int64_t kPromptsAtOnce = 8;

// What nn::token_loss() holds of logits at once: a part of 16 MiB, or of 16 targets, and its gradient.
std::int64_t logits_bytes(std::int64_t vocabulary, std::int64_t targets) {
  constexpr std::int64_t kPart = std::int64_t{16} << 20, kFewest = 16, kBytes = 4;
  return 2 * kBytes * vocabulary * std::min(targets, std::max(kFewest, kPart / (kBytes * vocabulary)));
}

// Of its weights in the types of read_base_tensors(): what is packed in blocks is float16 there.
std::int64_t base_bytes(const BaseModel& base) {
  constexpr std::int64_t kHalf = 2;
  if (base.is_gguf) return kHalf * nn::count_parameters(base.shape);
  std::int64_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator(base.path))
    if (entry.path().extension() == ".safetensors") bytes += static_cast<std::int64_t>(entry.file_size());
  return bytes;
}

}  // namespace

LanguageModelTraining::LanguageModelTraining(const loop::TrialFile& trial, const loop::Compute& compute,
                                             LanguageModelParts parts)
    : trial_(trial),
      compute_(compute),
      parts_(std::move(parts)),
      recipe_(recipe_for(language_model_recipes().front(), !parts_.data.validation.empty(),
                         !parts_.data.prompts.empty())),
      plan_(plan_of(parts_.asked)) {
  const loop::Hyperparameters& values = parts_.asked.values;
  if (values.flag("packing")) {
    std::vector<std::int64_t> lengths;
    for (const TokenSequence& sequence : parts_.data.training)
      lengths.push_back(static_cast<std::int64_t>(sequence.ids.size()));
    rows_ = pack(lengths, parts_.max_length);
    packed_ = true;
  } else {
    for (std::size_t i = 0; i < parts_.data.training.size(); ++i) rows_.push_back({i});
  }
  for (const Row& row : rows_) lengths_.push_back(length_of(parts_.data.training, row));
  parts_.decoder->set_attention(parts_.asked.attention);
  parts_.decoder->set_gradient_checkpointing(values.flag("gradient_checkpointing"));
  parts_.decoder->to(compute_.device);
}

std::int64_t LanguageModelTraining::training_examples() const {
  return static_cast<std::int64_t>(rows_.size());
}

std::vector<std::int64_t> LanguageModelTraining::epoch_order(std::int64_t epoch, std::uint64_t seed) const {
  std::vector<std::int64_t> order = loop::epoch_order(seed, epoch, training_examples());
  if (parts_.asked.values.text("train_sampling_strategy") == "sequential")
    std::sort(order.begin(), order.end());
  return order;
}

// All examples are in it, the last batch being smaller: no norm here looks at a batch.
std::vector<std::vector<std::int64_t>> LanguageModelTraining::epoch_batches(std::int64_t epoch,
                                                                            std::uint64_t seed) const {
  std::vector<std::int64_t> order = epoch_order(epoch, seed);
  if (parts_.asked.values.text("train_sampling_strategy") != "group_by_length" || packed_)
    return loop::cut_into_batches(order, plan_.batch_size, loop::LastBatch::kKept);
  return loop::batches_by_length(std::move(order), lengths_, plan_.batch_size, seed, epoch);
}

std::vector<std::int64_t> LanguageModelTraining::largest_examples(std::int64_t count) const {
  return loop::longest_first(lengths_, count);
}

loop::Sizes LanguageModelTraining::sizes() const {
  loop::Sizes sizes;
  for (const std::int64_t length : lengths_) sizes.units_per_epoch += length;
  sizes.validation_examples = static_cast<std::int64_t>(parts_.data.validation.size());
  const nn::DecoderShape& shape = parts_.base->shape;
  sizes.parameters = nn::count_parameters(shape);
  std::int64_t adapter_bytes = 0;
  for (const auto& parameter : parts_.decoder->named_parameters()) {
    if (!parameter.value().requires_grad()) continue;
    adapter_bytes += static_cast<std::int64_t>(parameter.value().nbytes());
    if (parts_.asked.lora) sizes.parameters += parameter.value().numel();
  }
  std::int64_t targets = 0;
  for (const std::int64_t example : largest_examples(plan_.batch_size))
    for (const std::size_t sequence : rows_[static_cast<std::size_t>(example)])
      targets += parts_.data.training[sequence].count_learned();
  sizes.logits_bytes = logits_bytes(shape.vocabulary, targets);
  if (!parts_.data.prompts.empty()) {
    std::size_t longest = 0;
    for (const auto& prompt : parts_.data.prompts) longest = std::max(longest, prompt.size());
    const auto at_once =
        std::min<std::int64_t>(kPromptsAtOnce, static_cast<std::int64_t>(parts_.data.prompts.size()));
    const std::int64_t tokens =
        static_cast<std::int64_t>(longest) + parts_.asked.values.integer("max_new_tokens");
    const std::int64_t number = compute_.precision == loop::Precision::kBf16 ? 2 : 4;
    sizes.cache_bytes = 2 * shape.layers * at_once * shape.kv_heads * shape.head_width * tokens * number;
  }
  sizes.exports_with_evaluation = !parts_.data.test.empty();
  const bool is_whole = !parts_.asked.lora || parts_.asked.values.flag("merge_adapters");
  if (is_whole) {
    // The base is read again, for the types of its file.
    sizes.export_bytes = base_bytes(*parts_.base);
    sizes.export_memory_bytes = sizes.export_bytes;
  } else {
    sizes.export_bytes = adapter_bytes;
  }
  return sizes;
}

loop::Batch LanguageModelTraining::prepare(const std::vector<std::int64_t>& examples,
                                           std::int64_t /*epoch*/) const {
  std::vector<const Row*> rows;
  for (const std::int64_t example : examples) rows.push_back(&rows_[static_cast<std::size_t>(example)]);
  return batch_of(parts_.data.training, rows, packed_, compute_.accelerated ? kRoundLength : 1);
}

loop::LossTerms LanguageModelTraining::losses(const weights::TensorMap& tensors) {
  const torch::Tensor& targets = tensors.at("targets");
  const torch::Tensor sum =
      nn::token_loss(hidden_at_places(parts_.decoder, tensors), parts_.decoder->output(), targets,
                     parts_.asked.values.number("label_smoothing"));
  return {sum / static_cast<double>(targets.size(0))};
}

// One takes the most probable tokens, so that it does not matter who answers which prompt.
std::optional<std::vector<std::string>> LanguageModelTraining::answers_to_prompts(
    const GenerationSettings& settings, const std::function<bool()>& interrupted) const {
  const std::vector<std::vector<std::int64_t>>& prompts = parts_.data.prompts;
  const parallel::Team& team = *compute_.team;
  const auto [begin, end] = team.share(static_cast<std::int64_t>(prompts.size()));
  nn::Decoder decoder = parts_.decoder;
  std::vector<GeneratedAnswer> answers;
  if (begin < end)
    answers = generate(decoder, parts_.base->tokenizer, parts_.base->ends,
                       {prompts.begin() + begin, prompts.begin() + end}, settings, kPromptsAtOnce,
                       compute_.device, interrupted);
  if (team.any(begin < end && answers.empty())) return std::nullopt;
  std::string own;  // each behind its length
  for (const GeneratedAnswer& answer : answers) own += std::to_string(answer.text.size()) + ' ' + answer.text;
  std::vector<std::string> texts;
  for (const std::string& some : team.gathered(own))
    for (std::size_t at = 0; at < some.size();) {
      const std::size_t space = some.find(' ', at), size = std::stoull(some.substr(at, space - at));
      texts.push_back(some.substr(space + 1, size));
      at = space + 1 + size;
    }
  return texts;
}

loop::Metrics LanguageModelTraining::evaluate(const std::function<bool()>& interrupted) {
  if (parts_.data.validation.empty()) return {};
  const loop::Hyperparameters& values = parts_.asked.values;
  const auto measures =
      measure_tokens(parts_.decoder, parts_.data.validation, values.integer("eval_batch_size"),
                     compute_.device, interrupted, *compute_.team);
  if (!measures) return {};
  loop::Metrics metrics{{kLoss, measures->loss},
                        {kPerplexity, std::exp(measures->loss)},
                        {kAccuracy, measures->token_accuracy}};
  if (parts_.data.prompts.empty()) return metrics;
  GenerationSettings settings;
  settings.max_new_tokens = values.integer("max_new_tokens");
  const std::optional<std::vector<std::string>> texts = answers_to_prompts(settings, interrupted);
  if (!texts) return {};
  const AnswerScores scores = answer_scores(*texts, parts_.data.wanted);
  metrics[kExactMatch] = scores.exact_match;
  metrics[kRougeL] = scores.rouge_l;
  return metrics;
}

std::vector<std::string> LanguageModelTraining::metric_lines(const loop::Report& report) const {
  return language_model::metric_lines(report, plan_.evaluation_steps > 0);
}

std::vector<std::string> LanguageModelTraining::loss_lines(const loop::Report& report) const {
  return language_model::loss_lines(report);
}

OrderedJson LanguageModelTraining::description(const loop::Report& best, bool is_whole) const {
  const BaseModel& base = *parts_.base;
  std::int64_t trained = 0;
  for (const torch::Tensor& parameter : parts_.decoder->parameters())
    if (parameter.requires_grad()) trained += parameter.numel();
  OrderedJson lora;
  if (parts_.asked.lora) lora = to_json(*parts_.asked.lora);
  return {{"schema", 1},
          {"task", "language_model"},
          {"model", base.family->name},
          {"form", is_whole ? "model" : "adapter"},
          {"recipe", recipe_.name},
          {"metrics", best.metrics},
          {"epoch", best.epoch},
          {"hyperparameters", parts_.asked.values.values()},
          {"lora", lora},
          {"seed", trial_.seed},
          {"precision", loop::precision_name(compute_.precision)},
          {"max_length", parts_.max_length},
          {"data", parts_.data.facts},
          {"parameters", nn::count_parameters(base.shape)},
          {"trained_parameters", trained},
          {"base",
           {{"path", std::filesystem::absolute(base.path).lexically_normal().string()},
            {"fingerprint", base.fingerprint}}},
          {"adapter", parts_.adapter.empty() ? OrderedJson() : OrderedJson(parts_.adapter)},
          {"libraries", {{"tune-train", TUNE_VERSION}, {"libtorch", compat::libtorch_version()}}}};
}

void LanguageModelTraining::export_model(const std::filesystem::path& folder, const weights::TensorMap& model,
                                         const loop::Report& best) const {
  const BaseModel& base = *parts_.base;
  const bool is_whole = !parts_.asked.lora || parts_.asked.values.flag("merge_adapters");
  if (!parts_.asked.lora) {
    weights::TensorMap tensors = read_base_tensors(base);  // for the dtypes of its file
    for (auto& [name, tensor] : tensors) tensor = model.at(name).cpu().to(tensor.scalar_type());
    write_model_folder(folder, base, tensors);
  } else if (is_whole) {
    weights::TensorMap tensors = read_base_tensors(base), trained;
    for (const auto& [name, tensor] : model) trained[name] = tensor.cpu();
    merge_adapter(tensors, trained, kTrainedAdapter, *parts_.asked.lora);
    write_model_folder(folder, base, tensors);
  } else {
    write_adapter(folder, model, kTrainedAdapter, *parts_.asked.lora,
                  std::filesystem::absolute(base.path).lexically_normal());
    write_tokenizer(folder, base);
  }
  OrderedJson json = description(best, is_whole);
  if (!parts_.data.test.empty()) {
    nn::Decoder decoder = parts_.decoder;
    weights::load_state_dict(*decoder, model);  // the training is over
    decoder->eval();
    const compat::Autocast precision(compute_.device.type(), compute_.precision == loop::Precision::kBf16,
                                     torch::kBFloat16);
    const auto measures =
        measure_tokens(decoder, parts_.data.test, parts_.asked.values.integer("eval_batch_size"),
                       compute_.device, [] { return false; });
    json["test"] = {{"loss", measures->loss},
                    {"perplexity", std::exp(measures->loss)},
                    {"token_accuracy", measures->token_accuracy},
                    {"tokens", measures->tokens}};
  }
  write_file_atomically(folder / "model.json", json.dump(2) + "\n");
}

std::string LanguageModelTraining::fingerprint() const {
  return Json{{"task", "language_model"},
              {"recipe", recipe_.name},
              {"seed", trial_.seed},
              {"hyperparameters", loop::lasting_values(parts_.asked.values)},
              {"lora", parts_.asked.lora ? Json(to_json(*parts_.asked.lora)) : Json()},
              {"base", parts_.base->fingerprint},
              {"adapter", parts_.adapter},
              {"max_length", parts_.max_length},
              {"data", parts_.data.fingerprint}}
      .dump();
}

}  // namespace tune::trainer::language_model
