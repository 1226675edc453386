#include <sys/stat.h>

#include <cstdlib>

#include "support/catch.h"
#include "support/run_shell.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

using Catch::Matchers::Contains;

const std::string kCatalog = R"json({"schema": 1, "folders": ["weights"], "tasks": [
  {"name": "detection", "unit": "images", "fine_tunes": true,
   "data": {"description": "images with boxes", "example": "data/\n  a.jpg\n"},
   "recipes": [{"name": "legacy", "description": "as it was", "hyperparameters": [
     {"name": "lr", "type": "float", "default": 0.01, "min": 1e-6, "max": 0.05, "scale": "log", "description": "the rate"},
     {"name": "optimizer", "type": "categorical", "default": "sgd", "values": ["sgd", "adam"], "description": "which"}]}],
   "models": [{"name": "tiny", "description": "a small one", "image_size": 128, "parameters": 3100000,
     "multiply_adds": 190000000, "weights": [{"path": "weights/tiny.pth", "bytes": 12400000}],
     "weights_from": ["torchvision: tiny"]}]},
  {"name": "pretraining", "fine_tunes": false, "data": null, "recipes": [],
   "models": [{"name": "tiny", "description": "its backbone", "weights": []}]}]})json";

// A tune-train on the path that knows one command.
class CatalogTrainer {
 public:
  explicit CatalogTrainer(const std::string& answer, int code = 0) : before_(std::getenv("PATH")) {
    write_text(folder_.path() / "tune-train",
               "#!/bin/sh\ntest \"$1 $2\" = 'models --json' || exit 9\ncat <<'END'\n" + answer +
                   "\nEND\nexit " + std::to_string(code) + "\n");
    ::chmod((folder_.path() / "tune-train").c_str(), 0755);
    ::setenv("PATH", (folder_.path().string() + ":" + before_).c_str(), 1);
  }
  ~CatalogTrainer() { ::setenv("PATH", before_.c_str(), 1); }
  CatalogTrainer(const CatalogTrainer&) = delete;
  CatalogTrainer& operator=(const CatalogTrainer&) = delete;

 private:
  tests::TemporaryFolder folder_;
  std::string before_;
};

TEST_CASE("the catalogue is a table of models, with forms of data and the weights that are here",
          "[catalog]") {
  const CatalogTrainer trainer(kCatalog);
  const Printed printed = run({"catalog"});
  CHECK(printed.code == 0);
  CHECK_THAT(
      printed.out,
      Contains("task         model  fine-tuned  parameters  multiply-adds  input             weights here"));
  CHECK_THAT(printed.out,
             Contains("detection    tiny   yes             3.10 M         0.19 G  128 x 128 pixels  "
                      "weights/tiny.pth (12.4 MB)"));
  CHECK_THAT(printed.out,
             Contains("pretraining  tiny   no                   -              -  -                 -"));
  CHECK_THAT(printed.out, Contains("data for detection: images with boxes\n  data/\n    a.jpg\n"));
  CHECK_THAT(printed.out, Contains("Weights were looked for in weights; TUNE_WEIGHTS"));
  CHECK_FALSE(contains(printed.out, "the rate"));
}

TEST_CASE("one task comes with its hyperparameters, and where weights come from", "[catalog]") {
  const CatalogTrainer trainer(kCatalog);
  const Printed printed = run({"catalog", "--task", "detection"});
  CHECK(printed.code == 0);
  CHECK_FALSE(contains(printed.out, "pretraining"));
  CHECK_THAT(printed.out, Contains("weights for tiny, from torchvision: tiny\n"));
  CHECK_THAT(printed.out, Contains("recipe legacy: as it was\n"));
  CHECK_THAT(printed.out, Contains("lr                 0.01  1e-06 to 0.05, log  the rate"));
  CHECK_THAT(printed.out, Contains("optimizer           sgd  sgd, adam           which"));
  const Json json = Json::parse(run({"catalog", "--task", "pretraining", "--json"}).out);
  CHECK(json.at("schema") == 1);
  REQUIRE(json.at("tasks").size() == 1);
  CHECK(json.at("tasks")[0].at("models")[0].at("name") == "tiny");
  CHECK(Json::parse(run({"catalog", "--json"}).out) == Json::parse(kCatalog));
  const Printed wrong = run({"catalog", "--task", "detektion"});
  CHECK(wrong.code == 2);
  CHECK_THAT(wrong.err, Contains("did you mean \"detection\"?"));
}

TEST_CASE("a trainer of another version is named where it does not answer", "[catalog]") {
  const CatalogTrainer trainer("tune-train has no command \"models\"", 2);
  const Printed printed = run({"catalog"});
  CHECK(printed.code == 7);
  CHECK_THAT(printed.err, Contains("models --json did not answer as expected (exit code 2)"));
  CHECK_THAT(printed.err, Contains("must be of the same version"));
}

}  // namespace
}  // namespace tune::cli
