// `tune-train export`: a language model for other programs, with its adapter merged in.
#include <filesystem>

#include "trainer/tasks/language_model/model_folder.h"
#include "trainer/tasks/language_model/offers.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"

namespace fs = std::filesystem;

namespace tune::trainer::language_model {
namespace {

struct TypeName {
  const char* name;
  weights::GgufType type;
};
constexpr TypeName kTypes[] = {{"f16", weights::GgufType::kF16},
                               {"f32", weights::GgufType::kF32},
                               {"bf16", weights::GgufType::kBF16},
                               {"q8_0", weights::GgufType::kQ8_0}};

weights::GgufType type_of(const std::string& name) {
  std::string known;
  for (const TypeName& row : kTypes) {
    if (lower_case(name) == row.name) return row.type;
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  throw Error(ExitCode::kUsage, "--type is \"" + name + "\"", "one of " + known);
}

loop::Answer answer_export(const loop::Request& request) {
  const fs::path output = request.text("output");
  const bool gguf = lower_case(output.extension().string()) == ".gguf";
  const weights::GgufType type = type_of(request.has("type") ? request.text("type") : "f16");
  if (!gguf && request.has("type"))
    throw Error(ExitCode::kUsage, "--type is for .gguf files",
                "a folder has the weights as the base has them");
  OpenedModel model = asked_model(request);
  weights::TensorMap tensors = read_base_tensors(*model.base);
  if (model.lora)
    merge_adapter(tensors, weights::state_dict(*model.decoder), model.adapter_name, *model.lora);
  if (gguf) {
    write_gguf_file(output, *model.base, std::move(tensors), type);
  } else {
    fs::create_directories(output);
    write_model_folder(output, *model.base, tensors);
  }
  return {{{"schema", 1},
           {"output", output.string()},
           {"format", gguf ? "gguf" : "huggingface"},
           {"merged", model.lora.has_value()}},
          "exported: " + output.string() + "\n"};
}

}  // namespace

loop::Offer export_offer() {
  std::vector<loop::Option> options = model_options();
  options.push_back({"output", "PATH", "a .gguf file, or a folder for Hugging Face's libraries", true});
  options.push_back({"type", "TYPE", "of matrices in a .gguf file: f16 (without it), f32, bf16 or q8_0"});
  return {"export", options, answer_export, false, "what was written"};
}

}  // namespace tune::trainer::language_model
