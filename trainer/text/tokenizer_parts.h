#pragma once
// What a tokenizer is made of.
#include <memory>

#include "trainer/text/added_tokens.h"
#include "trainer/text/normalizer.h"
#include "trainer/text/post_processor.h"
#include "trainer/text/pre_tokenizer.h"
#include "trainer/text/sentence_piece.h"
#include "trainer/text/token_decoder.h"
#include "trainer/text/token_model.h"
#include "trainer/text/tokenizer.h"
#include "trainer/text/vocabulary.h"

namespace tune::trainer::text {

// Filled by one reader, then immutable. The model may refer to the vocabulary, so that none is copied.
struct Tokenizer::Parts {
  Parts() = default;
  Parts(const Parts&) = delete;
  Parts& operator=(const Parts&) = delete;

  // The id of a token of the model or an added one; added ones come first, as in `tokenizers`.
  std::optional<std::uint32_t> id_of(std::string_view token) const {
    if (const std::optional<std::uint32_t> id = added.id_of(token)) return id;
    return vocabulary.id_of(token);
  }
  std::optional<std::string_view> token_of(std::uint64_t id) const {
    if (const AddedToken* token = added.token_of(id)) return token->text;
    return vocabulary.token_of(id);
  }

  std::string name;  // what errors call it
  Vocabulary vocabulary;
  AddedTokens added;
  Normalizer normalizer;
  PreTokenizer pre_tokenizer;
  std::unique_ptr<const TokenModel> model;
  const SentencePiece* sentence_piece = nullptr;  // the model, where it decodes itself
  PostProcessor around;
  TokenDecoder decoder;

  Specials specials;
  std::string chat_template;
  std::optional<std::size_t> model_max_length;
  bool cuts_left = false;  // what is too long
  std::vector<std::filesystem::path> files;
};

}  // namespace tune::trainer::text
