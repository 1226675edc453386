#include "tuner/serve/query_number.h"

#include <charconv>
#include <string>

namespace tune::serve {

std::optional<std::int64_t> query_number(const http::Request& request, const char* name, std::int64_t least,
                                         std::int64_t most) {
  const std::string* text = request.parameter(name);
  if (text == nullptr || text->empty()) return std::nullopt;
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text->data(), text->data() + text->size(), number);
  if (problem != std::errc() || end != text->data() + text->size() || number < least || number > most)
    throw http::HttpError(400, std::string(name) + " must be a whole number from " + std::to_string(least) +
                                   " to " + std::to_string(most));
  return number;
}

}  // namespace tune::serve
