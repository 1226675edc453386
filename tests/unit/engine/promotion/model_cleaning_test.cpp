// Versions that go, and what dead processes leave.
#include "tuner/engine/promotion/model_cleaning.h"

#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/promotion/alias_move.h"
#include "unit/engine/promotion/promotable_study.h"

namespace tune::tests {
namespace {

using namespace engine;
namespace fs = std::filesystem;

class TwoVersions {
 public:
  TwoVersions() {
    PromotableStudy study(folder_.path(), "s", {0.1, 0.2});
    for (int trial = 1; trial <= 2; ++trial) promote_trial(study.store(), {folder_.path(), "m", trial});
  }
  fs::path store() const { return folder_.path(); }
  fs::path models() const { return folder_.path() / "models"; }
  store::ModelRegistry registry() const { return {models() / "registry.db", store::OpenMode::kWrite}; }
  std::vector<CleanedPlace> clean(Orphans orphans = Orphans::kKeep, bool only_looks = false,
                                  const EndpointOf& endpoint_of = {}) const {
    return clean_models(store(), orphans, only_looks, endpoint_of, {});
  }
  ExitCode remove(int version, const std::string& endpoint = {}) const {
    try {
      delete_version(store(), {"m", version, ""}, "too large",
                     [&](const std::string&, int) { return endpoint; }, {});
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::kOk;
  }

 private:
  ScratchFolder folder_;
};

TEST_CASE("a version is deleted with its files, unless an alias or an endpoint names it") {
  const TwoVersions models;
  CHECK(models.remove(2) == ExitCode::kConflict);  // current
  set_alias({models.store(), "m", "champion"}, {"m", 1, ""});
  CHECK(models.remove(1) == ExitCode::kConflict);
  remove_alias({models.store(), "m", "champion"});
  CHECK(models.remove(1, "steel-line") == ExitCode::kConflict);
  CHECK(fs::exists(models.models() / "m/versions/1/weights"));
  CHECK(bytes_to_delete(models.store(), {"m", 1, ""}, {}) == 3 + 7);
  CHECK(models.remove(1) == ExitCode::kOk);
  CHECK_FALSE(fs::exists(models.models() / "m/versions/1"));
  CHECK(fs::is_empty(models.models() / "staging"));
  CHECK(models.remove(1) == ExitCode::kNotFound);
  CHECK(models.registry().versions("m").size() == 1);
  CHECK(models.registry().remarks("m").back().text == "too large");
  CHECK(models.clean().empty());
}

TEST_CASE("what dead processes left is found by a look, and removed by cleaning up") {
  const TwoVersions models;
  fs::create_directories(models.models() / "staging/half");
  std::ofstream(models.models() / "staging/half/weights") << "12345";
  fs::remove(models.models() / "m/current");
  fs::create_symlink("versions/1", models.models() / "m/current");  // died before the link was switched
  models.registry().remark(
      {"m", 1, store::RemarkKind::kDeleted, "", "ada@host", WallTime()});  // and before its files went
  for (const bool only_looks : {true, false}) {
    const auto found = models.clean(Orphans::kKeep, only_looks);
    REQUIRE(found.size() == 3);
    CHECK(found[0].kind == Cleaned::kStaging);
    CHECK(found[0].bytes == 5);
    CHECK(found[1].kind == Cleaned::kLink);
    CHECK(found[2].kind == Cleaned::kDeleted);
    CHECK(found[2].place == models.models() / "m/versions/1");
    CHECK(fs::exists(models.models() / "staging/half") == only_looks);
    CHECK(fs::exists(models.models() / "m/versions/1") == only_looks);
  }
  CHECK(fs::read_symlink(models.models() / "m/current") == "versions/2");
  CHECK(models.clean().empty());
}

TEST_CASE("a folder that the registry does not know is kept, adopted or removed as a person says") {
  const TwoVersions models;
  const fs::path orphan = models.models() / "m/versions/7";
  fs::copy(models.models() / "m/versions/1", orphan, fs::copy_options::recursive);
  std::ofstream(orphan / "model.json")
      << R"({"metrics": {"mAP": 0.7}, "initial_weights": {"path": "x", "sha256": "y"}})";
  fs::create_directories(models.models() / "m/versions/notes");
  auto found = models.clean();
  REQUIRE(found.size() == 2);
  CHECK(found[0].is_kept);
  CHECK(found[0].remark.find("--adopt") != std::string::npos);
  found = models.clean(Orphans::kAdopt, /*only_looks=*/true);
  CHECK(found[0].adopted == 7);
  CHECK(found[1].remark == "its name is no version's number");
  CHECK(models.registry().versions("m").size() == 2);
  found = models.clean(Orphans::kAdopt);
  CHECK(found[0].adopted == 7);
  const store::ModelVersion adopted = *models.registry().version("m", 7);
  CHECK(adopted.study.empty());
  CHECK(adopted.files.size() == 3);
  CHECK(adopted.lineage.at("metrics").at("mAP") == 0.7);
  CHECK(adopted.lineage.at("parent_weights").at("sha256") == "y");
  CHECK(set_alias({models.store(), "m", "champion"}, {"m", 7, ""}) == 7);
  CHECK(models.registry().next_version("m") == 8);
  fs::remove(models.models() / "m/versions/notes");

  fs::create_directories(models.models() / "m/versions/9");
  std::ofstream(models.models() / "m/versions/9/weights") << "abc";
  fs::create_symlink("weights", models.models() / "m/versions/9/last");
  CHECK(models.clean(Orphans::kAdopt).at(0).remark == "it holds a link");
  CHECK(models.clean(Orphans::kRemove).at(0).bytes == 3);
  CHECK_FALSE(fs::exists(models.models() / "m/versions/9"));
  CHECK(models.clean().empty());
}

TEST_CASE("what an endpoint answers with is kept, though the registry does not know it any more") {
  const TwoVersions models;
  fs::rename(models.models() / "registry.db", models.models() / "lost.db");
  const auto found =
      models.clean(Orphans::kRemove, /*only_looks=*/false, [](const std::string& model, int version) {
        return model == "m" && version == 2 ? std::string("steel-line") : std::string();
      });
  REQUIRE(found.size() == 2);
  CHECK_FALSE(found[0].is_kept);
  CHECK_FALSE(fs::exists(models.models() / "m/versions/1"));
  CHECK(found[1].is_kept);
  CHECK(found[1].remark == "the endpoint steel-line answers with it");
  CHECK(fs::exists(models.models() / "m/versions/2/weights"));
}

TEST_CASE("where there are no models there is nothing to clean up") {
  ScratchFolder folder;
  CHECK(clean_models(folder.path(), Orphans::kRemove, false, {}, {}).empty());
  CHECK(fs::is_empty(folder.path()));
}

}  // namespace
}  // namespace tune::tests
