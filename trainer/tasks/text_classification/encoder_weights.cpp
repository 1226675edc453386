#include "trainer/tasks/text_classification/encoder_weights.h"

#include <algorithm>
#include <ostream>

#include "trainer/weights/initial_weights.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/error.h"

namespace tune::trainer::text_classification {
namespace {

namespace fs = std::filesystem;

// Heads of pretraining of the three families, in transformers and in the first BERT files.
constexpr const char* kOtherHeads[]{
    "cls.", "lm_head.", "vocab_transform.", "vocab_layer_norm.", "vocab_projector.", "qa_outputs."};

// Of an encoder, by their names without prefix.
constexpr const char* kParts[]{"embeddings.", "encoder.", "transformer.", "pooler."};

bool is_left_out(const std::string& name) {
  return name.ends_with("position_ids") || name.ends_with("embeddings.token_type_ids") ||
         std::any_of(std::begin(kOtherHeads), std::end(kOtherHeads),
                     [&](const char* head) { return name.starts_with(head); });
}

std::string renamed(std::string name) {
  for (const auto& [old_end, end] : {std::pair{".gamma", ".weight"}, {".beta", ".bias"}})
    if (name.ends_with(old_end)) return name.substr(0, name.size() - std::string(old_end).size()) + end;
  return name;
}

bool is_body(const nn::TextEncoder& network, const std::string& name) {
  const nn::Stages stages = network.stages();
  return name.starts_with(network.prefix()) &&
         std::none_of(stages.head.begin(), stages.head.end(),
                      [&](const std::string& head) { return name.starts_with(head); });
}

// Why a training does not start from the file; "" where it does.
std::string refusal_of(const nn::TextEncoder& network, const weights::LoadReport& report) {
  for (const weights::Mismatch& mismatch : report.mismatched)
    if (is_body(network, mismatch.name))
      return mismatch.name + " is " + weights::shape_text(mismatch.in_file) +
             " in the file, and config.json asks for " + weights::shape_text(mismatch.in_model);
  const auto first_of_body = [&](const std::vector<std::string>& names) {
    return std::find_if(names.begin(), names.end(),
                        [&](const std::string& name) { return is_body(network, name); });
  };
  if (const auto missing = first_of_body(report.missing); missing != report.missing.end())
    return "the file has no " + *missing + ", for which config.json asks";
  if (const auto more = first_of_body(report.unexpected); more != report.unexpected.end())
    return "the file has " + *more + ", for which config.json has no place";
  return "";
}

std::int64_t rows_of_head(const nn::TextEncoder& network, const weights::TensorMap& tensors) {
  const auto found = tensors.find(network.classes_prefix() + "weight");
  return found != tensors.end() && found->second.dim() == 2 ? found->second.size(0) : 0;
}

// A training that diverged leaves such, and one that begins with them says so after its first step only.
void refuse_non_finite(const weights::TensorMap& tensors, const fs::path& file) {
  for (const auto& [name, tensor] : tensors)
    if (tensor.is_floating_point() && !tensor.isfinite().all().item<bool>())
      throw Error(ExitCode::kBadData, file.string() + ": " + name + " holds what is no finite number",
                  "Copy or download the file again, or give the weights of a training that did not diverge.");
}

// Copies what fits.
weights::FitReport load(nn::TextEncoder& network, const weights::WeightFile& content, const fs::path& file) {
  const weights::TensorMap own = weights::state_dict(network);
  weights::refuse_other_dtypes(content, own, "", file);
  refuse_non_finite(content.tensors, file);
  weights::FitReport report;
  static_cast<weights::LoadReport&>(report) = weights::load_state_dict(network, content.tensors);
  std::int64_t fit = 0, all = 0;
  for (const auto& [name, tensor] : own)
    if (is_body(network, name)) all += tensor.numel();
  for (const std::string& name : report.loaded)
    if (is_body(network, name)) fit += own.at(name).numel();
  report.share = static_cast<double>(fit) / static_cast<double>(all);
  report.refusal = refusal_of(network, report);
  return report;
}

}  // namespace

NamedWeights named_weights(const nn::TextEncoder& network, weights::TensorMap tensors) {
  NamedWeights named;
  for (auto& [in_file, tensor] : tensors) {
    std::string name = renamed(in_file);
    if (is_left_out(name)) {
      named.left_out.push_back(in_file);
      continue;
    }
    // An encoder that was saved alone; one with more layers than config.json says too.
    const bool is_alone = std::any_of(std::begin(kParts), std::end(kParts),
                                      [&](const char* part) { return name.starts_with(part); });
    if (is_alone) name = network.prefix() + name;
    named.tensors[name] = std::move(tensor);
  }
  return named;
}

void initialise_from(nn::TextEncoder& network, const EncoderConfig& config, const fs::path& file,
                     const classification::ClassSet& labels, classification::HeadPolicy policy,
                     std::ostream& notes) {
  weights::WeightFile content = weights::read_weights(file);
  NamedWeights named = named_weights(network, std::move(content.tensors));
  content.tensors = std::move(named.tensors);
  classification::OfferedHead offer{static_cast<std::size_t>(rows_of_head(network, content.tensors))};
  if (!config.classes.empty()) offer.classes = config.classes;
  offer.multi_label = config.multi_label;
  const classification::HeadChoice head = classification::choose_head(offer, labels, policy, file);
  const std::string last = network.classes_prefix();
  if (!head.kept)
    std::erase_if(content.tensors, [&](const auto& entry) { return entry.first.starts_with(last); });
  weights::FitReport report = load(network, content, file);
  if (!report.refusal.empty())
    throw Error(ExitCode::kBadData, file.string() + ": " + report.refusal,
                "give the config.json that came with these weights, or the weights that came with it");
  if (!head.kept)
    std::erase_if(report.missing, [&](const std::string& name) { return name.starts_with(last); });
  notes << "weights: " << report.loaded.size() << " tensors of " << file.string() << std::endl;
  if (!report.missing.empty())
    notes << "weights: layers of the head that the file lacks are made anew: "
          << weights::first_names(report.missing) << std::endl;
  if (!report.unexpected.empty())
    notes << "weights: not used: " << weights::first_names(report.unexpected) << std::endl;
  notes << "weights: the layer for the classes is " << (head.kept ? "kept" : "initialised anew") << ": "
        << head.reason << std::endl;
}

loop::FittedWeights fit_weights(const fs::path& file, const std::string& model) {
  const EncoderConfig config = read_encoder_config(file.parent_path() / kConfigFile);
  if (config.family != model)
    throw Error(ExitCode::kBadData,
                file.string() + ": the config.json beside it is of " + config.family + ", not of " + model,
                "name the model " + config.family);
  weights::WeightFile content = weights::read_weights(file), whole = content;
  const nn::TextEncoder any(config.layout, 1);
  NamedWeights named = named_weights(any, std::move(content.tensors));
  content.tensors = std::move(named.tensors);
  const std::int64_t rows = rows_of_head(any, content.tensors);
  nn::TextEncoder network(config.layout, std::max<std::int64_t>(rows, 1));
  weights::FitReport report = load(network, content, file);
  if (!named.left_out.empty()) report.remarks.push_back("not used: " + weights::first_names(named.left_out));
  if (rows == 0) report.remarks.emplace_back("the file has no layer for classes: a training makes one");
  return {std::move(whole), std::move(report)};
}

}  // namespace tune::trainer::text_classification
