#include "store/study_facts.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <filesystem>

#include "store_fixture.h"
#include "support/catch.h"

namespace tune::store {
namespace {

// As tune writes it of a study whose built-in trainer was measured; it has learned, and promoted.
constexpr const char* kToday =
    R"({"origin":{"spec":"search.json","store":"/data/store"},"precision":"bf16","probes":{"here: NVIDIA H200":)"
    R"({"candidates":[{"examples_per_second":9.75,"images_per_second":9.75,"peak_memory_bytes":734003200,)"
    R"("precision":"fp32","units_per_second":9.75},{"precision":"bf16"}],"device":"cuda:0",)"
    R"("lease_seconds":12.5,"leased_devices":1,"measured_seconds":3.0,"precision":"bf16","schema":1,)"
    R"("training_examples":360,"training_images":360,"unit":"images","validation_seconds":null}},)"
    R"("promotion":{"folder":"/data/store/models/m/versions/2","model":"m","promoted":true,)"
    R"("reason":"first version","trial":3,"version":2},"runs":[{"code":null,"machine":{"cores":8,)"
    R"("driver":"570.1","gpus":[{"memory":150754820096,"name":"NVIDIA H200","uuid":"GPU-1"}],"host":"here"},)"
    R"("since_ms":1700000000000,"sqlite":"3.40.1","tune":"0.1.0"},{"code":{"clean":false,"commit":"5f"},)"
    R"("machine":{"cores":4,"driver":"","gpus":[],"host":"there"},"probe":{"candidates":[],"precision":"fp32",)"
    R"("validation_seconds":0.25},"since_ms":1700000000001,"sqlite":"3.40.1","trainer":{"libtorch":"2.5.1",)"
    R"("version":"0.1.0"},"tune":"0.2.0"}],"warm_start":[{"incomplete":2,"kind":"identical","outside":1,)"
    R"("study":"earlier","trials":6}]})";
// Before runs were kept apart.
constexpr const char* kOnce =
    R"({"machine":{"cores":8,"driver":"","gpus":[],"host":"here"},"precision":"fp32","probe":{"candidates":[],)"
    R"("host":"here","precision":"fp32"},"promotion":{"folder":"","model":"m","promoted":false,)"
    R"("reason":"no trial completed with a value","trial":0,"version":0},"sqlite":"3.40.1",)"
    R"("trainer":{"libtorch":"","version":"0.1.0"},"tune":"0.1.0"})";
constexpr const char* kAsked = R"({"driver":"ask-tell","origin":{"spec":"","store":"/s"},"tune":"0.1.0"})";
// What another version may write, and what stands for nothing.
constexpr const char* kOther =
    R"({"later":[1,null],"machine":null,"origin":{"store":"/s","watched":true},"probes":{},"runs":[]})";

TEST_CASE("a study's facts are written again byte for byte as they were read", "[facts]") {
  const std::string text =
      GENERATE(as<std::string>(), kToday, kOnce, kAsked, kOther, "{}", R"({"version":"0.1.0"})");
  REQUIRE(Json::parse(text).dump() == text);
  CHECK(Json(Json::parse(text).get<StudyFacts>()).dump() == text);

  const TemporaryFolder folder;
  const std::filesystem::path file = folder / "study.db";
  {
    StudyStore store(file, OpenMode::kCreate);
    store.create_study(study_row());
  }
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE);
  SQLite::Statement put(database, "UPDATE study SET facts = ?");
  put.bind(1, text);
  put.exec();
  StudyStore store(file, OpenMode::kWrite);
  store.update_study(store.study());
  CHECK(database.execAndGet("SELECT facts FROM study").getString() == text);
}

TEST_CASE("a study's facts are read into their members", "[facts]") {
  const StudyFacts facts = Json::parse(kToday).get<StudyFacts>();
  CHECK(facts.origin->spec == "search.json");
  const Probe& probe = facts.probes.at("here: NVIDIA H200");
  CHECK(probe.lease_seconds == 12.5);
  CHECK_FALSE(probe.validation_seconds.has_value());
  CHECK(probe.candidates.at(0).units_per_second == 9.75);
  CHECK_FALSE(probe.candidates.at(1).units_per_second.has_value());
  CHECK(facts.promotion->folder == "/data/store/models/m/versions/2");
  CHECK_FALSE(facts.runs.at(0).code.has_value());
  CHECK(facts.runs.at(0).machine.gpus.at(0).memory == 150754820096);
  CHECK(facts.runs.at(1).code->commit == "5f");
  CHECK(facts.runs.at(1).since == at(1));
  CHECK(facts.runs.at(1).trainer->libtorch == "2.5.1");
  CHECK(facts.warm_start.at(0).kind == WarmStart::kIdentical);
  CHECK(Json::parse(kOnce).get<StudyFacts>().machine->host == "here");
}

TEST_CASE("a fact of another type, or a part of one that is missing, is named", "[facts]") {
  const auto [text, named] = GENERATE(table<std::string, std::string>(
      {{R"([])", "not a JSON object"},
       {R"({"precision":16})", "\"precision\" is not a text"},
       {R"({"origin":"/s"})", "\"origin\" is not an object"},
       {R"({"origin":{"spec":"a"}})", "\"store\" is missing"},
       {R"({"machine":{"host":"a","cores":4294967296,"gpus":[],"driver":""}})",
        "\"cores\" is not a number of"},
       {R"({"machine":{"host":"a","cores":2.5,"gpus":[],"driver":""}})", "\"cores\" is not a whole"},
       {R"({"probes":{"a":{"precision":"fp32","lease_seconds":"12"}}})", "\"lease_seconds\" is not a number"},
       {R"({"probes":{"a":{"precision":"fp32","leased_devices":true}}})",
        "\"leased_devices\" is not a whole"},
       {R"({"warm_start":[{"study":"s","kind":"alike","trials":1,"outside":0,"incomplete":0}]})", "alike"}}));
  CAPTURE(text);
  std::string said;
  try {
    Json::parse(text).get<StudyFacts>();
  } catch (const std::exception& problem) {
    said = problem.what();
  }
  CAPTURE(said);
  CHECK(said.find(named) != std::string::npos);
}

}  // namespace
}  // namespace tune::store
