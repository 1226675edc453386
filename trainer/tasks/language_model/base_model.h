#pragma once
// A language model on disk as others made it: a Hugging Face folder, or a .gguf file.
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/nn/decoder.h"
#include "trainer/tasks/language_model/base_shape.h"
#include "trainer/text/tokenizer.h"
#include "trainer/weights/gguf.h"
#include "trainer/weights/safetensors.h"

namespace tune::trainer::language_model {

// What is known of it before its weights are read. Immutable.
struct BaseModel {
  std::filesystem::path path = {};  // the folder or file
  bool is_gguf = false;
  const Family* family = nullptr;
  nn::DecoderShape shape = {};
  OrderedJson config = {};      // config.json, or one that says the same as the GGUF file
  OrderedJson generation = {};  // generation_config.json; null where there is none
  text::Tokenizer tokenizer;
  text::TokenizerFiles made = {};       // the tokenizer's files, out of a GGUF file
  std::vector<std::int64_t> ends = {};  // tokens that end an answer
  std::string fingerprint = {};         // SHA-256 of config, sizes and both ends of the weight files
};

// Throws Error(kNotFound) and Error(kBadData) with file, place and cure, for a tokenizer that does not belong
// to the weights too. What a person should know goes to `notes`.
BaseModel open_base(const std::filesystem::path& path, std::ostream& notes);

// How the weights of linear layers that are not trained are held.
enum class Held {
  kDense,
  kAsInFile  // packed where a GGUF file packs them
};
// The model with its weights, on the CPU, as `dtype`. Throws Error(kBadData) for weights that are not the
// shape's: names that are missing or have another shape, dtypes that hold no numbers of a model.
nn::Decoder load_decoder(const BaseModel& base, at::ScalarType dtype, Held held);

// How the weights of a .gguf file, or of a file in a Hugging Face folder, are those of its values or of the
// config.json beside it: Task::fit_weights. `model` is a family's name, or "auto". Throws as open_base()
// does.
loop::FittedWeights fit_weights(const std::filesystem::path& file, const std::string& model);

// Its weights under Hugging Face's names, as the file has them; what is packed in blocks as float16, in which
// their scales are.
weights::TensorMap read_base_tensors(const BaseModel& base);

// Writes the tokenizer's files, generation_config.json and config.json, whose dtype is that of `tensors`,
// beside model.safetensors, as Hugging Face lays a model out.
void write_model_folder(const std::filesystem::path& folder, const BaseModel& base,
                        const weights::TensorMap& tensors);
// The tokenizer's files alone.
void write_tokenizer(const std::filesystem::path& folder, const BaseModel& base);

// A GGUF file of the model; matrices as `type`, where their rows are whole blocks of it, norms as F32. Throws
// Error(kBadData) for a tokenizer that the format has no name for.
void write_gguf_file(const std::filesystem::path& file, const BaseModel& base, weights::TensorMap tensors,
                     weights::GgufType type);

}  // namespace tune::trainer::language_model
