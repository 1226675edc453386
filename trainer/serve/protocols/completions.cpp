#include "trainer/serve/protocols/completions.h"

#include "trainer/serve/protocols/json_body.h"
#include "tuner/core/rng.h"

namespace tune::trainer::serve {
namespace {

constexpr std::int64_t kMostPrompts = 64, kMostAnswers = 64;
constexpr std::int64_t kMostStops = 4, kMostAlternatives = 20;  // OpenAI's

// A message's content: a text, or parts of which all are texts.
std::string content_of(JsonMembers& message) {
  const Json* content = message.find("content");
  const std::string place = message.at("content");
  if (content == nullptr) throw Refusal(place + " is missing", place, "missing_required_parameter");
  if (content->is_string()) return *content;
  if (!content->is_array()) throw Refusal(place + " is neither a text nor a list of parts", place);
  std::string text;
  for (std::size_t i = 0; i < content->size(); ++i) {
    JsonMembers part((*content)[i], place + "[" + std::to_string(i) + "]");
    const std::string type = part.required_text("type");
    if (type != "text")
      throw Refusal(part.at("type") + " is \"" + type + "\", and this model reads texts alone",
                    part.at("type"));
    text += part.required_text("text");
    part.finish();
  }
  return text;
}

std::vector<served::Message> messages_of(JsonMembers& body) {
  const Json* list = body.find("messages");
  if (list == nullptr) throw Refusal("messages is missing", "messages", "missing_required_parameter");
  if (!list->is_array() || list->empty())
    throw Refusal("messages is no list, or an empty one: a conversation has at least one message",
                  "messages");
  std::vector<served::Message> messages;
  for (std::size_t i = 0; i < list->size(); ++i) {
    JsonMembers message((*list)[i], "messages[" + std::to_string(i) + "]");
    std::string role = message.required_text("role");
    if (role == "developer") role = "system";  // OpenAI's newer name of it
    if (role != "system" && role != "user" && role != "assistant")
      throw Refusal(message.at("role") + " is \"" + role + "\": system, user or assistant",
                    message.at("role"));
    messages.push_back({role, content_of(message)});
    message.pass_over({"name"});
    for (const char* name :
         {"tool_calls", "tool_call_id", "function_call", "refusal", "audio", "annotations"})
      message.refuse_unless_empty(name, "this model calls no tools");
    message.finish();
  }
  if (messages.back().role == "assistant")
    throw Refusal("the last of the messages is the assistant's: there is nothing to answer", "messages");
  return messages;
}

std::vector<std::int64_t> ids_of(const Json& list, const std::string& place) {
  std::vector<std::int64_t> ids;
  for (const Json& id : list) {
    if (!id.is_number_integer() || id.get<double>() < 0 ||
        id.get<double>() > static_cast<double>(kMostTokens))
      throw Refusal(place + " is no list of token ids", place);
    ids.push_back(id);
  }
  return ids;
}

std::vector<served::Prompt> prompts_of(JsonMembers& body) {
  const Json* prompt = body.find("prompt");
  if (prompt == nullptr) throw Refusal("prompt is missing", "prompt", "missing_required_parameter");
  if (prompt->is_string()) return {prompt->get<std::string>()};
  if (!prompt->is_array() || prompt->empty())
    throw Refusal("prompt is neither a text, nor token ids, nor a list of those", "prompt");
  if (prompt->front().is_number()) return {ids_of(*prompt, "prompt")};
  if (prompt->size() > kMostPrompts)
    throw Refusal("prompt holds more than " + std::to_string(kMostPrompts) + " prompts", "prompt");
  std::vector<served::Prompt> prompts;
  for (std::size_t i = 0; i < prompt->size(); ++i) {
    const std::string place = "prompt[" + std::to_string(i) + "]";
    const Json& one = (*prompt)[i];
    if (one.is_string())
      prompts.emplace_back(one.get<std::string>());
    else if (one.is_array())
      prompts.emplace_back(ids_of(one, place));
    else
      throw Refusal(place + " is neither a text nor a list of token ids", place);
  }
  return prompts;
}

std::vector<std::string> stops_of(JsonMembers& body) {
  const Json* stop = body.find("stop");
  std::vector<std::string> stops;
  if (stop == nullptr) return stops;
  const Json list = stop->is_array() ? *stop : Json::array({*stop});
  if (list.size() > kMostStops)
    throw Refusal("stop holds more than " + std::to_string(kMostStops) + " texts", "stop");
  for (const Json& one : list) {
    if (!one.is_string() || one.get_ref<const std::string&>().empty())
      throw Refusal("stop is no text, or no list of texts that are not empty", "stop");
    stops.push_back(one);
  }
  return stops;
}

void read_settings(JsonMembers& body, CompletionRequest& request) {
  constexpr std::int64_t kOfCompletions = 16;  // OpenAI's for /v1/completions; a chat has no limit of its own
  served::GenerationSettings& settings = request.settings;
  const auto most = body.whole("max_tokens", 1, kMostTokens),
             newer = request.is_chat ? body.whole("max_completion_tokens", 1, kMostTokens) : std::nullopt;
  if (most && newer && *most != *newer)
    throw Refusal("max_tokens and max_completion_tokens are two names of one limit, and differ",
                  "max_tokens");
  settings.max_new_tokens = newer ? *newer : most.value_or(request.is_chat ? 0 : kOfCompletions);
  settings.temperature = body.number("temperature", 0, 2).value_or(1);
  settings.top_p = body.number("top_p", 0, 1).value_or(1);
  settings.top_k = body.whole("top_k", 0, kMostTokens).value_or(0);
  settings.repetition_penalty = body.number("repetition_penalty", 0.01, 100).value_or(1);
  settings.presence_penalty = body.number("presence_penalty", -2, 2).value_or(0);
  settings.frequency_penalty = body.number("frequency_penalty", -2, 2).value_or(0);
  settings.stops = stops_of(body);
  constexpr std::int64_t kLargestSeed = std::int64_t{1} << 53;
  const auto seed = body.whole("seed", -kLargestSeed, kLargestSeed);
  settings.seed = seed ? static_cast<std::uint64_t>(*seed) : entropy_seed();
}

void read_scores(JsonMembers& body, CompletionRequest& request) {
  if (!request.is_chat) {
    constexpr std::int64_t kMost = 5;  // OpenAI's
    if (const auto count = body.whole("logprobs", 0, kMost)) request.alternatives = static_cast<int>(*count);
    return;
  }
  const bool wanted = body.flag("logprobs").value_or(false);
  const auto count = body.whole("top_logprobs", 0, kMostAlternatives);
  if (count && *count > 0 && !wanted)
    throw Refusal("top_logprobs is given, yet logprobs is not true", "top_logprobs");
  if (wanted) request.alternatives = static_cast<int>(count.value_or(0));
}

void read_choices(JsonMembers& body, CompletionRequest& request) {
  const std::int64_t count = body.whole("n", 1, kMostAnswers).value_or(1);
  request.choices = static_cast<std::size_t>(count);
  if (request.choices * request.prompts.size() > kMostAnswers)
    throw Refusal("n is " + std::to_string(count) + " for " + std::to_string(request.prompts.size()) +
                      " prompts: " + std::to_string(kMostAnswers) + " answers are the most",
                  "n");
  if (request.is_chat) return;
  if (const auto most = body.whole("best_of", 1, kMostAnswers); most && *most != count)
    throw Refusal("best_of is " + std::to_string(*most) + " and n " + std::to_string(count) +
                      ": as many answers are made as are given",
                  "best_of", "unsupported_parameter");
}

void refuse_what_is_not_done(JsonMembers& body, bool is_chat) {
  for (const char* name : {"tools", "functions", "audio", "prediction", "web_search_options", "logit_bias"})
    body.refuse_unless_empty(name, "this is not done here");
  for (const char* name : {"tool_choice", "function_call"})
    if (const Json* choice = body.find(name); choice != nullptr && *choice != "none" && *choice != "auto")
      throw Refusal(std::string(name) + ": this model calls no tools", name, "unsupported_parameter");
  if (const Json* format = body.find("response_format"))
    if (!format->is_object() || format->value("type", Json()) != "text")
      throw Refusal("response_format: answers are plain texts", "response_format", "unsupported_parameter");
  if (const Json* kinds = body.find("modalities"); kinds != nullptr && *kinds != Json::array({"text"}))
    throw Refusal("modalities: answers are plain texts", "modalities", "unsupported_parameter");
  if (is_chat) {
    if (const Json* effort = body.find("reasoning_effort"); effort != nullptr && *effort != "none")
      throw Refusal("reasoning_effort: this model does not think before it answers", "reasoning_effort",
                    "unsupported_parameter");
    return;
  }
  body.refuse_unless_empty("echo", "the prompt is not repeated");
  body.refuse_unless_empty("suffix", "texts are not written into a gap");
}

// Of a chat: each token with its bytes.
OrderedJson chat_scores(const std::vector<served::WrittenToken>& scores) {
  const auto one = [](const served::TokenScore& score) {
    OrderedJson bytes = OrderedJson::array();
    for (const char c : score.token) bytes.push_back(static_cast<unsigned char>(c));
    return OrderedJson{{"token", score.token}, {"logprob", score.logprob}, {"bytes", bytes}};
  };
  OrderedJson content = OrderedJson::array();
  for (const served::WrittenToken& token : scores) {
    OrderedJson row = one(token.chosen);
    row["top_logprobs"] = OrderedJson::array();
    for (const served::TokenScore& other : token.alternatives) row["top_logprobs"].push_back(one(other));
    content.push_back(std::move(row));
  }
  return {{"content", content}};
}

// `offset` is how many bytes of tokens came before these.
OrderedJson completion_scores(const std::vector<served::WrittenToken>& scores, std::size_t offset) {
  OrderedJson tokens = OrderedJson::array(), logprobs = OrderedJson::array(), tops = OrderedJson::array(),
              offsets = OrderedJson::array();
  for (const served::WrittenToken& token : scores) {
    tokens.push_back(token.chosen.token);
    logprobs.push_back(token.chosen.logprob);
    OrderedJson top = OrderedJson::object();
    for (const served::TokenScore& other : token.alternatives) top[other.token] = other.logprob;
    tops.push_back(std::move(top));
    offsets.push_back(offset);
    offset += token.chosen.token.size();
  }
  return {{"tokens", tokens}, {"token_logprobs", logprobs}, {"top_logprobs", tops}, {"text_offset", offsets}};
}

OrderedJson scores_json(bool is_chat, const std::vector<served::WrittenToken>& scores, bool has_scores,
                        std::size_t offset) {
  if (!has_scores) return {};
  return is_chat ? chat_scores(scores) : completion_scores(scores, offset);
}

OrderedJson end_json(served::End end) {
  if (end == served::End::kNone) return {};
  return end == served::End::kStop ? "stop" : "length";
}

OrderedJson usage_json(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", usage.prompt_tokens + usage.completion_tokens}};
}

OrderedJson head_json(const CompletionHead& head, bool is_piece) {
  const char* object = !head.is_chat ? "text_completion"
                       : is_piece    ? "chat.completion.chunk"
                                     : "chat.completion";
  return {{"id", head.id},
          {"object", object},
          {"created", head.created},
          {"model", head.model},
          {"system_fingerprint", head.version}};
}

}  // namespace

CompletionRequest read_completion(std::string_view text, bool is_chat) {
  const Json json = json_body(text);
  JsonMembers body(json, "");
  CompletionRequest request;
  request.is_chat = is_chat;
  request.model = body.required_text("model");
  if (is_chat)
    request.prompts.emplace_back(messages_of(body));
  else
    request.prompts = prompts_of(body);
  read_choices(body, request);
  read_settings(body, request);
  read_scores(body, request);
  refuse_what_is_not_done(body, is_chat);
  request.streams = body.flag("stream").value_or(false);
  if (const Json* options = body.find("stream_options")) {
    JsonMembers of_stream(*options, "stream_options");
    request.reports_usage = of_stream.flag("include_usage").value_or(false);
    of_stream.pass_over({"include_obfuscation"});
    of_stream.finish();
    if (!request.streams) throw Refusal("stream_options is given, yet stream is not true", "stream_options");
  }
  body.pass_over({"user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
                  "prompt_cache_retention", "parallel_tool_calls"});
  body.finish();
  return request;
}

OrderedJson completion_json(const CompletionHead& head, const std::vector<Choice>& choices,
                            const Usage& usage, bool has_scores) {
  OrderedJson json = head_json(head, /*is_piece=*/false);
  json["choices"] = OrderedJson::array();
  for (std::size_t i = 0; i < choices.size(); ++i) {
    OrderedJson choice{{"index", i}};
    if (head.is_chat)
      choice["message"] = {{"role", "assistant"}, {"content", choices[i].text}, {"refusal", nullptr}};
    else
      choice["text"] = choices[i].text;
    choice["logprobs"] = scores_json(head.is_chat, choices[i].scores, has_scores, /*offset=*/0);
    choice["finish_reason"] = end_json(choices[i].end);
    json["choices"].push_back(std::move(choice));
  }
  json["usage"] = usage_json(usage);
  return json;
}

OrderedJson piece_json(const CompletionHead& head, std::size_t index, const served::Written& piece,
                       const PieceForm& form) {
  OrderedJson json = head_json(head, /*is_piece=*/true), choice{{"index", index}};
  if (head.is_chat) {
    choice["delta"] = OrderedJson::object();
    if (form.is_first) choice["delta"]["role"] = "assistant";
    if (form.is_first || !piece.text.empty()) choice["delta"]["content"] = piece.text;
  } else {
    choice["text"] = piece.text;
  }
  choice["logprobs"] =
      scores_json(head.is_chat, piece.scores, form.has_scores && !piece.scores.empty(), form.offset);
  choice["finish_reason"] = end_json(piece.end);
  json["choices"] = OrderedJson::array({choice});
  if (form.reports_usage) json["usage"] = nullptr;
  return json;
}

OrderedJson usage_piece_json(const CompletionHead& head, const Usage& usage) {
  OrderedJson json = head_json(head, /*is_piece=*/true);
  json["choices"] = OrderedJson::array();
  json["usage"] = usage_json(usage);
  return json;
}

OrderedJson openai_error_json(int status, const std::string& message, const std::string& param,
                              const std::string& code) {
  const char* type = status == 401   ? "authentication_error"
                     : status == 404 ? "not_found_error"
                     : status == 503 ? "service_unavailable_error"
                     : status >= 500 ? "server_error"
                                     : "invalid_request_error";
  return {{"error",
           {{"message", message},
            {"type", type},
            {"param", param.empty() ? OrderedJson() : OrderedJson(param)},
            {"code", code.empty() ? OrderedJson() : OrderedJson(code)}}}};
}

OrderedJson model_json(const std::string& name, std::int64_t created) {
  return {{"id", name}, {"object", "model"}, {"created", created}, {"owned_by", "tune"}};
}

OrderedJson models_json(const std::vector<std::string>& names, std::int64_t created) {
  OrderedJson list = OrderedJson::array();
  for (const std::string& name : names) list.push_back(model_json(name, created));
  return {{"object", "list"}, {"data", list}};
}

}  // namespace tune::trainer::serve
