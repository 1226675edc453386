#include "tuner/http/message.h"

#include <algorithm>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"

namespace tune::http {
namespace {

bool equals_without_case(std::string_view one, std::string_view other) {
  return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                    [](char a, char b) { return lower_case(a) == lower_case(b); });
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "text/html" of "Text/HTML; charset=utf-8".
std::string type_in(std::string_view value) {
  return lower_case(std::string(trimmed(value.substr(0, value.find(';')))));
}

}  // namespace

const std::string* find_header(const std::vector<Header>& headers, std::string_view name) {
  const auto found = std::find_if(headers.begin(), headers.end(), [name](const Header& header) {
    return equals_without_case(header.name, name);
  });
  return found == headers.end() ? nullptr : &found->value;
}

const std::string& Request::part(std::string_view name) const {
  const auto found =
      std::find_if(parts.begin(), parts.end(), [name](const auto& one) { return one.first == name; });
  TUNE_CHECK(found != parts.end(), std::string(name));
  return found->second;
}

const std::string* Request::parameter(std::string_view name) const {
  const auto found =
      std::find_if(query.begin(), query.end(), [name](const auto& one) { return one.first == name; });
  return found == query.end() ? nullptr : &found->second;
}

std::string Request::media_type() const {
  const std::string* value = header("Content-Type");
  return value == nullptr ? std::string() : type_in(*value);
}

bool Request::accepts(std::string_view media_type) const {
  const std::string* accepted = header("Accept");
  if (accepted == nullptr) return false;
  for (std::string_view rest = *accepted; !rest.empty();) {
    const std::size_t comma = std::min(rest.find(','), rest.size());
    if (type_in(rest.substr(0, comma)) == media_type) return true;
    rest.remove_prefix(std::min(comma + 1, rest.size()));
  }
  return false;
}

Response Response::json(const OrderedJson& value, int status) {
  return text(value.dump(-1, ' ', false, OrderedJson::error_handler_t::replace) + '\n', "application/json",
              status);
}

Response Response::text(std::string text, std::string content_type, int status) {
  Response response;
  response.status = status;
  response.headers.push_back({"Content-Type", std::move(content_type)});
  response.body = std::move(text);
  return response;
}

Response Response::streamed(std::string content_type, Producer producer) {
  Response response;
  response.headers.push_back({"Content-Type", std::move(content_type)});
  response.producer = std::move(producer);
  return response;
}

Response Response::error(int status, std::string_view message, std::string_view hint) {
  return json({{"schema", 1}, {"error", {{"message", message}, {"hint", hint}}}}, status);
}

Response&& Response::with(std::string name, std::string value) && {
  headers.push_back({std::move(name), std::move(value)});
  return std::move(*this);
}

std::string event_text(std::string_view event, std::string_view data, std::string_view id) {
  std::string text;
  if (!id.empty()) text.append("id: ").append(id).append("\n");
  if (!event.empty()) text.append("event: ").append(event).append("\n");
  // A line of the data may end in CR, LF or both; each would end ours.
  for (std::size_t begin = 0;;) {
    const std::size_t end = std::min(data.find_first_of("\r\n", begin), data.size());
    text.append("data: ").append(data.substr(begin, end - begin)).append("\n");
    if (end == data.size()) break;
    begin = end + (data.substr(end, 2) == "\r\n" ? 2 : 1);
  }
  return text + "\n";
}

}  // namespace tune::http
