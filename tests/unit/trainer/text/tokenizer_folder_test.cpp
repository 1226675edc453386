// Folders of tokenizers: their files, what is wrong with them, and how it is said.
#include <filesystem>

#include "trainer/text/tokenizer.h"
#include "unit/trainer/test_folder.h"
#include "unit/trainer/text/golden_texts.h"

using tune::ExitCode;
using tune::Json;
using tune::trainer::tests::contains;
using tune::trainer::tests::golden_folder;
using tune::trainer::tests::golden_json;
using tune::trainer::tests::golden_texts;
using tune::trainer::tests::message_of;
using tune::trainer::tests::TestFolder;
using tune::trainer::text::Tokenizer;

namespace {

using Ids = std::vector<std::int64_t>;

constexpr const char* kVocabulary = "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nhello\nwor\n##ld\nÜber\n!\n";

std::string refusal(const std::filesystem::path& folder) {
  return message_of(ExitCode::kBadData, [&] { Tokenizer::open(folder); });
}

// A small tokenizer.json, changed at one place.
std::string refusal_of(const std::string& name, const char* pointer, const Json& value) {
  const TestFolder folder;
  Json json = golden_json(name + "/tokenizer.json");
  json[Json::json_pointer(pointer)] = value;
  folder.write("tokenizer.json", json.dump());
  return refusal(folder.path());
}

}  // namespace

TEST_CASE("a vocab.txt is a tokenizer of BERT's") {
  const TestFolder folder;
  folder.write("vocab.txt", kVocabulary);
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  CHECK(tokenizer.size() == 10);
  CHECK(tokenizer.encode("Hello  WORLD!") == Ids{5, 6, 7, 9});
  CHECK(tokenizer.encode("hello[MASK]zzz") == Ids{5, 4, 1});
  CHECK(tokenizer.encode_one("hello", std::nullopt).ids == Ids{2, 5, 3});
  const auto pair = tokenizer.encode_pair("hello", "world", std::nullopt);
  CHECK(pair.ids == Ids{2, 5, 3, 6, 7, 3});
  CHECK(pair.type_ids == Ids{0, 0, 0, 1, 1, 1});
  CHECK(tokenizer.decode(pair.ids, true) == "hello world");
  CHECK(tokenizer.decode(pair.ids, false) == "[CLS] hello [SEP] world [SEP]");
  CHECK(tokenizer.specials().pad == 0);
  CHECK(tokenizer.specials().classifier == 2);
  CHECK(tokenizer.specials().mask == 4);
  CHECK_FALSE(tokenizer.specials().begin);
  CHECK(tokenizer.files() == std::vector{folder.path() / "vocab.txt"});
  CHECK(tokenizer.token_of(7) == "##ld");
  CHECK(tokenizer.token_of(99).empty());
  CHECK(tokenizer.token_of(-1).empty());
}

TEST_CASE("a vocab.txt is read as tokenizer_config.json says") {
  const TestFolder folder;
  folder.write("vocab.txt", kVocabulary);
  folder.write(
      "tokenizer_config.json",
      R"({"do_lower_case": false, "model_max_length": 512, "truncation_side": "left", "unk_token": {"content": "!"},
                   "chat_template": [{"name": "tools", "template": "no"}, {"name": "default", "template": "{{ yes }}"}]})");
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  CHECK(tokenizer.encode("Über über") == Ids{8, 9});
  CHECK(tokenizer.model_max_length() == 512U);
  CHECK(tokenizer.chat_template() == "{{ yes }}");
  const auto cut = tokenizer.encode_one("Über hello world", 4);
  CHECK(cut.ids == Ids{2, 6, 7, 3});
  CHECK(cut.cut == 2);
  CHECK(tokenizer.files().size() == 2);
}

TEST_CASE("a vocab.txt and the tokenizer.json that was made of it make the same ids") {
  const TestFolder folder;
  const Json json = golden_json("bert/tokenizer.json");
  std::vector<std::string> tokens(json["model"]["vocab"].size());
  for (const auto& [token, id] : json["model"]["vocab"].items()) tokens[id.get<std::size_t>()] = token;
  std::string lines;
  for (const std::string& token : tokens) lines += token + "\r\n";
  folder.write("vocab.txt", lines);
  const Tokenizer words = Tokenizer::open(folder.path()), whole = Tokenizer::open(golden_folder() / "bert");
  for (const std::string& text : golden_texts()) {
    if (text.size() > 100) continue;  // its words are longer than the 30 characters of that file
    CHECK(words.encode_one(text, std::nullopt).ids == whole.encode_one(text, std::nullopt).ids);
  }
}

TEST_CASE("special tokens and added ones are those of the files beside") {
  const TestFolder folder;
  Json json = golden_json("gpt2/tokenizer.json");
  folder.write("tokenizer.json", json.dump());
  const std::size_t size = json["model"]["vocab"].size();
  folder.write("tokenizer_config.json",
               Json{{"added_tokens_decoder",
                     {{std::to_string(size), {{"content", "<turn>"}, {"special", true}}},
                      {std::to_string(size + 1), {{"content", "<tool>"}, {"special", false}}}}},
                    {"eos_token", "<turn>"},
                    {"model_max_length", 1e30}}
                   .dump());
  folder.write("special_tokens_map.json", R"({"pad_token": {"content": "the"}, "eos_token": "a"})");
  folder.write("chat_template.jinja", "{{ messages }}");
  const Tokenizer tokenizer = Tokenizer::open(folder.path());
  CHECK(tokenizer.size() == size + 2);
  CHECK(tokenizer.specials().end == static_cast<std::int64_t>(size));
  CHECK(tokenizer.specials().pad == tokenizer.id_of("the"));
  CHECK(tokenizer.is_special(static_cast<std::int64_t>(size)));
  CHECK_FALSE(tokenizer.is_special(static_cast<std::int64_t>(size) + 1));
  CHECK_FALSE(tokenizer.model_max_length());
  CHECK(tokenizer.chat_template() == "{{ messages }}");
  const Ids ids = tokenizer.encode("a<turn>b<tool>");
  CHECK(ids.size() == 4);
  CHECK(tokenizer.decode(ids, true) == "ab<tool>");
  CHECK(tokenizer.files().size() == 4);
}

TEST_CASE("a folder without a tokenizer says what belongs there") {
  const TestFolder folder;
  CHECK(contains(message_of(ExitCode::kNotFound, [&] { Tokenizer::open(folder.path()); }),
                 "there is no tokenizer in it"));
}

TEST_CASE("what a vocab.txt gets wrong is named with its line") {
  const auto of = [](const std::string& content, const std::string& config = "{}") {
    const TestFolder folder;
    folder.write("vocab.txt", content);
    folder.write("tokenizer_config.json", config);
    return refusal(folder.path());
  };
  CHECK(contains(of("[UNK]\n[CLS]\n\n[SEP]\n"), "vocab.txt, line 3: an empty line is no token"));
  CHECK(contains(of("[UNK]\n[CLS]\n[SEP]\n[CLS]\n"), "vocab.txt, line 4: \"[CLS]\" is there twice"));
  CHECK(contains(of("[UNK]\n[CLS]\n"), "vocab.txt: it has no token \"[SEP]\""));
  CHECK(contains(of("[UNK]\n\xff\n"), "vocab.txt: it is not UTF-8"));
  CHECK(contains(of(""), "it has no token \"[UNK]\""));
  CHECK(contains(of(kVocabulary, R"({"tokenizer_class": "MPNetTokenizer"})"),
                 "/tokenizer_class: `MPNetTokenizer` is not known"));
  CHECK(contains(of(kVocabulary, R"({"do_lower_case": "yes"})"),
                 "/do_lower_case: true or false is expected here"));
  CHECK(contains(of(kVocabulary, R"({"pad_token": "<pad>"})"), "vocab.txt: it has no token \"<pad>\""));
  CHECK(contains(of(kVocabulary, R"({"model_max_length": -1})"), "/model_max_length: a number of tokens"));
  CHECK(contains(of(kVocabulary, R"({"truncation_side": "top"})"), "/truncation_side: `top` is no side"));
  CHECK(contains(of(kVocabulary, R"({"model_max_length": 5)"), "line 1, column"));
}

TEST_CASE("what a tokenizer.json asks for and this program does not know is named, with its place") {
  const Json lower{{"type", "Lowercase"}};
  CHECK(contains(refusal_of("gpt2", "/normalizer", {{"type", "Precompiled"}, {"precompiled_charsmap", ""}}),
                 "/normalizer/type: the normalizer `Precompiled` is not known"));
  CHECK(contains(
      refusal_of("gpt2", "/normalizer", {{"type", "Sequence"}, {"normalizers", {lower, {{"type", "Nmt"}}}}}),
      "/normalizer/normalizers/1/type: the normalizer `Nmt` is not known"));
  CHECK(contains(refusal_of("gpt2", "/normalizer", {{"type", "Lowercase"}, {"locale", "tr"}}),
                 "/normalizer/locale: this version does not know what `locale` asks for"));
  CHECK(contains(refusal_of("gpt2", "/pre_tokenizer", {{"type", "UnicodeScripts"}}),
                 "the pre-tokenizer `UnicodeScripts`"));
  CHECK(contains(
      refusal_of("llama3", "/pre_tokenizer/pretokenizers/0/pattern/Regex", R"(\p{Han}+)"),
      R"(/pre_tokenizer/pretokenizers/0/pattern/Regex: the pattern "\\p{Han}+" holds what is not known)"));
  CHECK(contains(refusal_of("gpt2", "/model/type", "WordLevel"), "/model/type: the model `WordLevel`"));
  CHECK(contains(refusal_of("gpt2", "/model/dropout", 0.1),
                 "/model/dropout: merges that are left out at random"));
  CHECK(contains(refusal_of("gpt2", "/model/end_of_word_suffix", "</w>"),
                 "/model/end_of_word_suffix: a mark of tokens"));
  CHECK(contains(refusal_of("gpt2", "/model/novelty", true), "/model/novelty: this version does not know"));
  CHECK(contains(refusal_of("gpt2", "/decoder", {{"type", "CTC"}}), "/decoder/type: the decoder `CTC`"));
  CHECK(
      contains(refusal_of("bert", "/post_processor", {{"type", "Novelty"}}), "the post-processor `Novelty`"));
  CHECK(contains(refusal_of("bert", "/novelty", 1), "/novelty: this version does not know"));
}

TEST_CASE("what a tokenizer.json says against itself is named, with its place") {
  CHECK(contains(refusal_of("gpt2", "/model/vocab/the", 3), "is another token's too"));
  CHECK(contains(refusal_of("gpt2", "/model/vocab/the", -3), "/model/vocab/the: an id below 4194304"));
  CHECK(contains(refusal_of("gpt2", "/model/vocab/the", 1e9), "/model/vocab/the: an id below 4194304"));
  CHECK(contains(refusal_of("gpt2", "/model/vocab/the", 9'000'000), "/model/vocab/the: an id below 4194304"));
  CHECK(contains(refusal_of("gpt2", "/model/merges/4", "Ġ nowhere"),
                 "/model/merges/4: no token `nowhere` in the vocabulary"));
  CHECK(contains(refusal_of("gpt2", "/model/merges/4", "a b c"),
                 "/model/merges/4: two tokens are expected here"));
  CHECK(contains(refusal_of("gpt2", "/model/merges/4", 7), "/model/merges/4: two tokens are expected here"));
  CHECK(
      contains(refusal_of("gpt2", "/model/vocab", Json::object()), "/model/vocab: the vocabulary is empty"));
  CHECK(contains(refusal_of("bert", "/model/unk_token", "nowhere"),
                 "/model/unk_token: \"nowhere\" is no token"));
  CHECK(contains(refusal_of("bert", "/added_tokens/0/id", 7), "/added_tokens/0/id: \"[PAD]\" has the id 0"));
  CHECK(contains(refusal_of("bert", "/added_tokens/0/content", "new"),
                 "/added_tokens/0/id: the id is that of \"[PAD]\" too"));
  CHECK(contains(refusal_of("bert", "/post_processor/special_tokens/[CLS]/ids/0", 99999),
                 "/post_processor/special_tokens/[CLS]/ids: 99999 is no token's id"));
  CHECK(contains(refusal_of("bert", "/post_processor/single/0/SpecialToken/id", "[XXX]"),
                 "is not among the `special_tokens`"));
  CHECK(contains(refusal_of("bert", "/post_processor/single/1/Sequence/id", "B"),
                 "/post_processor/single: A is expected here once"));
  CHECK(contains(refusal_of("unigram", "/model/unk_id", 5000), "/model/unk_id: a whole number from 0 to"));
  CHECK(contains(refusal_of("unigram", "/model/vocab/3", Json::array({"a"})),
                 "/model/vocab/3: a token with its score"));
  CHECK(contains(refusal_of("unigram", "/pre_tokenizer/prepend_scheme", "last"),
                 "/pre_tokenizer/prepend_scheme: `last` is none"));
}

TEST_CASE("damaged files are named") {
  const auto of = [](const char* name, const std::string& content) {
    const TestFolder folder;
    folder.write(name, content);
    return refusal(folder.path());
  };
  const std::string json = golden_json("gpt2/tokenizer.json").dump();
  CHECK(
      contains(of("tokenizer.json", json.substr(0, json.size() / 2)), "tokenizer.json is not JSON: line 1"));
  CHECK(contains(of("tokenizer.json", ""), "tokenizer.json is not JSON: it is empty"));
  CHECK(contains(of("tokenizer.json", "[]"), "tokenizer.json: an object is expected here"));
  CHECK(contains(of("tokenizer.json", "{}"), "tokenizer.json: there is no `model`"));
  CHECK(contains(of("tokenizer.model", ""), "tokenizer.model: no model of sentencepiece"));
  CHECK(contains(of("tokenizer.model", "version https://git-lfs.github.com/spec/v1"),
                 "tokenizer.model: no model of sentencepiece"));
}

TEST_CASE("a length that has no room for the template is refused") {
  const Tokenizer tokenizer = Tokenizer::open(golden_folder() / "bert");
  CHECK(tokenizer.encode_one("the steel", 2).ids.size() == 2);
  CHECK(contains(message_of(ExitCode::kBadData, [&] { tokenizer.encode_one("the steel", 1); }),
                 "a length of 1 tokens has no room for the 2"));
}

TEST_CASE("a tokenizer is held against the rows of an embedding") {
  const Tokenizer tokenizer = Tokenizer::open(golden_folder() / "bert");
  const std::size_t size = tokenizer.size();
  CHECK(tokenizer.check_rows(size, "model.safetensors").empty());
  CHECK(tokenizer.check_rows(size + 300, "model.safetensors").empty());  // rounded up
  CHECK(contains(tokenizer.check_rows(30522, "model.safetensors"), "may not belong to these weights"));
  CHECK(contains(message_of(ExitCode::kBadData, [&] { tokenizer.check_rows(size - 1, "model.safetensors"); }),
                 "does not belong to these weights"));
}
