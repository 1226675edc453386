#include "trainer/text/gguf_vocabulary.h"

#include <algorithm>
#include <array>
#include <map>

#include "trainer/text/pre_tokenizer.h"
#include "trainer/text/utf8.h"
#include "trainer/text/vocabulary.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::text {
namespace {

// .token_type of llama.cpp's gguf-py (constants.py, TokenType).
constexpr std::int32_t kUnknownType = 2, kControlType = 3, kUserType = 4;

constexpr const char* kLlama3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr const char* kQwen2 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

// What a name under `tokenizer.ggml.pre` stands for, as llama.cpp's convert_hf_to_gguf.py gives them.
struct Cut {
  const char* pattern;
  bool one_digit = false;       // each digit is a word of its own before the pattern
  bool normalizes = false;      // NFC
  bool ignores_merges = false;  // a word that is a token is that token
};
const std::map<std::string, Cut>& cuts() {
  static const std::map<std::string, Cut> cuts{{"gpt-2", {kGpt2Pattern}},
                                               {"smollm", {kGpt2Pattern, true}},
                                               {"llama-bpe", {kLlama3, false, false, true}},
                                               {"qwen2", {kQwen2, false, true}},
                                               {"deepseek-r1-qwen", {kQwen2, false, true}}};
  return cuts;
}

OrderedJson byte_level(bool adds_prefix_space, bool splits) {
  return {{"type", "ByteLevel"},
          {"add_prefix_space", adds_prefix_space},
          {"trim_offsets", true},
          {"use_regex", splits}};
}

OrderedJson isolated(const char* pattern) {
  return {{"type", "Split"}, {"pattern", {{"Regex", pattern}}}, {"behavior", "Isolated"}, {"invert", false}};
}

class Writer {
 public:
  Writer(const GgufVocabulary& vocabulary, const std::string& name) : vocabulary_(vocabulary), name_(name) {
    check();
  }

  TokenizerFiles write() const {
    OrderedJson document{
        {"version", "1.0"}, {"truncation", nullptr}, {"padding", nullptr}, {"added_tokens", added_tokens()}};
    if (vocabulary_.model == "gpt2")
      add_byte_level(document);
    else
      add_sentence_piece(document);
    TokenizerFiles files;
    files.tokenizer_json = document.dump();
    files.config_json = config().dump();
    files.name = name_;
    return files;
  }

 private:
  Error wrong(const std::string& what, const std::string& hint = {}) const {
    return {ExitCode::kBadData, name_ + ": " + what,
            hint.empty() ? "the file is damaged; take it anew from where it is from" : hint};
  }

  void check() const {
    const std::size_t count = vocabulary_.tokens.size();
    if (vocabulary_.model != "gpt2" && vocabulary_.model != "llama")
      throw wrong(
          "the tokenizer.ggml.model `" + visible_text(vocabulary_.model) + "` is not known to this version",
          "known are gpt2 and llama; for others, a folder with the model's tokenizer.json");
    if (count == 0 || count > kMostIds)
      throw wrong("tokenizer.ggml.tokens has " + std::to_string(count) + " tokens");
    if (!vocabulary_.types.empty() && vocabulary_.types.size() != count)
      throw wrong("tokenizer.ggml.token_type is not of the length of tokenizer.ggml.tokens");
    if (vocabulary_.model == "llama" && vocabulary_.scores.size() != count)
      throw wrong("tokenizer.ggml.scores is not of the length of tokenizer.ggml.tokens");
    const auto check_text = [&](const std::string& text) {
      if (valid_utf8(text) != text) throw wrong(in_quotes(text) + " is not UTF-8");
    };
    for (const std::string& text : vocabulary_.tokens) check_text(text);
    for (const std::string& text : vocabulary_.merges) check_text(text);
    check_text(vocabulary_.chat_template);
    for (const auto& id : {vocabulary_.begin, vocabulary_.end, vocabulary_.unknown, vocabulary_.pad})
      if (id && (*id < 0 || static_cast<std::size_t>(*id) >= count))
        throw wrong("the special token " + std::to_string(*id) + " is none of the " + std::to_string(count) +
                    " tokens");
  }

  const std::string& token(std::int64_t id) const { return vocabulary_.tokens[static_cast<std::size_t>(id)]; }

  OrderedJson added_tokens() const {
    OrderedJson added = OrderedJson::array();
    for (std::size_t id = 0; id < vocabulary_.types.size(); ++id) {
      const std::int32_t type = vocabulary_.types[id];
      if (type != kUnknownType && type != kControlType && type != kUserType) continue;
      added.push_back({{"id", id},
                       {"content", vocabulary_.tokens[id]},
                       {"single_word", false},
                       {"lstrip", false},
                       {"rstrip", false},
                       {"normalized", false},
                       {"special", type != kUserType}});
    }
    return added;
  }

  OrderedJson tokens_by_text() const {
    OrderedJson tokens = OrderedJson::object();
    std::map<std::string, std::size_t> seen;
    for (std::size_t id = 0; id < vocabulary_.tokens.size(); ++id)
      if (!seen.emplace(vocabulary_.tokens[id], id).second)
        throw wrong("the token " + in_quotes(vocabulary_.tokens[id]) +
                    " is there twice in tokenizer.ggml.tokens");
    Json sorted = seen;
    return sorted;
  }

  static OrderedJson model_of(OrderedJson tokens, OrderedJson merges) {
    return {{"type", "BPE"},
            {"dropout", nullptr},
            {"unk_token", nullptr},
            {"continuing_subword_prefix", nullptr},
            {"end_of_word_suffix", nullptr},
            {"fuse_unk", false},
            {"byte_fallback", false},
            {"ignore_merges", false},
            {"vocab", std::move(tokens)},
            {"merges", std::move(merges)}};
  }

  // The beginning before each text, where the model's own files put it.
  OrderedJson around() const {
    if (!vocabulary_.add_begin) return nullptr;
    if (!vocabulary_.begin)
      throw wrong(
          "tokenizer.ggml.add_bos_token asks for a token that tokenizer.ggml.bos_token_id does not name");
    const std::string& begin = token(*vocabulary_.begin);
    const auto special = [&](int type) {
      return OrderedJson{{"SpecialToken", {{"id", begin}, {"type_id", type}}}};
    };
    const auto text = [](const char* name, int type) {
      return OrderedJson{{"Sequence", {{"id", name}, {"type_id", type}}}};
    };
    return {{"type", "TemplateProcessing"},
            {"single", OrderedJson::array({special(0), text("A", 0)})},
            {"pair", OrderedJson::array({special(0), text("A", 0), special(1), text("B", 1)})},
            {"special_tokens",
             {{begin,
               {{"id", begin},
                {"ids", OrderedJson::array({*vocabulary_.begin})},
                {"tokens", OrderedJson::array({begin})}}}}}};
  }

  void add_byte_level(OrderedJson& document) const {
    const auto cut = cuts().find(vocabulary_.pre);
    if (cut == cuts().end()) {
      std::string known;
      for (const auto& [name, value] : cuts()) known += (known.empty() ? "" : ", ") + name;
      throw wrong(
          "the tokenizer.ggml.pre `" + visible_text(vocabulary_.pre) + "` is not known to this version",
          "known are " + known + "; for others, a folder with the model's tokenizer.json");
    }
    document["normalizer"] = cut->second.normalizes ? OrderedJson{{"type", "NFC"}} : OrderedJson(nullptr);
    OrderedJson words = OrderedJson::array();
    if (cut->second.one_digit) words.push_back({{"type", "Digits"}, {"individual_digits", true}});
    const bool is_gpt2 = cut->second.pattern == std::string_view(kGpt2Pattern);
    if (!is_gpt2) words.push_back(isolated(cut->second.pattern));
    words.push_back(byte_level(false, is_gpt2));
    document["pre_tokenizer"] = {{"type", "Sequence"}, {"pretokenizers", std::move(words)}};
    document["post_processor"] = around();
    document["decoder"] = byte_level(true, true);
    OrderedJson merges = OrderedJson::array();
    for (std::size_t i = 0; i < vocabulary_.merges.size(); ++i) {
      const std::string& merge = vocabulary_.merges[i];
      const std::size_t space = merge.find(' ', 1);  // GPT-2's letters have no space
      if (space == std::string::npos)
        throw wrong("tokenizer.ggml.merges[" + std::to_string(i) + "] is no pair of tokens");
      merges.push_back(OrderedJson::array({merge.substr(0, space), merge.substr(space + 1)}));
    }
    document["model"] = model_of(tokens_by_text(), std::move(merges));
    document["model"]["ignore_merges"] = cut->second.ignores_merges;
  }

  // Sentencepiece joins the pair whose joint piece has the highest score: so each piece is a merge for every
  // way to cut it in two pieces, in the order of the scores.
  OrderedJson merges_by_score() const {
    std::map<std::string_view, std::size_t> ids;
    for (std::size_t id = 0; id < vocabulary_.tokens.size(); ++id) ids.emplace(vocabulary_.tokens[id], id);
    struct Merge {
      float score;
      std::size_t left, right;
    };
    std::vector<Merge> merges;
    for (std::size_t id = 0; id < vocabulary_.tokens.size(); ++id) {
      const std::string_view piece = vocabulary_.tokens[id];
      if (!vocabulary_.types.empty() && vocabulary_.types[id] != 1) continue;
      for (std::size_t at = 1; at < piece.size(); ++at) {
        const auto left = ids.find(piece.substr(0, at)), right = ids.find(piece.substr(at));
        if (left != ids.end() && right != ids.end())
          merges.push_back({vocabulary_.scores[id], left->second, right->second});
      }
    }
    std::stable_sort(merges.begin(), merges.end(), [](const Merge& a, const Merge& b) {
      return a.score != b.score ? a.score > b.score : std::pair(a.left, a.right) < std::pair(b.left, b.right);
    });
    OrderedJson list = OrderedJson::array();
    for (const Merge& merge : merges)
      list.push_back(OrderedJson::array({vocabulary_.tokens[merge.left], vocabulary_.tokens[merge.right]}));
    return list;
  }

  void add_sentence_piece(OrderedJson& document) const {
    constexpr const char* kMark = "\xE2\x96\x81";  // U+2581 for a space
    const OrderedJson marks{{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", kMark}};
    document["normalizer"] =
        vocabulary_.add_space_prefix
            ? OrderedJson{{"type", "Sequence"},
                          {"normalizers",
                           OrderedJson::array({OrderedJson{{"type", "Prepend"}, {"prepend", kMark}}, marks})}}
            : marks;
    document["pre_tokenizer"] = nullptr;
    document["post_processor"] = around();
    OrderedJson decoders = OrderedJson::array(
        {OrderedJson{{"type", "Replace"}, {"pattern", {{"String", kMark}}}, {"content", " "}},
         OrderedJson{{"type", "ByteFallback"}}, OrderedJson{{"type", "Fuse"}}});
    if (vocabulary_.add_space_prefix)
      decoders.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}});
    document["decoder"] = {{"type", "Sequence"}, {"decoders", std::move(decoders)}};
    document["model"] = model_of(tokens_by_text(), merges_by_score());
    document["model"]["byte_fallback"] = true;
    document["model"]["fuse_unk"] = true;
    if (vocabulary_.unknown) document["model"]["unk_token"] = token(*vocabulary_.unknown);
  }

  OrderedJson config() const {
    OrderedJson config = OrderedJson::object();
    const auto name = [&](const char* key, const std::optional<std::int64_t>& id) {
      config[key] = id ? OrderedJson(token(*id)) : OrderedJson(nullptr);
    };
    name("bos_token", vocabulary_.begin);
    name("eos_token", vocabulary_.end);
    name("unk_token", vocabulary_.unknown);
    name("pad_token", vocabulary_.pad);
    config["tokenizer_class"] = "PreTrainedTokenizerFast";
    if (!vocabulary_.chat_template.empty()) config["chat_template"] = vocabulary_.chat_template;
    return config;
  }

  const GgufVocabulary& vocabulary_;
  const std::string& name_;
};

}  // namespace

std::string gguf_pre_of(const Json& tokenizer_json) {
  const Json whole = tokenizer_json.value("pre_tokenizer", Json()),
             normalizer = tokenizer_json.value("normalizer", Json());
  // llama.cpp has no normalizers: it passes over Qwen's NFC.
  const bool is_plain = normalizer.is_null() || normalizer == Json{{"type", "NFC"}};
  if (!is_plain || !whole.is_object()) return "";
  std::vector<std::string> patterns;
  bool one_digit = false, maps_bytes = false;
  for (const Json& step : whole.value("pretokenizers", Json::array({whole}))) {
    const Json type = step.is_object() ? step.value("type", Json()) : Json();
    if (type == "Digits" && step.value("individual_digits", Json(false)) == true) {
      one_digit = patterns.empty();
      if (!one_digit) return "";
    } else if (type == "Split" && step.value("behavior", Json()) == "Isolated" &&
               step.value("invert", Json(false)) == false) {
      const Json pattern = step.value("pattern", Json());
      const Json regex = pattern.is_object() ? pattern.value("Regex", Json()) : Json();
      patterns.push_back(regex.is_string() ? regex.get<std::string>() : "");
    } else if (type == "ByteLevel" && step.value("add_prefix_space", Json(true)) == false) {
      if (step.value("use_regex", Json(true)) == true) patterns.emplace_back(kGpt2Pattern);
      maps_bytes = true;
    } else {
      return "";
    }
  }
  if (!maps_bytes || patterns.size() != 1) return "";
  std::string found;  // of two names of one way the later: qwen2
  for (const auto& [name, cut] : cuts())
    if (patterns.front() == cut.pattern && one_digit == cut.one_digit) found = name;
  return found;
}

TokenizerFiles tokenizer_files_of(const GgufVocabulary& vocabulary, const std::string& name) {
  return Writer(vocabulary, name).write();
}

}  // namespace tune::trainer::text
