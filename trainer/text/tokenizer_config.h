#pragma once
// Reads tokenizer_config.json and special_tokens_map.json.
#include <string>

#include "trainer/text/tokenizer_parts.h"
#include "tuner/core/json.h"

namespace tune::trainer::text {

// What tokenizer_config.json and special_tokens_map.json say beside the tokens: those with a part to play,
// added ones, limits, the chat template. `config` and `specials` may be null. The names of the files in
// errors are `folder` and theirs. Keys that say nothing about tokens are passed over. Throws Error(kBadData).
void read_tokenizer_config(const Json& config, const Json& specials, const std::string& folder,
                           Tokenizer::Parts& parts);

// A token of such a file: a text, or an object with one. Empty where there is none.
std::string token_text(const Json& object, const char* key);

}  // namespace tune::trainer::text
