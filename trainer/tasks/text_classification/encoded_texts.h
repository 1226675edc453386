#pragma once
// A set of texts as an encoder takes them.
#include <cstdint>
#include <string>
#include <vector>

#include "trainer/tasks/text_classification/data/dataset.h"
#include "trainer/text/tokenizer.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::text_classification {

// Names of a batch's tensors. Of texts of one length there is no mask, of single texts no types.
inline constexpr const char *kIds = "ids", *kMask = "mask", *kTypes = "types";

// Token ids of all texts in memory, 5 bytes a token at most. Immutable, any thread.
class EncodedTexts {
 public:
  // Texts, or pairs, with the tokens that the tokenizer puts around them, cut to `max_length`. Uses so many
  // threads of its own.
  EncodedTexts(const text::Tokenizer& tokenizer, const Dataset& dataset, std::size_t max_length, int threads);
  // Of texts that are cut into tokens already.
  explicit EncodedTexts(const std::vector<const text::Encoding*>& encoded);

  std::int64_t size() const { return static_cast<std::int64_t>(starts_.size()) - 1; }
  const std::vector<std::int64_t>& lengths() const { return lengths_; }  // in tokens
  std::int64_t tokens() const { return starts_.back(); }                 // of all texts
  std::int64_t longest() const { return longest_; }
  std::int64_t cut_texts() const { return cut_texts_; }    // that were longer than max_length
  std::int64_t cut_tokens() const { return cut_tokens_; }  // of theirs that are gone
  std::int64_t largest_id() const { return largest_id_; }
  int largest_type() const { return largest_type_; }
  // What each text is known by: a hash of its ids and types.
  std::vector<std::string> contents() const;

  // int64 kIds [B, L], padded with `padding` to the longest of them, and to a multiple of `multiple`; bool
  // kMask [B, L], true for tokens; int64 kTypes [B, L]. On the CPU.
  weights::TensorMap batch(const std::vector<std::int64_t>& examples, std::int64_t padding,
                           std::int64_t multiple) const;

 private:
  std::vector<std::int32_t> ids_;
  std::vector<std::uint8_t> types_;   // empty where all are 0
  std::vector<std::int64_t> starts_;  // of each text in those, and the end of the last
  std::vector<std::int64_t> lengths_;
  std::int64_t longest_ = 0, cut_texts_ = 0, cut_tokens_ = 0, largest_id_ = 0;
  int largest_type_ = 0;
};

// Batches to measure: from the shortest text to the longest, of so many tokens with padding at most, or of
// one text.
std::vector<std::vector<std::int64_t>> batches_to_measure(const std::vector<std::int64_t>& lengths,
                                                          std::int64_t most_tokens);

}  // namespace tune::trainer::text_classification
