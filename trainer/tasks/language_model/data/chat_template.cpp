#include "trainer/tasks/language_model/data/chat_template.h"

#include "trainer/data/text_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::language_model {
namespace {

constexpr const char* kTemplateCure =
    "give the data as \"prompt\" and \"completion\", with a template file that lays the prompt out";

bool has(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

// The system's message that a template of ChatML puts where a conversation has none: written out between its
// two special tokens.
std::string default_system_of(const std::string& jinja) {
  for (const std::string begin : {"<|im_start|>system\\n", "<|im_start|>system\n"})
    for (std::size_t at = jinja.find(begin); at != std::string::npos; at = jinja.find(begin, at + 1)) {
      const std::size_t from = at + begin.size(), end = jinja.find("<|im_end|>", from);
      if (end == std::string::npos) break;
      const std::string text = jinja.substr(from, end - from);
      if (!text.empty() && text.find_first_of("{}'\"") == std::string::npos) return text;
    }
  return "";
}

}  // namespace

ChatTemplate::ChatTemplate(const std::string& jinja, const std::string& place) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ExitCode::kBadData, place + what, kTemplateCure);
  };
  if (jinja.empty())
    refuse(": its tokenizer has no chat template, so conversations cannot be laid out for it");
  if (has(jinja, "<|start_header_id|>")) {
    form_ = Form::kLlama3;
    has_dates_ = has(jinja, "Cutting Knowledge Date");
    if (has(jinja, "strftime_now"))
      refuse(": its chat template writes today's date into each conversation, which no training repeats");
  } else if (has(jinja, "<|im_start|>")) {
    if (has(jinja, "<think>")) refuse(": its chat template lays thoughts out, which is not done here");
    default_system_ = default_system_of(jinja);
  } else {
    refuse(": its chat template is neither ChatML's (<|im_start|>) nor Llama 3's (<|start_header_id|>)");
  }
}

std::vector<Segment> ChatTemplate::render(const std::vector<Message>& messages, bool asks_for_answer,
                                          const std::string& place) const {
  if (messages.empty())
    throw Error(ExitCode::kBadData, place + ": a conversation without messages", "take it out");
  std::vector<Segment> segments;
  const bool chat_ml = form_ == Form::kChatMl;
  const auto add = [&](const std::string& text, bool learned = false) {
    if (!segments.empty() && segments.back().learned == learned)
      segments.back().text += text;
    else
      segments.push_back({text, learned});
  };
  const auto head = [&](const std::string& role) {
    return chat_ml ? "<|im_start|>" + role + "\n" : "<|start_header_id|>" + role + "<|end_header_id|>\n\n";
  };
  const std::string end = chat_ml ? "<|im_end|>" : "<|eot_id|>", behind = chat_ml ? "\n" : "";
  std::size_t first = 0;
  if (!chat_ml) add("<|begin_of_text|>");
  const bool has_system = messages.front().role == "system";
  if (has_dates_) {
    // The date of today is the form's own default, as it stands in the template.
    add(head("system") + "Cutting Knowledge Date: December 2023\nToday Date: 26 Jul 2024\n\n" +
        (has_system ? data::trimmed(messages.front().content) : "") + end);
    first = has_system ? 1 : 0;
  } else if (chat_ml && !has_system && !default_system_.empty()) {
    add(head("system") + default_system_ + end + behind);
  }
  for (std::size_t i = first; i < messages.size(); ++i) {
    const Message& message = messages[i];
    const bool answer = message.role == "assistant";
    if (!answer && message.role != "user" && message.role != "system")
      throw Error(ExitCode::kBadData, place + ": a message's role is \"" + message.role + "\"",
                  "system, user or assistant");
    add(head(message.role));
    add((chat_ml ? message.content : data::trimmed(message.content)) + end, answer);
    if (!behind.empty() && (i + 1 < messages.size() || asks_for_answer)) add(behind);
  }
  if (asks_for_answer) add(head("assistant"));
  return segments;
}

}  // namespace tune::trainer::language_model
