#include "trainer/tasks/language_model/base_model.h"

#include <algorithm>
#include <fstream>
#include <ostream>
#include <set>
#include <sstream>

#include "trainer/tasks/language_model/gguf_names.h"
#include "trainer/tasks/language_model/gguf_tokenizer.h"
#include "trainer/text/gguf_vocabulary.h"
#include "trainer/weights/dtype_name.h"
#include "trainer/weights/file_reader.h"
#include "trainer/weights/initial_weights.h"
#include "trainer/weights/model_tensors.h"
#include "trainer/weights/state_dict.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/sha256.h"

namespace fs = std::filesystem;

namespace tune::trainer::language_model {
namespace {

constexpr const char *kConfig = "config.json", *kGeneration = "generation_config.json",
                     *kTable = "model.embed_tokens.weight";
constexpr std::uint64_t kPrintedBytes = 1 << 20;  // of each end of a file

bool is_there(const fs::path& path) {
  std::error_code ignored;  // what cannot be looked at is said where it is opened
  return fs::exists(path, ignored);
}

// Weights are gigabytes: their ends and their sizes tell models apart as well.
void add_ends(Sha256& hash, const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::error_code ignored;
  const std::uint64_t size = fs::file_size(file, ignored);
  hash.add(std::to_string(size) + "\n");
  std::string piece(std::min(size, kPrintedBytes), '\0');
  in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
  hash.add(piece);
  if (size <= kPrintedBytes) return;
  in.seekg(static_cast<std::streamoff>(size - piece.size()));
  in.read(piece.data(), static_cast<std::streamsize>(piece.size()));
  hash.add(piece);
}

void add_end_tokens(const Json& ids, std::vector<std::int64_t>& ends) {
  const auto add = [&](const Json& id) {
    if (id.is_number_integer() && std::find(ends.begin(), ends.end(), id.get<std::int64_t>()) == ends.end())
      ends.push_back(id);
  };
  if (ids.is_array())
    for (const Json& id : ids) add(id);
  else
    add(ids);
}

std::vector<std::int64_t> end_tokens(const Json& config, const Json& generation,
                                     const text::Tokenizer& tokenizer) {
  std::vector<std::int64_t> ends;
  for (const Json* json : {&generation, &config})
    if (json->is_object() && json->contains("eos_token_id")) add_end_tokens((*json)["eos_token_id"], ends);
  if (tokenizer.specials().end) add_end_tokens(*tokenizer.specials().end, ends);
  // Turns of chats end by a token of their own, where the template has one.
  for (const char* token : {"<|im_end|>", "<|eot_id|>", "<end_of_turn>"})
    if (tokenizer.chat_template().find(token) != std::string::npos)
      if (const auto id = tokenizer.id_of(token)) add_end_tokens(*id, ends);
  return ends;
}

void check_tokenizer(const BaseModel& base, std::ostream& notes) {
  const std::string warning =
      base.tokenizer.check_rows(static_cast<std::size_t>(base.shape.vocabulary), base.path.string());
  if (!warning.empty()) notes << "warning: " << warning << std::endl;
}

BaseModel open_folder(const fs::path& folder) {
  const Json config = weights::read_model_json(folder / kConfig);
  BaseModel base{.path = folder,
                 .shape = shape_from_config(config, (folder / kConfig).string()),
                 .config = OrderedJson(config),
                 .tokenizer = text::Tokenizer::open(folder)};
  base.family = &family_named(config.at("model_type"), (folder / kConfig).string());
  if (is_there(folder / kGeneration)) base.generation = weights::read_model_json(folder / kGeneration);
  base.ends = end_tokens(config, Json(base.generation), base.tokenizer);
  Sha256 hash;
  hash.add(config.dump());
  for (const fs::path& file : weights::model_tensor_files(folder)) add_ends(hash, file);
  base.fingerprint = hash.hex();
  return base;
}

std::vector<double> rope_factors_of(const fs::path& file, const weights::GgufContent& header) {
  if (!header.tensors.contains("rope_freqs.weight")) return {};
  const auto content = weights::read_gguf(file);
  const torch::Tensor factors = content.tensors.at("rope_freqs.weight").unpacked(at::kDouble).contiguous();
  return {factors.data_ptr<double>(), factors.data_ptr<double>() + factors.numel()};
}

BaseModel open_gguf(const fs::path& file) {
  const std::string place = file.string();
  const weights::GgufContent header = weights::read_gguf(file, weights::GgufPart::kHeader);
  const text::GgufVocabulary vocabulary = vocabulary_of(header.values, place);
  const text::TokenizerFiles made = text::tokenizer_files_of(vocabulary, place);
  BaseModel base{.path = file,
                 .is_gguf = true,
                 .shape = shape_from_gguf(header.values, header.tensors.contains("output.weight"),
                                          header.tensors.contains("blk.0.attn_q.bias"),
                                          rope_factors_of(file, header), place),
                 .tokenizer = text::Tokenizer::from_files(made),
                 .made = made};
  for (const Family& family : families())
    if (base.family == nullptr && header.values.at("general.architecture") == family.gguf)
      base.family = &family;
  base.config = config_from_shape(base.shape, *base.family);
  if (vocabulary.begin) base.config["bos_token_id"] = *vocabulary.begin;
  if (vocabulary.end) base.config["eos_token_id"] = *vocabulary.end;
  if (vocabulary.pad) base.config["pad_token_id"] = *vocabulary.pad;
  base.ends = end_tokens(Json(base.config), {}, base.tokenizer);
  Sha256 hash;
  add_ends(hash, file);
  base.fingerprint = hash.hex();
  return base;
}

[[noreturn]] void refuse_weights(const BaseModel& base, const std::string& what) {
  throw Error(ExitCode::kBadData,
              base.path.string() + ": its weights are not those of its " +
                  (base.is_gguf ? "values: " : "config.json: ") + what,
              "restore the files that came with the model");
}

// Old files hold what is computed (rotary_emb.inv_freq), and tied models their table twice.
bool is_left_out(const BaseModel& base, const std::string& name) {
  return name.ends_with("rotary_emb.inv_freq") || (base.shape.tied && name == "lm_head.weight");
}

// Takes tensors away that the model does not have, and throws where it has others.
void check_tensors(const BaseModel& base, weights::TensorMap& tensors) {
  std::erase_if(tensors, [&](const auto& entry) { return is_left_out(base, entry.first); });
  std::set<std::string> wanted;
  std::vector<std::string> missing, unexpected;
  for (const nn::TensorShape& tensor : nn::tensors_of(base.shape)) {
    wanted.insert(tensor.name);
    const auto found = tensors.find(tensor.name);
    if (found == tensors.end()) {
      missing.push_back(tensor.name);
      continue;
    }
    if (found->second.sizes() != c10::IntArrayRef(tensor.sizes))
      refuse_weights(base, tensor.name + " is " + weights::shape_text(found->second.sizes()) +
                               " in the file, and " + weights::shape_text(tensor.sizes) + " in the model");
    if (!weights::holds_weights(found->second.scalar_type()))
      refuse_weights(base, tensor.name + " has the dtype " +
                               weights::dtype_name(found->second.scalar_type()) +
                               ", which is not read as weights");
  }
  for (const auto& [name, tensor] : tensors)
    if (!wanted.contains(name)) unexpected.push_back(name);
  if (!missing.empty()) refuse_weights(base, "there is no " + weights::first_names(missing));
  if (!unexpected.empty()) refuse_weights(base, "the model has no " + weights::first_names(unexpected));
}

weights::TensorMap folder_tensors(const BaseModel& base) {
  weights::TensorMap tensors = weights::read_model_tensors(base.path);
  // A body that was saved alone has no prefix.
  if (!tensors.contains(kTable) && tensors.contains("embed_tokens.weight")) {
    weights::TensorMap named;
    for (auto& [name, tensor] : tensors)
      named[name.starts_with("lm_head.") ? name : "model." + name] = tensor;
    tensors = std::move(named);
  }
  return tensors;
}

}  // namespace

BaseModel open_base(const fs::path& path, std::ostream& notes) {
  std::error_code ignored;
  BaseModel base = fs::is_directory(path, ignored) ? open_folder(path) : open_gguf(path);
  check_tokenizer(base, notes);
  return base;
}

weights::TensorMap read_base_tensors(const BaseModel& base) {
  weights::TensorMap tensors;
  if (base.is_gguf) {
    const GgufNames names(base.shape, *base.family);
    for (const auto& [name, tensor] : weights::read_gguf(base.path).tensors)
      if (const auto place = names.place_of(name))
        tensors[place->name] = names.from_file(
            *place, tensor.unpacked(weights::is_quantised(tensor.type)       ? at::kHalf
                                    : tensor.type == weights::GgufType::kF32 ? at::kFloat
                                    : tensor.type == weights::GgufType::kF16 ? at::kHalf
                                                                             : at::kBFloat16));
      else if (name != "rope_freqs.weight")
        tensors[name] = torch::empty({0});  // so that it is said
  } else {
    tensors = folder_tensors(base);
  }
  check_tensors(base, tensors);
  return tensors;
}

nn::Decoder load_decoder(const BaseModel& base, at::ScalarType dtype, Held held) {
  std::map<std::string, nn::PackedWeight> packed;
  weights::TensorMap tensors;
  if (base.is_gguf) {
    const GgufNames names(base.shape, *base.family);
    for (const auto& [name, tensor] : weights::read_gguf(base.path).tensors) {
      const auto place = names.place_of(name);
      if (!place) {
        if (name != "rope_freqs.weight") refuse_weights(base, "the model has no " + name);
        continue;
      }
      const bool is_linear = place->name.find("_proj.weight") != std::string::npos;
      if (held == Held::kAsInFile && is_linear && weights::is_quantised(tensor.type)) {
        // Rows move as wholes, packed or not.
        packed[place->name] = {names.from_file(*place, tensor.bytes),
                               [type = tensor.type](const torch::Tensor& bytes, at::ScalarType to) {
                                 return weights::unpack_blocks(bytes, type, to);
                               }};
        tensors[place->name] = torch::empty(tensor.shape, at::device(at::kMeta));
      } else {
        tensors[place->name] = names.from_file(*place, tensor.unpacked(at::kFloat)).to(dtype);
      }
    }
  } else {
    tensors = folder_tensors(base);
  }
  check_tensors(base, tensors);
  nn::Decoder decoder(base.shape);
  for (auto& parameter : decoder->named_parameters()) {
    torch::Tensor& tensor = tensors.at(parameter.key());
    if (!tensor.is_meta()) parameter.value().set_data(tensor.to(dtype).contiguous());
    tensor = torch::Tensor();
  }
  for (auto& [name, layer] : decoder->linear_layers())
    if (auto found = packed.find(name + ".weight"); found != packed.end())
      layer->hold_packed(std::move(found->second));
  return decoder;
}

loop::FittedWeights fit_weights(const fs::path& file, const std::string& model) {
  loop::FittedWeights fitted{weights::list_weights(file), {}};
  weights::FitReport& report = fitted.report;
  std::ostringstream notes;
  const BaseModel base = open_base(fitted.file.format == "GGUF" ? file : file.parent_path(), notes);
  if (model != "auto" && model != base.family->name)
    throw Error(ExitCode::kBadData, file.string() + ": a " + base.family->name + ", not a " + model,
                std::string("name the model ") + base.family->name + ", or auto");
  if (!notes.str().empty()) report.remarks.push_back(notes.str().substr(0, notes.str().find('\n')));
  const GgufNames names(base.shape, *base.family);
  const bool is_body = !base.is_gguf && !fitted.file.tensors.contains(kTable) &&
                       fitted.file.tensors.contains("embed_tokens.weight");
  std::map<std::string, std::vector<std::int64_t>> found;
  for (const auto& [name, tensor] : fitted.file.tensors) {
    std::string own = is_body && !name.starts_with("lm_head.") ? "model." + name : name;
    if (base.is_gguf) {
      const auto place = names.place_of(name);
      if (!place) {
        if (name != "rope_freqs.weight") report.unexpected.push_back(name);
        continue;
      }
      own = place->name;
    }
    if (is_left_out(base, own))
      report.remarks.push_back("not used: " + name);
    else
      found[own] = tensor.sizes().vec();
  }
  std::int64_t fits = 0, all = 0;
  for (const nn::TensorShape& wanted : nn::tensors_of(base.shape)) {
    const auto tensor = found.find(wanted.name);
    const std::int64_t numbers = c10::multiply_integers(wanted.sizes);
    all += numbers;
    if (tensor == found.end()) {
      report.missing.push_back(wanted.name);
    } else if (tensor->second != wanted.sizes) {
      report.mismatched.push_back({wanted.name, tensor->second, wanted.sizes});
    } else {
      report.loaded.push_back(wanted.name);
      fits += numbers;
    }
    if (tensor != found.end()) found.erase(tensor);
  }
  for (const auto& [name, shape] : found) report.unexpected.push_back(name);
  report.share = static_cast<double>(fits) / static_cast<double>(all);
  if (!report.missing.empty() || !report.mismatched.empty() || !report.unexpected.empty())
    report.refusal = std::string("its tensors are not all those of ") +
                     (base.is_gguf ? "its values" : "the config.json beside it") + ", and no others";
  return fitted;
}

void write_tokenizer(const fs::path& folder, const BaseModel& base) {
  for (const fs::path& file : base.tokenizer.files())
    write_file_atomically(folder / file.filename(), read_file(file));
  if (!base.made.tokenizer_json.empty())
    write_file_atomically(folder / "tokenizer.json", base.made.tokenizer_json);
  if (!base.made.config_json.empty())
    write_file_atomically(folder / "tokenizer_config.json", base.made.config_json);
}

void write_model_folder(const fs::path& folder, const BaseModel& base, const weights::TensorMap& tensors) {
  OrderedJson config = base.config;
  config.erase("torch_dtype");
  config["dtype"] = weights::dtype_name(tensors.at(kTable).scalar_type());
  if (tensors.contains("lm_head.weight")) config["tie_word_embeddings"] = false;
  weights::write_safetensors(folder / weights::kHuggingFaceFile, tensors, {{"format", "pt"}});
  write_file_atomically(folder / kConfig, config.dump(2) + "\n");
  if (!base.generation.is_null()) write_file_atomically(folder / kGeneration, base.generation.dump(2) + "\n");
  write_tokenizer(folder, base);
}

void write_gguf_file(const fs::path& file, const BaseModel& base, weights::TensorMap tensors,
                     weights::GgufType type) {
  nn::DecoderShape shape = base.shape;
  shape.tied = !tensors.contains("lm_head.weight");
  auto values = gguf_values_of(shape, *base.family, base.path.stem().string());
  for (auto& value :
       gguf_values_of_tokenizer(base.tokenizer, base.made, shape.vocabulary, base.path.string()))
    values.push_back(std::move(value));
  const GgufNames names(shape, *base.family);
  std::vector<weights::GgufOutput> outputs;
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor numbers = names.to_file(name, tensor);
    const auto block = weights::gguf_block(static_cast<std::uint32_t>(type))->numbers;
    const bool packs = numbers.dim() > 1 && numbers.size(1) % block == 0;
    outputs.push_back({names.in_file(name),
                       packs               ? type
                       : numbers.dim() > 1 ? weights::GgufType::kF16
                                           : weights::GgufType::kF32,
                       numbers});
  }
  if (const torch::Tensor factors = names.rope_factors(); factors.defined())
    outputs.push_back({"rope_freqs.weight", weights::GgufType::kF32, factors});
  weights::write_gguf(file, values, outputs);
}

}  // namespace tune::trainer::language_model
