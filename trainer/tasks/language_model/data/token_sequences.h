#pragma once
// Examples as token ids, of which those that are to be learned are known.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "trainer/tasks/language_model/data/example.h"
#include "trainer/text/tokenizer.h"

namespace tune::trainer::language_model {

struct TokenSequence {
  std::vector<std::int64_t> ids;
  std::vector<bool> learned;           // of the same length: counts in the loss as what comes next
  std::int64_t count_learned() const;  // the first token follows nothing, and is never learned
};

struct TokenSequences {
  std::vector<TokenSequence> sequences;
  std::size_t cut = 0;          // examples that were longer than allowed
  std::int64_t cut_tokens = 0;  // theirs that were cut
  std::size_t dropped = 0;      // examples without anything left to learn
  std::string first_dropped;    // the place of the first of them
  std::size_t moved = 0;        // examples whose last token of the prompt takes in some of the completion
};

// What a tokenizer, its chat template and an end token make of examples. Immutable; any number of threads.
class ExampleTokens {
 public:
  // `end` is put behind a completion that does not end so; none where the model has none.
  ExampleTokens(text::Tokenizer tokenizer, std::optional<std::int64_t> end, std::string model);

  // A prompt and its completion are cut into tokens together, and what they do not share with the prompt
  // alone is learned (as TRL's SFTTrainer does it); of a conversation what assistants say; a plain text
  // whole. Rows are cut at the right at `max_length`; those without anything to learn are dropped and
  // counted.
  TokenSequences of(const std::vector<Example>& examples, std::int64_t max_length) const;
  // What an answer is generated behind: the prompt, or the conversation before its last answer.
  std::vector<std::int64_t> prompt_of(const Example& example) const;
  // A conversation before its last answer.
  static std::vector<Message> before_answer(const Example& example);
  // The answer that is wanted, as a text; "" for a plain text, which has no prompt.
  static std::string wanted_of(const Example& example);

 private:
  TokenSequence of_pair(const Example& example, bool& moved) const;
  TokenSequence of_conversation(const Example& example) const;

  const text::Tokenizer tokenizer_;
  const std::optional<std::int64_t> end_;
  const std::string model_;
  std::vector<std::int64_t> beginning_;  // that the tokenizer puts before each text
};

}  // namespace tune::trainer::language_model
