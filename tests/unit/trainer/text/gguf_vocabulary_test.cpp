#include "trainer/text/gguf_vocabulary.h"

#include "unit/trainer/test_folder.h"
#include "unit/trainer/text/golden_texts.h"

using tune::ExitCode;
using tune::Json;
using tune::trainer::tests::contains;
using tune::trainer::tests::golden_folder;
using tune::trainer::tests::golden_json;
using tune::trainer::tests::golden_texts;
using tune::trainer::tests::message_of;
using tune::trainer::text::gguf_pre_of;
using tune::trainer::text::GgufVocabulary;
using tune::trainer::text::Tokenizer;
using tune::trainer::text::tokenizer_files_of;

namespace {

// What a GGUF file would hold of a golden tokenizer.
GgufVocabulary of_golden(const std::string& name, const std::string& pre) {
  const Json json = golden_json(name + "/tokenizer.json");
  GgufVocabulary vocabulary;
  vocabulary.model = "gpt2";
  vocabulary.pre = pre;
  const auto put = [&](std::size_t id, const std::string& token, std::int32_t type) {
    if (id >= vocabulary.tokens.size()) {
      vocabulary.tokens.resize(id + 1);
      vocabulary.types.resize(id + 1);
    }
    vocabulary.tokens[id] = token;
    vocabulary.types[id] = type;
  };
  for (const auto& [token, id] : json["model"]["vocab"].items()) put(id.get<std::size_t>(), token, 1);
  for (const Json& token : json["added_tokens"])
    put(token["id"].get<std::size_t>(), token["content"].get<std::string>(),
        token["special"].get<bool>() ? 3 : 4);
  for (const Json& merge : json["model"]["merges"])
    vocabulary.merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
  return vocabulary;
}

}  // namespace

TEST_CASE("the vocabulary of a GGUF file is the tokenizer that it was made of") {
  for (const auto& [name, pre] : {std::pair("gpt2", "gpt-2"), std::pair("smollm", "smollm"),
                                  std::pair("qwen2", "qwen2"), std::pair("llama3", "llama-bpe")}) {
    const Tokenizer original = Tokenizer::open(golden_folder() / name);
    const Tokenizer made = Tokenizer::from_files(tokenizer_files_of(of_golden(name, pre), "model.gguf"));
    CHECK(made.size() == original.size());
    CHECK(made.files().empty());
    for (const std::string& text : golden_texts()) {
      INFO(name << ": " << text);
      const auto ids = original.encode(text);
      CHECK(made.encode(text) == ids);
      CHECK(made.decode(ids, true) == original.decode(ids, true));
    }
  }
}

TEST_CASE("the way in which a tokenizer cuts texts has llama.cpp's name where it is exactly that one") {
  for (const auto& [name, pre] :
       {std::pair("gpt2", "gpt-2"), std::pair("smollm", "smollm"), std::pair("qwen2", "qwen2"),
        std::pair("llama3", "llama-bpe"), std::pair("o200k", ""), std::pair("deepseek", ""),
        std::pair("possessive", ""), std::pair("bert", "")}) {
    INFO(name);
    CHECK(gguf_pre_of(golden_json(std::string(name) + "/tokenizer.json")) == pre);
  }
}

TEST_CASE("a vocabulary of sentencepiece in a GGUF file makes the library's ids") {
  const Tokenizer original = Tokenizer::open(golden_folder() / "sentencepiece_bpe");
  GgufVocabulary vocabulary;
  vocabulary.model = "llama";
  for (std::size_t id = 0; id < original.size(); ++id) {
    const std::string token = original.token_of(static_cast<std::int64_t>(id));
    vocabulary.tokens.push_back(token);
    vocabulary.types.push_back(token == "<unk>"                    ? 2
                               : token == "<s>" || token == "</s>" ? 3
                               : token == "<extra>"                ? 4
                               : token.starts_with("<0x")          ? 6
                                                                   : 1);
    vocabulary.scores.push_back(-static_cast<float>(id));  // as sentencepiece gives BPE's pieces their scores
  }
  vocabulary.begin = 1;
  vocabulary.end = 2;
  vocabulary.unknown = 0;
  vocabulary.add_begin = true;
  const Tokenizer made = Tokenizer::from_files(tokenizer_files_of(vocabulary, "model.gguf"));
  for (const std::string& text : golden_texts()) {
    if (contains(text, "<")) continue;  // around added tokens there is one space more
    INFO(text);
    CHECK(made.encode(text) == original.encode(text));
    CHECK(made.encode_one(text, 20).ids == original.encode_one(text, 20).ids);
  }
  CHECK(made.specials().begin == 1);
  CHECK(made.specials().end == 2);
}

TEST_CASE("special tokens, the beginning and the chat template of a GGUF file are kept") {
  GgufVocabulary vocabulary = of_golden("llama3", "llama-bpe");
  const auto id = [&](const std::string& token) {
    return std::find(vocabulary.tokens.begin(), vocabulary.tokens.end(), token) - vocabulary.tokens.begin();
  };
  vocabulary.begin = id("<s>");
  vocabulary.end = id("<|end|>");
  vocabulary.add_begin = true;
  vocabulary.chat_template = "{{ messages }}";
  const auto files = tokenizer_files_of(vocabulary, "model.gguf");
  const Tokenizer made = Tokenizer::from_files(files);
  CHECK(made.encode_one("the", std::nullopt).ids.front() == vocabulary.begin);
  CHECK(made.specials().end == vocabulary.end);
  CHECK(made.chat_template() == "{{ messages }}");
  const tune::trainer::tests::TestFolder folder;
  folder.write("tokenizer.json", files.tokenizer_json);
  folder.write("tokenizer_config.json", files.config_json);
  CHECK(Tokenizer::open(folder.path()).encode_one("the <|end|>", 9).ids ==
        made.encode_one("the <|end|>", 9).ids);
}

TEST_CASE("what is wrong with the vocabulary of a GGUF file is named") {
  const auto refusal = [](const GgufVocabulary& vocabulary) {
    return message_of(ExitCode::kBadData, [&] { tokenizer_files_of(vocabulary, "model.gguf"); });
  };
  GgufVocabulary vocabulary = of_golden("gpt2", "gpt-2");
  vocabulary.pre = "novelty";
  CHECK(contains(refusal(vocabulary), "model.gguf: the tokenizer.ggml.pre `novelty` is not known"));
  vocabulary = of_golden("gpt2", "gpt-2");
  vocabulary.model = "t5";
  CHECK(contains(refusal(vocabulary), "the tokenizer.ggml.model `t5` is not known"));
  vocabulary = of_golden("gpt2", "gpt-2");
  vocabulary.types.pop_back();
  CHECK(contains(refusal(vocabulary), "tokenizer.ggml.token_type is not of the length"));
  vocabulary = of_golden("gpt2", "gpt-2");
  vocabulary.tokens[7] = vocabulary.tokens[8];
  CHECK(contains(refusal(vocabulary), "is there twice"));
  vocabulary.tokens[7] = "\xff";
  CHECK(contains(refusal(vocabulary), "is not UTF-8"));
  vocabulary = of_golden("gpt2", "gpt-2");
  vocabulary.merges[3] = "alone";
  CHECK(contains(refusal(vocabulary), "tokenizer.ggml.merges[3] is no pair"));
  vocabulary = of_golden("gpt2", "gpt-2");
  vocabulary.end = 99999;
  CHECK(contains(refusal(vocabulary), "the special token 99999 is none of the"));
  vocabulary = of_golden("gpt2", "gpt-2");
  vocabulary.tokens.clear();
  CHECK(contains(refusal(vocabulary), "tokenizer.ggml.tokens has 0 tokens"));
  vocabulary = of_golden("gpt2", "gpt-2");
  vocabulary.add_begin = true;
  CHECK(contains(refusal(vocabulary), "tokenizer.ggml.add_bos_token asks for"));
}
