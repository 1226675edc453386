// `tune ask-tell` as a program of somebody else's drives it.
#include <sstream>
#include <vector>

#include "study_fixture.h"

namespace tune::tests {
namespace {

// A model decides from trial 4 on: two floats, a choice and what hangs on it.
Json conditional_spec() {
  return Json::parse(R"json({
    "study": "s",
    "objective": { "metric": "loss", "goal": "minimize", "reduce": "last" },
    "parameters": {
      "lr":        { "type": "float", "min": 1e-4, "max": 1, "scale": "log" },
      "optimizer": { "type": "categorical", "values": ["sgd", "adam"] },
      "momentum":  { "type": "float", "min": 0, "max": 0.99, "when": { "optimizer": "sgd" } } },
    "strategy": { "name": "bayesian", "seed": 11 },
    "early_stopping": { "rule": "median", "min_trials": 2 },
    "limits": { "trials": 9 } })json");
}

std::vector<Json> lines_of(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(Json::parse(line));
  return lines;
}

// What stands in the first block of docs/ask-and-tell.md that begins with this fence.
std::string block_of_manual(const std::string& fence) {
  std::ifstream page(std::filesystem::path(TUNE_SOURCE_DIR) / "docs/ask-and-tell.md");
  std::string text, line;
  while (std::getline(page, line) && line != fence) {
  }
  while (std::getline(page, line) && line != "```") text += line + '\n';
  return text;
}

const char* kRequests = R"({"ask": 3}
{"report": {"trial": 1, "step": 1, "value": 0.9}}
{"report": {"trial": 1, "step": 2, "value": 0.7}}
{"tell": {"trial": 1, "value": 0.7}}
{"report": {"trial": 2, "value": 0.5}}
{"tell": {"trial": 2}}
{"ask": 2}
{"tell": {"trial": 3, "state": "failed", "reason": "oom"}}
{"report": {"trial": 4, "value": 2.5}}
{"tell": {"trial": 4, "state": "stopped"}}
{"pending": true}
{"tell": {"trial": 5, "value": null}}
{"ask": 2}
{"tell": {"trial": 7, "value": 0.4}}
{"tell": {"trial": 7, "value": 0.3}}
{"best": true}
{"ask": 5}
{"ask": 1}
{"pending": true})";

TEST_CASE("a session that is killed after every answer gives the answers of one that is not") {
  StudyFolder folder;
  folder.spec = conditional_spec();
  folder.write("requests", kRequests);
  const ShellResult calm = folder.shell("tune ask-tell --spec search.json --store calm <requests");
  REQUIRE(calm.exit_code == 0);
  const ShellResult memory = folder.shell("tune ask-tell --spec search.json <requests");
  CHECK(memory.out == calm.out);
  const ShellResult killed = folder.shell(
      "while read -r line; do\n"
      "  coproc T { exec tune ask-tell --spec search.json --store killed; }\n"
      "  pid=$T_PID; echo \"$line\" >&${T[1]}; read -r answer <&${T[0]}; echo \"$answer\"\n"
      "  kill -9 $pid; wait $pid 2>/dev/null\n"
      "done <requests");
  CHECK(killed.out == calm.out);
  const std::vector<Json> answers = lines_of(calm.out);
  REQUIRE(answers.size() == 19);
  CHECK(answers[8].at("decision") == "stop");
  CHECK(answers[10].at("trials").at(0).at("trial") == 5);
  CHECK(answers[14].at("error").at("message") == "trial 7 was told already: it is completed");
  CHECK(answers[15].at("value") == 0.4);
  CHECK(answers[16].at("trials").size() == 2);
  CHECK(answers[17] == Json::parse(R"({"trials": [], "exhausted": true})"));
}

TEST_CASE("the session that the manual shows is answered as it is shown") {
  StudyFolder folder;
  folder.write("lab.json", block_of_manual("```json"));
  const std::string session = block_of_manual("```text");
  std::string requests, answers;
  std::istringstream lines(session);
  for (std::string line; std::getline(lines, line);) {
    const bool is_request = line.starts_with("> ");
    (is_request ? requests : answers) += line.substr(is_request ? 2 : 0) + '\n';
  }
  REQUIRE(lines_of(requests).size() >= 15);
  folder.write("requests", requests.substr(0, requests.size() - 1));
  CHECK(folder.shell("tune ask-tell --spec lab.json <requests").out == answers);
}

TEST_CASE("asking and telling suggests what the search itself suggests") {
  StudyFolder folder("echo loss=$(awk -v x=$1 'BEGIN { printf \"%.6f\", (x / 500000 - 1) ^ 2 }')");
  folder.spec["strategy"] = {{"name", "bayesian"}, {"seed", 3}};
  folder.spec["limits"] = {{"trials", 8}, {"parallel", 1}};
  REQUIRE(folder.run().exit_code == 0);
  const Json table = folder.table();
  std::string requests;
  for (const Json& row : table)
    requests += "{\"ask\": 1}\n" + Json{{"tell", {{"trial", row[0]}, {"value", row[3]}}}}.dump() + "\n";
  folder.write("requests", requests);
  const std::vector<Json> answers = lines_of(folder.shell("tune ask-tell --spec search.json <requests").out);
  for (std::size_t i = 0; i < table.size(); ++i) {
    REQUIRE(answers.at(2 * i).contains("trials"));
    CHECK(answers.at(2 * i).at("trials").at(0).at("parameters") == table[i][1]);
  }
}

TEST_CASE("a durable session is a study like any other") {
  StudyFolder folder;
  folder.spec = conditional_spec();
  folder.write("requests", kRequests);
  REQUIRE(folder.shell("tune ask-tell --spec search.json --store store <requests").exit_code == 0);
  const Json table = folder.table();
  CHECK(table.size() == 9);
  CHECK(table[2][2] == "failed");
  CHECK(table[3][3] == 2.5);
  CHECK(table[4][2] == "failed");
  const Json best = Json::parse(folder.shell("tune best s --store store --json").out);
  CHECK(best.at("trial") == 7);
  const Json status = Json::parse(folder.shell("tune status s --store store --json").out);
  CHECK(status.at("state") == "interrupted");
}

TEST_CASE("a session holds its study against a second one") {
  StudyFolder folder;
  folder.spec = conditional_spec();
  const ShellResult both = folder.shell(
      "coproc T { exec tune ask-tell --spec search.json --store store; }\n"
      "echo '{\"ask\": 1}' >&${T[1]}; read -r answer <&${T[0]}\n"
      "echo | tune ask-tell --spec search.json --store store");
  CHECK(both.exit_code == 6);
}

}  // namespace
}  // namespace tune::tests
