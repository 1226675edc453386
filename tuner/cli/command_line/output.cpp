#include "tuner/cli/command_line/output.h"

#include <cerrno>
#include <ostream>

#include "tuner/core/visible_text.h"

namespace tune::cli {

namespace {

// With the bytes of its texts and keys that are not UTF-8 as "\xff".
template <typename AnyJson>
AnyJson in_utf8(const AnyJson& json) {
  const auto text_in_utf8 = [](const std::string& text) {
    try {
      return AnyJson(text).dump().empty() ? "" : text;
    } catch (const typename AnyJson::type_error&) {
      return visible_text(text, LineBreaks::kKeep);
    }
  };
  if (json.is_string()) return text_in_utf8(json.template get_ref<const std::string&>());
  AnyJson clean = json;
  if (json.is_array())
    for (std::size_t i = 0; i < json.size(); ++i) clean[i] = in_utf8(json[i]);
  if (!json.is_object()) return clean;
  clean = AnyJson::object();
  for (const auto& [key, value] : json.items()) clean[text_in_utf8(key)] = in_utf8(value);
  return clean;
}

// JSON escapes the controls below 32 alone, and terminals obey others too.
template <typename AnyJson>
std::string text_of(const AnyJson& json, int indent) {
  std::string text;
  try {
    text = json.dump(indent);
  } catch (const typename AnyJson::type_error&) {
    text = in_utf8(json).dump(indent);
  }
  return visible_text(text, LineBreaks::kKeep);
}

}  // namespace

std::string json_line(const Json& json) { return text_of(json, -1); }

void print_json(const Json& json, Console& console) { console.out << json_line(json) << '\n'; }

void print_ordered(const OrderedJson& json, Console& console, int indent) {
  console.out << text_of(json, indent) << std::endl;
}

void finish_output(std::ostream& out, ExitCode ending) {
  out.flush();
  if (!out && (errno == EPIPE || errno == EIO || ending == ExitCode::kInterrupted)) out.clear();
}

}  // namespace tune::cli
