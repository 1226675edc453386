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

// A promoted adapter remembers its base.
void check_base(const fs::path& folder, const Json& description, const BaseModel& base) {
  const std::string wanted = text_in(description, "base", "fingerprint");
  if (!wanted.empty() && wanted != base.fingerprint)
    throw Error(ExitCode::kBadData,
                folder.string() + ": an adapter of another base than " + base.path.string() +
                    ": it was trained on one with the fingerprint " + wanted + ", and this one has " +
                    base.fingerprint,
                "name the base that it was trained on with --base");
}

// Whether an adapter changes weights that are not its own.
bool changes_base(const LoraSettings& settings) {
  return !settings.saved_modules.empty() || settings.bias != "none";
}

}  // namespace

ExampleTokens OpenedModel::tokens(const std::string& name) const {
  return {base->tokenizer, base->ends.empty() ? std::nullopt : std::optional(base->ends.front()),
          name.empty() ? base->path.string() : name};
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

OpenedModel open_model(const fs::path& folder, const std::string& base, std::ostream& notes, Held held) {
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
  if (!model.adapter.empty()) check_base(folder, description, *model.base);
  model.decoder = load_decoder(*model.base, at::kFloat, held);
  if (!model.adapter.empty()) {
    model.lora = load_adapter(model.decoder, kUsedAdapter, folder, place.string());
    model.adapter_name = kUsedAdapter;
  }
  model.decoder->eval();
  if (description.is_object() && description.value("max_length", Json()).is_number_integer())
    model.max_length = description["max_length"];
  return model;
}

void add_adapter_folder(OpenedModel& model, const std::string& name, const fs::path& folder) {
  if (!is_adapter_folder(folder))
    throw Error(ExitCode::kNotFound, folder.string() + " holds no adapter: there is no " + kAdapterConfig,
                "name the folder of an adapter as tune or PEFT writes it");
  check_base(folder, description_of(folder), *model.base);
  const bool others_change = model.lora && changes_base(*model.lora);
  if (others_change || changes_base(read_adapter_config(folder).settings))
    throw Error(ExitCode::kBadData,
                (others_change ? model.adapter : folder).string() +
                    ": an adapter that trained weights of its base (modules_to_save or bias), which "
                    "adapters that share the base would see",
                "deploy it by itself, or merge it: `tune-train export`");
  load_adapter(model.decoder, name, folder, model.base->path.string());
  model.decoder->use_adapter(model.adapter_name);
  model.decoder->eval();
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
