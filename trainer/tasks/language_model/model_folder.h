#pragma once
// A language model to use: as promoted, as Hugging Face and PEFT lay models and adapters out, or a .gguf
// file.
#include <filesystem>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/nn/decoder.h"
#include "trainer/tasks/language_model/adapter.h"
#include "trainer/tasks/language_model/base_model.h"
#include "trainer/tasks/language_model/data/token_sequences.h"

namespace tune::trainer::language_model {

struct OpenedModel {
  std::shared_ptr<const BaseModel> base;
  nn::Decoder decoder{nullptr};  // in evaluation mode, on the CPU, in fp32 or as the file packs it
  std::optional<LoraSettings> lora;
  std::filesystem::path adapter;  // the folder; "" without one
  std::string adapter_name;       // under which it lies on the decoder
  std::int64_t max_length = 0;    // that it was trained with; 0 where nobody says

  // `name` is what errors call it; its base's path without.
  ExampleTokens tokens(const std::string& name = "") const;
};

// Whether it looks like one that other programs made: a .gguf file, an adapter, or a Hugging Face folder of a
// kind that is computed here.
bool is_model(const std::filesystem::path& path);

// `base` takes the place of what an adapter's folder names; "" without. Throws Error(kNotFound),
// Error(kBadData) for an adapter of another base too: where the folder is a promoted one, by the base's
// fingerprint.
OpenedModel open_model(const std::filesystem::path& folder, const std::string& base, std::ostream& notes,
                       Held held = Held::kAsInFile);

// Puts one more adapter onto an opened model, under a name of its own, so that they take turns on one base.
// Throws Error(kBadData) as open_model() does, and for an adapter that trained weights of the base itself
// (modules_to_save, bias), since others would then see them.
void add_adapter_folder(OpenedModel& model, const std::string& name, const std::filesystem::path& folder);

// The options --model, --base and --threads of commands that use a model, and the model that they name.
std::vector<loop::Option> model_options();
OpenedModel asked_model(const loop::Request& request);

}  // namespace tune::trainer::language_model
