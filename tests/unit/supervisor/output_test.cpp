#include <fstream>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/attempt_layout.h"

using namespace tune;
using namespace tune::tests;

namespace {

std::vector<Json> metrics_in(const std::filesystem::path& folder) {
  std::vector<Json> lines;
  std::ifstream file(folder / "metrics.jsonl");
  for (std::string line; std::getline(file, line);) lines.push_back(Json::parse(line));
  return lines;
}

// Sanitizers keep freed memory for a while.
constexpr std::size_t kMemoryBound = 100u << 20;

}  // namespace

TEST_CASE("metrics are on the disk and announced while the trainer runs") {
  TemporaryFolder folder;
  const std::string go = folder.path() / "go";
  SupervisorRun run(folder.path(), chaos({"print", "epoch 1 loss=0.5\\n", "wait-for", go}));
  run.wait_for_wake();
  const auto metrics = metrics_in(folder.path());
  REQUIRE(metrics.size() == 1);
  CHECK(metrics[0]["token"] == "token");
  CHECK(metrics[0]["name"] == "loss");
  CHECK(metrics[0]["value"] == 0.5);
  CHECK(metrics[0]["step"] == 1);
  CHECK(metrics[0]["time_ms"] > 1'600'000'000'000);
  CHECK(read_file(folder.path() / "log") == "epoch 1 loss=0.5\n");
  std::ofstream(go) << "";
  CHECK(run.wait()["exit_code"] == 0);
}

TEST_CASE("steps go on where an earlier attempt ended, and values may be no numbers") {
  TemporaryFolder folder;
  SupervisorRun run(folder.path(), chaos({"print", "loss=nan\\nloss=-inf\\n"}),
                    {{"steps_done", {{"loss", 4}}}});
  run.wait();
  const auto metrics = metrics_in(folder.path());
  REQUIRE(metrics.size() == 2);
  CHECK(metrics[0]["value"] == "NaN");
  CHECK(metrics[0]["step"] == 5);
  CHECK(metrics[1]["value"] == "-Infinity");
  CHECK(metrics[1]["step"] == 6);
}

TEST_CASE("metrics are found in split writes, progress bars, binary noise and an unfinished last line") {
  TemporaryFolder folder;
  SupervisorRun run(folder.path(), chaos({"print",       "los",
                                          "sleep",       "5",
                                          "print",       "s=1",
                                          "sleep",       "5",
                                          "print",       "\\n",
                                          "print",       "10%\\r20% loss=2\\r",
                                          "print",       "\\0\\0noise\\x loss=3\\n",
                                          "print-error", "loss=4\\n",
                                          "sleep",       "20",
                                          "print",       "loss=5"}));
  run.wait();
  std::vector<double> values;
  for (const Json& metric : metrics_in(folder.path())) values.push_back(metric["value"].get<double>());
  std::sort(values.begin(), values.end());
  CHECK(values == std::vector<double>{1, 2, 3, 4, 5});
}

TEST_CASE("an unfinished line on one stream does not swallow a metric on the other") {
  TemporaryFolder folder;
  SupervisorRun run(folder.path(),
                    chaos({"print-error", "bar 10%", "sleep", "20", "print", "loss=1\\n", "exit", "0"}),
                    {{"metrics", Json::array({{{"name", "loss"}, {"regex", "^loss=(\\S+)$"}}})}});
  run.wait();
  CHECK(metrics_in(folder.path()).size() == 1);
}

TEST_CASE("a flood keeps the log's head and tail, in bounded memory and on bounded disk") {
  TemporaryFolder folder;
  const std::string go = folder.path() / "go";
  constexpr std::uint64_t kFlood = 200'000'000;
  SupervisorRun run(folder.path(), chaos({"print", "first line\\n", "flood", std::to_string(kFlood), "print",
                                          "loss=0.5\\nlast line\\n", "wait-for", go}));
  run.wait_for_wake();  // the metric after the flood
  CHECK(peak_memory(run.pid()) < kMemoryBound);
  std::uint64_t on_disk = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    if (entry.path().filename().string().starts_with("log")) on_disk += entry.file_size();
  CHECK(on_disk <= kLogHead + 2 * kLogTail);
  std::ofstream(go) << "";
  CHECK(run.wait()["exit_code"] == 0);

  const std::string log = read_file(folder.path() / "log");
  REQUIRE(log.size() == kLogHead + kLogMarkerSize + kLogTail);
  CHECK(log.starts_with("first line\n"));
  CHECK(log.ends_with("loss=0.5\nlast line\n"));
  const auto dropped = dropped_in_marker(std::string_view(log).substr(kLogHead, kLogMarkerSize));
  REQUIRE(dropped);
  CHECK(*dropped > kFlood - kLogHead - kLogTail);
  for (const auto& entry : std::filesystem::directory_iterator(folder.path()))
    CHECK_FALSE(entry.path().filename().string().starts_with(kLogSegmentPrefix));
}

TEST_CASE("an endless line is cut and counted, in bounded memory") {
  TemporaryFolder folder;
  const std::string go = folder.path() / "go";
  SupervisorRun run(folder.path(), chaos({"print", "loss=1 ", "endless-line", "100000000", "print",
                                          "\\nloss=2\\n", "wait-for", go}));
  run.wait_for_wake();
  wait_until([&] { return metrics_in(folder.path()).size() == 2; }, "both metrics are on the disk");
  CHECK(peak_memory(run.pid()) < kMemoryBound);
  std::ofstream(go) << "";
  CHECK(run.wait()["cut_lines"] == 1);
}

TEST_CASE("an attempt that prints metric lines without end fails with that reason") {
  TemporaryFolder folder;
  SupervisorRun run(
      folder.path(), chaos({"ignore-term", "metrics", "2000000", "hang"}),
      {{"grace_ms", 50}, {"token", std::string(500, 't')}});  // so that fewer lines fill the file
  const Json exit = run.wait();
  CHECK_THAT(exit["failure"].get<std::string>(), Catch::Matchers::Contains("metrics.jsonl is over 64 MB"));
  CHECK(exit["stop"] == "");
  CHECK(std::filesystem::file_size(folder.path() / "metrics.jsonl") < kMetricsLimit + (1 << 20));
}
