// The same spec, seed and history give the same suggestions in every process, to the last byte.
#include <cmath>
#include <sstream>

#include "study_fixture.h"
#include "support/sanitized.h"

namespace tune::tests {
namespace {

Json mixed_spec(const std::string& strategy, int parallel) {
  return Json{
      {"study", "s"},
      {"objective", {{"metric", "loss"}, {"goal", "minimize"}}},
      {"parameters",
       {{"lr", {{"type", "float"}, {"min", 1e-4}, {"max", 1}, {"scale", "log"}}},
        {"width", {{"type", "int"}, {"min", 4}, {"max", 400}}},
        {"decay", {{"type", "float"}, {"min", 0}, {"max", 0.3}}},
        {"optimizer", {{"type", "categorical"}, {"values", {"sgd", "adam"}}}},
        {"momentum", {{"type", "float"}, {"min", 0}, {"max", 0.99}, {"when", {{"optimizer", "sgd"}}}}}}},
      {"strategy", {{"name", strategy}, {"seed", 23}}},
      {"limits", {{"trials", 200}, {"parallel", parallel}}}};
}

// A made-up result; every ninth trial fails.
Json told(int trial) {
  if (trial % 9 == 0) return {{"tell", {{"trial", trial}, {"state", "failed"}, {"reason", "oom"}}}};
  return {{"tell", {{"trial", trial}, {"value", std::sin(7.0 * trial) + 0.01 * trial}}}};
}

// Asks `parallel` ahead; trials end two by two in turned order.
std::vector<std::string> session(int trials, int parallel) {
  std::vector<std::string> lines{Json{{"ask", parallel}}.dump()};
  for (int trial = 1; trial + 1 <= trials; trial += 2) {
    for (const int ended : {trial + 1, trial}) lines.push_back(told(ended).dump());
    lines.push_back(R"({"ask": 2})");
  }
  return lines;
}

std::string joined(const std::vector<std::string>& lines, std::size_t first, std::size_t last) {
  std::string text;
  for (std::size_t i = first; i < last; ++i) text += (i > first ? "\n" : "") + lines[i];
  return text;
}

}  // namespace

TEST_CASE("two fresh processes suggest the same, byte for byte, and so does one that loads its history") {
  const std::string strategy = GENERATE("bayesian", "tpe", "auto", "random", "sobol");
  INFO(strategy);
  StudyFolder folder;
  // Past the trial from which parameters are refitted now and then only.
  folder.spec = mixed_spec(strategy, 4);
  const auto lines = session(strategy == "auto" || kSanitized ? 24 : 76, 4);
  const std::size_t half = lines.size() - 7;
  folder.write("all", joined(lines, 0, lines.size()));
  folder.write("begin", joined(lines, 0, half));
  folder.write("end", joined(lines, half, lines.size()));
  const std::string run = "tune ask-tell --spec search.json ";
  const ShellResult one = folder.shell(run + "<all"), other = folder.shell(run + "<all");
  REQUIRE(one.exit_code == 0);
  CHECK(one.out == other.out);
  CHECK(one.out.find("error") == std::string::npos);
  const ShellResult begin = folder.shell(run + "--store store <begin"),
                    end = folder.shell(run + "--store store <end");
  CHECK(begin.out + end.out == one.out);
}

}  // namespace tune::tests
