#include "trainer/tasks/language_model/gguf_tokenizer.h"

#include <algorithm>

#include "trainer/weights/initial_weights.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

constexpr int kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5;

[[noreturn]] void refuse(const std::string& place, const std::string& what, const std::string& cure) {
  throw Error(ExitCode::kBadData, place + ": " + what, cure);
}

template <typename T>
std::vector<T> list_of(const std::map<std::string, Json>& values, const std::string& key,
                       const std::string& place) {
  const auto found = values.find(key);
  if (found == values.end()) return {};
  try {
    return found->second.get<std::vector<T>>();
  } catch (const Json::exception&) {
    refuse(place, "its value \"" + key + "\" is no list of the kind that it should be",
           "copy or download the file again");
  }
}

template <typename T>
T one_of(const std::map<std::string, Json>& values, const std::string& key, T fallback,
         const std::string& place) {
  const auto found = values.find(key);
  if (found == values.end()) return fallback;
  try {
    return found->second.get<T>();
  } catch (const Json::exception&) {
    refuse(place, "its value \"" + key + "\" is of another type than it should be",
           "copy or download the file again");
  }
}

std::optional<std::int64_t> id_in(const std::map<std::string, Json>& values, const char* key,
                                  std::size_t tokens, const std::string& place) {
  const std::string name = std::string("tokenizer.ggml.") + key;
  const auto id = one_of<std::int64_t>(values, name, -1, place);
  if (id < 0) return std::nullopt;
  if (static_cast<std::size_t>(id) >= tokens)
    refuse(place, "its value \"" + name + "\" is " + std::to_string(id) + ", which is no token's",
           "copy or download the file again");
  return id;
}

std::string merge_text(const Json& merge) {
  return merge.is_array() && merge.size() == 2
             ? merge[0].get<std::string>() + " " + merge[1].get<std::string>()
             : merge.get<std::string>();
}

}  // namespace

text::GgufVocabulary vocabulary_of(const std::map<std::string, Json>& values, const std::string& place) {
  text::GgufVocabulary vocabulary;
  vocabulary.model = one_of<std::string>(values, "tokenizer.ggml.model", "", place);
  if (vocabulary.model.empty())
    refuse(place, "it holds no tokenizer", "take a file of a language model, as llama.cpp converts them");
  vocabulary.pre = one_of<std::string>(values, "tokenizer.ggml.pre", "", place);
  vocabulary.tokens = list_of<std::string>(values, "tokenizer.ggml.tokens", place);
  vocabulary.types = list_of<std::int32_t>(values, "tokenizer.ggml.token_type", place);
  vocabulary.scores = list_of<float>(values, "tokenizer.ggml.scores", place);
  vocabulary.merges = list_of<std::string>(values, "tokenizer.ggml.merges", place);
  const std::size_t tokens = vocabulary.tokens.size();
  vocabulary.begin = id_in(values, "bos_token_id", tokens, place);
  vocabulary.end = id_in(values, "eos_token_id", tokens, place);
  vocabulary.unknown = id_in(values, "unknown_token_id", tokens, place);
  vocabulary.pad = id_in(values, "padding_token_id", tokens, place);
  vocabulary.add_begin = one_of<bool>(values, "tokenizer.ggml.add_bos_token", false, place);
  vocabulary.add_space_prefix = one_of<bool>(values, "tokenizer.ggml.add_space_prefix", true, place);
  vocabulary.chat_template = one_of<std::string>(values, "tokenizer.chat_template", "", place);
  return vocabulary;
}

std::vector<std::pair<std::string, Json>> gguf_values_of_tokenizer(const text::Tokenizer& tokenizer,
                                                                   const text::TokenizerFiles& made,
                                                                   std::int64_t rows,
                                                                   const std::string& place) {
  Json json;
  for (const auto& file : tokenizer.files())
    if (file.filename() == "tokenizer.json") json = weights::read_model_json(file);
  if (json.is_null()) json = Json::parse(made.tokenizer_json, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("model") || json["model"].value("type", "BPE") != "BPE")
    refuse(place, "its tokenizer is no byte-level BPE, which alone is written into GGUF files",
           "export a Hugging Face folder, and convert that with llama.cpp");
  const std::string pre = text::gguf_pre_of(json);
  if (pre.empty())
    refuse(place, "its tokenizer cuts texts in a way that llama.cpp has no name for here",
           "export a Hugging Face folder, and convert that with llama.cpp");
  std::vector<std::string> tokens(static_cast<std::size_t>(rows));
  std::vector<int> types(static_cast<std::size_t>(rows), kUnused);
  const auto set = [&](std::int64_t id, const std::string& token, int type) {
    if (id < 0 || id >= rows)
      refuse(place, "its tokenizer has a token " + std::to_string(id) + " without a row",
             "restore the tokenizer that came with the model");
    tokens[static_cast<std::size_t>(id)] = token;
    types[static_cast<std::size_t>(id)] = type;
  };
  for (const auto& [token, id] : json["model"].at("vocab").items()) set(id, token, kNormal);
  for (const Json& added : json.value("added_tokens", Json::array()))
    set(added.at("id"), added.at("content"), added.value("special", false) ? kControl : kUserDefined);
  for (std::size_t id = 0; id < tokens.size(); ++id)
    if (types[id] == kUnused) tokens[id] = "[PAD" + std::to_string(id) + "]";
  Json merges = Json::array();
  for (const Json& merge : json["model"].value("merges", Json::array())) merges.push_back(merge_text(merge));
  std::vector<std::pair<std::string, Json>> values{{"tokenizer.ggml.model", "gpt2"},
                                                   {"tokenizer.ggml.pre", pre},
                                                   {"tokenizer.ggml.tokens", tokens},
                                                   {"tokenizer.ggml.token_type", types},
                                                   {"tokenizer.ggml.merges", merges}};
  const auto& specials = tokenizer.specials();
  for (const auto& [key, id] :
       {std::pair("bos_token_id", specials.begin), std::pair("eos_token_id", specials.end),
        std::pair("unknown_token_id", specials.unknown), std::pair("padding_token_id", specials.pad)})
    if (id) values.emplace_back(std::string("tokenizer.ggml.") + key, *id);
  if (!tokenizer.chat_template().empty())
    values.emplace_back("tokenizer.chat_template", tokenizer.chat_template());
  return values;
}

}  // namespace tune::trainer::language_model
