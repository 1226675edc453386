#include "store/study_versions.h"

#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::store {
namespace {

ModelVersion version_of(const std::string& model, int number, const std::string& study, WallTime created) {
  ModelVersion version;
  version.model = model;
  version.version = number;
  version.created = created;
  version.study = study;
  version.trial = number;
  version.objective = {"loss", Goal::kMinimize, Reduce::kBest};
  return version;
}

TEST_CASE("the versions of a study are those that were made since it is there", "[registry]") {
  const TemporaryFolder folder;
  const std::filesystem::path store = folder / "store";
  CHECK(versions_of_study(store, "steel", at(0)).empty());
  std::filesystem::create_directories(store / "models");
  ModelRegistry registry(store / "models" / "registry.db", OpenMode::kCreate);
  registry.insert_version(version_of("a", 1, "steel", at(10)));
  registry.insert_version(version_of("a", 2, "steel", at(20)));
  registry.insert_version(version_of("a", 3, "steel", at(30)));
  registry.insert_version(version_of("b", 1, "copper", at(20)));
  registry.promote({"a", 0, 2, "first version", Json::object(), at(20)});
  registry.promote({"a", 2, 3, "better", Json::object(), at(30)});
  registry.promote({"a", 3, 2, "chosen by a person", Json::object(), at(40)});
  registry.record_refusal({"a", 2, 3, "the gate refused it", Json::object(), at(50)});
  const auto found = versions_of_study(store, "steel", at(20));
  REQUIRE(found.size() == 2);
  CHECK(found[0].version.version == 3);
  CHECK_FALSE(found[0].is_current);
  CHECK(found[0].promotions.size() == 1);
  CHECK(found[1].version.version == 2);
  CHECK(found[1].is_current);
  REQUIRE(found[1].promotions.size() == 2);
  CHECK(found[1].promotions[1].reason == "chosen by a person");
}

}  // namespace
}  // namespace tune::store
