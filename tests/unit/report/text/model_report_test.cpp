#include "tuner/report/text/model_report.h"

#include "support/catch.h"
#include "unit/store/store_fixture.h"

namespace tune::report {
namespace {

using store::study_row;

TEST_CASE("a model shows its versions, where the current one comes from, and why it became current",
          "[report]") {
  store::ModelVersion version;
  version.model = "steel";
  version.version = 1;
  version.created = store::at(0);
  version.study = "steel-legacy";
  version.trial = 2;
  version.objective = study_row().objective;
  version.value = 0.4125;
  version.lineage = {{"data", "5fa1"},
                     {"fixed", {{"epochs", 8}, {"of", {{"warmup", 0.3333333333}}}}},
                     {"overrides", Json::object()},
                     {"parent_weights", nullptr},
                     {"run", {{"tune", "0.1.0"}}}};
  version.files = {{"weights.safetensors", 23'500'000, "aa"}};
  const ModelRows rows{"steel",
                       1,
                       {version},
                       {{"champion", 1}, {"current", 1}},
                       {{"steel", 0, 1, "the first version", Json::object(), store::at(1)}},
                       {{"steel", 1, store::RemarkKind::kNote, "of the new line", "ada@host", store::at(2)}}};
  CHECK(
      model_text(rows, "/store/models/steel/current", 0) ==
      "steel\n"
      "  current: version 1, /store/models/steel/current\n"
      "\n"
      "Versions:\n"
      "version  aliases            approval  metric           value  trial           created (UTC)        "
      "size\n"
      "      1  champion, current  pending   validation:mAP  0.4125  steel-legacy/2  2023-11-14 22:13  23.5 "
      "MB\n"
      "\n"
      "Where version 1 comes from:\n"
      "  data: 5fa1\n"
      "  fixed: epochs=8 of.warmup=0.333333\n"
      "\n"
      "Promotions (UTC):\n"
      "  2023-11-14 22:13  none -> 1  the first version\n");
  const Json json = models_json({rows});
  CHECK(json.at("models").at(0).at("versions").at(0).at("files").at(0).at("bytes") == 23'500'000);
  CHECK(json.at("models").at(0).at("promotions").at(0).at("from").is_null());
  CHECK(json.at("models").at(0).at("aliases") == Json{{"champion", 1}, {"current", 1}});
  CHECK(version_text(rows, version, "/store/models/steel/versions/1", 0) ==
        "steel version 1\n"
        "  aliases: champion, current\n"
        "  approval: pending\n"
        "  made of: steel-legacy/2, 2023-11-14 22:13 (UTC)\n"
        "  validation:mAP: 0.4125\n"
        "  folder: /store/models/steel/versions/1\n"
        "\n"
        "What was said of it (UTC):\n"
        "  2023-11-14 22:13  note: of the new line  (ada@host)\n"
        "\n"
        "Promotions (UTC):\n"
        "  2023-11-14 22:13  none -> 1  the first version\n"
        "\n"
        "Where it comes from:\n"
        "  data: 5fa1\n"
        "  fixed: epochs=8 of.warmup=0.333333\n"
        "\n"
        "Files:\n"
        "file                    size  SHA-256\n"
        "weights.safetensors  23.5 MB  aa\n");
}

}  // namespace
}  // namespace tune::report
