// What every command makes of a study whose database is damaged, foreign or a copy.
#include <functional>

#include "support/catch.h"
#include "tuner/os/atomic_file.h"
#include "unit/cli/cli_fixture.h"

namespace tune::cli {
namespace {

namespace fs = std::filesystem;

TEST_CASE("a database of another shape is a damaged study for every command, and no bug of tune", "[cli]") {
  const SampleStore store;
  // In the schema's own text, as no other module than the store speaks SQL.
  const fs::path file = store / "steel-legacy/study.db";
  std::string bytes = read_file(file);
  const std::string name = "earlier_trials";
  for (std::size_t at = 0; (at = bytes.find(name, at)) != std::string::npos;)
    bytes[at + name.size() - 1] = 'z';
  write_text(file, bytes, std::ios::binary);
  for (const char* command : {"show", "best", "trials", "report", "resume"}) {
    CAPTURE(command);
    const Printed printed =
        store.run({command, command == std::string("show") ? "steel-legacy/1" : "steel-legacy"});
    CHECK(printed.code == 7);
    CHECK(contains(printed.err, "the table earlier_trials is missing"));
    CHECK(contains(printed.err, "restore it from a copy"));
  }
  const Printed doctor = store.run({"doctor"});
  CHECK(doctor.code == 7);
  CHECK(contains(doctor.out, "the table earlier_trials is missing"));
}

// A study of two completed trials, with what `change` has made of its rows.
struct ChangedStudy {
  using Change = std::function<void(store::StudyRow&, store::TrialRow&)>;
  explicit ChangedStudy(const Change& change, const std::string& spec_text = kSpec) {
    std::filesystem::create_directories(folder / "s");
    store::StudyStore study(folder / "s/study.db", store::OpenMode::kCreate);
    store::StudyRow row = store::study_row();
    row.name = "s";
    row.objective = {"loss", Goal::kMinimize, Reduce::kBest};
    row.spec = Json::parse(kSpec);
    row.spec_text = spec_text;
    std::vector<store::TrialRow> trials{store::trial_row(1), store::trial_row(2)};
    for (store::TrialRow& trial : trials) trial.parameters = {{"lr", 0.25 * trial.number}};
    change(row, trials.back());
    study.create_study(row);
    for (const store::TrialRow& trial : trials) {
      study.insert_trial(trial);
      study.update_trial(store::completed(trial, 0.5 / trial.number));
    }
  }
  Printed run(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--store", (folder / "").string()});
    return cli::run(arguments);
  }
  static constexpr const char* kSpec =
      R"({"study": "s", "objective": {"metric": "loss", "goal": "minimize"},
          "parameters": {"lr": {"type": "float", "min": 0, "max": 1}}, "limits": {"trials": 40}})";
  store::TemporaryFolder folder;
};

TEST_CASE("rows that no search with the stored spec makes are damage for every reader", "[cli]") {
  using Row = store::StudyRow;
  using Trial = store::TrialRow;
  const auto [change, part] = GENERATE(table<ChangedStudy::Change, std::string>(
      {{[](Row&, Trial& trial) {
          trial.parameters = {{"lr", 3.5}};
        },
        "the parameters of trial 2 are damaged"},
       {[](Row&, Trial& trial) {
          trial.parameters = {{"rate", 0.5}};
        },
        "the parameters of trial 2 are damaged"},
       {[](Row&, Trial& trial) { trial.parameters.clear(); }, "the parameters of trial 2 are damaged"},
       {[](Row& row, Trial&) { row.limits["trials"] = -1; }, "limits are damaged: -1 is not a count"},
       {[](Row& row, Trial&) { row.limits["trials"] = 1.5; }, "limits are damaged: 1.5 is not a count"},
       {[](Row& row, Trial&) { row.limits["trials"] = 4294967297; }, "limits are damaged"},
       {[](Row& row, Trial&) { row.limits["cost_usd"] = "much"; }, "limits are damaged"},
       {[](Row& row, Trial&) { row.limits["time"] = 90; }, "limits are damaged"}}));
  CAPTURE(part);
  const ChangedStudy study(change);
  for (const char* command : {"status", "best", "trials", "report"}) {
    CAPTURE(command);
    const Printed printed = study.run({command, "s"});
    CHECK(printed.code == 7);
    CHECK(contains(printed.err, part));
    CHECK(contains(printed.err, "restore it from a copy"));
  }
  CHECK(contains(study.run({"doctor"}).out, part));
}

TEST_CASE("the text of a spec that is not the study's is damage for who goes on with it", "[cli]") {
  const std::string good = ChangedStudy::kSpec;
  std::string other = good, cut = good, longer = good + std::string(1, '\0') + "{}";
  other.replace(other.find("\"max\": 1"), 8, "\"max\": 2");
  cut.resize(20);
  for (const std::string& text : {other, cut, longer, std::string()}) {
    CAPTURE(text);
    const ChangedStudy study([](store::StudyRow&, store::TrialRow&) {}, text);
    CHECK(study.run({"best", "s"}).code == 0);
    for (const char* command : {"resume", "rescan"}) {
      const Printed printed = study.run({command, "s"});
      CHECK(printed.code == 7);
      CHECK(contains(printed.err, "the text of the spec of \"s\" is not the spec that the study has"));
      CHECK(contains(printed.err, "restore it from a copy"));
    }
    CHECK(study.run({"doctor"}).code == 7);
  }
}

TEST_CASE("a copy of a study is told apart, read, and not gone on with", "[cli]") {
  const SampleStore store;
  fs::copy(store / "steel-legacy", store / "kept", fs::copy_options::recursive);
  const std::string listed = store.run({"status"}).out;
  CHECK(contains(listed, "kept (holds steel-legacy)"));
  CHECK(contains(listed, "\nsteel-legacy "));
  const Json studies = Json::parse(store.run({"status", "--json"}).out).at("studies");
  CHECK(studies.at(0).at("folder") == "kept");
  CHECK_FALSE(studies.at(1).contains("folder"));
  CHECK(store.run({"best", "kept"}).code == 0);
  for (const std::vector<std::string>& command : {std::vector<std::string>{"promote", "kept", "--model", "m"},
                                                  {"promote", "kept/1", "--model", "m"},
                                                  {"resume", "kept"}}) {
    const Printed printed = store.run(command);
    CAPTURE(command.front(), printed.err);
    CHECK(printed.code == 7);
    CHECK(contains(printed.err, "the folder \"kept\" holds the study \"steel-legacy\": it is a copy"));
    CHECK_FALSE(contains(printed.err, "damaged"));
  }
  CHECK_FALSE(fs::exists(store / "models/registry.db"));
}

TEST_CASE("doctor tells whole studies from damaged ones", "[cli]") {
  const SampleStore store;
  const auto finding = [&] {
    const Json findings = Json::parse(store.run({"doctor", "--json"}).out).at("findings");
    for (const Json& one : findings)
      if (one.at("topic") == "studies") return one;
    return Json();
  };
  CHECK(finding().at("verdict") == "ok");
  CHECK(finding().at("text") == "1 in the store, all whole");
  // The second page holds the first table.
  std::fstream file(store / "steel-legacy/study.db", std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(4096);
  file << std::string(4096, 'x');
  file.close();
  CHECK(finding().at("verdict") == "problem");
  CHECK(contains(finding().at("text"), "steel-legacy: "));
  CHECK(store.run({"doctor"}).code == 7);
}

}  // namespace
}  // namespace tune::cli
