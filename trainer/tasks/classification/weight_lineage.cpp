#include "trainer/tasks/classification/weight_lineage.h"

#include "trainer/weights/initial_weights.h"
#include "tuner/core/error.h"
#include "tuner/os/sha256.h"

namespace fs = std::filesystem;

namespace tune::trainer::classification {
namespace {

// model.json grows with each, and readers follow it only so deep.
constexpr int kMostAncestors = 16;

// Absent members are null. Of what a model descended from, `left` generations stay.
Json cut_ancestors(const Json& initial, int left) {
  if (!initial.is_object()) return initial;
  Json kept = initial;
  const auto parent = kept.find("parent");
  if (parent == kept.end() || !parent->is_object()) return kept;
  if (left == 0)
    *parent = "left out: more generations than are kept";
  else if (const auto next = parent->find("initial_weights"); next != parent->end())
    *next = cut_ancestors(*next, left - 1);
  return kept;
}

Json member_or_null(const Json& object, const char* key) {
  return object.is_object() ? object.value(key, Json()) : Json();
}

}  // namespace

OrderedJson initial_weights_json(const fs::path& weights) {
  const fs::path file = weights::weights_file(weights);
  std::error_code ignored;  // reading it says what is wrong
  if (!fs::exists(file, ignored))
    throw Error(ExitCode::kNotFound, "there is no file \"" + file.string() + "\"",
                "trainer.weights names a weights file or a folder with one");
  OrderedJson json{{"path", weights.string()}, {"sha256", sha256_of_file(file)}, {"parent", nullptr}};
  const fs::path description = file.parent_path() / "model.json";
  const bool is_promoted =
      file.filename() == weights::kWeightsFile || file.filename() == weights::kHuggingFaceFile;
  if (!is_promoted || !fs::exists(description, ignored)) return json;
  const Json model = weights::read_model_json(description);
  json["parent"] = {
      {"task", member_or_null(model, "task")},
      {"model", member_or_null(model, "model")},
      {"recipe", member_or_null(model, "recipe")},
      {"data_fingerprint", member_or_null(member_or_null(model, "data"), "fingerprint")},
      {"initial_weights", cut_ancestors(member_or_null(model, "initial_weights"), kMostAncestors - 1)}};
  return json;
}

}  // namespace tune::trainer::classification
