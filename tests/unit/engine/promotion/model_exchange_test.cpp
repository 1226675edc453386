// Versions leave a registry and come into another one.
#include "support/run_shell.h"
#include "tuner/archive/tar_reader.h"
#include "tuner/archive/tar_writer.h"
#include "tuner/core/error.h"
#include "tuner/core/store_layout.h"
#include "tuner/engine/promotion/alias_move.h"
#include "tuner/engine/promotion/model_card.h"
#include "tuner/engine/promotion/model_export.h"
#include "tuner/engine/promotion/model_family.h"
#include "tuner/engine/promotion/model_import.h"
#include "tuner/os/sha256.h"
#include "unit/engine/promotion/promotable_study.h"

namespace tune::tests {
namespace {

using namespace engine;
namespace fs = std::filesystem;

// A version of "m" out of trial 1 of a study.
class OneVersion {
 public:
  OneVersion() {
    PromotableStudy study(folder_.path(), "s", {0.25});
    std::ofstream(study.output(1) / "model.json")
        << R"({"task": "image_classification", "model": "resnet18", "metrics": {"validation:accuracy": 0.75},
               "data": {"fingerprint": "f00d"}, "initial_weights": {"path": "r18.pth", "sha256": "beef"}})";
    promote_trial(study.store(), {folder_.path(), "m", 1});
  }
  fs::path path(const std::string& name) const { return folder_.path() / name; }
  Exported write(ExportForm form, const std::string& name) const {
    return export_model({folder_.path(), {"m", 1, ""}, form, path(name)});
  }
  Imported read(const std::string& source, const std::string& model = "copy") const {
    return import_model({path("other"), path(source), model});
  }
  store::ModelRegistry other() const {
    return {registry_file(models_folder(path("other"))), store::OpenMode::kRead};
  }
  store::ModelVersion version() const {
    return *store::ModelRegistry(registry_file(models_folder(folder_.path())), store::OpenMode::kRead)
                .version("m", 1);
  }

 private:
  ScratchFolder folder_;
};

struct Failure {
  ExitCode code = ExitCode::kOk;
  std::string message;
};
Failure failure_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

TEST_CASE("an archive does not bring the gate that it is to pass") {
  const OneVersion model;
  const std::vector<std::pair<std::string, Json>> gates{
      {"strange", {{"test", "/etc"}, {"options", {"--output", "/tmp/x"}}}}, {"no-object", "whatever"}};
  for (const auto& [name, required] : gates) {
    CAPTURE(name);
    model.write(ExportForm::kFolder, name);
    const fs::path file = model.path(name) / kManifestFile;
    Json manifest = Json::parse(promoted_text(file));
    manifest["lineage"]["require"] = required;
    std::ofstream(file) << manifest;
    const Imported imported = model.read(name, name);
    REQUIRE(imported.notices.size() == 1);
    CHECK(imported.notices[0].find("not required here") != std::string::npos);
    const Json lineage = model.other().version(name, 1)->lineage;
    CHECK_FALSE(lineage.contains("require"));
    CHECK(lineage.at("imported").at("require") == required);
    // So no judge is asked.
    CHECK(promote_version({model.path("other"), name, "champion"}, {name, 1, ""}, {}).promoted);
  }
}

TEST_CASE("a version goes out and comes back with the same files, value and lineage") {
  const OneVersion model;
  const ExportForm form = GENERATE(ExportForm::kTarGz, ExportForm::kFolder);
  const Exported exported = model.write(form, "out");
  CHECK(exported.files == 5);
  const Imported imported = model.read("out");
  CHECK(imported.version == 1);
  CHECK(imported.notices.empty());
  const store::ModelVersion before = model.version(), after = *model.other().version("copy", 1);
  REQUIRE(after.files.size() == before.files.size());
  for (std::size_t i = 0; i < after.files.size(); ++i) {
    CHECK(after.files[i].path == before.files[i].path);
    CHECK(after.files[i].sha256 == before.files[i].sha256);
  }
  CHECK(after.study.empty());
  CHECK(after.value == 0.25);
  CHECK(after.objective.metric == "mAP");
  CHECK(after.lineage.at("parent_weights") == before.lineage.at("parent_weights"));
  const Json& origin = after.lineage.at("imported");
  CHECK(origin.at("model") == "m");
  CHECK(origin.at("study") == "s");
  CHECK(origin.at("trial") == 1);
  CHECK(origin.contains("sha256") == (form == ExportForm::kTarGz));
  CHECK(model.other().alias("copy", "current") == 0);
  CHECK(after.approval == store::Approval::kPending);
  CHECK(fs::is_empty(staging_folder(models_folder(model.path("other")))));
  CHECK(model.read("out").version == 2);
}

TEST_CASE("an archive depends on the version alone, and a folder holds the same") {
  const OneVersion model;
  const Exported first = model.write(ExportForm::kTarGz, "a.tar.gz"),
                 second = model.write(ExportForm::kTarGz, "b.tar.gz");
  CHECK(first.sha256 == second.sha256);
  CHECK(first.sha256 == sha256_of_file(model.path("b.tar.gz")));
  model.write(ExportForm::kFolder, "folder/");
  fs::create_directory(model.path("unpacked"));
  archive::unpack_tar(model.path("a.tar.gz"), model.path("unpacked"));
  for (const auto& entry : fs::recursive_directory_iterator(model.path("unpacked")))
    if (entry.is_regular_file())
      CHECK(sha256_of_file(entry.path()) ==
            sha256_of_file(model.path("folder") / entry.path().lexically_relative(model.path("unpacked"))));
  CHECK(failure_of([&] { model.write(ExportForm::kTarGz, "a.tar.gz"); }).code == ExitCode::kConflict);
  CHECK(failure_of([&] { model.write(ExportForm::kFolder, "folder"); }).code == ExitCode::kConflict);
}

TEST_CASE("the card has the front matter of a model hub, and shows whatever a name holds") {
  const OneVersion model;
  store::ModelVersion version = model.version();
  version.lineage["parameters"]["<script>|`x`"] = "a\nb";
  const std::string card = model_card(version, model.path("models/m/versions/1"));
  CHECK(card.starts_with(
      "---\nlibrary_name: tune\npipeline_tag: \"image-classification\"\ntags:\n- tune\n- "
      "\"resnet18\"\nmodel-index:\n- name: \"m\"\n  results:\n  - task:\n      type: "
      "\"image-classification\"\n    dataset:\n      name: \"s\"\n      type: \"s\"\n    "
      "metrics:\n    - type: \"mAP\"\n      value: 0.25\n      name: \"mAP\"\n    - type: "
      "\"validation:accuracy\"\n      value: 0.75\n      name: \"validation:accuracy\"\n---\n"));
  CHECK(card.find("| &lt;script>\\|\\`x\\` | a b |") != std::string::npos);
  CHECK(card.find("| weights | 3 | ba7816bf") != std::string::npos);
  CHECK(card.find("| began with | r18.pth |") != std::string::npos);
}

TEST_CASE("the card of a low-rank adapter names its base, and how Python puts it on") {
  const OneVersion model;
  const fs::path folder = model.path("models/m/versions/1");
  const auto [base, name] =
      GENERATE(std::pair<const char*, const char*>("owner/small-chat", "\"owner/small-chat\""),
               std::pair<const char*, const char*>("/home/ada/models/small-chat/", "\"small-chat\""),
               std::pair<const char*, const char*>("../small-chat", "\"small-chat\""));
  std::ofstream(folder / "adapter_config.json") << Json{{"base_model_name_or_path", base}};
  const std::string card = model_card(model.version(), folder);
  CAPTURE(card);
  CHECK(card.find("\nbase_model: " + std::string(name) + "\nbase_model_relation: adapter\n") !=
        std::string::npos);
  CHECK(card.find("peft.PeftModel.from_pretrained(model, FOLDER)") != std::string::npos);
}

TEST_CASE("a version that is damaged does not go out, and nothing is left of it") {
  const OneVersion model;
  std::ofstream(model.path("models/m/versions/1/weights")) << "abd";
  for (const ExportForm form : {ExportForm::kTarGz, ExportForm::kFolder}) {
    const Failure failure = failure_of([&] { model.write(form, "out"); });
    CHECK(failure.code == ExitCode::kEnvironment);
    CHECK(failure.message.find("weights is not what was recorded") != std::string::npos);
  }
  for (const auto& entry : fs::directory_iterator(model.path("")))
    CHECK(entry.path().filename().string().find("out") == std::string::npos);
}

TEST_CASE("an export that was changed on its way is refused, and leaves nothing") {
  const OneVersion model;
  const auto change = GENERATE(std::pair("echo more >> weights", "\"weights\" is not what was exported"),
                               std::pair("rm weights", "\"weights\" is missing"),
                               std::pair("echo x > surplus", "\"surplus\" is not in tune-version.json"),
                               std::pair("echo '{}' > tune-version.json", "tune-version.json is damaged"),
                               std::pair("echo '[' > tune-version.json", "it is not JSON"));
  model.write(ExportForm::kFolder, "out");
  REQUIRE(run_shell(change.first, model.path("out")).exit_code == 0);
  const Failure failure = failure_of([&] { model.read("out"); });
  CAPTURE(change.first, failure.message);
  CHECK(failure.code == ExitCode::kBadData);
  CHECK(failure.message.find(change.second) != std::string::npos);
  CHECK(failure.message.find("staging") == std::string::npos);
  CHECK(fs::is_empty(staging_folder(models_folder(model.path("other")))));
  CHECK(model.other().models().empty());
  CHECK_FALSE(fs::exists(model.path("other/models/copy")));
}

TEST_CASE("a damaged manifest is told by where the model lies, in a folder or an archive") {
  const OneVersion model;
  const char* damage = GENERATE("{}", "[");
  model.write(ExportForm::kFolder, "out");
  std::ofstream(model.path("out/tune-version.json")) << damage;
  REQUIRE(run_shell("tar cf out.tar out", model.path("")).exit_code == 0);
  const auto names = [&](const std::string& source, const std::string& file) {
    const std::string message = failure_of([&] { model.read(source); }).message;
    CAPTURE(message);
    CHECK(message.find(model.path(file).string()) != std::string::npos);
  };
  names("out", "out/tune-version.json");
  names("out.tar", "out.tar/out/tune-version.json");
}

TEST_CASE("a model of another program becomes a version without a value") {
  const OneVersion model;
  REQUIRE(
      run_shell("mkdir -p theirs/net && echo w > theirs/net/weights.pt && echo '{\"metrics\": {\"a\": 1}}' > "
                "theirs/net/model.json && tar czf theirs.tar.gz theirs",
                model.path(""))
          .exit_code == 0);
  const Imported imported = model.read("theirs.tar.gz");
  REQUIRE(imported.notices.size() == 2);
  CHECK(imported.notices[0].find("the folder \"theirs\"") != std::string::npos);
  CHECK(imported.notices[1].find("can run code when it is loaded") != std::string::npos);
  const store::ModelVersion version = *model.other().version("copy", 1);
  CHECK(version.files.at(0).path == "net/model.json");
  CHECK(version.objective.metric.empty());
  CHECK(std::isnan(version.value));
  CHECK(set_alias({model.path("other"), "copy", "current"}, {"copy", 1, ""}) == 1);
  // A trial's value cannot be held against it; a person can choose the trial.
  PromotableStudy study(model.path("other"), "t", {0.5});
  const auto refused = promote_trial(study.store(), {model.path("other"), "copy", std::nullopt});
  CHECK(refused.reason == "version 1 was brought along without a value, and cannot be compared with mAP 0.5");
  CHECK(promote_trial(study.store(), {model.path("other"), "copy", 1}).version == 2);
}

TEST_CASE("folders with links, archives that are none and names that are none are refused") {
  const OneVersion model;
  REQUIRE(run_shell("mkdir links empty && ln -s /etc/passwd links/a && echo x > text", model.path(""))
              .exit_code == 0);
  CHECK(failure_of([&] { model.read("links"); }).message.find("which is a link") != std::string::npos);
  CHECK(failure_of([&] { model.read("empty"); }).code == ExitCode::kBadData);
  CHECK(failure_of([&] { model.read("text"); }).code == ExitCode::kBadData);
  CHECK(failure_of([&] { model.read("none"); }).code == ExitCode::kNotFound);
  CHECK(failure_of([&] { model.read("text", "../m"); }).code == ExitCode::kUsage);
  CHECK(fs::is_empty(staging_folder(models_folder(model.path("other")))));
}

TEST_CASE("files whose names no manifest can hold neither come in nor go out") {
  const OneVersion model;
  const std::string name = "a\xff";
  fs::create_directory(model.path("latin"));
  std::ofstream(model.path("latin") / name) << "x";
  const Failure brought = failure_of([&] { model.read("latin"); });
  CHECK(brought.code == ExitCode::kBadData);
  CHECK(brought.message.find("cannot import the file \"a") != std::string::npos);
  CHECK(brought.message.find("\", whose name is no UTF-8") != std::string::npos);
  CHECK(fs::is_empty(staging_folder(models_folder(model.path("other")))));
  PromotableStudy study(model.path("third"), "t", {0.5});
  std::ofstream(study.output(1) / name) << "x";
  const store::PromotionDecision refused = promote_trial(study.store(), {model.path("third"), "m", 1});
  CHECK_FALSE(refused.promoted);
  CHECK(refused.reason.find("whose name is no UTF-8") != std::string::npos);
  store::ModelVersion known = model.version();
  known.version = 2;
  known.files = {{name, 1, sha256_of_file(model.path("latin") / name)}};
  store::ModelRegistry(registry_file(models_folder(model.path(""))), store::OpenMode::kCreate)
      .insert_version(known);
  const Failure kept = failure_of([&] {
    export_model({model.path(""), {"m", 2, ""}, ExportForm::kTarGz, model.path("out.tar.gz")});
  });
  CHECK(kept.code == ExitCode::kConflict);
  CHECK(kept.message.find("whose name is no UTF-8") != std::string::npos);
  CHECK_FALSE(fs::exists(model.path("out.tar.gz")));
}

TEST_CASE("versions descend from those whose weights they began with") {
  ScratchFolder folder;
  PromotableStudy study(folder.path(), "s", {0.1, 0.2, 0.3, 0.4});
  const auto begin_with = [&](int trial, const std::string& weights) {
    std::ofstream(study.output(trial) / "weights") << "weights of " << trial;
    std::ofstream(study.output(trial) / "model.json") << R"({"initial_weights": )" << weights << "}";
    promote_trial(study.store(), {folder.path(), "m", trial});
  };
  const fs::path models = folder.path() / "models";
  begin_with(1, "null");
  begin_with(
      2, R"({"path": "elsewhere", "sha256": ")" + sha256_of_file(models / "m/versions/1/weights") + "\"}");
  begin_with(3, '"' + (models / "m/versions/2/weights").string() + '"');
  begin_with(4, R"({"path": "elsewhere", "sha256": "00"})");
  const store::ModelRegistry registry(models / "registry.db", store::OpenMode::kRead);
  const auto family = [&](int version) {
    return family_of(registry, models, *registry.version("m", version));
  };
  CHECK(family(3).ancestors == std::vector<VersionName>{{"m", 2}, {"m", 1}});
  CHECK(family(1).descendants == std::vector<VersionName>{{"m", 2}});
  CHECK(family(2).descendants == std::vector<VersionName>{{"m", 3}});
  CHECK(family(4).ancestors.empty());
  CHECK(family(4).descendants.empty());
}

}  // namespace
}  // namespace tune::tests
