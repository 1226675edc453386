// Holds every #include "..." of the sources against the map of the house: which folder may use which.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "support/catch.h"

namespace {

namespace fs = std::filesystem;

// A row of the map: what a folder may use, besides itself and whatever lies below what it may use.
struct Row {
  const char* folder;
  std::set<std::string> uses;
};

// From the ground up.
const std::vector<Row> kMap = {
    {"tuner/core", {}},                         // values
    {"tuner/os", {"tuner/core"}},               // what talks to the system
    {"tuner/http", {"tuner/os"}},               // a server and a client
    {"tuner/archive", {"tuner/os"}},            // archives of files
    {"tuner/spec", {"tuner/os"}},               // the language of specs
    {"strategies", {"tuner/core"}},             // mathematics
    {"store", {"tuner/os"}},                    // SQL
    {"tuner/import", {"tuner/spec", "store"}},  // files of other tools
    {"tuner/import/script", {"tuner/import"}},
    {"tuner/export", {"store"}},        // files for other tools
    {"tuner/billing", {"store"}},       // what attempts took of devices
    {"tuner/metrics", {"tuner/core"}},  // metric lines
    {"tuner/supervisor", {"tuner/metrics", "tuner/os"}},
    {"tuner/engine/devices", {"tuner/os"}},
    {"tuner/engine/attempt", {"tuner/engine/devices", "tuner/spec", "store"}},
    {"tuner/engine/slurm", {"tuner/engine/attempt"}},
    {"tuner/engine/promotion", {"tuner/spec", "store", "tuner/archive"}},
    {"tuner/endpoint", {"tuner/os"}},  // what is deployed, as files
    {"tuner/endpoint/supervisor", {"tuner/endpoint", "tuner/http", "tuner/engine/promotion"}},
    {"tuner/engine/loop", {"tuner/engine/attempt", "tuner/billing", "strategies"}},
    // A study that has ended promotes its best trial.
    {"tuner/engine/study", {"tuner/engine/loop", "tuner/engine/slurm", "tuner/engine/promotion"}},
    // The stored spec says what was searched, an endpoint which versions are deployed.
    {"tuner/report/numbers", {"tuner/spec", "tuner/billing", "tuner/endpoint"}},
    {"tuner/report/text", {"tuner/report/numbers"}},
    {"tuner/report/page", {"tuner/report/text"}},
    {"tuner/report/study", {"tuner/report/page"}},
    // The studies of a store while somebody may work on them.
    {"tuner/live", {"tuner/engine/study", "tuner/report/study", "tuner/metrics"}},
    {"tuner/compare", {"tuner/engine/study", "tuner/report/study", "tuner/metrics"}},
    {"tuner/serve", {"tuner/http", "tuner/endpoint", "tuner/live", "tuner/compare"}},  // the dashboard
    {"tuner/cli/command_line", {"tuner/os"}},                                          // of both programs
    {"tuner/cli",
     {"tuner/cli/command_line", "tuner/serve", "tuner/live", "tuner/engine/study", "tuner/compare",
      "tuner/report/study", "tuner/metrics", "tuner/import/script", "tuner/export",
      "tuner/endpoint/supervisor"}},
    {"tuner/main.cpp", {"tuner/cli"}},

    {"trainer/torch_compat.h", {}},
    {"trainer/libtorch_threads.h", {"trainer/torch_compat.h"}},
    {"trainer/served", {}},  // what a model that answers requests is, in values and interfaces
    {"trainer/images", {"tuner/os"}},
    {"trainer/metrics", {"tuner/core"}},
    {"trainer/parallel", {"trainer/torch_compat.h", "tuner/os"}},  // processes that train one model
    {"trainer/nn", {"trainer/libtorch_threads.h", "trainer/parallel"}},
    {"trainer/weights", {"trainer/libtorch_threads.h", "tuner/os"}},
    {"trainer/data", {"trainer/images", "trainer/torch_compat.h"}},
    {"trainer/text", {"trainer/data"}},
    // It knows no task, and of a network no more than its stages (nn/stages.h).
    {"trainer/loop",
     {"trainer/weights", "trainer/nn", "trainer/metrics", "trainer/served", "tuner/cli/command_line"}},
    {"trainer/endpoint", {"trainer/loop", "tuner/http"}},  // asks deployed models, as their users do
    {"trainer/tasks/image_sets", {"trainer/data", "trainer/loop"}},
    {"trainer/tasks/classification/data", {"trainer/data", "trainer/metrics"}},
    {"trainer/tasks/classification", {"trainer/tasks/classification/data", "trainer/endpoint"}},
    {"trainer/tasks/detection/data", {"trainer/data", "trainer/metrics"}},
    {"trainer/tasks/detection",
     {"trainer/tasks/detection/data", "trainer/tasks/image_sets", "trainer/endpoint", "trainer/nn"}},
    {"trainer/tasks/pretraining/images", {"tuner/core"}},
    {"trainer/tasks/pretraining", {"trainer/tasks/pretraining/images", "trainer/tasks/detection"}},
    {"trainer/tasks/image_classification/data", {"trainer/tasks/classification/data"}},
    {"trainer/tasks/image_classification",
     {"trainer/tasks/image_classification/data", "trainer/tasks/classification", "trainer/tasks/image_sets"}},
    {"trainer/tasks/image_classification/advice", {"trainer/tasks/image_classification"}},
    {"trainer/tasks/text_classification/data", {"trainer/tasks/classification/data"}},
    {"trainer/tasks/text_classification",
     {"trainer/tasks/text_classification/data", "trainer/tasks/classification", "trainer/text"}},
    {"trainer/tasks/language_model/data", {"trainer/data", "trainer/text", "trainer/served"}},
    {"trainer/tasks/language_model",
     {"trainer/tasks/language_model/data", "trainer/endpoint", "trainer/loop", "trainer/nn"}},
    {"trainer/tasks",
     {"trainer/tasks/detection", "trainer/tasks/pretraining", "trainer/tasks/image_classification",
      "trainer/tasks/text_classification", "trainer/tasks/language_model"}},
    {"trainer/synthetic", {"trainer/tasks/detection/data"}},
    {"trainer/serve/protocols", {"trainer/served", "tuner/core"}},
    {"trainer/serve", {"trainer/serve/protocols", "trainer/tasks", "tuner/http"}},
    {"trainer/cli", {"trainer/tasks", "trainer/serve", "trainer/synthetic", "trainer/text"}},
    {"trainer/launcher", {"tuner/cli/command_line"}},  // a program of its own, without LibTorch
    {"trainer/main.cpp", {"trainer/cli"}},
};

// What shows in an include that a library is used, its name, and the folders that may.
struct Library {
  const char *header, *name;
  std::set<std::string> owners;
};

const std::vector<Library> kLibraries = {
    {"nlohmann/", "nlohmann/json", {"tuner/core", "trainer/torch_compat.h"}},
    {"openssl/", "OpenSSL", {"tuner/os"}},
    {"archive.h", "libarchive", {"tuner/archive"}},
    {"archive_entry.h", "libarchive", {"tuner/archive"}},
    {"Eigen/", "Eigen", {"strategies"}},
    {"SQLiteCpp/", "SQLiteCpp", {"store"}},
    {"sqlite3.h", "SQLiteCpp", {"store"}},
    {"re2/", "RE2", {"tuner/metrics"}},
    {"boost/asio", "Boost.Asio", {"tuner/engine/attempt", "tuner/http"}},
    {"boost/beast", "Boost.Beast", {"tuner/http"}},
    {"boost/math", "Boost.Math", {"strategies", "tuner/core"}},
    {"boost/program_options", "Boost.Program_options", {"tuner/cli/command_line"}},
    {"torch/", "LibTorch", {"trainer/torch_compat.h", "trainer/parallel"}},
    {"ATen/", "LibTorch", {"trainer/torch_compat.h"}},
    {"c10/", "LibTorch", {"trainer/torch_compat.h"}},
    {"turbojpeg.h", "libjpeg-turbo", {"trainer/images"}},
    {"png.h", "libpng", {"trainer/images"}},
    {"stb/", "stb", {"trainer/images"}},
    {"tiffio.h", "libtiff", {"trainer/images"}},
    {"webp/", "libwebp", {"trainer/images"}},
    {"zlib.h", "zlib", {"trainer/weights"}},
    {"iconv.h", "iconv", {"trainer/data"}},
    {"protozero/", "protozero", {"trainer/text", "tuner/export"}},
    {"yaml-cpp/", "yaml-cpp", {"trainer/tasks/detection/data"}},
    {"pugixml.hpp", "pugixml", {"trainer/synthetic", "trainer/tasks/detection/data"}},
};

// The innermost folder of the map that a file lies in; "" for none.
std::string folder_of(const std::string& path) {
  std::string best;
  for (const Row& row : kMap) {
    const std::string folder = row.folder;
    if ((path == folder || path.starts_with(folder + "/")) && folder.size() > best.size()) best = folder;
  }
  return best;
}

// A folder and all that lies below it.
std::set<std::string> reach_of(const std::string& folder) {
  std::set<std::string> reach{folder};
  for (const Row& row : kMap)
    if (row.folder == folder)
      for (const std::string& below : row.uses) reach.merge(reach_of(below));
  return reach;
}

// A row of the tour's tables that are headed "folder".
struct TourRow {
  std::string folder;
  std::set<std::string> uses, libraries;
};

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::istringstream stream(line.substr(1));
  for (std::string cell; std::getline(stream, cell, '|');) {
    const std::size_t first = cell.find_first_not_of(' '), last = cell.find_last_not_of(' ');
    cells.push_back(first == std::string::npos ? "" : cell.substr(first, last - first + 1));
  }
  return cells;
}

std::set<std::string> items_of(const std::string& cell) {
  std::set<std::string> items;
  std::istringstream stream(cell);
  for (std::string item; std::getline(stream >> std::ws, item, ',');) items.insert(item);
  return items;
}

// A folder that the tour names without its program's: "core" for "tuner/core".
std::string whole_name(const std::string& name, const std::string& user) {
  const auto is_known = [](const std::string& folder) {
    return std::any_of(kMap.begin(), kMap.end(), [&](const Row& row) { return row.folder == folder; });
  };
  return is_known(name) ? name : (user.starts_with("trainer/") ? "trainer/" : "tuner/") + name;
}

std::vector<TourRow> rows_of_the_tour() {
  std::ifstream file(fs::path(TUNE_SOURCE_DIR) / "docs/source-tour.md");
  const std::regex folder(R"(`([^`]+?)/?`)");
  std::vector<TourRow> rows;
  bool is_map = false;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (line.starts_with("| folder |")) {
      is_map = true;
    } else if (!line.starts_with("| `")) {
      is_map = is_map && line.starts_with("|");
    } else if (const auto cells = cells_of(line);
               is_map && cells.size() > 3 && std::regex_match(cells[0], match, folder)) {
      TourRow row{match[1], {}, items_of(cells[3])};
      for (const std::string& used : items_of(cells[2])) row.uses.insert(whole_name(used, row.folder));
      rows.push_back(std::move(row));
    }
  }
  return rows;
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

TEST_CASE("every include goes to a folder that lies below its own on the map") {
  const std::vector<Include> includes = all_includes();
  REQUIRE(includes.size() > 100);
  for (const Include& include : includes) {
    if (!include.quoted) continue;
    const std::string from = folder_of(include.file), to = folder_of(include.target);
    INFO(include.file << " includes " << include.target);
    REQUIRE_FALSE(from.empty());
    REQUIRE_FALSE(to.empty());
    CHECK(reach_of(from).contains(to));
  }
}

TEST_CASE("the map has no circle, and no file lies beside it") {
  std::set<std::string> known;
  for (const Row& row : kMap) {
    INFO(row.folder);
    for (const std::string& used : row.uses) CHECK(known.contains(used));
    known.insert(row.folder);
  }
  for (const Include& include : all_includes()) {
    INFO(include.file);
    CHECK(folder_of(include.file) != "");
  }
}

TEST_CASE(
    "the source tour has the rows of the map, in its order, with what each may use and which libraries") {
  std::map<std::string, std::set<std::string>> libraries;
  for (const Library& library : kLibraries)
    for (const std::string& owner : library.owners) libraries[owner].insert(library.name);
  libraries["tuner/report/page"].insert("Chart.js");  // no header: part of the page
  const std::vector<TourRow> tour = rows_of_the_tour();
  REQUIRE(tour.size() == kMap.size());
  for (std::size_t i = 0; i < kMap.size(); ++i) {
    INFO(kMap[i].folder);
    CHECK(tour[i].folder == kMap[i].folder);
    CHECK(tour[i].uses == kMap[i].uses);
    CHECK(tour[i].libraries == libraries[kMap[i].folder]);
    CHECK(fs::exists(fs::path(TUNE_SOURCE_DIR) / kMap[i].folder));
  }
}

TEST_CASE("a library is included only in the folders that own it") {
  for (const Include& include : all_includes()) {
    for (const Library& library : kLibraries) {
      if (!include.target.starts_with(library.header)) continue;
      INFO(include.file << " includes " << include.target);
      CHECK(library.owners.contains(folder_of(include.file)));
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
