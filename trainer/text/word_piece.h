#pragma once
// BERT's WordPiece.
#include <cstddef>
#include <string>

#include "trainer/text/token_model.h"
#include "trainer/text/vocabulary.h"

namespace tune::trainer::text {

// The longest token that begins the word, then the longest one with the prefix that goes on from there, as
// BERT does (Schuster and Nakajima 2012; https://github.com/google-research/bert). A word that cannot be made
// up so, or of more characters than `most_characters`, is one unknown token.
class WordPiece : public TokenModel {
 public:
  struct Settings {
    std::uint32_t unknown = 0;
    std::string prefix = "##";  // of tokens inside a word
    std::size_t most_characters = 100;
  };
  // The vocabulary outlives it.
  WordPiece(const Vocabulary& vocabulary, Settings settings);
  void append_ids(std::string_view word, std::vector<std::int64_t>& ids) const override;

 private:
  Settings settings_;
  TokenTable beginnings_, continuations_;  // the latter without the prefix
};

}  // namespace tune::trainer::text
