#pragma once
// Reads tokenizer.json.
#include <string>

#include "trainer/text/tokenizer_parts.h"
#include "tuner/core/json.h"

namespace tune::trainer::text {

// Reads a tokenizer.json of `tokenizers` into empty parts: all but what tokenizer_config.json says. `file` is
// its name in errors. Throws Error(kBadData) with the JSON pointer of what is damaged, contradictory or not
// known.
void read_tokenizer_json(const Json& document, const std::string& file, Tokenizer::Parts& parts);

}  // namespace tune::trainer::text
