#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "support/catch.h"
#include "tuner/cli/command_line/options.h"
#include "tuner/cli/command_line/output.h"
#include "tuner/cli/commands.h"
#include "tuner/cli/store_path.h"
#include "unit/cli/cli_fixture.h"
#include "unit/engine/attempt/runner_fixture.h"

namespace tune::cli {
namespace {

TEST_CASE("help lists every command and every exit code, on stdout", "[cli]") {
  for (const char* word : {"--help", "-h", "help"}) {
    const Printed printed = run({word});
    CHECK(printed.code == 0);
    CHECK(printed.err.empty());
    for (const Command& command : command_line().commands)
      CHECK(contains(printed.out, std::string(command.name)));
    CHECK(contains(printed.out, "130 interrupted"));
  }
}

TEST_CASE("without a command the help goes to stderr, and it is a mistake", "[cli]") {
  const Printed printed = run({});
  CHECK(printed.code == 2);
  CHECK(printed.out.empty());
  CHECK(contains(printed.err, "Usage: tune --spec FILE"));
}

TEST_CASE("every command explains itself with usage, options and an example", "[cli]") {
  for (const Command& command : command_line().commands) {
    CAPTURE(std::string(command.name));
    const Printed printed = run({std::string(command.name), "--help"});
    CHECK(printed.code == 0);
    CHECK(printed.err.empty());
    CHECK(contains(printed.out, "Usage: tune "));
    CHECK(contains(printed.out, "--json"));
    CHECK(contains(printed.out, "Example:\n  tune"));
    CHECK(run({"help", std::string(command.name)}).out == printed.out);
    CHECK(run({"--help", std::string(command.name)}).out == printed.out);
    CHECK_FALSE(command.summary.empty());
  }
}

TEST_CASE("the version is printed, as JSON too", "[cli]") {
  CHECK(run({"--version"}).out.starts_with("tune "));
  const Json json = Json::parse(run({"--version", "--json"}).out);
  CHECK(json.at("schema") == 1);
  CHECK(json.at("program") == "tune");
  CHECK(run({"best", "--version"}).out == run({"--version"}).out);
  CHECK(contains(run({"--versio"}).err, "did you mean --version?"));
}

TEST_CASE("limits that make no sense are refused before a spec is read", "[cli]") {
  const Printed time = run({"--spec", "none.json", "--time", "0s"});
  CHECK(time.code == 2);
  CHECK(contains(time.err, "--time must be longer than nothing"));
  const Printed parallel = run({"--spec", "none.json", "--parallel", "1000000000"});
  CHECK(parallel.code == 2);
  CHECK(contains(parallel.err, "--parallel takes a whole number from 1 to 4096, not \"1000000000\""));
}

TEST_CASE("a list of GPUs that is none is a mistake, and GPUs that are not there are not passed over",
          "[cli]") {
  const engine::ScopedVariable visible("CUDA_VISIBLE_DEVICES", std::nullopt);  // which the option sets
  const auto use = [](const std::string& list) { return run({"--spec", "none.json", "--gpus", list}); };
  {
    const engine::ScopedVariable no_library("TUNE_NVML_LIBRARY", "/no/such/library.so");
    for (const char* list : {"-1", "a,,b", "", "0,", "0, 1 2"}) {
      CAPTURE(list);
      CHECK(use(list).code == 2);
    }
    const Printed absent = use("7");
    CHECK(absent.code == 7);
    CHECK(contains(absent.err, "the GPU 7, which is not there: this machine has no GPU (/no/such"));
    CHECK(use("none").code == 5);  // there is no spec
    for (const char* part : {"MIG-x", "MIG-GPU-8a3f0d52-1c1a-4c1f-9d3a-6f0c1b2d3e4f/1/0"}) {
      const Printed no_part = use(part);
      CHECK(no_part.code == 7);
      CHECK(contains(no_part.err, std::string("the GPU ") + part + ", which is not there"));
    }
  }
  const tests::TemporaryFolder folder;
  const std::string machine = (folder.path() / "gpus.json").string();
  const Json gpu{{"name", "Fake"}, {"used", 0}, {"processes", Json::array()}};
  Json gpus{gpu, gpu};
  gpus[0]["uuid"] = "GPU-a1", gpus[1]["uuid"] = "GPU-b2";
  std::ofstream(machine) << Json{{"driver", "1"}, {"gpus", gpus}};
  const engine::ScopedVariable library("TUNE_NVML_LIBRARY", TUNE_TEST_BIN_DIR "/libfake_nvml.so");
  const engine::ScopedVariable shown("TUNE_FAKE_NVML", machine);
  CHECK(use("1, GPU-a").code == 5);
  const Printed partly = use("0,7");
  CHECK(partly.code == 7);
  CHECK(contains(partly.err, "the GPU 7, which is not there: this machine has 2 GPUs\n"));
  CHECK(contains(use("0,GPU-a1").err, "--gpus names the GPU GPU-a1 twice"));
}

TEST_CASE("an empty value is refused by name, in both ways of writing it", "[cli]") {
  CHECK(contains(run({"status", "--store", ""}).err, "error: --store is empty\n"));
  CHECK(contains(run({"status", "--store="}).err, "error: --store is empty\n"));
  CHECK(contains(run({"trials", ""}).err, "error: STUDY is empty\n"));
  CHECK(run({"trials", ""}).code == 2);
}

TEST_CASE("a spec where a command belongs is pointed to --spec", "[cli]") {
  const Printed printed = run({"search.json"});
  CHECK(printed.code == 2);
  CHECK(contains(printed.err, "`tune --spec search.json` runs it"));
}

TEST_CASE("a store that is named and not there is not found; the one by default is only empty yet", "[cli]") {
  const Printed named = run({"status", "--store", "/nonexistent"});
  CHECK(named.code == 5);
  CHECK(contains(named.err, "there is no store at /nonexistent"));
  ::unsetenv("TUNE_STORE");
  const Printed unnamed = run({"status"});
  CHECK(unnamed.code == 0);
  CHECK(contains(unnamed.out, "no studies yet"));
}

TEST_CASE("an error shows what was typed without control characters", "[cli]") {
  CHECK(contains(run({"a\x1b[31m"}).err, "a\\u001b[31m"));
}

TEST_CASE("an unknown command, option or argument is refused with the nearest that exists", "[cli]") {
  const Printed command = run({"trails"});
  CHECK(command.code == 2);
  CHECK(command.err == "error: there is no command \"trails\"\n  did you mean `tune trials`?\n");
  const Printed option = run({"trials", "s", "--jsno"});
  CHECK(option.code == 2);
  CHECK(option.err == "error: unknown option --jsno\n  did you mean --json?\n");
  CHECK(run({"trials"}).err == "error: STUDY is missing\n  see `tune trials --help`\n");
  CHECK(run({"trials", "a", "b"}).code == 2);
  CHECK(run({"trials", "a", "--store"}).code == 2);
  CHECK(run({"trials", "a", "--csv", "--csv=1"}).code == 2);
  CHECK(run({"trials", "a", "--cs"}).code == 2);  // no abbreviations: a later option would break them
}

TEST_CASE("under --json an error is JSON on stderr and stdout stays empty", "[cli]") {
  const SampleStore store;
  const Printed printed = store.run({"best", "steel-lagacy", "--json"});
  CHECK(printed.code == 5);
  CHECK(printed.out.empty());
  CHECK(Json::parse(printed.err).at("schema") == 1);
  const Json error = Json::parse(printed.err).at("error");
  CHECK(error.at("code") == "not_found");
  CHECK(error.at("hint") == "did you mean \"steel-legacy\"?");
  CHECK(error.at("problems").empty());
}

TEST_CASE("every option that a command takes is in its synopsis, but for those of all commands", "[cli]") {
  for (const Command& command : command_line().commands) {
    CAPTURE(std::string(command.name));
    std::istringstream help(run({std::string(command.name), "--help"}).out);
    int options = 0;
    for (std::string line; std::getline(help, line);) {
      const std::size_t start = line.find("--");
      if (!line.starts_with("  ") || start == std::string::npos || start > 10) continue;
      const std::string name = line.substr(start, line.find_first_of(" \n", start) - start);
      ++options;
      if (name == "--help" || name == "--store" || name == "--json") continue;
      CAPTURE(name);
      CHECK(contains(std::string(command.synopsis), name));
    }
    CHECK(options >= 3);
  }
}

TEST_CASE("a whole number from 1 on is taken, anything else is refused", "[cli]") {
  std::ostringstream out, err;
  Console console{out, err};
  const auto number = [&](const std::string& text) {
    return Options(command_line(), "logs")
        .value("attempt", "K", "which")
        .parse({"--attempt", text}, console)
        ->integer("attempt");
  };
  CHECK(number("12") == 12);
  for (const char* text : {"0", "-1", "1.5", "x", "", "99999999999999999999"})
    CHECK_THROWS_AS(number(text), Error);
  CHECK_THROWS_WITH(number("0"), "--attempt takes a whole number from 1 on, not \"0\"");
  CHECK_THROWS_WITH(
      number("99999999999999999999"),
      "--attempt takes a whole number from 1 to 9223372036854775807, not \"99999999999999999999\"");
}

TEST_CASE("a trial is named STUDY/N", "[cli]") {
  CHECK(parse_trial_reference("a-study/12").trial == 12);
  CHECK(parse_trial_reference("a-study/12").study == "a-study");
  for (const char* text : {"a", "a/", "/1", "a/0", "a/-1", "a/1x", "a/1/"})
    CHECK_THROWS_AS(parse_trial_reference(text), Error);
}

TEST_CASE("no study's name leads out of the store", "[cli]") {
  for (const char* name : {"..", ".", "", "a/b", "models", "../other"})
    CHECK_THROWS_AS(study_folder("/store", name), Error);
  CHECK(study_folder("/store", "a-study") == "/store/a-study");
}

TEST_CASE("the store is --store, else TUNE_STORE, else ./tune-store", "[cli]") {
  std::ostringstream out, err;
  Console console{out, err};
  const auto folder = [&](const std::vector<std::string>& arguments) {
    return store_folder(*Options(command_line(), "status").parse(arguments, console));
  };
  ::setenv("TUNE_STORE", "/from/environment", 1);
  CHECK(folder({"--store", "/given"}) == "/given");
  CHECK(folder({}) == "/from/environment");
  ::unsetenv("TUNE_STORE");
  CHECK(folder({}) == "tune-store");
}

TEST_CASE("the options of every command may stand before its name", "[cli]") {
  const SampleStore store;
  const Printed behind = cli::run({"status", "--json", "--store", store.path()});
  REQUIRE(behind.code == 0);
  CHECK(cli::run({"--store", store.path(), "--json", "status"}).out == behind.out);
  CHECK(cli::run({"--json", "--store=" + store.path(), "status"}).out == behind.out);
  CHECK(cli::run({"--store", store.path(), "status", "--json"}).out == behind.out);
  CHECK(cli::run({"--store", store.path(), "show", "steel-legacy/1"}).code == 0);
  CHECK(contains(cli::run({"--store", store.path(), "stauts"}).err, "did you mean `tune status`?"));
  CHECK(contains(cli::run({"--store", store.path()}).err, "--spec FILE is missing"));
}

TEST_CASE("behind -- nothing is an option", "[cli]") {
  const SampleStore store;
  const Printed plain = cli::run({"best", "steel-legacy", "--store", store.path()});
  REQUIRE(plain.code == 0);
  CHECK(cli::run({"best", "--store", store.path(), "--", "steel-legacy"}).out == plain.out);
  CHECK(cli::run({"best", "steel-legacy", "--store", store.path(), "--"}).out == plain.out);
  CHECK(
      contains(cli::run({"best", "--store", store.path(), "--", "-own"}).err, "there is no study \"-own\""));
  for (const char* word : {"--version", "--json", "--help"})
    CHECK(contains(cli::run({"best", "--store", store.path(), "--", word}).err,
                   "error: there is no study \"" + std::string(word) + "\""));
  const Printed more = cli::run({"best", "--", "steel-legacy", "--store", store.path()});
  CHECK(more.code == 2);
  CHECK(contains(more.err, "behind -- nothing is an option: write the options before it"));
}

TEST_CASE("a path that the system cannot follow is no bug of ours", "[cli]") {
  const CommandLine& line = command_line();
  for (const std::errc reason :
       {std::errc::too_many_symbolic_link_levels, std::errc::filename_too_long, std::errc::not_a_directory}) {
    std::ostringstream out, err;
    Console console{out, err};
    const int code = run_reporting_errors(line, false, console, [&]() -> int {
      throw std::filesystem::filesystem_error("status", "loop", std::make_error_code(reason));
    });
    CHECK(code == 7);
    CHECK(contains(err.str(), "loop"));
    CHECK(contains(err.str(), "check that path"));
  }
}

TEST_CASE("texts of a JSON answer that differ in bytes that are not UTF-8 stay different", "[cli]") {
  CHECK(json_line({"bad\xff.jpg",
                   "bad\xfe.jpg",
                   {{"\xe9", 1}},
                   "Gr\xC3\xB6\xC3\x9F"
                   "e\n"}) == R"(["bad\\xff.jpg","bad\\xfe.jpg",{"\\xe9":1},"Größe\n"])");
  std::ostringstream out, err;
  Console console{out, err};
  print_ordered({{"b", "\xff"}, {"a", {{"x", nullptr}}}}, console, -1);
  CHECK(out.str() == R"({"b":"\\xff","a":{"x":null}})"
                     "\n");
}

TEST_CASE("an option of one command before its name is said to stand behind it", "[cli]") {
  const Printed printed = cli::run({"--follow", "logs", "steel-legacy/1"});
  CHECK(printed.code == 2);
  CHECK(contains(printed.err, "the options of a command stand behind its name: `tune logs ...`"));
}

}  // namespace
}  // namespace tune::cli
