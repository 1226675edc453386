#pragma once
// One answer that is being written.
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "trainer/served/served_model.h"
#include "trainer/tasks/language_model/token_choice.h"
#include "trainer/text/tokenizer.h"

namespace tune::trainer::language_model {

// Chooses its tokens and knows when it ends: by a token of `ends`, by a text of the settings' stops, after so
// many tokens, or where the model has no positions left. Of one thread.
class AnswerWriter {
 public:
  // `alternatives` as in GenerationRequest.
  AnswerWriter(const text::Tokenizer& tokenizer, std::vector<std::int64_t> prompt,
               const GenerationSettings& settings, const std::vector<std::int64_t>& ends,
               std::int64_t positions, std::uint64_t stream, int alternatives = -1);

  // Takes the logits of the token that comes next, chooses it, and gives what that adds to the answer.
  served::Written advance(std::span<const float> logits);

  const std::vector<std::int64_t>& prompt() const { return prompt_; }
  const std::vector<std::int64_t>& ids() const { return ids_; }  // without the token that ended it
  bool is_done() const { return end_ != served::End::kNone; }
  served::End end() const { return end_; }

 private:
  served::WrittenToken scored(std::int64_t id, std::span<const float> logits) const;
  // What may be given away of the text that is held back.
  std::string certain_text(std::string fresh, bool is_last);

  text::Tokenizer tokenizer_;
  std::vector<std::int64_t> prompt_;
  GenerationSettings settings_;
  std::vector<std::int64_t> ends_;
  std::int64_t positions_;
  int alternatives_;
  Rng rng_;
  text::StreamDecoder decoder_;
  std::vector<std::int64_t> ids_;
  std::map<std::int64_t, int> times_;  // that each was written
  std::string held_;                   // text that may be the beginning of a stop
  served::End end_ = served::End::kNone;
};

}  // namespace tune::trainer::language_model
