#include "store/model_registry.h"

#include <SQLiteCpp/SQLiteCpp.h>

#include <atomic>
#include <thread>

#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

ModelVersion version_of(const std::string& model, int number) {
  ModelVersion version;
  version.model = model;
  version.version = number;
  version.created = at(number);
  version.study = "steel-legacy";
  version.trial = 10 + number;
  version.objective = {"validation:mAP", Goal::kMaximize, Reduce::kBest};
  version.value = 0.1 * number;
  version.lineage = {{"parameters", {{"learning_rate", 0.001}}}, {"data", "5f"}};
  version.files = {{"labels.json", 12, "aa"}, {"weights.safetensors", std::uint64_t{5} << 32, "bb"}};
  return version;
}

Promotion promotion_of(const std::string& model, int from, int to) {
  return {model, from, to, "0.2 is better than 0.1", {{"candidate", 0.2}, {"current", 0.1}}, at(to)};
}

TEST_CASE("a registry that is not there is not found", "[registry]") {
  const TemporaryFolder folder;
  CHECK(code_of([&] { ModelRegistry(folder / "registry.db", OpenMode::kWrite); }) == ExitCode::kNotFound);
}

TEST_CASE("a version is read back with its files and lineage", "[registry]") {
  const TemporaryFolder folder;
  {
    ModelRegistry registry(folder / "registry.db", OpenMode::kCreate);
    CHECK(registry.next_version("steel") == 1);
    registry.insert_version(version_of("steel", 1));
    registry.insert_version(version_of("steel", 2));
    registry.insert_version(version_of("copper", 1));
    registry.promote(promotion_of("steel", 0, 1));
    CHECK(registry.next_version("steel") == 3);
  }
  const ModelRegistry registry(folder / "registry.db", OpenMode::kWrite);
  CHECK(registry.models() == std::vector<std::string>{"copper", "steel"});
  const auto versions = registry.versions("steel");
  REQUIRE(versions.size() == 2);
  CHECK(versions[0].version == 2);
  CHECK(versions[1].trial == 11);
  CHECK(versions[1].value == 0.1);
  CHECK(versions[1].objective.goal == Goal::kMaximize);
  CHECK(versions[1].lineage == version_of("steel", 1).lineage);
  REQUIRE(versions[1].files.size() == 2);
  CHECK(versions[1].files[1].path == "weights.safetensors");
  CHECK(versions[1].files[1].bytes == std::uint64_t{5} << 32);
  CHECK(registry.current("steel")->version == 1);
  CHECK_FALSE(registry.current("copper").has_value());
  CHECK(registry.versions("tin").empty());
}

TEST_CASE("a registry that does not hold what tune wrote is damaged", "[registry]") {
  const TemporaryFolder folder;
  const std::string sql =
      GENERATE(as<std::string>(), "DELETE FROM versions", "UPDATE aliases SET version = 7",
               "UPDATE aliases SET version = 4294967297",
               "DROP TRIGGER files_never_change; UPDATE files SET bytes = -1",
               "DROP TRIGGER versions_never_change; UPDATE versions SET goal = 'up'",
               "DROP TRIGGER versions_never_change; UPDATE versions SET lineage = '[]'");
  CAPTURE(sql);
  {
    ModelRegistry registry(folder / "registry.db", OpenMode::kCreate);
    registry.insert_version(version_of("steel", 1));
    registry.promote(promotion_of("steel", 0, 1));
  }
  SQLite::Database(folder / "registry.db", SQLite::OPEN_READWRITE)
      .exec("PRAGMA ignore_check_constraints = ON; PRAGMA foreign_keys = OFF; " + sql);
  const ModelRegistry registry(folder / "registry.db", OpenMode::kRead);
  CHECK_THROWS_AS(registry.current("steel"), DamagedFile);
}

TEST_CASE("a reader writes nothing, and brings no older file up to date", "[registry]") {
  const TemporaryFolder folder;
  ModelRegistry(folder / "registry.db", OpenMode::kCreate).insert_version(version_of("steel", 1));
  ModelRegistry reader(folder / "registry.db", OpenMode::kRead);
  CHECK(reader.models() == std::vector<std::string>{"steel"});
  CHECK(code_of([&] { reader.insert_version(version_of("steel", 2)); }) == ExitCode::kEnvironment);
  CHECK(reader.versions("steel").size() == 1);
  SQLite::Database raw(folder / "registry.db", SQLite::OPEN_READWRITE);
  raw.exec("PRAGMA user_version = -1");
  const auto open = [&] { ModelRegistry(folder / "registry.db", OpenMode::kRead); };
  CHECK(code_of(open) == ExitCode::kEnvironment);
  CHECK(raw.execAndGet("PRAGMA user_version").getInt() == -1);
}

TEST_CASE("a reader finds the state before a commit that died half way", "[registry]") {
  const TemporaryFolder folder, crashed;
  ModelRegistry(folder / "registry.db", OpenMode::kCreate).insert_version(version_of("steel", 1));
  SQLite::Database writer(folder / "registry.db", SQLite::OPEN_READWRITE);
  // With so small a cache pages reach the file, and the journal the disk, before the commit.
  writer.exec("PRAGMA cache_size = 1; BEGIN IMMEDIATE");
  for (int number = 2; number < 200; ++number)
    writer.exec("INSERT INTO versions SELECT model, " + std::to_string(number) +
                ", created_ms, study, trial, metric, goal, reduce, value, hex(zeroblob(2000)) FROM versions "
                "WHERE version = 1");
  for (const char* file : {"registry.db", "registry.db-journal"})
    std::filesystem::copy_file(folder / file, crashed / file);
  writer.exec("ROLLBACK");
  CHECK(ModelRegistry(crashed / "registry.db", OpenMode::kRead).versions("steel").size() == 1);
}

TEST_CASE("a version number is given once, and its files with it", "[registry]") {
  const TemporaryFolder folder;
  ModelRegistry registry(folder / "registry.db", OpenMode::kCreate);
  registry.insert_version(version_of("steel", 1));
  ModelVersion twin = version_of("steel", 1);
  twin.files = {{"other", 1, "cc"}};
  CHECK(code_of([&] { registry.insert_version(twin); }) == ExitCode::kConflict);
  CHECK(registry.versions("steel").at(0).files.size() == 2);
}

TEST_CASE("a promotion counts only if nobody else was faster, and is logged", "[registry]") {
  const TemporaryFolder folder;
  ModelRegistry registry(folder / "registry.db", OpenMode::kCreate);
  registry.insert_version(version_of("steel", 1));
  registry.insert_version(version_of("steel", 2));
  registry.promote(promotion_of("steel", 0, 1));
  CHECK(code_of([&] { registry.promote(promotion_of("steel", 0, 2)); }) == ExitCode::kConflict);
  CHECK(code_of([&] { registry.promote(promotion_of("steel", 1, 7)); }) == ExitCode::kNotFound);
  registry.promote(promotion_of("steel", 1, 2));
  registry.promote(promotion_of("steel", 2, 1));  // back
  const auto log = registry.promotions("steel");
  REQUIRE(log.size() == 3);
  CHECK(log[1].from == 1);
  CHECK(log[1].to == 2);
  CHECK(log[1].reason == "0.2 is better than 0.1");
  CHECK(log[1].evidence == promotion_of("steel", 1, 2).evidence);
  CHECK(registry.current("steel")->version == 1);
}

TEST_CASE("each alias of a model names a version of its own, and moves only from what it named",
          "[registry]") {
  const TemporaryFolder folder;
  ModelRegistry registry(folder / "registry.db", OpenMode::kCreate);
  for (int number = 1; number <= 3; ++number) registry.insert_version(version_of("steel", number));
  registry.promote(promotion_of("steel", 0, 1));
  const auto move = [&](const char* alias, int from, int to) {
    Promotion promotion = promotion_of("steel", from, to);
    promotion.alias = alias;
    promotion.who = "ada@host";
    return code_of([&] { registry.promote(promotion); });
  };
  CHECK(move("champion", 0, 2) == ExitCode::kOk);
  CHECK(move("champion", 0, 3) == ExitCode::kConflict);
  CHECK(move("champion", 2, 3) == ExitCode::kOk);
  CHECK(move("champion", 3, 9) == ExitCode::kNotFound);
  CHECK(registry.alias("steel", "champion") == 3);
  CHECK(registry.current("steel")->version == 1);
  CHECK(registry.resolve(parse_model_reference("steel")).version == 1);
  CHECK(registry.resolve(parse_model_reference("steel@champion")).version == 3);
  CHECK(registry.resolve(parse_model_reference("steel@2")).version == 2);
  CHECK_THROWS_WITH(registry.resolve(parse_model_reference("stel@2")), "there is no model \"stel\"");
  CHECK_THROWS_WITH(registry.resolve(parse_model_reference("steel@champio")), "steel has no champio version");
  CHECK_THROWS_WITH(registry.resolve(parse_model_reference("steel@4")), "steel has no version 4");

  Promotion removal = promotion_of("steel", 2, 0);
  removal.alias = "champion";
  CHECK(code_of([&] { registry.remove_alias(removal); }) == ExitCode::kConflict);
  removal.from = 3;
  registry.remove_alias(removal);
  CHECK(registry.alias("steel", "champion") == 0);
  removal.from = 0;
  CHECK(code_of([&] { registry.remove_alias(removal); }) == ExitCode::kNotFound);
  const auto log = registry.promotions("steel");
  REQUIRE(log.size() == 4);
  CHECK(log[2].who == "ada@host");
  CHECK(log[3].outcome == PromotionOutcome::kRemoved);
}

TEST_CASE("what the gate refused is logged, and moves nothing", "[registry]") {
  const TemporaryFolder folder;
  ModelRegistry registry(folder / "registry.db", OpenMode::kCreate);
  registry.insert_version(version_of("steel", 1));
  registry.record_refusal(promotion_of("steel", 0, 1));
  CHECK(code_of([&] { registry.record_refusal(promotion_of("steel", 0, 2)); }) == ExitCode::kNotFound);
  CHECK_FALSE(registry.current("steel").has_value());
  REQUIRE(registry.promotions("steel").size() == 1);
  CHECK(registry.promotions("steel")[0].outcome == PromotionOutcome::kRefused);
}

TEST_CASE("the last word on a version is its approval, and no alias names a rejected one", "[registry]") {
  const TemporaryFolder folder;
  ModelRegistry registry(folder / "registry.db", OpenMode::kCreate);
  for (int number = 1; number <= 2; ++number) registry.insert_version(version_of("steel", number));
  const auto say = [&](int version, RemarkKind kind) {
    return code_of([&] { registry.remark({"steel", version, kind, "why", "ada@host", at(0)}); });
  };
  const auto approval = [&](int version) { return registry.version("steel", version)->approval; };
  CHECK(approval(1) == Approval::kPending);
  CHECK(say(1, RemarkKind::kApproved) == ExitCode::kOk);
  CHECK(say(1, RemarkKind::kNote) == ExitCode::kOk);
  CHECK(approval(1) == Approval::kApproved);
  registry.promote(promotion_of("steel", 0, 1));
  CHECK(say(1, RemarkKind::kRejected) == ExitCode::kConflict);
  CHECK(say(2, RemarkKind::kRejected) == ExitCode::kOk);
  CHECK(approval(2) == Approval::kRejected);
  CHECK(code_of([&] { registry.promote(promotion_of("steel", 1, 2)); }) == ExitCode::kConflict);
  CHECK(say(2, RemarkKind::kPending) == ExitCode::kOk);
  CHECK(code_of([&] { registry.promote(promotion_of("steel", 1, 2)); }) == ExitCode::kOk);
  CHECK(say(7, RemarkKind::kNote) == ExitCode::kNotFound);
  CHECK(registry.remarks("steel").size() == 4);
}

TEST_CASE("a version that was deleted is seen no more, and its number is not given again", "[registry]") {
  const TemporaryFolder folder;
  ModelRegistry registry(folder / "registry.db", OpenMode::kCreate);
  for (int number = 1; number <= 2; ++number) registry.insert_version(version_of("steel", number));
  registry.insert_version(version_of("tin", 1));
  registry.promote(promotion_of("steel", 0, 1));
  const auto remove = [&](const char* model, int version) {
    return code_of([&] { registry.remark({model, version, RemarkKind::kDeleted, "", "ada@host", at(0)}); });
  };
  CHECK(remove("steel", 1) == ExitCode::kConflict);  // an alias names it
  CHECK(remove("steel", 2) == ExitCode::kOk);
  CHECK(remove("steel", 2) == ExitCode::kNotFound);
  CHECK(registry.versions("steel").size() == 1);
  CHECK(registry.next_version("steel") == 3);
  CHECK(registry.deleted_versions("steel") == std::vector<int>{2});
  CHECK(code_of([&] { registry.promote(promotion_of("steel", 1, 2)); }) == ExitCode::kNotFound);
  CHECK(remove("tin", 1) == ExitCode::kOk);
  CHECK(registry.models() == std::vector<std::string>{"steel"});
}

TEST_CASE("of many that promote at once exactly one wins each time", "[registry]") {
  const TemporaryFolder folder;
  constexpr int kWriters = 6;
  {
    ModelRegistry registry(folder / "registry.db", OpenMode::kCreate);
    for (int number = 1; number <= kWriters; ++number) registry.insert_version(version_of("steel", number));
  }
  std::atomic<int> won{0}, beaten{0};
  std::vector<std::thread> writers;
  for (int number = 1; number <= kWriters; ++number)
    writers.emplace_back([&, number] {
      ModelRegistry registry(folder / "registry.db", OpenMode::kWrite, Milliseconds(60'000));
      const ExitCode code = code_of([&] { registry.promote(promotion_of("steel", 0, number)); });
      if (code == ExitCode::kOk) ++won;
      if (code == ExitCode::kConflict) ++beaten;
    });
  for (auto& writer : writers) writer.join();
  CHECK(won == 1);
  CHECK(beaten == kWriters - 1);
  CHECK(ModelRegistry(folder / "registry.db", OpenMode::kWrite).promotions("steel").size() == 1);
}

TEST_CASE("several orchestrators may create the registry at once", "[registry]") {
  const TemporaryFolder folder;
  std::vector<std::string> failures(6);
  std::vector<std::thread> writers;
  for (std::size_t number = 0; number < failures.size(); ++number)
    writers.emplace_back([&, number] {
      try {
        ModelRegistry registry(folder / "registry.db", OpenMode::kCreate, Milliseconds(60'000));
        registry.insert_version(version_of("model" + std::to_string(number), 1));
      } catch (const std::exception& error) {
        failures[number] = error.what();
      }
    });
  for (auto& writer : writers) writer.join();
  CHECK(failures == std::vector<std::string>(failures.size()));
  CHECK(ModelRegistry(folder / "registry.db", OpenMode::kWrite).models().size() == 6);
}

}  // namespace
}  // namespace tune::store
