#pragma once
// A folder with a spec and a trainer of a few shell lines, for tests of the real programs.
#include <fstream>
#include <string>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/json.h"

namespace tune::tests {

class StudyFolder {
 public:
  explicit StudyFolder(
      const std::string& trainer = "echo loss=0.$1; echo weights of $1 > $TUNE_OUTPUT_DIR/weights") {
    spec["study"] = "s";
    spec["objective"] = {{"metric", "loss"}, {"goal", "minimize"}};
    spec["parameters"]["x"] = {{"type", "int"}, {"min", 100000}, {"max", 999999}};
    spec["command"] = {"sh", "train.sh", "{{x}}"};
    spec["metrics"] = {{{"name", "loss"}, {"regex", "loss=([0-9.]+)"}}};
    spec["strategy"] = {{"name", "random"}, {"seed", 5}};
    spec["limits"] = {{"trials", 4}, {"parallel", 1}};
    spec["resources"] = {{"gpus_per_trial", 0}};
    write("train.sh", trainer);
  }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.path() / name) << text << '\n';
  }
  ShellResult shell(const std::string& line) const {
    write("search.json", spec.dump(2));
    return run_shell(line, folder_.path());
  }
  // `tune --spec search.json` with more options, and variables in front.
  ShellResult run(const std::string& options = "", const std::string& variables = "") const {
    return shell(variables + " tune --spec search.json --store store " + options);
  }
  // What is the same however often a study was interrupted: number, parameters, state, value.
  Json table(const std::string& study = "s") const {
    const ShellResult listed = shell("tune trials " + study + " --store store --json");
    REQUIRE(listed.exit_code == 0);
    Json rows = Json::array();
    const Json document = Json::parse(listed.out);
    for (const Json& trial : document.at("trials")) {
      rows.push_back({trial.at("trial"), trial.at("parameters"), trial.at("state"), trial.at("value")});
    }
    return rows;
  }
  std::filesystem::path path() const { return folder_.path(); }

  Json spec;

 private:
  TemporaryFolder folder_;
};

// Shell lines: starts the study in the background as $tune, and waits for a file that its trainer makes.
// With the signals of a command that is typed at a prompt: a script has its background jobs ignore SIGINT,
// and the tests may have been started to ignore more (nohup), which tune would keep.
inline bool says(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

inline const std::string kLikeAtPrompt = "env --default-signal=HUP,INT,TERM ";
inline const std::string kStart =
    kLikeAtPrompt + "tune --spec search.json --store store >out 2>err & tune=$!\n";
inline std::string wait_for(const std::string& file) {
  return "until [ -e " + file + " ]; do sleep 0.01; done\n";
}

}  // namespace tune::tests
