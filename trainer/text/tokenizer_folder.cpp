// Tokenizer::open() and from_files(): which files make a tokenizer.
#include <algorithm>

#include "trainer/data/text_file.h"
#include "trainer/text/json_object.h"
#include "trainer/text/sentence_piece.h"
#include "trainer/text/sentence_piece_file.h"
#include "trainer/text/tokenizer_config.h"
#include "trainer/text/tokenizer_json.h"
#include "trainer/text/word_piece.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/regular_file.h"

namespace tune::trainer::text {
namespace {

namespace fs = std::filesystem;
using Parts = Tokenizer::Parts;
using Ids = std::vector<std::int64_t>;

bool is_there(const fs::path& file) {
  std::error_code unreadable;  // then it is not there for this user
  return fs::exists(file, unreadable);
}

// A JSON file of a folder, null where it is absent; it is among the tokenizer's files then.
Json read_beside(const fs::path& folder, const char* name, Parts& parts) {
  if (!is_there(folder / name)) return {};
  parts.files.push_back(folder / name);
  return data::read_json(folder / name);
}

// The classes of `transformers` whose vocab.txt is BERT's. Without one it is taken for BERT's.
bool is_bert_class(const std::string& name) {
  for (const std::string_view family :
       {"Bert", "DistilBert", "Electra", "MobileBert", "LayoutLM", "RetriBert"})
    if (name == std::string(family) + "Tokenizer" || name == std::string(family) + "TokenizerFast")
      return true;
  return name.empty();
}

void settle_bert_roles(Parts& parts) {
  const auto use = [&](std::optional<std::int64_t>& role, const char* token) {
    if (const std::optional<std::uint32_t> id = parts.id_of(token); id && !role) role = *id;
  };
  use(parts.specials.pad, "[PAD]");
  use(parts.specials.unknown, "[UNK]");
  use(parts.specials.separator, "[SEP]");
  use(parts.specials.classifier, "[CLS]");
  use(parts.specials.mask, "[MASK]");
}

// One token a line, the first is 0.
void read_vocab_txt(const fs::path& file, const Json& config, const std::string& config_name, Parts& parts) {
  const std::string text = data::read_text(file);
  const auto wrong = [&](std::size_t line, const std::string& what) {
    return Error(ExitCode::kBadData, file.string() + ", line " + std::to_string(line) + ": " + what,
                 "one token a line, each once; take the file anew from where the model is from");
  };
  if (!data::is_utf8(text))
    throw Error(ExitCode::kBadData, file.string() + ": it is not UTF-8", "one token a line, in UTF-8");
  std::size_t line = 0;
  for (std::size_t begin = 0; begin < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string token = text.substr(begin, end - begin);
    while (token.ends_with('\r')) token.pop_back();
    begin = end + 1;
    if (token.empty()) throw wrong(line + 1, "an empty line is no token");
    if (line >= kMostIds) throw wrong(line + 1, "more than " + std::to_string(kMostIds) + " tokens");
    if (parts.vocabulary.add(token, static_cast<std::uint32_t>(line)) != Vocabulary::Added::kYes)
      throw wrong(line + 1, in_quotes(token) + " is there twice");
  }
  Json nothing = Json::object();
  JsonObject settings(config.is_null() ? nothing : config, config_name, "");
  const std::string tokenizer_class = settings.text_or("tokenizer_class", "");
  if (!is_bert_class(tokenizer_class))
    throw settings.wrong_at(
        "tokenizer_class",
        "`" + visible_text(tokenizer_class) + "` is not known to this version for a vocab.txt",
        "a folder with a tokenizer.json, which transformers writes by save_pretrained()");
  if (!settings.flag_or("do_basic_tokenize", true))
    throw settings.wrong_at("do_basic_tokenize",
                            "a vocab.txt without BERT's basic tokenizer is not known to this version");
  const auto id_of = [&](const char* role, const char* usual) {
    const std::string named = token_text(config, role), token = named.empty() ? usual : named;
    const std::optional<std::uint32_t> id = parts.vocabulary.id_of(token);
    if (!id)
      throw Error(ExitCode::kBadData, file.string() + ": it has no token " + in_quotes(token),
                  "a vocab.txt of BERT's form; other models need their tokenizer.json");
    parts.added.add({token, *id, true});
    return *id;
  };
  WordPiece::Settings model;
  model.unknown = id_of("unk_token", "[UNK]");
  const std::int64_t begin = id_of("cls_token", "[CLS]"), end = id_of("sep_token", "[SEP]");
  for (const auto& [role, usual] : {std::pair("pad_token", "[PAD]"), std::pair("mask_token", "[MASK]")})
    if (parts.vocabulary.id_of(usual)) id_of(role, usual);
  BertNormalizer normalizer;
  normalizer.lowercases = settings.flag_or("do_lower_case", true);
  normalizer.spaces_ideographs = settings.flag_or("tokenize_chinese_chars", true);
  normalizer.strips_accents = settings.flag_or("strip_accents", normalizer.lowercases);
  parts.normalizer = Normalizer({normalizer});
  parts.pre_tokenizer = PreTokenizer({BertWords{}});
  parts.model = std::make_unique<WordPiece>(parts.vocabulary, model);
  parts.decoder = TokenDecoder({WordPieceDecoder{}});
  using Text = PostProcessor::Text;
  parts.around.single = {{Ids{begin}, 0}, {Text::kFirst, 0}, {Ids{end}, 0}};
  parts.around.pair = {{Ids{begin}, 0}, {Text::kFirst, 0}, {Ids{end}, 0}, {Text::kSecond, 1}, {Ids{end}, 1}};
}

std::string read_bytes(const fs::path& file) {
  constexpr std::uint64_t kMostBytes = 1U << 25U;  // the largest models have a few MB
  FileContent content = read_regular_file(file, kMostBytes, Links::kFollow);
  if (!content.is_there) throw Error(ExitCode::kBadData, content.spoilt, "a regular file that may be read");
  return std::move(content.bytes);
}

// As the Python-only tokenizer of Llama takes it: each text between added tokens is one of sentencepiece's.
void read_sentence_piece(const fs::path& file, const Json& config, const std::string& config_name,
                         Parts& parts) {
  const SentencePieceFile source = read_sentence_piece_file(read_bytes(file), file.string());
  auto model = std::make_unique<SentencePiece>(source, file.string(), parts.vocabulary);
  parts.sentence_piece = model.get();
  std::optional<std::int64_t> begin, end;
  for (std::uint32_t id = 0; id < source.pieces.size(); ++id) {
    const auto& [text, score, kind] = source.pieces[id];
    const bool is_unknown = kind == SentencePieceFile::Kind::kUnknown;
    if (is_unknown || kind == SentencePieceFile::Kind::kControl) parts.added.add({text, id, true});
    if (is_unknown) parts.specials.unknown = id;
    if (text == source.begin) begin = parts.specials.begin = id;
    if (text == source.end) end = parts.specials.end = id;
    if (text == source.pad) parts.specials.pad = id;
  }
  parts.model = std::move(model);
  Json nothing = Json::object();
  JsonObject settings(config.is_null() ? nothing : config, config_name, "");
  const std::string tokenizer_class = settings.text_or("tokenizer_class", "LlamaTokenizer");
  if (tokenizer_class != "LlamaTokenizer" && tokenizer_class != "LlamaTokenizerFast")
    throw settings.wrong_at(
        "tokenizer_class",
        "`" + visible_text(tokenizer_class) + "` is not known to this version for a tokenizer.model",
        "a folder with a tokenizer.json, which transformers writes by save_pretrained()");
  if (!settings.flag_or("legacy", true))
    throw settings.wrong_at("legacy",
                            "false is not known to this version for a tokenizer.model without tokenizer.json",
                            "a folder with a tokenizer.json, which transformers writes by save_pretrained()");
  const bool adds_begin = settings.flag_or("add_bos_token", true),
             adds_end = settings.flag_or("add_eos_token", false);
  const auto role = [&](bool is_asked, const char* key, const std::optional<std::int64_t>& usual) {
    Ids ids;
    if (!is_asked) return ids;
    const std::string named = token_text(config, key);
    const std::optional<std::int64_t> id =
        named.empty() ? usual : std::optional<std::int64_t>(parts.id_of(named));
    if (!id)
      throw settings.wrong(std::string("it asks for a ") + key + ", and " + file.string() + " has none");
    ids.push_back(*id);
    return ids;
  };
  using Text = PostProcessor::Text;
  const auto first = role(adds_begin, "bos_token", begin), last = role(adds_end, "eos_token", end);
  parts.around.single = {{first, 0}, {Text::kFirst, 0}, {last, 0}};
  parts.around.pair = {{first, 0}, {Text::kFirst, 0}, {last, 0}, {first, 1}, {Text::kSecond, 1}, {last, 1}};
}

// {"<token>": id, ...} of old versions.
void read_added_tokens_json(const Json& json, const std::string& file, Parts& parts) {
  if (json.is_null()) return;
  JsonObject object(json, file, "");
  for (const auto& [token, id] : json.items()) {
    if (!id.is_number_unsigned() || id.get<std::uint64_t>() >= kMostIds || token.empty())
      throw object.wrong_at(token.c_str(), "an id below " + std::to_string(kMostIds) + " is expected here");
    const auto value = id.get<std::uint32_t>();
    const std::optional<std::string_view> other = parts.token_of(value);
    if (other && *other != token)
      throw object.wrong_at(token.c_str(), "the id is that of " + in_quotes(*other) + " too");
    if (!other) parts.added.add({token, value, false, true});
  }
}

Json parse(const std::string& text, const std::string& file) {
  if (text.empty()) return {};
  StrictJson json = parse_strictly(text);
  if (json.fault) throw data::not_json(file, *json.fault);
  return std::move(json.value);
}

}  // namespace

Tokenizer Tokenizer::open(const fs::path& folder) {
  auto parts = std::make_shared<Parts>();
  parts->name = "the tokenizer in " + folder.string();
  const Json config = read_beside(folder, "tokenizer_config.json", *parts);
  const Json specials = read_beside(folder, "special_tokens_map.json", *parts);
  const std::string prefix = (folder / "").string(), config_name = prefix + "tokenizer_config.json";
  const fs::path json = folder / "tokenizer.json", words = folder / "vocab.txt",
                 pieces = folder / "tokenizer.model";
  if (is_there(json)) {
    parts->files.push_back(json);
    read_tokenizer_json(data::read_json(json), json.string(), *parts);
    for (const fs::path& other : {words, pieces})
      if (is_there(other)) parts->files.push_back(other);
  } else if (is_there(words) || is_there(pieces)) {
    if (is_there(words)) {
      parts->files.push_back(words);
      read_vocab_txt(words, config, config_name, *parts);
    } else {
      parts->files.push_back(pieces);
      read_sentence_piece(pieces, config, config_name, *parts);
    }
    read_added_tokens_json(read_beside(folder, "added_tokens.json", *parts), prefix + "added_tokens.json",
                           *parts);
  } else {
    throw Error(ExitCode::kNotFound, folder.string() + ": there is no tokenizer in it",
                "a folder with tokenizer.json, vocab.txt (WordPiece) or tokenizer.model (sentencepiece), as "
                "models of Hugging Face have them");
  }
  if (const fs::path jinja = folder / "chat_template.jinja"; is_there(jinja)) {
    parts->files.push_back(jinja);
    parts->chat_template = data::read_text(jinja);
  }
  read_tokenizer_config(config, specials, prefix, *parts);
  settle_bert_roles(*parts);
  return Tokenizer(std::move(parts));
}

Tokenizer Tokenizer::from_files(const TokenizerFiles& files) {
  auto parts = std::make_shared<Parts>();
  parts->name = files.name;
  const std::string prefix = files.name + ": ";
  read_tokenizer_json(parse(files.tokenizer_json, prefix + "tokenizer.json"), prefix + "tokenizer.json",
                      *parts);
  read_tokenizer_config(parse(files.config_json, prefix + "tokenizer_config.json"), {}, prefix, *parts);
  settle_bert_roles(*parts);
  return Tokenizer(std::move(parts));
}

}  // namespace tune::trainer::text
