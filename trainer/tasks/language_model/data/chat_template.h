#pragma once
// Conversations as the text that a chat model was trained on.
#include <string>
#include <vector>

#include "trainer/served/served_model.h"

namespace tune::trainer::language_model {

using served::Message;

// A part of a text; those that are `learned` count in the loss.
struct Segment {
  std::string text;
  bool learned = false;
};

// The forms that are written here. A template is a program of a language of its own (Jinja), which is not
// run: it is recognised by its special tokens.
class ChatTemplate {
 public:
  // Of a tokenizer's chat_template. Throws Error(kBadData) for one that is none of the known forms; `place`
  // names whose it is.
  ChatTemplate(const std::string& jinja, const std::string& place);

  const char* name() const { return form_ == Form::kChatMl ? "ChatML" : "Llama 3"; }
  // The whole conversation; what assistants say, with the token that ends it, is learned. With
  // `asks_for_answer` the beginning of an assistant's turn is put behind it. Throws Error(kBadData) at
  // `place` for a role that the form does not have.
  std::vector<Segment> render(const std::vector<Message>& messages, bool asks_for_answer,
                              const std::string& place) const;

 private:
  enum class Form { kChatMl, kLlama3 };
  Form form_ = Form::kChatMl;
  std::string default_system_;  // of ChatML, for conversations without a system's message
  bool has_dates_ = false;      // Llama 3.1: its system's message begins with two dates
};

}  // namespace tune::trainer::language_model
