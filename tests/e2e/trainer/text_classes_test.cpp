// The example of text classes: both of its searches, the second with a stand-in for the weights that it
// fetches.
#include "support/shell_place.h"

using tune::Json;
using tune::OrderedJson;
using tune::tests::ShellPlace;
namespace fs = std::filesystem;

namespace {

class ExamplePlace : public ShellPlace {
 public:
  ExamplePlace() : ShellPlace("export XDG_CACHE_HOME=$PWD/cache TUNE_STORE=$PWD/store\n") {
    const fs::path example = fs::path(TUNE_SOURCE_DIR) / "examples/text-classes";
    for (const char* file : {"draw_texts.py", "search.json", "search-minilm.json"})
      fs::copy(example / file, path(file));
    run("python3 draw_texts.py");
  }
};

}  // namespace

TEST_CASE("The example of text classes teaches a tiny encoder") {
  const ExamplePlace place;
  place.run("tune --spec search.json");
  CHECK(Json::parse(place.run("tune best text-classes --json").out).at("value") > 0.8);
  place.run(
      "tune-train predict --model store/models/messages/current --data data/messages.csv --output said.json");
  CHECK(place.read("said.json").at("predictions").size() == 240);
}

TEST_CASE("The example's second search chooses what of MiniLM to train") {
  const ExamplePlace place;
  // MiniLM is not fetched here: the drawn encoder, which takes fewer tokens, stands in its place.
  fs::rename(place.path("encoder"), place.path("minilm"));
  place.run("tune check search-minilm.json");
  OrderedJson spec = place.read("search-minilm.json");
  spec["fixed"] = {{"epochs", 1}};
  spec["limits"]["trials"] = 3;
  spec["strategy"]["try_first"] = {{{"freeze", "features"}, {"learning_rate", 0.001}},
                                   {{"freeze", "partial"}, {"train_stages", 1}, {"learning_rate", 0.001}},
                                   {{"freeze", "none"}, {"learning_rate", 0.001}}};
  place.write("short.json", spec);
  place.run("tune --spec short.json");
  place.run("tune-train evaluate --model store/models/messages-minilm/current --data data/messages.csv");
}
