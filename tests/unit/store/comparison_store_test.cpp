// The record of a comparison: frozen once, scored and counted.
#include "store/comparison_store.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include "store/study_store.h"
#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

ComparisonRow comparison_row() {
  return {"steel", {{"comparison", "steel"}}, "{ \"comparison\": \"steel\" }", "/data", at(0), {{"a", 1}}};
}

FrozenModel frozen(int number) {
  return {number,
          "legacy",
          "defaults",
          "steel.legacy.defaults",
          number,
          0.25 * number,
          "steel.legacy.defaults/trials/" + std::to_string(number) + "/attempts/1/output",
          std::string(64, 'a')};
}

TEST_CASE("a comparison and its models come back as they were recorded") {
  const TemporaryFolder folder;
  {
    ComparisonStore record(folder / "comparison.db", OpenMode::kCreate);
    CHECK_FALSE(record.comparison());
    ComparisonRow refused = comparison_row();
    refused.text = "refused";
    record.begin(refused);
    record.begin(comparison_row());
    record.freeze({frozen(1), frozen(2)}, {{"b", 2}});
  }
  const ComparisonStore record(folder / "comparison.db", OpenMode::kRead);
  const auto row = record.comparison();
  REQUIRE(row);
  CHECK(row->name == "steel");
  CHECK(row->text == comparison_row().text);
  CHECK(row->created == at(0));
  CHECK(row->facts == Json{{"b", 2}});
  const std::vector<FrozenModel> models = record.models();
  REQUIRE(models.size() == 2);
  CHECK(models[1].validation == 0.5);
  CHECK(models[1].folder == frozen(2).folder);
}

TEST_CASE("a comparison's cells that are not as tune writes them are damage") {
  const TemporaryFolder folder;
  const std::string sql = GENERATE(as<std::string>(), "comparison SET document = '[]'",
                                   "comparison SET document = '{\"approaches\": [{}]}'",
                                   "comparison SET facts = 'null'", "comparison SET created_ms = -1",
                                   "predictions SET seconds = -1", "predictions SET facts = '{'",
                                   "scorings SET result = 'twelve'", "scorings SET started_ms = -1");
  CAPTURE(sql);
  const auto read = [&] {
    const ComparisonStore record(folder / "comparison.db", OpenMode::kRead);
    record.comparison();
    record.predictions(1);
    record.scorings();
  };
  {
    ComparisonStore record(folder / "comparison.db", OpenMode::kCreate);
    record.begin(comparison_row());
    record.freeze({frozen(1)}, Json::object());
    record.begin_scoring(at(0));
    record.insert_prediction(1, {1, "beef", 1.5, Json::object()});
  }
  read();
  SQLite::Database(folder / "comparison.db", SQLite::OPEN_READWRITE).exec("UPDATE " + sql);
  CHECK_THROWS_AS(read(), DamagedFile);
}

TEST_CASE("looks are counted on from those of the rounds before") {
  const TemporaryFolder folder;
  ComparisonStore record(folder / "comparison.db", OpenMode::kCreate);
  ComparisonRow row = comparison_row();
  row.facts[kLooksBefore] = 3;
  record.begin(row);
  record.freeze({frozen(1)}, row.facts);
  CHECK(record.begin_scoring(at(0)) == 4);
  record.end_scoring(4, Json::object(), at(1));
  CHECK(record.begin_scoring(at(2)) == 5);
}

TEST_CASE("models are frozen once, and never change after that") {
  const TemporaryFolder folder;
  ComparisonStore record(folder / "comparison.db", OpenMode::kCreate);
  record.begin(comparison_row());
  record.freeze({frozen(1)}, Json::object());
  CHECK(code_of([&] { record.freeze({frozen(2)}, Json::object()); }) == ExitCode::kConflict);
  CHECK(record.models().size() == 1);
  SQLite::Database database(folder / "comparison.db", SQLite::OPEN_READWRITE);
  CHECK_THROWS(database.exec("UPDATE models SET validation = 1"));
  CHECK_THROWS(database.exec("DELETE FROM models"));
}

TEST_CASE("a scoring that has begun goes on, and one that has ended never changes and is counted") {
  const TemporaryFolder folder;
  ComparisonStore record(folder / "comparison.db", OpenMode::kCreate);
  record.begin(comparison_row());
  record.freeze({frozen(1), frozen(2)}, Json::object());
  CHECK(record.begin_scoring(at(1)) == 1);
  CHECK(code_of([&] { record.begin_scoring(at(2)); }) == ExitCode::kConflict);
  record.insert_prediction(1, {2, "beef", 1.5, {{"parameters", 3}}});
  const std::vector<Prediction> predictions = record.predictions(1);
  REQUIRE(predictions.size() == 1);
  CHECK(predictions[0].model == 2);
  CHECK(predictions[0].seconds == 1.5);
  CHECK(predictions[0].facts == Json{{"parameters", 3}});
  record.insert_prediction(1, {2, "cafe", 1.5, {}});
  REQUIRE(record.predictions(1).size() == 1);
  CHECK(record.predictions(1)[0].sha256 == "cafe");
  CHECK_FALSE(record.scorings().front().ended);
  record.end_scoring(1, {{"AP", 0.5}}, at(3));
  CHECK(code_of([&] { record.end_scoring(1, {{"AP", 0.9}}, at(4)); }) == ExitCode::kInternal);
  CHECK(record.begin_scoring(at(5)) == 2);
  const std::vector<Scoring> scorings = record.scorings();
  REQUIRE(scorings.size() == 2);
  CHECK(scorings[0].result == Json{{"AP", 0.5}});
  CHECK(scorings[0].ended == at(3));
  CHECK(scorings[1].result.is_null());
}

TEST_CASE("another kind of database is refused, and so is a file without one") {
  const TemporaryFolder folder;
  CHECK(code_of([&] { ComparisonStore(folder / "none.db", OpenMode::kRead); }) == ExitCode::kNotFound);
  StudyStore(folder / "study.db", OpenMode::kCreate).create_study(study_row());
  CHECK(code_of([&] { ComparisonStore(folder / "study.db", OpenMode::kWrite); }) == ExitCode::kEnvironment);
}

}  // namespace
}  // namespace tune::store
