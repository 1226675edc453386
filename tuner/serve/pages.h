#pragma once
// The pages that a browser loads: part of the program.
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tuner/http/route_table.h"

namespace tune::serve {

struct EmbeddedFile {
  std::string_view name, raw, gzip;
};
std::vector<EmbeddedFile> embedded_pages();

// The rows of the pages: /assets/FILE, and index.html for every other address that is none of /api, since its
// script knows what each address shows. `folder`: where the files are read from instead, at each request,
// while they are being worked on.
std::vector<http::Route> page_routes(const std::optional<std::filesystem::path>& folder);

}  // namespace tune::serve
