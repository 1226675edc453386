// Examples, their tokens, chat templates, packing, scores of answers.
#include <numeric>

#include "test_folder.h"
#include "tiny_language_model.h"
#include "torch_catch.h"
#include "trainer/tasks/language_model/data/answer_scores.h"
#include "trainer/tasks/language_model/data/packing.h"
#include "trainer/tasks/language_model/data/token_sequences.h"

namespace {

using namespace tune;
using namespace tune::trainer;
using namespace tune::trainer::language_model;
using trainer::tests::contains, trainer::tests::message_of, trainer::tests::TestFolder;

ExampleTokens tiny_tokens(const TestFolder& folder) {
  tune::tests::write_tiny_tokenizer(folder.path());
  return {text::Tokenizer::open(folder.path()), tune::tests::kTinyEnd, "tiny"};
}

// What is learned, as text.
std::string learned_text(const TokenSequence& sequence) {
  std::string text;
  for (std::size_t i = 0; i < sequence.ids.size(); ++i)
    if (sequence.learned[i])
      text += sequence.ids[i] == tune::tests::kTinyEnd ? "$"
              : sequence.ids[i] == 259                 ? "th"
                                                       : std::string(1, static_cast<char>(sequence.ids[i]));
  return text;
}

}  // namespace

TEST_CASE("Prompts and completions come out of CSV with and without names, and out of JSON Lines") {
  const TestFolder folder;
  for (const char* text :
       {"prompt,completion\na,b\n\"c,d\",e\n", "a,b\n\"c,d\",e\n", "completion,prompt\nb,a\ne,\"c,d\"\n",
        "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"completion\": \"e\", \"prompt\": \"c,d\"}\n"}) {
    const auto examples = read_examples(folder.write("data", text), {});
    REQUIRE(examples.size() == 2);
    CHECK(examples[0].prompt == "a");
    CHECK(examples[0].completion == "b");
    CHECK(examples[1].prompt == "c,d");
    CHECK(examples[1].completion == "e");
  }
}

TEST_CASE("A template lays columns out, conversations and plain texts are known by their columns") {
  const TestFolder folder;
  ExampleForm form;
  form.prompt_template =
      folder.write("template.json", R"({"prompt": "Q: {question} {{x}}\nA: ", "completion": "{answer}!"})");
  const auto laid = read_examples(folder.write("a.jsonl", "{\"question\": \"q\", \"answer\": 3}\n"), form);
  CHECK(laid.front().prompt == "Q: q {x}\nA: ");
  CHECK(laid.front().completion == "3!");
  const auto chats = read_examples(
      folder.write(
          "b.jsonl",
          R"({"messages": [{"role": "user", "content": "u"}, {"role": "assistant", "content": "a"}]})"),
      {});
  CHECK(chats.front().messages.size() == 2);
  const auto plain = read_examples(folder.write("c.jsonl", "{\"text\": \"once\"}\n"), {});
  CHECK(plain.front().prompt.empty());
  CHECK(plain.front().completion == "once");
}

TEST_CASE("Data that cannot be learned from is refused with its line") {
  const TestFolder folder;
  const auto refused = [&](const std::string& text) {
    return message_of(ExitCode::kBadData, [&] { read_examples(folder.write("data.jsonl", text), {}); });
  };
  CHECK(contains(
      refused("{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": \"a\", \"completion\": \"\"}\n"),
      "line 2"));
  CHECK(contains(refused("{\"prompt\": \"a\", \"completion\": [1]}\n"), "line 1"));
  CHECK(contains(refused("{\"question\": \"a\", \"answer\": \"b\"}\n"), "prompt"));
  CHECK(contains(refused("{\"messages\": [{\"role\": \"user\"}]}\n"), "content"));
  CHECK(contains(refused("{\"messages\": [{\"role\": \"user\", \"content\": \"x\"}]}\n"), "user"));
}

TEST_CASE("Of a prompt and its completion the completion is learned, and the end") {
  const TestFolder folder;
  const ExampleTokens tokens = tiny_tokens(folder);
  const TokenSequences made = tokens.of({{"1", "1+2=", "3", {}}, {"2", "", "ab", {}}}, 128);
  REQUIRE(made.sequences.size() == 2);
  CHECK(learned_text(made.sequences[0]) == "3$");
  CHECK(made.sequences[0].count_learned() == 2);
  CHECK(learned_text(made.sequences[1]) == "ab$");
  CHECK(made.sequences[1].count_learned() == 2);  // the first token follows nothing
  CHECK(made.moved == 0);
  CHECK(tokens.prompt_of({"1", "1+2=", "3", {}}).size() == 4);
}

TEST_CASE("A merge across the end of the prompt moves what is learned, and is counted") {
  const TestFolder folder;
  const TokenSequences made = tiny_tokens(folder).of({{"1", "at", "he", {}}}, 128);
  CHECK(made.moved == 1);
  CHECK(learned_text(made.sequences.front()) == "the$");
}

TEST_CASE("What is longer than allowed is cut and counted, and left out where nothing to learn is left") {
  const TestFolder folder;
  const TokenSequences made =
      tiny_tokens(folder).of({{"first", "ab", "cdef", {}}, {"second", "abcdefgh", "i", {}}}, 5);
  CHECK(made.sequences.size() == 1);
  CHECK(learned_text(made.sequences.front()) == "cde");
  CHECK(made.cut == 2);
  CHECK(made.cut_tokens == 2 + 5);
  CHECK(made.dropped == 1);
  CHECK(made.first_dropped == "second");
}

TEST_CASE("Of a conversation every answer is learned, with the token that ends its turn") {
  const TestFolder folder;
  const Example chat{
      "1", "", std::nullopt, {{"user", "hi"}, {"assistant", "yes"}, {"user", "so"}, {"assistant", "no"}}};
  const ExampleTokens tokens = tiny_tokens(folder);
  const TokenSequences made = tokens.of({chat}, 128);
  CHECK(learned_text(made.sequences.front()) == "yes$no$");
  CHECK(made.sequences.front().ids.back() == tune::tests::kTinyEnd);
  CHECK(ExampleTokens::wanted_of(chat) == "no");
  // Before the last answer, with the beginning of an assistant's turn.
  const auto prompt = tokens.prompt_of(chat);
  const std::string begin = "assistant\n";
  REQUIRE(prompt.size() > begin.size());
  for (std::size_t i = 0; i < begin.size(); ++i)
    CHECK(prompt[prompt.size() - begin.size() + i] == static_cast<std::int64_t>(begin[i]));
}

TEST_CASE("Conversations are laid out as ChatML and as Llama 3 has them") {
  const std::vector<Message> messages{{"user", "hi"}, {"assistant", " yes "}};
  const auto text_of = [&](const std::string& jinja, bool asks) {
    std::string text;
    for (const Segment& segment : ChatTemplate(jinja, "m").render(messages, asks, "1"))
      text += segment.learned ? "[" + segment.text + "]" : segment.text;
    return text;
  };
  CHECK(text_of("{{ '<|im_start|>' }}", false) ==
        "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n[ yes <|im_end|>]");
  CHECK(text_of("{{ '<|im_start|>system\\nBe kind.<|im_end|>\\n' }}", true) ==
        "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\n"
        "[ yes <|im_end|>]\n<|im_start|>assistant\n");
  CHECK(text_of("{{ '<|start_header_id|>' }}", false) ==
        "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\nhi<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n[yes<|eot_id|>]");
}

TEST_CASE("Chat templates that are not known, and roles, are refused by name") {
  CHECK(contains(message_of(ExitCode::kBadData, [] { ChatTemplate("", "m"); }), "no chat template"));
  CHECK(contains(message_of(ExitCode::kBadData, [] { ChatTemplate("[INST]", "m"); }), "neither ChatML"));
  CHECK(
      contains(message_of(ExitCode::kBadData, [] { ChatTemplate("<|im_start|><think>", "m"); }), "thoughts"));
  CHECK(contains(message_of(ExitCode::kBadData,
                            [] {
                              ChatTemplate("<|im_start|>", "m").render({{"tool", "x"}}, false, "line 3");
                            }),
                 "line 3"));
}

TEST_CASE("Packed rows hold every text once, none is longer than allowed, and few are left half empty") {
  std::vector<std::int64_t> lengths;
  for (int i = 0; i < 200; ++i) lengths.push_back(1 + i * 37 % 90);
  const auto rows = pack(lengths, 100);
  std::vector<int> seen(lengths.size(), 0);
  for (const auto& row : rows) {
    std::int64_t length = 0;
    for (const std::size_t text : row) {
      ++seen[text];
      length += lengths[text];
    }
    CHECK(length <= 100);
  }
  CHECK(seen == std::vector<int>(lengths.size(), 1));
  const auto all = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  CHECK(static_cast<double>(rows.size()) < 1.1 * static_cast<double>(all) / 100 + 1);
}

TEST_CASE("Answers are scored by exact match and by ROUGE-L as rouge-score computes it") {
  CHECK(is_exact(" a b\n", "a b"));
  CHECK_FALSE(is_exact("a  b", "a b"));
  // rouge_score 0.1.2: RougeScorer(["rougeL"]).score(wanted, answer)
  CHECK(rouge_l("the cat sat", "The cat, it sat down!") == Approx(0.75));
  CHECK(rouge_l("police killed the gunman", "police kill the gunman") == Approx(0.75));
  CHECK(rouge_l("", "x") == 0);
  const AnswerScores scores = answer_scores({"a", "b c"}, {"a", "c d"});
  CHECK(scores.exact_match == 0.5);
  CHECK(scores.rouge_l == Approx(0.75));
}
