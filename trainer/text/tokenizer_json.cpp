#include "trainer/text/tokenizer_json.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <stdexcept>

#include "trainer/text/byte_pair.h"
#include "trainer/text/json_object.h"
#include "trainer/text/unigram.h"
#include "trainer/text/word_piece.h"
#include "tuner/core/json_positions.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::text {
namespace {

using Parts = Tokenizer::Parts;

constexpr std::uint64_t kAnyCount = 1'000'000'000;
constexpr std::size_t kMostSteps = 100;  // of a normalizer, pre-tokenizer or decoder: nobody's has more

[[noreturn]] void refuse_type(const JsonObject& object, const std::string& what, const std::string& type,
                              const std::string& known) {
  throw object.wrong_at("type", what + " `" + visible_text(type) + "` is not known to this version",
                        "known are " + known);
}

// Calls `read` for the object under `key`, and for the members of Sequences in their order.
void each_step(JsonObject object, const char* list, std::size_t& steps,
               const std::function<void(JsonObject)>& read) {
  if (++steps > kMostSteps)
    throw object.wrong("there are more than " + std::to_string(kMostSteps) + " steps");
  if (object.text("type") != "Sequence") {
    read(std::move(object));
    return;
  }
  for (std::size_t i = 0; i < object.array(list).size(); ++i)
    each_step(object.element(list, i), list, steps, read);
  object.finish();
}

void each_step(JsonObject& document, const char* key, const char* list,
               const std::function<void(JsonObject)>& read) {
  if (document.find(key) == nullptr) return;
  std::size_t steps = 0;
  each_step(document.object(key), list, steps, read);
}

// {"String": "..."} or {"Regex": "..."}
std::variant<std::string, Pattern> read_pattern(JsonObject& object, const char* key) {
  JsonObject pattern = object.object(key);
  if (pattern.find("String") != nullptr) {
    const std::string text = pattern.text("String");
    if (text.empty()) throw pattern.wrong_at("String", "an empty text is found everywhere");
    pattern.finish();
    return text;
  }
  const std::string expression = pattern.text("Regex");
  pattern.finish();
  try {
    return Pattern(expression);
  } catch (const std::invalid_argument& error) {
    throw pattern.wrong_at(
        "Regex",
        "the pattern " + in_quotes(expression) + " holds what is not known to this version: " + error.what(),
        "known are the patterns of GPT-2, Llama 3, Qwen, DeepSeek and GPT-4o, and such as are made of the "
        "same parts");
  }
}

Replace read_replace(JsonObject& object) {
  std::variant<std::string, Pattern> what = read_pattern(object, "pattern");
  return {std::move(what), object.text("content")};
}

NormalizerStep read_normalizer(JsonObject& object) {
  const std::string type = object.text("type");
  if (type == "BertNormalizer") {
    BertNormalizer step;
    step.cleans_text = object.flag_or("clean_text", true);
    step.spaces_ideographs = object.flag_or("handle_chinese_chars", true);
    step.lowercases = object.flag_or("lowercase", true);
    step.strips_accents = object.flag_or("strip_accents", step.lowercases);
    return step;
  }
  if (type == "NFC") return NormalForm{Unicode::Form::kNfc};
  if (type == "NFD") return NormalForm{Unicode::Form::kNfd};
  if (type == "NFKC") return NormalForm{Unicode::Form::kNfkc};
  if (type == "NFKD") return NormalForm{Unicode::Form::kNfkd};
  if (type == "Lowercase") return Lowercase{};
  if (type == "StripAccents") return StripAccents{};
  if (type == "Prepend") return Prepend{object.text("prepend")};
  if (type == "Strip") return Strip{object.flag_or("strip_left", true), object.flag_or("strip_right", true)};
  if (type == "Replace") return read_replace(object);
  refuse_type(object, "the normalizer", type,
              "BertNormalizer, NFC, NFD, NFKC, NFKD, Lowercase, StripAccents, Prepend, Strip, Replace and "
              "Sequence; a "
              "tokenizer of sentencepiece is read from its tokenizer.model where there is no tokenizer.json");
}

SplitBehavior read_behavior(JsonObject& object) {
  const std::string name = object.text("behavior");
  if (name == "Removed") return SplitBehavior::kRemoved;
  if (name == "Isolated") return SplitBehavior::kIsolated;
  if (name == "Contiguous") return SplitBehavior::kContiguous;
  if (name == "MergedWithPrevious") return SplitBehavior::kMergedWithPrevious;
  if (name == "MergedWithNext") return SplitBehavior::kMergedWithNext;
  throw object.wrong_at("behavior", "`" + visible_text(name) + "` is no behaviour of a split",
                        "Removed, Isolated, Contiguous, MergedWithPrevious or MergedWithNext");
}

// The fields that Metaspace has as a pre-tokenizer and as a decoder.
Metaspace read_metaspace(JsonObject& object) {
  Metaspace step;
  step.replacement = object.one_character("replacement");
  object.pass_over({"str_rep"});  // of old files: the same as the replacement
  const std::string scheme = object.text_or("prepend_scheme", "always");
  if (scheme == "always")
    step.prepend = Metaspace::Prepend::kAlways;
  else if (scheme == "first")
    step.prepend = Metaspace::Prepend::kFirst;
  else if (scheme == "never")
    step.prepend = Metaspace::Prepend::kNever;
  else
    throw object.wrong_at("prepend_scheme", "`" + visible_text(scheme) + "` is none",
                          "always, first or never");
  if (!object.flag_or("add_prefix_space", true)) step.prepend = Metaspace::Prepend::kNever;
  step.splits = object.flag_or("split", true);
  return step;
}

PreTokenizerStep read_pre_tokenizer(JsonObject& object) {
  const std::string type = object.text("type");
  if (type == "BertPreTokenizer") return BertWords{};
  if (type == "ByteLevel") {
    ByteLevelWords step;
    step.adds_prefix_space = object.flag_or("add_prefix_space", true);
    step.splits = object.flag_or("use_regex", true);
    object.pass_over({"trim_offsets"});
    return step;
  }
  if (type == "Digits") return Digits{object.flag_or("individual_digits", false)};
  if (type == "Split") {
    std::variant<std::string, Pattern> at = read_pattern(object, "pattern");
    return Split{std::move(at), read_behavior(object), object.flag_or("invert", false)};
  }
  if (type == "Whitespace") return WhitespaceWords{};
  if (type == "WhitespaceSplit") return WhitespaceSplit{};
  if (type == "Metaspace") return read_metaspace(object);
  if (type == "Punctuation")
    return Punctuation{object.find("behavior") == nullptr ? SplitBehavior::kIsolated : read_behavior(object)};
  refuse_type(object, "the pre-tokenizer", type,
              "BertPreTokenizer, ByteLevel, Digits, Split, Whitespace, WhitespaceSplit, Metaspace, "
              "Punctuation and Sequence");
}

DecoderStep read_decoder(JsonObject& object) {
  const std::string type = object.text("type");
  if (type == "WordPiece")
    return WordPieceDecoder{object.text_or("prefix", "##"), object.flag_or("cleanup", true)};
  if (type == "ByteLevel") {
    object.pass_over({"add_prefix_space", "trim_offsets", "use_regex"});  // of the pre-tokenizer of that name
    return ByteLevelDecoder{};
  }
  if (type == "ByteFallback") return ByteFallbackDecoder{};
  if (type == "Fuse") return FuseDecoder{};
  if (type == "Strip")
    return StripDecoder{object.one_character("content"), object.count("start", kAnyCount),
                        object.count("stop", kAnyCount)};
  if (type == "Metaspace") {
    const Metaspace metaspace = read_metaspace(object);
    return MetaspaceDecoder{metaspace.replacement, metaspace.prepend != Metaspace::Prepend::kNever};
  }
  if (type == "Replace") return read_replace(object);
  refuse_type(object, "the decoder", type,
              "WordPiece, ByteLevel, ByteFallback, Fuse, Strip, Metaspace, Replace and Sequence");
}

// {"token": id, ...}
void read_vocabulary(JsonObject& model, Vocabulary& vocabulary) {
  JsonObject object = model.object("vocab");
  for (const auto& [token, id] : model.need("vocab").items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= kMostIds)
      throw object.wrong_at(token.c_str(), "an id below " + std::to_string(kMostIds) + " is expected here");
    if (vocabulary.add(token, id.get<std::uint32_t>()) != Vocabulary::Added::kYes)
      throw object.wrong_at(token.c_str(), "the id " + id.dump() + " is another token's too: " +
                                               in_quotes(*vocabulary.token_of(id.get<std::uint32_t>())));
  }
  if (vocabulary.end() == 0) throw object.wrong("the vocabulary is empty");
}

std::optional<std::uint32_t> read_unknown(JsonObject& model, const Vocabulary& vocabulary) {
  if (model.find("unk_token") == nullptr) return std::nullopt;
  const std::string token = model.text("unk_token");
  if (token.empty()) return std::nullopt;
  const std::optional<std::uint32_t> id = vocabulary.id_of(token);
  if (!id) throw model.wrong_at("unk_token", in_quotes(token) + " is no token of the vocabulary");
  return id;
}

// "left right" of old files, or ["left", "right"].
std::pair<std::string, std::string> read_merge(const JsonObject& model, std::size_t index,
                                               const Json& merge) {
  const auto wrong = [&] {
    return bad_json(model.file(), element_pointer(model.place_of("merges"), index),
                    "two tokens are expected here, as \"left right\" or [\"left\", \"right\"]", {});
  };
  if (merge.is_array()) {
    if (merge.size() != 2 || !merge[0].is_string() || !merge[1].is_string()) throw wrong();
    return {merge[0].get<std::string>(), merge[1].get<std::string>()};
  }
  if (!merge.is_string()) throw wrong();
  const auto& text = merge.get_ref<const std::string&>();
  const std::size_t space = text.find(' ');
  if (space == std::string::npos || text.find(' ', space + 1) != std::string::npos) throw wrong();
  return {text.substr(0, space), text.substr(space + 1)};
}

std::unique_ptr<TokenModel> read_byte_pair(JsonObject& model, bool of_bytes, Vocabulary& vocabulary) {
  read_vocabulary(model, vocabulary);
  BytePair::Settings settings;
  settings.of_bytes = of_bytes;
  settings.ignores_merges = model.flag_or("ignore_merges", false);
  settings.falls_back = model.flag_or("byte_fallback", false);
  settings.fuses_unknown = model.flag_or("fuse_unk", false);
  settings.unknown = read_unknown(model, vocabulary);
  if (const Json* dropout = model.find("dropout"); dropout != nullptr && *dropout != 0)
    throw model.wrong_at("dropout", "merges that are left out at random are not known to this version",
                         "write null there: without it the tokens are those that a model is used with");
  for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
    if (!model.text_or(key, "").empty())
      throw model.wrong_at(
          key, "a mark of tokens inside or at the end of a word is not known to this version for BPE");
  std::vector<std::pair<std::string, std::string>> merges;
  const Json& list = model.array("merges");
  for (std::size_t i = 0; i < list.size(); ++i) merges.push_back(read_merge(model, i, list[i]));
  std::optional<BytePair::BadMerge> bad;
  auto made = std::make_unique<BytePair>(vocabulary, merges, settings, bad);
  if (bad) throw bad_json(model.file(), element_pointer(model.place_of("merges"), bad->index), bad->what, {});
  return made;
}

std::unique_ptr<TokenModel> read_word_piece(JsonObject& model, Vocabulary& vocabulary) {
  read_vocabulary(model, vocabulary);
  WordPiece::Settings settings;
  const std::optional<std::uint32_t> unknown = read_unknown(model, vocabulary);
  if (!unknown) throw model.wrong("there is no `unk_token`");
  settings.unknown = *unknown;
  settings.prefix = model.text_or("continuing_subword_prefix", settings.prefix);
  settings.most_characters = model.count_or("max_input_chars_per_word", kAnyCount, settings.most_characters);
  return std::make_unique<WordPiece>(vocabulary, settings);
}

std::unique_ptr<TokenModel> read_unigram(JsonObject& model, Vocabulary& vocabulary) {
  std::vector<Unigram::Token> tokens;
  double lowest = std::numeric_limits<double>::infinity();
  const Json& list = model.array("vocab");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const Json& entry = list[i];
    const std::string place = element_pointer(model.place_of("vocab"), i);
    if (!entry.is_array() || entry.size() != 2 || !entry[0].is_string() || !entry[1].is_number())
      throw bad_json(model.file(), place, "a token with its score is expected here", {});
    const auto id = static_cast<std::uint32_t>(i);
    tokens.push_back({entry[0].get<std::string>(), id, entry[1].get<double>()});
    lowest = std::min(lowest, tokens.back().score);
    if (i >= kMostIds || vocabulary.add(tokens.back().text, id) != Vocabulary::Added::kYes)
      throw bad_json(model.file(), place,
                     "the token " + in_quotes(tokens.back().text) + " is there twice, or one too many", {});
  }
  if (tokens.empty()) throw model.wrong_at("vocab", "the vocabulary is empty");
  Unigram::Settings settings;
  if (model.find("unk_id") != nullptr)
    settings.unknown = static_cast<std::uint32_t>(model.count("unk_id", tokens.size() - 1));
  settings.unknown_score = lowest - Unigram::kUnknownPenalty;
  settings.falls_back = model.flag_or("byte_fallback", false);
  return std::make_unique<Unigram>(tokens, vocabulary, settings);
}

// Files of old versions name no type.
std::string model_type(JsonObject& model) {
  if (model.find("type") != nullptr) return model.text("type");
  if (model.find("merges") != nullptr) return "BPE";
  if (const Json* vocabulary = model.find("vocab"); vocabulary != nullptr && vocabulary->is_array())
    return "Unigram";
  return "WordPiece";
}

void read_model(JsonObject& document, std::vector<PreTokenizerStep>& steps, Parts& parts) {
  JsonObject model = document.object("model");
  const std::string type = model_type(model);
  ByteLevelWords* const bytes = steps.empty() ? nullptr : std::get_if<ByteLevelWords>(&steps.back());
  if (type == "BPE") {
    const bool of_bytes = bytes != nullptr && !model.flag_or("byte_fallback", false);
    if (of_bytes) bytes->maps_bytes = false;
    parts.model = read_byte_pair(model, of_bytes, parts.vocabulary);
  } else if (type == "WordPiece") {
    parts.model = read_word_piece(model, parts.vocabulary);
  } else if (type == "Unigram") {
    parts.model = read_unigram(model, parts.vocabulary);
  } else {
    refuse_type(model, "the model", type, "WordPiece, BPE and Unigram");
  }
  model.finish();
}

void read_added_tokens(JsonObject& document, AddedTokens& added, const Vocabulary& vocabulary) {
  if (document.find("added_tokens") == nullptr) return;
  for (std::size_t i = 0; i < document.array("added_tokens").size(); ++i) {
    JsonObject object = document.element("added_tokens", i);
    AddedToken token;
    token.text = object.text("content");
    token.id = static_cast<std::uint32_t>(object.count("id", kMostIds - 1));
    token.is_special = object.flag_or("special", false);
    token.is_normalized = object.flag_or("normalized", !token.is_special);
    token.strips_left = object.flag_or("lstrip", false);
    token.strips_right = object.flag_or("rstrip", false);
    token.is_single_word = object.flag_or("single_word", false);
    object.finish();
    if (token.text.empty()) throw object.wrong_at("content", "an empty text is no token");
    const std::optional<std::uint32_t> known = vocabulary.id_of(token.text);
    const std::optional<std::string_view> other = vocabulary.token_of(token.id);
    const AddedToken* const earlier = added.token_of(token.id);
    if (known && *known != token.id)
      throw object.wrong_at(
          "id", in_quotes(token.text) + " has the id " + std::to_string(*known) + " in the vocabulary");
    if ((other && *other != token.text) || (earlier != nullptr && earlier->text != token.text))
      throw object.wrong_at("id", "the id is that of " + in_quotes(other ? *other : earlier->text) + " too");
    added.add(std::move(token));
  }
}

std::int64_t read_type_id(JsonObject& object) {
  return static_cast<std::int64_t>(object.count_or("type_id", 1'000'000, 0));
}

// [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}, ...]
std::vector<PostProcessor::Item> read_items(
    JsonObject& object, const char* key, const std::map<std::string, std::vector<std::int64_t>>& specials) {
  std::vector<PostProcessor::Item> items;
  for (std::size_t i = 0; i < object.array(key).size(); ++i) {
    JsonObject item = object.element(key, i);
    if (item.find("Sequence") != nullptr) {
      JsonObject sequence = item.object("Sequence");
      const std::string name = sequence.text("id");
      if (name != "A" && name != "B") throw sequence.wrong_at("id", "A or B is expected here");
      items.push_back(
          {name == "A" ? PostProcessor::Text::kFirst : PostProcessor::Text::kSecond, read_type_id(sequence)});
      sequence.finish();
    } else {
      JsonObject special = item.object("SpecialToken");
      const auto found = specials.find(special.text("id"));
      if (found == specials.end())
        throw special.wrong_at("id", in_quotes(special.text("id")) + " is not among the `special_tokens`");
      items.push_back({found->second, read_type_id(special)});
      special.finish();
    }
    item.finish();
  }
  const auto count = [&](PostProcessor::Text text) {
    return std::count_if(items.begin(), items.end(), [&](const PostProcessor::Item& item) {
      const auto* what = std::get_if<PostProcessor::Text>(&item.what);
      return what != nullptr && *what == text;
    });
  };
  const bool is_pair = std::string_view(key) == "pair";
  if (count(PostProcessor::Text::kFirst) != 1 || count(PostProcessor::Text::kSecond) != (is_pair ? 1 : 0))
    throw object.wrong_at(
        key, is_pair ? "A and B are expected here once each" : "A is expected here once, and no B");
  return items;
}

PostProcessor read_template(JsonObject& object, const Parts& parts) {
  std::map<std::string, std::vector<std::int64_t>> specials;
  JsonObject table = object.object("special_tokens");
  for (const auto& [name, entry] : object.need("special_tokens").items()) {
    JsonObject special = table.object(name.c_str());
    special.pass_over({"id", "tokens"});
    const Json& ids = special.array("ids");
    for (const Json& id : ids) {
      if (!id.is_number_unsigned() || !parts.token_of(id.get<std::uint64_t>()))
        throw special.wrong_at("ids", id.dump() + " is no token's id");
      specials[name].push_back(id.get<std::int64_t>());
    }
    special.finish();
  }
  PostProcessor around;
  around.single = read_items(object, "single", specials);
  around.pair = read_items(object, "pair", specials);
  return around;
}

// ["[SEP]", 102]
std::vector<std::int64_t> read_pair(JsonObject& object, const char* key, const Parts& parts) {
  const Json& pair = object.array(key);
  if (pair.size() != 2 || !pair[0].is_string() || !pair[1].is_number_unsigned())
    throw object.wrong_at(key, "a token with its id is expected here");
  if (parts.token_of(pair[1].get<std::uint64_t>()) != pair[0].get<std::string>())
    throw object.wrong_at(key, pair[1].dump() + " is not the id of " + in_quotes(pair[0].get<std::string>()));
  return {pair[1].get<std::int64_t>()};
}

void read_post_processor(JsonObject& document, Parts& parts) {
  bool has_template = false;
  each_step(document, "post_processor", "processors", [&](JsonObject object) {
    const std::string type = object.text("type");
    if (type == "ByteLevel") {  // about offsets alone
      object.pass_over({"add_prefix_space", "trim_offsets", "use_regex"});
      object.finish();
      return;
    }
    if (has_template) throw object.wrong("a second template is not known to this version");
    has_template = true;
    using Text = PostProcessor::Text;
    if (type == "TemplateProcessing") {
      parts.around = read_template(object, parts);
    } else if (type == "BertProcessing") {
      const auto begin = read_pair(object, "cls", parts), end = read_pair(object, "sep", parts);
      parts.around.single = {{begin, 0}, {Text::kFirst, 0}, {end, 0}};
      parts.around.pair = {{begin, 0}, {Text::kFirst, 0}, {end, 0}, {Text::kSecond, 1}, {end, 1}};
    } else if (type == "RobertaProcessing") {
      const auto begin = read_pair(object, "cls", parts), end = read_pair(object, "sep", parts);
      object.pass_over({"trim_offsets", "add_prefix_space"});
      parts.around.single = {{begin, 0}, {Text::kFirst, 0}, {end, 0}};
      parts.around.pair = {{begin, 0}, {Text::kFirst, 0}, {end, 0}, {end, 0}, {Text::kSecond, 0}, {end, 0}};
    } else {
      refuse_type(object, "the post-processor", type,
                  "TemplateProcessing, BertProcessing, RobertaProcessing, ByteLevel and Sequence");
    }
    object.finish();
  });
}

}  // namespace

void read_tokenizer_json(const Json& json, const std::string& file, Parts& parts) {
  JsonObject document(json, file, "");
  // Lengths and padding are the caller's.
  document.pass_over({"version", "truncation", "padding"});

  std::vector<NormalizerStep> normalizer;
  each_step(document, "normalizer", "normalizers", [&](JsonObject object) {
    normalizer.push_back(read_normalizer(object));
    object.finish();
  });
  parts.normalizer = Normalizer(std::move(normalizer));

  std::vector<PreTokenizerStep> pre_tokenizer;
  each_step(document, "pre_tokenizer", "pretokenizers", [&](JsonObject object) {
    if (!pre_tokenizer.empty() && std::holds_alternative<ByteLevelWords>(pre_tokenizer.back()))
      throw object.wrong("a pre-tokenizer behind ByteLevel is not known to this version");
    pre_tokenizer.push_back(read_pre_tokenizer(object));
    object.finish();
  });
  read_model(document, pre_tokenizer, parts);
  parts.pre_tokenizer = PreTokenizer(std::move(pre_tokenizer));

  read_added_tokens(document, parts.added, parts.vocabulary);
  parts.added.settle(parts.normalizer);
  read_post_processor(document, parts);

  if (document.find("decoder") != nullptr) {
    std::vector<DecoderStep> decoder;
    each_step(document, "decoder", "decoders", [&](JsonObject object) {
      decoder.push_back(read_decoder(object));
      object.finish();
    });
    parts.decoder = TokenDecoder(std::move(decoder));
  }
  document.finish();
}

}  // namespace tune::trainer::text
