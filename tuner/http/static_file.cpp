#include "tuner/http/static_file.h"

#include <array>
#include <utility>

#include "tuner/core/characters.h"

namespace tune::http {
namespace {

// Whether "Accept-Encoding" names gzip, and not with a weight of 0.
bool takes_gzip(const Request& request) {
  const std::string* accepted = request.header("Accept-Encoding");
  if (accepted == nullptr) return false;
  const std::string text = lower_case(*accepted);
  const std::size_t found = text.find("gzip");
  if (found == std::string::npos) return false;
  const std::string_view rest = std::string_view(text).substr(found + 4);
  const std::string_view weight = rest.substr(0, rest.find(','));
  return weight.find("q=0") == std::string_view::npos || weight.find("q=0.") != std::string_view::npos;
}

}  // namespace

Response file_response(const Request& request, const StaticFile& file) {
  Response response;
  response.headers = {
      {"Content-Type", file.content_type},
      {"Cache-Control", file.is_immutable ? "private, max-age=31536000, immutable" : "no-store"}};
  if (!file.gzip.empty()) response.headers.push_back({"Vary", "Accept-Encoding"});
  const bool compressed = !file.gzip.empty() && (file.raw.empty() || takes_gzip(request));
  if (compressed) response.headers.push_back({"Content-Encoding", "gzip"});
  response.fixed_body = compressed ? file.gzip : file.raw;
  return response;
}

std::string content_type_of(std::string_view file_name) {
  static constexpr std::array<std::pair<std::string_view, const char*>, 9> kTypes{{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".txt", "text/plain; charset=utf-8"},
  }};
  for (const auto& [ending, type] : kTypes)
    if (file_name.ends_with(ending)) return type;
  return "application/octet-stream";
}

}  // namespace tune::http
