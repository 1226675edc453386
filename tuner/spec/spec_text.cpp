#include "tuner/spec/spec_text.h"

#include <algorithm>

namespace tune {
namespace {

constexpr std::size_t kWidth = 100;

// On one line, with blanks where people put them.
std::string line_of(const OrderedJson& value) {
  if (!value.is_structured()) return value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
  if (value.empty()) return value.is_array() ? "[]" : "{}";
  std::string text = value.is_array() ? "[" : "{ ";
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (item != value.begin()) text += ", ";
    if (value.is_object()) text += OrderedJson(item.key()).dump() + ": ";
    text += line_of(*item);
  }
  return text + (value.is_array() ? "]" : " }");
}

bool is_plain_list(const OrderedJson& value) {
  return value.is_array() && std::none_of(value.begin(), value.end(),
                                          [](const OrderedJson& each) { return each.is_structured(); });
}

// As many of the values on a line as there is room for.
std::string filled(const OrderedJson& list, const std::string& inner) {
  std::string text, line = inner;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string word = line_of(list[i]) + (i + 1 < list.size() ? "," : "");
    if (line.size() > inner.size() && line.size() + 1 + word.size() > kWidth) {
      text += line + "\n";
      line = inner;
    }
    line += (line.size() > inner.size() ? " " : "") + word;
  }
  return text + line;
}

std::string text_of(const OrderedJson& value, std::size_t indent, bool is_broken) {
  const std::string line = line_of(value);
  if (!value.is_structured() || value.empty() || (!is_broken && indent + line.size() <= kWidth)) return line;
  const std::string inner(indent + 2, ' '), outer(indent, ' ');
  if (is_plain_list(value)) return "[\n" + filled(value, inner) + "\n" + outer + "]";
  std::string text = value.is_array() ? "[\n" : "{\n";
  for (auto item = value.begin(); item != value.end(); ++item) {
    if (item != value.begin()) text += ",\n";
    text += inner;
    // Each parameter has a line of its own.
    const bool breaks = indent == 0 && value.is_object() && item.key() == "parameters";
    if (value.is_object()) text += OrderedJson(item.key()).dump() + ": ";
    text += text_of(*item, indent + 2, breaks);
  }
  return text + "\n" + outer + (value.is_array() ? "]" : "}");
}

}  // namespace

std::string spec_text(const OrderedJson& spec) { return text_of(spec, 0, true) + "\n"; }

}  // namespace tune
