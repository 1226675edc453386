#include <fstream>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/os/atomic_file.h"
#include "tuner/supervisor/attempt_output.h"

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

TEST_CASE("metric lines that are split at any byte, beside another stream, give the same records") {
  TemporaryFolder folder;
  supervisor::Launch launch;
  launch.folder = folder.path();
  launch.token = "token";
  launch.metrics = {{"loss", "loss=(\\S+)", "epoch (\\d+)"}, {"acc", "acc=([\\d.]+)", std::nullopt}};
  const std::string text =
      "\x1b[32mepoch 1\x1b[0m\r\nloss=0.5 acc=9\b0.93%\rloss=tensor(nan)\n\x1b]0;t\aepoch "
      "2\xC2\x85loss=0.25\n"
      "TUNE_METRIC {\"name\":\"f1\",\"value\":0.5,\"step\":3}\n\xE2\x96\x88\xE2\x96\x88 acc=1,5\nepoch 2.5 "
      "loss=0.125";
  const auto records = [&](std::size_t first, std::size_t second) {
    std::filesystem::remove(folder.path() / "metrics.jsonl");
    supervisor::AttemptOutput output(launch);
    const auto take = [&](supervisor::Stream stream, std::string_view bytes) {
      output.take(stream, bytes);
      output.flush(true);
    };
    take(supervisor::Stream::kOut, std::string_view(text).substr(0, first));
    take(supervisor::Stream::kErr, "bar 10%\r");
    take(supervisor::Stream::kOut, std::string_view(text).substr(first, second - first));
    take(supervisor::Stream::kErr, "\x1b[2Kbar 2");
    take(supervisor::Stream::kOut, std::string_view(text).substr(second));
    output.take_end();
    output.flush(true);
    std::string all;
    for (Json record : metrics_in(folder.path())) {
      record.erase("time_ms");
      all += record.dump() + "\n";
    }
    return all;
  };
  const std::string whole = records(text.size(), text.size());
  INFO(whole);
  for (const char* part :
       {R"("name":"loss","step":1,"token":"token","value":0.5)", R"("name":"acc","step":1)",
        R"("name":"loss","step":2,"token":"token","value":0.25)", R"("unread":"the regex captured)",
        R"("name":"f1","step":3)", "1,5", R"("name":"loss","step":3,"token":"token","value":0.125)"})
    CHECK(whole.find(part) != std::string::npos);
  for (std::size_t at = 0; at <= text.size(); ++at) {
    INFO(at);
    REQUIRE(records(at, at) == whole);
    REQUIRE(records(at, std::min(text.size(), at + 1)) == whole);
  }
}
