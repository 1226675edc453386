#include "tuner/engine/attempt/attempt_files.h"

#include <sys/stat.h>

#include <cmath>
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/attempt_layout.h"
#include "tuner/engine/attempt/attempt_log.h"
#include "tuner/engine/devices/cpu.h"

using namespace tune;
using namespace tune::engine;
using tests::TemporaryFolder;

namespace {

void append(const std::filesystem::path& file, const std::string& text) {
  std::ofstream(file, std::ios::app) << text;
}

std::string line(const std::string& token, const std::string& value, int step) {
  return "{\"token\":\"" + token + "\",\"name\":\"loss\",\"value\":" + value +
         ",\"step\":" + std::to_string(step) + ",\"time_ms\":1700000000000}\n";
}

std::string segment(std::uint64_t start) {
  const std::string digits = std::to_string(start);
  return std::string(kLogSegmentPrefix) + std::string(20 - digits.size(), '0') + digits;
}

std::string whole_log(const std::filesystem::path& attempt) {
  AttemptLog log(attempt);
  std::string text;
  for (std::string piece; !(piece = log.read()).empty();) text += piece;
  return text;
}

}  // namespace

TEST_CASE("metrics are read from an offset on, and an unfinished line waits") {
  TemporaryFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  CHECK(read_metrics(folder.path(), 0, "t").offset == 0);
  append(file, line("t", "0.5", 1) + line("t", "\"NaN\"", 2) + line("t", "0.25", 3).substr(0, 20));
  MetricTail tail = read_metrics(folder.path(), 0, "t");
  REQUIRE(tail.records.size() == 2);
  CHECK(tail.records[0].name == "loss");
  CHECK(tail.records[0].point.step == 1);
  CHECK(tail.records[0].point.value == 0.5);
  CHECK(tail.records[0].time == WallTime(Milliseconds(1'700'000'000'000)));
  CHECK(std::isnan(tail.records[1].point.value));
  append(file, line("t", "0.25", 3).substr(20));
  tail = read_metrics(folder.path(), tail.offset, "t");
  REQUIRE(tail.records.size() == 1);
  CHECK(tail.records[0].point.step == 3);
  CHECK(tail.offset == std::filesystem::file_size(file));
}

TEST_CASE("lines of another token and broken lines are dropped and counted") {
  TemporaryFolder folder;
  append(folder.path() / "metrics.jsonl", line("other", "1", 1) + "garbage\n[]\n{\"token\":\"t\"}\n" +
                                              line("t", "\"x\"", 1) + line("t", "2", 1));
  const MetricTail tail = read_metrics(folder.path(), 0, "t");
  REQUIRE(tail.records.size() == 1);
  CHECK(tail.records[0].point.value == 2);
  CHECK(tail.dropped == 5);
}

TEST_CASE("an exit report is believed only with its attempt's token") {
  TemporaryFolder folder;
  CHECK_FALSE(read_exit(folder.path(), "t"));
  append(folder.path() / "exit.json",
         R"({"schema":1,"token":"t","signal":11,"stop":"","failure":"","wall_seconds":2.5,"cpu_seconds":1,)"
         R"("max_rss_bytes":4096,"cut_lines":1,"metrics":0})");
  CHECK_FALSE(read_exit(folder.path(), "other"));
  const auto report = read_exit(folder.path(), "t");
  REQUIRE(report);
  CHECK(report->signal == 11);
  CHECK_FALSE(report->exit_code);
  CHECK(report->wall_seconds == 2.5);
  CHECK(report->max_rss_bytes == 4096);
  CHECK_FALSE(report->stop);
}

TEST_CASE(
    "an exit report tells of the stop that was sent, and one that no supervisor sends is not believed") {
  const auto report_with = [](const std::string& stop) {
    TemporaryFolder folder;
    append(folder.path() / "exit.json",
           R"({"schema":1,"token":"t","exit_code":0,"stop":")" + stop +
               R"(","failure":"","wall_seconds":2.5,"cpu_seconds":1,"max_rss_bytes":4096,"cut_lines":1})");
    return read_exit(folder.path(), "t");
  };
  CHECK(report_with("device time limit").value().stop == StopReason::kDeviceTimeLimit);
  CHECK_FALSE(report_with("whim"));
}

TEST_CASE("what is no file in place of an attempt's files is said, and never waited for") {
  TemporaryFolder folder;
  const auto put = [](const std::string& kind, const std::filesystem::path& place) {
    if (kind == "folder") std::filesystem::create_directory(place);
    if (kind == "link") std::filesystem::create_symlink(place.filename(), place);
    if (kind == "pipe") REQUIRE(::mkfifo(place.c_str(), 0600) == 0);
  };
  for (const char* kind : {"folder", "link", "pipe"}) {
    INFO(kind);
    const auto attempt = folder.path() / kind;
    std::filesystem::create_directory(attempt);
    for (const char* name : {"metrics.jsonl", "exit.json", "log"}) put(kind, attempt / name);
    const MetricTail tail = read_metrics(attempt, 7, "t");
    CHECK_THAT(tail.spoilt, Catch::Matchers::Contains("metrics.jsonl"));
    CHECK(tail.offset == 7);
    std::string spoilt;
    CHECK_FALSE(read_exit(attempt, "t", &spoilt));
    CHECK_THAT(spoilt, Catch::Matchers::Contains("exit.json"));
    CHECK(last_log_line(attempt).empty());
    CHECK(whole_log(attempt).empty());
  }
  append(folder.path() / "file", "in place of the attempt's folder");
  CHECK_THAT(read_metrics(folder.path() / "file", 0, "t").spoilt, Catch::Matchers::Contains("directory"));
  CHECK(read_metrics(folder.path() / "none", 0, "t").spoilt.empty());
}

TEST_CASE("a log is followed through its head, its segments and its end without a gap") {
  TemporaryFolder folder;
  AttemptLog log(folder.path());
  CHECK(log.read().empty());
  append(folder.path() / "log", "one\n");
  CHECK(log.read() == "one\n");
  CHECK(log.read().empty());
  append(folder.path() / "log", std::string(kLogHead - 4, 'h'));
  std::size_t got = 0;
  for (std::string piece; !(piece = log.read()).empty();) got += piece.size();
  CHECK(got == kLogHead - 4);
  append(folder.path() / segment(kLogHead), "two\n");
  CHECK(log.read() == "two\n");
  // The end: the tail is behind the head, and the segment is gone.
  append(folder.path() / "log", "two\nthree\n");
  std::filesystem::remove(folder.path() / segment(kLogHead));
  CHECK(log.read() == "three\n");
  CHECK(log.read().empty());
}

TEST_CASE("a reader that falls behind is told how much was dropped, while the log grows and after its end") {
  TemporaryFolder folder;
  append(folder.path() / "log", std::string(kLogHead, 'h'));
  append(folder.path() / segment(kLogHead + 1000), "tail\n");
  CHECK(whole_log(folder.path()) == std::string(kLogHead, 'h') + log_marker(1000) + "tail\n");
  append(folder.path() / "log", log_marker(1000) + "tail\n");
  std::filesystem::remove(folder.path() / segment(kLogHead + 1000));
  CHECK(whole_log(folder.path()) == std::string(kLogHead, 'h') + log_marker(1000) + "tail\n");
}

TEST_CASE("the last line of a log is the last that is not blank") {
  TemporaryFolder folder;
  CHECK(last_log_line(folder.path()).empty());
  append(folder.path() / "log", "Traceback\nValueError: no\r\n\n");
  CHECK(last_log_line(folder.path()) == "ValueError: no");
  CHECK(last_log_line(folder.path(), 5) == "Value");
}

TEST_CASE("the last line of a log that ends with an error of ours is the error, not its cure") {
  TemporaryFolder folder;
  append(folder.path() / "log", "epoch 3\nerror: out of memory\n  a smaller batch_size\n");
  CHECK(last_log_line(folder.path()) == "error: out of memory");
  append(folder.path() / "log", "  File \"train.py\"\nValueError: no\n  see above\n");
  CHECK(last_log_line(folder.path()) == "  see above");
}

TEST_CASE("of a trial on several nodes the reason is the part that ended first, and what was said before") {
  TemporaryFolder folder;
  append(folder.path() / "log",
         "no such file\nsrun: error: n2: task 1: Exited with exit code 7\nsrun: Terminating StepId=3.0\n"
         "srun: error: n1: task 0: Terminated\nTerminated\n");
  CHECK(last_log_line(folder.path()) == "no such file (srun: error: n2: task 1: Exited with exit code 7)");
}

TEST_CASE("cores are divided without overlap while there are enough, and shared beyond") {
  using Shares = std::vector<std::vector<int>>;
  CHECK(divide_cores({4, 5, 6, 7}, 2) == Shares{{4, 5}, {6, 7}});
  CHECK(divide_cores({0, 1, 2, 3, 4}, 2) == Shares{{0, 1, 2}, {3, 4}});
  CHECK(divide_cores({0, 1}, 5) == Shares{{0}, {1}, {0}, {1}, {0}});
  CHECK(divide_cores({3}, 1) == Shares{{3}});
}

TEST_CASE("the last line of a log is what a person sees of it") {
  TemporaryFolder folder;
  append(folder.path() / "log", "10%\r\x1b[31mValueError\x1b[0m: no\x1b]0;t\a \n\x1b[0m\n");
  CHECK(last_log_line(folder.path()) == "ValueError: no");
}

TEST_CASE("metrics are read in pieces, and a line that is longer than a piece is dropped") {
  TemporaryFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  for (int step = 1; step <= 100; ++step) append(file, line("t", "0.5", step));
  MetricTail tail;
  std::vector<std::int64_t> steps;
  int pieces = 0;
  do {
    tail = read_metrics(folder.path(), tail.offset, "t", 1000);
    CHECK(tail.records.size() <= 1000 / line("t", "0.5", 1).size());
    for (const MetricRecord& record : tail.records) steps.push_back(record.point.step);
    ++pieces;
  } while (tail.has_more);
  CHECK(pieces > 5);
  REQUIRE(steps.size() == 100);
  for (std::size_t i = 0; i < steps.size(); ++i) CHECK(steps[i] == static_cast<std::int64_t>(i + 1));
  CHECK(tail.offset == std::filesystem::file_size(file));
  append(file, std::string(5000, 'x') + "\n" + line("t", "1", 101));
  int dropped = 0;
  std::size_t found = 0;
  do {
    tail = read_metrics(folder.path(), tail.offset, "t", 1000);
    dropped += tail.dropped;
    found += tail.records.size();
  } while (tail.has_more);
  CHECK(dropped > 0);
  CHECK(found == 1);
}

TEST_CASE("lines that gave no number are told apart by metric, and whether a value came after them") {
  TemporaryFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  const auto unread = [](const std::string& name, const std::string& text) {
    return R"({"token":"t","name":")" + name + R"(","unread":")" + text + R"(","time_ms":1})" + "\n";
  };
  append(file,
         line("t", "0.5", 1) + unread("loss", "first") + unread("other", "x") + unread("loss", "second"));
  MetricTail tail = read_metrics(folder.path(), 0, "t");
  CHECK(tail.dropped == 0);
  REQUIRE(tail.unread.size() == 2);
  UnreadLines loss;
  follow(loss, tail, "loss");
  CHECK(loss.count == 2);
  CHECK(loss.text == "second");
  CHECK(loss.is_last);
  CHECK(unread_before(folder.path(), tail.offset, "t", "loss").count == 2);
  CHECK(unread_before(folder.path(), 0, "t", "loss").count == 0);
  append(file, line("t", "0.25", 2));
  tail = read_metrics(folder.path(), tail.offset, "t");
  follow(loss, tail, "loss");
  CHECK(loss.count == 2);
  CHECK_FALSE(loss.is_last);
  CHECK_FALSE(unread_before(folder.path(), tail.offset, "t", "loss").is_last);
  CHECK(unread_before(folder.path(), tail.offset, "t", "other").is_last);
}

TEST_CASE("notices of a metric are read, and which metrics count their steps") {
  TemporaryFolder folder;
  append(folder.path() / "metrics.jsonl",
         R"({"token":"t","name":"loss","about":"step","notice":"the step 0.4 ...","time_ms":1})"
         "\n"
         R"({"token":"t","name":"acc","about":"unit","notice":"93.5%","time_ms":1})"
         "\n");
  const MetricTail tail = read_metrics(folder.path(), 0, "t");
  REQUIRE(tail.notices.size() == 2);
  CHECK(tail.notices[0].metric == "loss");
  CHECK(tail.notices[0].about == "step");
  CHECK(tail.notices[1].text == "93.5%");
  CHECK(metrics_with_counted_steps(folder.path(), "t") == std::set<std::string>{"loss"});
  CHECK(metrics_with_counted_steps(folder.path(), "other").empty());
}

TEST_CASE("a metrics file that is larger than the supervisor makes one is spoilt, and not read") {
  TemporaryFolder folder;
  const auto file = folder.path() / "metrics.jsonl";
  append(file, line("t", "0.5", 1));
  std::filesystem::resize_file(file, std::uint64_t{1} << 40);  // a hole, as a trainer can make one
  const MetricTail tail = read_metrics(folder.path(), 0, "t");
  CHECK(tail.records.empty());
  CHECK_FALSE(tail.has_more);
  CHECK_THAT(tail.spoilt, Catch::Matchers::Contains("larger than tune-supervisor ever makes it"));
}
