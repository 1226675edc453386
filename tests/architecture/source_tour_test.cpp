// Holds the names in docs/source-tour.md against the sources.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>

#include "support/catch.h"

namespace {

namespace fs = std::filesystem;

std::string text_of(const fs::path& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// What the tour has in backquotes and `pattern` matches whole.
std::set<std::string> names_in_tour(const char* pattern) {
  const std::string tour = text_of(fs::path(TUNE_SOURCE_DIR) / "docs/source-tour.md");
  const std::regex quoted("`(" + std::string(pattern) + ")`");
  std::set<std::string> names;
  for (std::sregex_iterator match(tour.begin(), tour.end(), quoted), end; match != end; ++match)
    names.insert((*match)[1]);
  return names;
}

// How many sources have each file name, and the text of all .cpp files.
struct Sources {
  std::map<std::string, int> names;
  std::string text;
};

Sources all_sources() {
  Sources sources;
  for (const char* top : {"tuner", "strategies", "store", "trainer"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(TUNE_SOURCE_DIR) / top)) {
      if (entry.path().extension() != ".cpp") continue;
      ++sources.names[entry.path().filename()];
      sources.text += text_of(entry.path());
    }
  }
  return sources;
}

}  // namespace

TEST_CASE("every file and function that the source tour names is found under that name, each file once") {
  Sources sources = all_sources();
  const std::set<std::string> files = names_in_tour(R"([a-z0-9_]+\.cpp)");
  REQUIRE(files.size() > 40);
  for (const std::string& file : files) {
    INFO(file);
    CHECK(sources.names[file] == 1);
  }
  const std::set<std::string> functions = names_in_tour(R"([A-Za-z_:]+\(\))");
  REQUIRE(functions.size() > 30);
  for (const std::string& function : functions) {
    INFO(function);
    CHECK(sources.text.find(' ' + function.substr(0, function.size() - 1)) != std::string::npos);
  }
}
