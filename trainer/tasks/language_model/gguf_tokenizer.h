#pragma once
// The tokenizer among the values of a GGUF file.
#include <map>
#include <string>
#include <vector>

#include "trainer/text/gguf_vocabulary.h"
#include "trainer/text/tokenizer.h"
#include "tuner/core/json.h"

namespace tune::trainer::language_model {

// `place` names the file in errors. Throws Error(kBadData) for what is missing or of another type.
text::GgufVocabulary vocabulary_of(const std::map<std::string, Json>& values, const std::string& place);

// The values for a tokenizer whose tokenizer.json is among its files or in `made`: byte-level BPE, whose way
// to cut texts is one that llama.cpp has a name for. `rows` of the embedding that no token has get names of
// their own. Throws Error(kBadData).
std::vector<std::pair<std::string, Json>> gguf_values_of_tokenizer(const text::Tokenizer& tokenizer,
                                                                   const text::TokenizerFiles& made,
                                                                   std::int64_t rows,
                                                                   const std::string& place);

}  // namespace tune::trainer::language_model
