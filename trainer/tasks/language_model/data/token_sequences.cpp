#include "trainer/tasks/language_model/data/token_sequences.h"

#include <algorithm>

#include "tuner/core/error.h"

namespace tune::trainer::language_model {

std::int64_t TokenSequence::count_learned() const {
  return learned.empty() ? 0 : std::count(learned.begin() + 1, learned.end(), true);
}

ExampleTokens::ExampleTokens(text::Tokenizer tokenizer, std::optional<std::int64_t> end, std::string model)
    : tokenizer_(std::move(tokenizer)), end_(end), model_(std::move(model)) {
  const text::Encoding one = tokenizer_.encode_one("a", std::nullopt);
  for (std::size_t i = 0; i < one.ids.size() && one.is_special[i]; ++i) beginning_.push_back(one.ids[i]);
}

TokenSequence ExampleTokens::of_pair(const Example& example, bool& moved) const {
  std::vector<std::int64_t> prompt = beginning_, all = beginning_;
  const auto append = [&](std::vector<std::int64_t>& to, const std::string& text) {
    const std::vector<std::int64_t> ids = tokenizer_.encode(text);
    to.insert(to.end(), ids.begin(), ids.end());
  };
  append(prompt, example.prompt);
  append(all, example.prompt + *example.completion);
  if (end_ && (all.empty() || all.back() != *end_)) all.push_back(*end_);
  const auto shared = static_cast<std::size_t>(
      std::mismatch(prompt.begin(), prompt.end(), all.begin(), all.end()).first - prompt.begin());
  moved = shared < prompt.size();
  TokenSequence sequence{std::move(all), {}};
  sequence.learned.assign(sequence.ids.size(), true);
  std::fill_n(sequence.learned.begin(), shared, false);
  return sequence;
}

TokenSequence ExampleTokens::of_conversation(const Example& example) const {
  const ChatTemplate form(tokenizer_.chat_template(), model_);
  TokenSequence sequence;
  for (const Segment& segment : form.render(example.messages, /*asks_for_answer=*/false, example.place)) {
    const std::vector<std::int64_t> ids = tokenizer_.encode(segment.text);
    sequence.ids.insert(sequence.ids.end(), ids.begin(), ids.end());
    sequence.learned.insert(sequence.learned.end(), ids.size(), segment.learned);
  }
  return sequence;
}

TokenSequences ExampleTokens::of(const std::vector<Example>& examples, std::int64_t max_length) const {
  TokenSequences result;
  for (const Example& example : examples) {
    bool moved = false;
    TokenSequence sequence = example.messages.empty() ? of_pair(example, moved) : of_conversation(example);
    result.moved += moved ? 1 : 0;
    const auto length = static_cast<std::int64_t>(sequence.ids.size());
    if (length > max_length) {
      ++result.cut;
      result.cut_tokens += length - max_length;
      sequence.ids.resize(static_cast<std::size_t>(max_length));
      sequence.learned.resize(static_cast<std::size_t>(max_length));
    }
    if (sequence.count_learned() > 0) {
      result.sequences.push_back(std::move(sequence));
    } else if (++result.dropped == 1) {
      result.first_dropped = example.place;
    }
  }
  return result;
}

std::vector<std::int64_t> ExampleTokens::prompt_of(const Example& example) const {
  if (example.messages.empty()) {
    std::vector<std::int64_t> ids = beginning_;
    const std::vector<std::int64_t> prompt = tokenizer_.encode(example.prompt);
    ids.insert(ids.end(), prompt.begin(), prompt.end());
    return ids;
  }
  std::vector<std::int64_t> ids;
  const ChatTemplate form(tokenizer_.chat_template(), model_);
  for (const Segment& segment :
       form.render(before_answer(example), /*asks_for_answer=*/true, example.place)) {
    const std::vector<std::int64_t> part = tokenizer_.encode(segment.text);
    ids.insert(ids.end(), part.begin(), part.end());
  }
  return ids;
}

std::vector<Message> ExampleTokens::before_answer(const Example& example) {
  std::vector<Message> messages = example.messages;
  if (messages.back().role == "assistant") messages.pop_back();
  return messages;
}

std::string ExampleTokens::wanted_of(const Example& example) {
  if (!example.messages.empty())
    return example.messages.back().role == "assistant" ? example.messages.back().content : "";
  return example.prompt.empty() ? "" : example.completion.value_or("");
}

}  // namespace tune::trainer::language_model
