#include "trainer/tasks/language_model/model_folder.h"

#include <algorithm>
#include <fstream>

#include "trainer/weights/initial_weights.h"
#include "tuner/core/error.h"

namespace fs = std::filesystem;

namespace tune::trainer::language_model {
namespace {

constexpr const char* kUsedAdapter = "default";

// model.json of a promoted folder; null where there is none.
Json description_of(const fs::path& folder) {
  std::error_code ignored;  // what cannot be looked at is not there
  const fs::path file = folder / "model.json";
  if (!fs::exists(file, ignored)) return {};
  Json json = weights::read_model_json(file);
  if (!json.is_object() || json.value("task", Json()) != "language_model")
    throw Error(ExitCode::kBadData, file.string() + ": not a language model's",
                "name a folder that `tune promote` or a trial of the task language_model has made");
  return json;
}

std::string text_in(const Json& json, const char* part, const char* key) {
  const Json value = json.is_object() && json.contains(part) && json[part].is_object()
                         ? json[part].value(key, Json())
                         : Json();
  return value.is_string() ? value.get<std::string>() : "";
}

}  // namespace

ExampleTokens OpenedModel::tokens() const {
  return {base->tokenizer, base->ends.empty() ? std::nullopt : std::optional(base->ends.front()),
          base->path.string()};
}

bool is_model(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is none
  if (fs::is_regular_file(path, ignored)) {
    std::string first(4, '\0');
    std::ifstream(path, std::ios::binary).read(first.data(), static_cast<std::streamsize>(first.size()));
    return weights::is_gguf(first);
  }
  if (is_adapter_folder(path)) return true;
  const fs::path config = path / "config.json";
  if (!fs::exists(config, ignored)) return false;
  const Json json = weights::read_model_json(config);
  const Json type = json.is_object() ? json.value("model_type", Json()) : Json();
  return std::any_of(families().begin(), families().end(),
                     [&](const Family& family) { return type == family.name; });
}

OpenedModel open_model(const fs::path& folder, const std::string& base, std::ostream& notes) {
  OpenedModel model;
  const Json description = description_of(folder);
  fs::path place = folder;
  if (is_adapter_folder(folder)) {
    const std::string named = read_adapter_config(folder).base;
    place = base.empty() ? named : base;
    std::error_code ignored;
    if (place.empty() || !fs::exists(place, ignored))
      throw Error(ExitCode::kNotFound,
                  folder.string() + ": an adapter of \"" + place.string() + "\", which is not there",
                  "name its base with --base");
    model.adapter = folder;
  } else if (!base.empty()) {
    throw Error(ExitCode::kUsage, "--base is given, yet " + folder.string() + " is a whole model",
                "leave --base out");
  }
  model.base = std::make_shared<BaseModel>(open_base(place, notes));
  const std::string wanted = text_in(description, "base", "fingerprint");
  if (!model.adapter.empty() && !wanted.empty() && wanted != model.base->fingerprint)
    throw Error(ExitCode::kBadData,
                folder.string() + ": an adapter of another base than " + place.string() +
                    ": it was trained on one with the fingerprint " + wanted + ", and this one has " +
                    model.base->fingerprint,
                "name the base that it was trained on with --base");
  model.decoder = load_decoder(*model.base, at::kFloat, Held::kAsInFile);
  if (!model.adapter.empty()) {
    model.lora = load_adapter(model.decoder, kUsedAdapter, folder, place.string());
    model.adapter_name = kUsedAdapter;
  }
  model.decoder->eval();
  if (description.is_object() && description.value("max_length", Json()).is_number_integer())
    model.max_length = description["max_length"];
  return model;
}

std::vector<loop::Option> model_options() {
  return {{"model", "MODEL", "folder of a model or an adapter, or a .gguf file", true},
          {"base", "BASE", "what an adapter was trained on, where it does not lie where its folder says"},
          {"threads", "N", "of the CPU; all cores by default"}};
}

OpenedModel asked_model(const loop::Request& request) {
  return open_model(request.text("model"), request.has("base") ? request.text("base") : "", request.notes);
}

}  // namespace tune::trainer::language_model
