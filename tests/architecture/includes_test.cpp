// Holds every #include "..." of the sources against the table of allowed edges between the folders.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/catch.h"

namespace {

namespace fs = std::filesystem;

// What each folder may include besides itself. An edge includes what lies below it.
const std::map<std::string, std::set<std::string>> kAllowed = {
    {"tuner/core", {}},
    {"strategies", {"tuner/core"}},
    {"store", {"tuner/core"}},
    {"tuner/metrics", {"tuner/core"}},
    {"tuner/supervisor", {"tuner/metrics", "tuner/core"}},
    {"tuner/engine", {"strategies", "store", "tuner/core"}},
    {"tuner/report", {"store", "tuner/core"}},
    {"tuner/serve", {"tuner/report", "store", "tuner/core"}},
    {"tuner/cli",
     {"tuner/engine", "tuner/report", "tuner/serve", "tuner/metrics", "strategies", "store", "tuner/core"}},
    {"tuner/main.cpp", {"tuner/cli"}},
    {"trainer/main.cpp", {"trainer/cli"}},
    {"trainer/torch_compat.h", {}},
    {"trainer/cli",
     {"trainer/loop", "trainer/tasks", "trainer/tasks/detection", "trainer/tasks/pretraining",
      "trainer/weights", "trainer/synthetic", "trainer/torch_compat.h", "tuner/core"}},
    {"trainer/loop", {"trainer/weights", "trainer/torch_compat.h", "tuner/core"}},  // it knows no task
    {"trainer/tasks", {"trainer/tasks/detection", "trainer/loop", "trainer/torch_compat.h", "tuner/core"}},
    {"trainer/tasks/detection",
     {"trainer/data", "trainer/loop", "trainer/nn", "trainer/weights", "trainer/metrics",
      "trainer/tasks/detection/data", "trainer/images", "trainer/torch_compat.h", "tuner/core"}},
    {"trainer/tasks/detection/data", {"trainer/data", "trainer/metrics", "trainer/images", "tuner/core"}},
    {"trainer/data", {"trainer/images", "tuner/core"}},
    {"trainer/tasks/pretraining",
     {"trainer/tasks/pretraining/images", "trainer/tasks/detection", "trainer/tasks/detection/data",
      "trainer/loop", "trainer/nn", "trainer/weights", "trainer/torch_compat.h", "tuner/core"}},
    {"trainer/tasks/pretraining/images", {"tuner/core"}},
    {"trainer/nn", {"trainer/torch_compat.h"}},
    {"trainer/weights", {"trainer/torch_compat.h", "tuner/core"}},
    {"trainer/metrics", {"tuner/core"}},
    {"trainer/images", {"tuner/core"}},
    {"trainer/synthetic", {"trainer/images", "trainer/tasks/detection/data", "tuner/core"}},
};

// System headers that show a library which only some folders may use.
const std::map<std::string, std::set<std::string>> kLibraries = {
    {"torch/", {"trainer/torch_compat.h"}},
    {"ATen/", {"trainer/torch_compat.h"}},
    {"c10/", {"trainer/torch_compat.h"}},
    {"Eigen/", {"strategies"}},
    {"SQLiteCpp/", {"store"}},
    {"sqlite3.h", {"store"}},
    {"re2/", {"tuner/metrics"}},
    {"boost/asio", {"tuner/engine"}},
    {"boost/beast", {"tuner/serve"}},
    {"boost/program_options", {"tuner/cli", "trainer/cli"}},
    {"openssl/", {"tuner/core"}},
    {"turbojpeg.h", {"trainer/images"}},
    {"png.h", {"trainer/images"}},
    {"stb/", {"trainer/images"}},
    {"tiffio.h", {"trainer/images"}},
    {"webp/", {"trainer/images"}},
    {"iconv.h", {"trainer/data"}},
    {"yaml-cpp/", {"trainer/tasks/detection/data"}},
    {"pugixml.hpp", {"trainer/synthetic", "trainer/tasks/detection/data"}},
};

std::string folder_of(const std::string& path) {
  std::string best;
  for (const auto& [folder, allowed] : kAllowed)
    if ((path == folder || path.starts_with(folder + "/")) && folder.size() > best.size()) best = folder;
  return best;
}

struct Include {
  std::string file, target;
  bool quoted;
};

std::vector<Include> all_includes() {
  const fs::path root = TUNE_SOURCE_DIR;
  const std::regex pattern(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::vector<Include> found;
  for (const char* top : {"tuner", "strategies", "store", "trainer"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".h" && path.extension() != ".cpp") continue;
      std::ifstream file(path);
      std::smatch match;
      for (std::string line; std::getline(file, line);)
        if (std::regex_search(line, match, pattern))
          found.push_back({fs::relative(path, root).generic_string(), match[2], match[1] == "\""});
    }
  }
  return found;
}

}  // namespace

TEST_CASE("every include between folders is an edge that the design allows") {
  const std::vector<Include> includes = all_includes();
  REQUIRE(includes.size() > 100);
  for (const Include& include : includes) {
    if (!include.quoted) continue;
    const std::string from = folder_of(include.file), to = folder_of(include.target);
    INFO(include.file << " includes " << include.target);
    REQUIRE_FALSE(from.empty());
    REQUIRE_FALSE(to.empty());
    CHECK((from == to || kAllowed.at(from).contains(to)));
  }
}

TEST_CASE("a library is included only in the folders that own it") {
  for (const Include& include : all_includes()) {
    for (const auto& [prefix, owners] : kLibraries) {
      if (!include.target.starts_with(prefix)) continue;
      INFO(include.file << " includes " << include.target);
      CHECK(owners.contains(folder_of(include.file)));
    }
  }
}

TEST_CASE("a source above 500 lines is named, so that somebody looks for a seam") {
  const fs::path root = TUNE_SOURCE_DIR;
  int read = 0;
  for (const char* top : {"tuner", "strategies", "store", "trainer", "tests"}) {
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".h" && path.extension() != ".cpp") continue;
      std::ifstream file(path);
      const auto lines =
          std::count(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>(), '\n');
      ++read;
      if (lines > 500) WARN(path.string() << " has " << lines << " lines: is there a seam to split along?");
    }
  }
  CHECK(read > 100);
}
