#pragma once
// Files that are part of the program: pages, scripts, styles.
#include <string>
#include <string_view>
#include <vector>

#include "tuner/http/message.h"
#include "tuner/http/route_table.h"

namespace tune::http {

struct StaticFile {
  std::string path;           // "/assets/app-3f2a.js"
  std::string content_type;   // "text/javascript; charset=utf-8"
  std::string_view raw;       // both live as long as the program
  std::string_view gzip;      // empty: there is none
  bool is_immutable = false;  // its name changes with its content: a browser need not ask again
};

// By Accept-Encoding compressed or not; else the whole file, with Cache-Control as is_immutable says.
Response file_response(const Request& request, const StaticFile& file);
// "text/javascript; charset=utf-8" for "x.js"; "application/octet-stream" for what is unknown.
std::string content_type_of(std::string_view file_name);

}  // namespace tune::http
