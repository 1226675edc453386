#include "trainer/tasks/language_model/served_language_model.h"

#include <algorithm>
#include <deque>
#include <map>
#include <optional>

#include "trainer/loop/model_facts.h"
#include "trainer/tasks/language_model/answer_writer.h"
#include "trainer/tasks/language_model/decoding_batch.h"
#include "trainer/tasks/language_model/model_folder.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

// Answers that are written together. Each has a cache of keys and values, of which those of a text of 2,048
// tokens take 94 MB in SmolLM2-135M.
constexpr std::size_t kTogetherOnCpu = 8, kTogetherOnDevice = 64;
// Tokens of new prompts that one step computes at most, while the answers under way wait.
constexpr std::size_t kPromptTokensOfStep = 256;

// The answers that use one adapter: they are decoded together, and the groups take turns.
struct Group {
  std::string adapter;  // as the decoder knows it
  DecodingBatch batch;
  std::vector<std::uint64_t> rows = {};    // ids of the answers in the batch
  std::deque<std::uint64_t> waiting = {};  // that have no row yet
  // A long prompt, part of which is computed.
  std::optional<DecodingBatch::Entering> entering = std::nullopt;
  std::uint64_t entering_id = 0;
};

class ServedLanguageModel final : public served::Generator {
 public:
  ServedLanguageModel(OpenedModel model, const std::map<std::string, std::filesystem::path>& adapters,
                      const loop::Compute& compute)
      : model_(std::move(model)), tokens_(model_.tokens("this model")), device_(compute.device) {
    facts_.task = "language_model";
    facts_.input = served::InputKind::kPrompts;
    facts_.context = model_.base->shape.positions;
    groups_.push_back({model_.adapter_name, DecodingBatch(model_.decoder, device_)});
    for (const auto& [name, folder] : adapters) {
      // Names of people may hold points, which LibTorch's modules may not.
      const std::string own = "served_" + std::to_string(groups_.size());
      add_adapter_folder(model_, own, folder);
      group_of_[name] = groups_.size();
      facts_.adapters.push_back(name);
      groups_.push_back({own, DecodingBatch(model_.decoder, device_)});
    }
    model_.decoder->to(device_);
    together_ = device_.is_cpu() ? kTogetherOnCpu : kTogetherOnDevice;
  }

  const served::Facts& facts() const override { return facts_; }

  std::vector<std::int64_t> tokens_of(const served::Prompt& prompt) const override {
    if (const auto* ids = std::get_if<std::vector<std::int64_t>>(&prompt)) {
      for (const std::int64_t id : *ids)
        if (id < 0 || id >= model_.base->shape.vocabulary)
          throw Error(ExitCode::kBadData,
                      "the prompt holds the token id " + std::to_string(id) +
                          ", and the model has ids from 0 to " +
                          std::to_string(model_.base->shape.vocabulary - 1),
                      "send ids of this model's tokenizer, or a text");
      return *ids;
    }
    Example example{.place = "messages"};
    if (const auto* messages = std::get_if<std::vector<served::Message>>(&prompt))
      example.messages = *messages;
    else
      example.prompt = std::get<std::string>(prompt);
    return tokens_.prompt_of(example);
  }

  void begin(std::uint64_t id, const served::GenerationRequest& request) override {
    TUNE_CHECK(!request.prompt.empty() && static_cast<std::int64_t>(request.prompt.size()) < facts_.context);
    const std::size_t group = request.adapter.empty() ? 0 : group_of_.at(request.adapter);
    answers_.emplace(id,
                     AnswerWriter(model_.base->tokenizer, request.prompt, request.settings, model_.base->ends,
                                  facts_.context, request.stream, request.alternatives));
    groups_[group].waiting.push_back(id);
  }

  std::vector<served::Written> step() override {
    const torch::NoGradGuard no_grad;
    for (std::size_t turn = 0; turn < groups_.size(); ++turn) {
      Group& group = groups_[next_];
      next_ = (next_ + 1) % groups_.size();
      if (group.rows.empty() && group.waiting.empty() && !group.entering) continue;
      model_.decoder->use_adapter(group.adapter);
      std::vector<served::Written> written;
      write_on(group, written);
      take_in(group, written);
      return written;
    }
    return {};
  }

  void drop(const std::vector<std::uint64_t>& ids) override {
    for (const std::uint64_t id : ids) answers_.erase(id);
    for (Group& group : groups_) {
      std::erase_if(group.waiting, [this](std::uint64_t id) { return !answers_.contains(id); });
      if (group.entering && !answers_.contains(group.entering_id)) group.entering.reset();
      leave(group);
    }
  }

  std::size_t under_way() const override { return answers_.size(); }

 private:
  // Rows whose answers are gone, or have ended, make room.
  void leave(Group& group) {
    std::vector<std::uint64_t> staying;
    std::vector<std::int64_t> rows;
    for (std::size_t row = 0; row < group.rows.size(); ++row)
      if (answers_.contains(group.rows[row])) {
        staying.push_back(group.rows[row]);
        rows.push_back(static_cast<std::int64_t>(row));
      }
    if (staying.size() == group.rows.size()) return;
    group.batch.keep(rows);
    group.rows = std::move(staying);
  }

  void advance(const std::vector<std::uint64_t>& ids, const torch::Tensor& logits,
               std::vector<served::Written>& written) {
    const auto words = static_cast<std::size_t>(logits.size(1));
    const std::size_t before = written.size();
    written.resize(before + ids.size());
    // Beside each other: to draw from a whole vocabulary takes a good part of a step.
    at::parallel_for(0, logits.size(0), 1, [&](std::int64_t begin, std::int64_t end) {
      for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
        served::Written& piece = written[before + i];
        piece = answers_.at(ids[i]).advance({logits.const_data_ptr<float>() + i * words, words});
        piece.id = ids[i];
      }
    });
    for (const std::uint64_t id : ids)
      if (answers_.at(id).is_done()) answers_.erase(id);
  }

  void write_on(Group& group, std::vector<served::Written>& written) {
    if (group.rows.empty()) return;
    std::vector<std::int64_t> tokens;
    for (const std::uint64_t id : group.rows) tokens.push_back(answers_.at(id).ids().back());
    advance(group.rows, group.batch.step(tokens), written);
    leave(group);
  }

  void take_in(Group& group, std::vector<served::Written>& written) {
    if (!group.entering) take_short_ones(group, written);
    if (!group.entering && !group.waiting.empty() && group.rows.size() < together_ &&
        is_long(group.waiting.front())) {
      group.entering_id = group.waiting.front();
      group.entering.emplace(DecodingBatch::Entering{answers_.at(group.entering_id).prompt()});
      group.waiting.pop_front();
    }
    if (!group.entering) return;
    const torch::Tensor logits = group.batch.enter(*group.entering, kPromptTokensOfStep);
    if (!logits.defined()) return;
    group.entering.reset();
    group.rows.push_back(group.entering_id);
    advance({group.entering_id}, logits, written);
    leave(group);
  }

  bool is_long(std::uint64_t id) const { return answers_.at(id).prompt().size() > kPromptTokensOfStep; }

  // As many as one step computes together, up to the first that is too long for that.
  void take_short_ones(Group& group, std::vector<served::Written>& written) {
    std::vector<std::uint64_t> ids;
    std::vector<std::vector<std::int64_t>> prompts;
    std::size_t longest = 0;
    while (!group.waiting.empty() && group.rows.size() + ids.size() < together_ &&
           !is_long(group.waiting.front())) {
      const std::vector<std::int64_t>& prompt = answers_.at(group.waiting.front()).prompt();
      // Shorter prompts are padded to the longest of those that come in together.
      longest = std::max(longest, prompt.size());
      if (!prompts.empty() && longest * (prompts.size() + 1) > kPromptTokensOfStep) break;
      ids.push_back(group.waiting.front());
      prompts.push_back(prompt);
      group.waiting.pop_front();
    }
    if (ids.empty()) return;
    const torch::Tensor logits = group.batch.join(prompts);
    group.rows.insert(group.rows.end(), ids.begin(), ids.end());
    advance(ids, logits, written);
    leave(group);
  }

  OpenedModel model_;
  const ExampleTokens tokens_;
  const torch::Device device_;
  served::Facts facts_;
  std::size_t together_ = kTogetherOnCpu;
  std::map<std::string, std::size_t> group_of_;  // by the name of an adapter
  std::vector<Group> groups_;                    // the first is the model as it is
  std::size_t next_ = 0;                         // whose turn it is
  std::map<std::uint64_t, AnswerWriter> answers_;
};

}  // namespace

served::ServedModel serve_language_model(const loop::ServeRequest& request) {
  return {nullptr, std::make_shared<ServedLanguageModel>(
                       open_model(request.model, request.base.string(), request.notes, Held::kDense),
                       request.adapters, loop::compute_for(request.threads))};
}

}  // namespace tune::trainer::language_model
