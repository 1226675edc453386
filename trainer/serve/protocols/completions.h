#pragma once
// OpenAI's protocol for language models: /v1/chat/completions, /v1/completions and /v1/models, as their
// public clients speak it.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/serve/protocols/refusal.h"
#include "trainer/served/served_model.h"
#include "tuner/core/json.h"

namespace tune::trainer::serve {

struct CompletionRequest {
  bool is_chat = false;
  std::string model;
  std::vector<served::Prompt> prompts;          // one of a chat
  std::size_t choices = 1;                      // answers to each
  served::GenerationSettings settings;          // max_new_tokens 0: as many as there is room for
  int alternatives = -1;                        // see served::GenerationRequest
  bool streams = false, reports_usage = false;  // the latter of a stream
};

// What OpenAI's API has and this server does not do (tools, response formats and so on) is
// refused by name, not passed over; what changes no answer (user, metadata) is. Beside OpenAI's members there
// are top_k and repetition_penalty. Without a seed one is drawn. Throws Refusal.
CompletionRequest read_completion(std::string_view body, bool is_chat);

// What all parts of an answer begin with.
struct CompletionHead {
  bool is_chat = false;
  std::string id;        // "chatcmpl-..." or "cmpl-..."
  std::string model;     // as it was asked for
  std::string version;   // "answers@3", as system_fingerprint
  std::int64_t created;  // seconds since 1970
};

struct Usage {
  std::int64_t prompt_tokens = 0, completion_tokens = 0;
};

// An answer as far as it has been written.
struct Choice {
  std::string text = {};
  std::vector<served::WrittenToken> scores = {};
  served::End end = served::End::kNone;
};

OrderedJson completion_json(const CompletionHead& head, const std::vector<Choice>& choices,
                            const Usage& usage, bool has_scores);
// What is true of a piece beside what it adds.
struct PieceForm {
  bool is_first = false, has_scores = false;
  bool reports_usage = false;  // in the stream's last event; the others say null
  std::size_t offset = 0;      // the bytes of its choice's tokens before it
};

// One event of a stream: what was added to one choice. A chat's first piece names the role.
OrderedJson piece_json(const CompletionHead& head, std::size_t choice, const served::Written& piece,
                       const PieceForm& form);
// The last event before [DONE] where the usage is asked for.
OrderedJson usage_piece_json(const CompletionHead& head, const Usage& usage);
OrderedJson openai_error_json(int status, const std::string& message, const std::string& param = {},
                              const std::string& code = {});
// GET /v1/models, and one of them.
OrderedJson model_json(const std::string& name, std::int64_t created);
OrderedJson models_json(const std::vector<std::string>& names, std::int64_t created);

}  // namespace tune::trainer::serve
