// OpenAI's protocol: what is read, what is refused by its name, and the shapes of what is answered.
#include "trainer/serve/protocols/completions.h"

#include "protocol_facts.h"
#include "support/catch.h"

using namespace tune::trainer;
using serve::read_completion;
using tune::Json;
using tune::OrderedJson;
using tune::tests::refusal_of;

namespace {

Json a_chat(const Json& more = Json::object()) {
  Json body{{"model", "answers"}, {"messages", {{{"role", "user"}, {"content", "What is slag?"}}}}};
  body.update(more);
  return body;
}

Json a_completion(const Json& more = Json::object()) {
  Json body{{"model", "answers"}, {"prompt", "Slag is"}};
  body.update(more);
  return body;
}

std::string chat_refusal(const Json& more) {
  return refusal_of([&] { read_completion(a_chat(more).dump(), true); });
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("A chat has its messages, and OpenAI's defaults") {
  const serve::CompletionRequest chat = read_completion(
      R"({"model": "answers", "messages": [
          {"role": "developer", "content": "Be short."},
          {"role": "user", "name": "ada", "content": [{"type": "text", "text": "What "}, {"type": "text", "text": "is it?"}]},
          {"role": "assistant", "content": "Slag.", "tool_calls": []},
          {"role": "user", "content": "And?"}], "user": "u1", "metadata": {"a": "b"}, "stop": null})",
      true);
  const auto& messages = std::get<std::vector<served::Message>>(chat.prompts.at(0));
  REQUIRE(messages.size() == 4);
  CHECK(messages[0].role == "system");
  CHECK(messages[1].content == "What is it?");
  CHECK(messages[3].content == "And?");
  CHECK(chat.model == "answers");
  CHECK(chat.settings.max_new_tokens == 0);
  CHECK(chat.settings.temperature == 1);
  CHECK(chat.settings.top_p == 1);
  CHECK(chat.settings.stops.empty());
  CHECK(chat.alternatives == -1);
  CHECK_FALSE(chat.streams);
}

TEST_CASE("Settings are read by the names of both endpoints") {
  const auto chat = read_completion(a_chat({{"max_completion_tokens", 7},
                                            {"temperature", 0.5},
                                            {"top_p", 0.9},
                                            {"seed", 3},
                                            {"stop", {"\n", "."}},
                                            {"presence_penalty", 1},
                                            {"frequency_penalty", -0.5},
                                            {"logprobs", true},
                                            {"top_logprobs", 2},
                                            {"stream", true},
                                            {"stream_options", {{"include_usage", true}}},
                                            {"n", 3},
                                            {"top_k", 5}})
                                        .dump(),
                                    true);
  CHECK(chat.settings.max_new_tokens == 7);
  CHECK(chat.settings.temperature == 0.5);
  CHECK(chat.settings.top_p == 0.9);
  CHECK(chat.settings.seed == 3);
  CHECK(chat.settings.top_k == 5);
  CHECK(chat.settings.stops == std::vector<std::string>{"\n", "."});
  CHECK(chat.settings.presence_penalty == 1);
  CHECK(chat.settings.frequency_penalty == -0.5);
  CHECK(chat.alternatives == 2);
  CHECK(chat.choices == 3);
  CHECK(chat.streams);
  CHECK(chat.reports_usage);
  const auto plain =
      read_completion(a_completion({{"stop", "\n"}, {"logprobs", 0}, {"max_tokens", 3.0}}).dump(), false);
  CHECK(plain.settings.max_new_tokens == 3);
  CHECK(plain.settings.stops == std::vector<std::string>{"\n"});
  CHECK(plain.alternatives == 0);
  CHECK(read_completion(a_completion().dump(), false).settings.max_new_tokens == 16);
}

TEST_CASE("Two requests without a seed draw differently") {
  CHECK(read_completion(a_chat().dump(), true).settings.seed !=
        read_completion(a_chat().dump(), true).settings.seed);
}

TEST_CASE("A prompt is a text, token ids, or a list of either") {
  const auto prompts = [](const Json& prompt) {
    return read_completion(a_completion({{"prompt", prompt}}).dump(), false).prompts;
  };
  CHECK(std::get<std::string>(prompts("a").at(0)) == "a");
  CHECK(std::get<std::vector<std::int64_t>>(prompts({1, 2}).at(0)) == std::vector<std::int64_t>{1, 2});
  CHECK(prompts({"a", "b"}).size() == 2);
  const Json ids = Json::array({Json::array({1}), Json::array({2, 3})});
  CHECK(std::get<std::vector<std::int64_t>>(prompts(ids).at(1)) == std::vector<std::int64_t>{2, 3});
  for (const Json& bad : {Json::array(), Json(3), Json::object(), Json::array({Json::object()}),
                          Json::array({1, -2}), Json::array({1, 1.5}), Json::array({1, "a"})})
    CHECK(contains(refusal_of([&] { prompts(bad); }), "400 prompt"));
}

TEST_CASE("What is not done here is refused by its name, unless it asks for nothing") {
  CHECK(contains(chat_refusal({{"tools", {{{"type", "function"}}}}}), "400 tools"));
  CHECK(contains(chat_refusal({{"tool_choice", "required"}}), "400 tool_choice"));
  CHECK(contains(chat_refusal({{"response_format", {{"type", "json_object"}}}}), "400 response_format"));
  CHECK(contains(chat_refusal({{"reasoning_effort", "low"}}), "reasoning_effort: this model does not"));
  CHECK(chat_refusal({{"reasoning_effort", "none"}}).empty());
  CHECK(contains(chat_refusal({{"stop", {"a", "b", "c", "d", "e"}}}), "400 stop: stop holds more than 4"));
  CHECK(contains(chat_refusal({{"logit_bias", {{"50256", -100}}}}), "400 logit_bias"));
  CHECK(contains(chat_refusal({{"temprature", 0}}), "400 temprature: unknown member"));
  CHECK(contains(chat_refusal({{"temprature", 0}}), "did you mean \"temperature\"?"));
  CHECK(chat_refusal({{"n", 1},
                      {"tools", Json::array()},
                      {"logit_bias", Json::object()},
                      {"response_format", {{"type", "text"}}},
                      {"tool_choice", "none"}})
            .empty());
  const auto refused = [](const Json& more) {
    return refusal_of([&] { read_completion(a_completion(more).dump(), false); });
  };
  CHECK(contains(refused({{"echo", true}}), "400 echo"));
  CHECK(contains(refused({{"suffix", "end"}}), "400 suffix"));
  CHECK(contains(refused({{"best_of", 3}, {"n", 2}}), "400 best_of"));
  CHECK(refused({{"best_of", 2}, {"n", 2}}).empty());
  CHECK(contains(refused({{"prompt", {"a", "b"}}, {"n", 33}}), "400 n: n is 33 for 2 prompts"));
  CHECK(contains(refused({{"messages", Json::array()}}), "400 messages: unknown member"));
}

TEST_CASE("Values of another kind or out of range are refused with their place") {
  for (const auto& [more, place] : std::vector<std::pair<Json, std::string>>{
           {{{"temperature", 3}}, "400 temperature"},
           {{{"temperature", "hot"}}, "400 temperature"},
           {{{"temperature", -0.1}}, "400 temperature"},
           {{{"top_p", 1.1}}, "400 top_p"},
           {{{"max_tokens", 0}}, "400 max_tokens"},
           {{{"n", 0}}, "400 n"},
           {{{"n", 65}}, "400 n"},
           {{{"max_tokens", 1.5}}, "400 max_tokens"},
           {{{"max_tokens", 1e300}}, "400 max_tokens"},
           {{{"max_tokens", 3}, {"max_completion_tokens", 4}}, "400 max_tokens"},
           {{{"seed", "x"}}, "400 seed"},
           {{{"stop", Json::array({""})}}, "400 stop"},
           {{{"stop", 3}}, "400 stop"},
           {{{"stream", 1}}, "400 stream"},
           {{{"stream_options", {{"include_usage", true}}}}, "400 stream_options"},
           {{{"top_logprobs", 3}}, "400 top_logprobs"},
           {{{"logprobs", true}, {"top_logprobs", 21}}, "400 top_logprobs"},
           {{{"model", 3}}, "400 model"},
           {{{"model", nullptr}}, "400 model"},
           {{{"messages", Json::array()}}, "400 messages"},
           {{{"messages", "hello"}}, "400 messages"},
           {{{"messages", {{{"role", "tool"}, {"content", "x"}}}}}, "400 messages[0].role"},
           {{{"messages", {{{"role", "user"}}}}}, "400 messages[0].content"},
           {{{"messages", {{{"role", "user"}, {"content", {{{"type", "image_url"}}}}}}}},
            "400 messages[0].content[0].type"},
           {{{"messages", {{{"role", "assistant"}, {"content", "x"}}}}}, "400 messages"}}) {
    INFO(more.dump());
    CHECK(contains(chat_refusal(more), place));
  }
  for (const char* body :
       {"", "[]", "{", "nonsense", "{\"model\": NaN}", "{\"model\": \"a\", \"temperature\": 1e999}"}) {
    INFO(body);
    CHECK(contains(refusal_of([&] { read_completion(body, true); }), "400"));
  }
  CHECK(contains(refusal_of([] { read_completion(std::string(200'000, '['), true); }), "nested"));
}

TEST_CASE("Answers have the members that OpenAI's clients read") {
  const serve::CompletionHead chat{true, "chatcmpl-1", "answers", "answers@3", 1700000000};
  const served::WrittenToken token{{"Sl", -0.5}, {{"Sl", -0.5}, {"Ir", -1.5}}};
  const OrderedJson whole =
      serve::completion_json(chat, {{"Slag.", {token}, served::End::kStop}}, {5, 2}, /*has_scores=*/true);
  CHECK(whole.at("object") == "chat.completion");
  CHECK(whole.at("choices").at(0).at("message") ==
        OrderedJson({{"role", "assistant"}, {"content", "Slag."}, {"refusal", nullptr}}));
  CHECK(whole.at("choices").at(0).at("finish_reason") == "stop");
  CHECK(whole.at("usage").at("total_tokens") == 7);
  const OrderedJson& scored = whole.at("choices").at(0).at("logprobs").at("content").at(0);
  CHECK(scored.at("bytes") == OrderedJson({83, 108}));
  CHECK(scored.at("top_logprobs").size() == 2);

  const OrderedJson first =
      serve::piece_json(chat, 0, {0, "Sl", 1, {}, served::End::kNone}, {.is_first = true});
  CHECK(first.at("object") == "chat.completion.chunk");
  CHECK(first.at("choices").at(0).at("delta") == OrderedJson({{"role", "assistant"}, {"content", "Sl"}}));
  CHECK(first.at("choices").at(0).at("finish_reason").is_null());
  const OrderedJson last = serve::piece_json(chat, 0, {0, "", 0, {}, served::End::kLength}, {});
  CHECK(last.at("choices").at(0).at("delta") == OrderedJson::object());
  CHECK(last.at("choices").at(0).at("finish_reason") == "length");
  CHECK_FALSE(last.contains("usage"));
  const OrderedJson counted =
      serve::piece_json(chat, 0, {0, "", 0, {}, served::End::kLength}, {.reports_usage = true});
  CHECK(counted.at("usage").is_null());
  CHECK(serve::usage_piece_json(chat, {5, 2}).at("choices").empty());

  const serve::CompletionHead plain{false, "cmpl-1", "answers", "answers@3", 1700000000};
  const OrderedJson texts =
      serve::completion_json(plain, {{"a", {token}, served::End::kStop}, {"b"}}, {1, 2}, true);
  CHECK(texts.at("object") == "text_completion");
  CHECK(texts.at("choices").at(1).at("index") == 1);
  CHECK(texts.at("choices").at(0).at("text") == "a");
  CHECK(texts.at("choices").at(0).at("logprobs").at("top_logprobs").at(0).at("Ir") == -1.5);
  const OrderedJson second = serve::piece_json(plain, 0, {0, "b", 2, {token, token}, served::End::kNone},
                                               {.has_scores = true, .offset = 7});
  CHECK(second.at("choices").at(0).at("logprobs").at("text_offset") ==
        OrderedJson({7, 7 + token.chosen.token.size()}));
  CHECK(serve::openai_error_json(404, "no", "model", "model_not_found").at("error").at("type") ==
        "not_found_error");
  CHECK(serve::models_json({"a", "b"}, 1).at("data").at(1).at("id") == "b");
}
