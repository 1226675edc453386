#pragma once
// The unigram language model of tokenizers.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "trainer/text/prefix_tree.h"
#include "trainer/text/token_model.h"
#include "trainer/text/vocabulary.h"

namespace tune::trainer::text {

// The tokens whose scores (logarithms of probabilities) add up to most, by Viterbi's algorithm (Kudo 2018,
// arXiv 1804.10959). Unknown characters side by side are one unknown token, or the tokens <0x..> of their
// bytes.
class Unigram : public TokenModel {
 public:
  static constexpr float kUnknownPenalty = 10;  // below the lowest score, as in sentencepiece

  struct Token {
    std::string text;
    std::uint32_t id = 0;
    double score = 0;
  };
  struct Settings {
    std::optional<std::uint32_t> unknown;
    double unknown_score = 0;  // of a character that is no token
    bool falls_back = false;
    bool rounds_sums = false;  // to float, as sentencepiece itself does
  };
  // `tokens` are those that texts are made of, bytes are looked up in the vocabulary.
  Unigram(const std::vector<Token>& tokens, const Vocabulary& vocabulary, Settings settings);
  // Throws Error(kBadData) for an unknown character where there is no unknown token.
  void append_ids(std::string_view word, std::vector<std::int64_t>& ids) const override;

 private:
  Settings settings_;
  PrefixTree tree_;
  std::vector<double> scores_;  // by id
  std::array<std::optional<std::uint32_t>, 256> byte_ids_;
};

}  // namespace tune::trainer::text
