#include "tuner/serve/pages.h"

#include <algorithm>

#include "tuner/core/error.h"
#include "tuner/http/static_file.h"
#include "tuner/os/regular_file.h"

namespace tune::serve {
namespace {

namespace fs = std::filesystem;

constexpr const char* kStart = "index.html";
constexpr std::uint64_t kMostPageBytes = 64 << 20;

http::Response no_such_file() { return http::Response::error(404, "there is no such file among the pages"); }

http::Response embedded(const http::Request& request, std::string_view name) {
  static const std::vector<EmbeddedFile> files = embedded_pages();
  const auto found =
      std::find_if(files.begin(), files.end(), [name](const auto& file) { return file.name == name; });
  if (found == files.end()) return no_such_file();
  // The names of scripts and styles hold a hash of what is in them.
  const bool is_hashed = name.ends_with(".js") || name.ends_with(".css");
  return http::file_response(
      request, {std::string(name), http::content_type_of(name), found->raw, found->gzip, is_hashed});
}

// One of the files that the folder lists.
http::Response from_folder(const fs::path& folder, const std::string& name) {
  std::error_code failed;
  for (fs::directory_iterator entry(folder, failed), end; !failed && entry != end; entry.increment(failed)) {
    if (entry->path().filename() != name) continue;
    const FileContent content = read_regular_file(entry->path(), kMostPageBytes);
    if (content.is_there) return http::Response::text(content.bytes, http::content_type_of(name));
  }
  return no_such_file();
}

}  // namespace

std::vector<http::Route> page_routes(const std::optional<fs::path>& folder) {
  if (folder && !fs::is_directory(*folder))
    throw Error(ExitCode::kNotFound, "there is no folder " + folder->string(),
                "--assets-dir names the folder with index.html, for work on the pages");
  const auto file = [folder](const http::Request& request, const std::string& name) {
    return folder ? from_folder(*folder, name) : embedded(request, name);
  };
  const http::Handler asset = [file](const http::Request& request) {
    return file(request, request.part("file"));
  };
  const http::Handler page = [file](const http::Request& request) {
    const bool is_taken = request.path.starts_with("/api/") || request.path.starts_with("/assets/");
    return is_taken ? http::Response::error(404, "there is nothing at this address") : file(request, kStart);
  };
  std::vector<http::Route> routes{{"GET", "/assets/{file}", asset}, {"GET", "/", page}};
  std::string pattern;
  for (const char* part : {"/{a}", "/{b}", "/{c}", "/{d}", "/{e}"})
    routes.push_back({"GET", pattern += part, page});
  return routes;
}

}  // namespace tune::serve
