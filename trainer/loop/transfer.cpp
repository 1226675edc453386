#include "trainer/loop/transfer.h"

#include <algorithm>
#include <cmath>

#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"

namespace tune::trainer::loop {
namespace {

bool begins_with_one_of(const std::string& name, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return name.starts_with(prefix); });
}

Freeze freeze_of(const std::string& name) {
  if (name == "features") return Freeze::kFeatures;
  return name == "partial" ? Freeze::kPartial : Freeze::kNone;
}

}  // namespace

std::vector<Hyperparameter> transfer_hyperparameters() {
  return {weighty(choice(
              "freeze", {"none", "features", "partial"},
              "what of the network keeps its weights: nothing, all but the head, or all but the head and the "
              "last train_stages stages")),
          weighty(whole("train_stages", 1, 1, 100, "linear",
                        "stages that freeze partial trains, counted from the head")),
          weighty(real(
              "gradual_unfreezing", 0, 0, 10000, "linear",
              "epochs, or parts of one, after which one more stage joins the training, which begins with the "
              "head; 0: all are trained from the beginning")),
          real("rate_decay", 1, 0.01, 1, "linear",
               "each stage nearer to the image learns at so many times the rate of the one before it"),
          real("head_rate_factor", 1, 0.01, 1000, "log", "the head learns at so many times learning_rate")};
}

Transfer make_transfer(const Hyperparameters& values) {
  Transfer transfer;
  transfer.freeze = freeze_of(values.text("freeze"));
  transfer.train_stages = values.integer("train_stages");
  transfer.unfreeze_every = values.number("gradual_unfreezing");
  transfer.rate_decay = values.number("rate_decay");
  transfer.head_rate_factor = values.number("head_rate_factor");
  const std::string freeze = "freeze is \"" + values.text("freeze") + "\", yet ";
  if (values.changed("train_stages") && transfer.freeze != Freeze::kPartial)
    throw Error(ExitCode::kBadSpec, freeze + "train_stages is " + std::to_string(transfer.train_stages),
                "train_stages goes with \"freeze\": \"partial\"; in a search, say \"when\": {\"freeze\": "
                "\"partial\"} in train_stages");
  if (transfer.freeze == Freeze::kFeatures)
    for (const char* name : {"gradual_unfreezing", "rate_decay"})
      if (values.changed(name))
        throw Error(ExitCode::kBadSpec, freeze + name + " is " + shortest(values.number(name)),
                    "both speak of stages that are trained: leave one out");
  return transfer;
}

StagedModel::StagedModel(std::shared_ptr<torch::nn::Module> model, nn::Stages stages,
                         const Transfer& transfer)
    : model_(std::move(model)),
      stages_(std::move(stages)),
      transfer_(transfer),
      parts_(stages_.body.size()),
      trained_(parts_.size() + 1) {
  const auto asked = static_cast<std::size_t>(transfer.train_stages);
  if (transfer.freeze == Freeze::kPartial && asked > parts_.size()) {
    std::string names;
    for (const nn::Stage& stage : stages_.body) names += (names.empty() ? "" : ", ") + stage.name;
    throw Error(ExitCode::kBadSpec,
                "train_stages is " + std::to_string(asked) + ", yet the network has " +
                    plural_text(parts_.size(), "stage") + " beside its head",
                "from the image on they are " + names + "; \"freeze\": \"none\" trains all");
  }
  most_ = transfer.freeze == Freeze::kNone ? parts_.size() : transfer.freeze == Freeze::kPartial ? asked : 0;
  for (const auto& parameter : model_->named_parameters()) {
    const std::size_t stage = stage_of(parameter.key());
    if (stage == parts_.size() || !parameter.value().requires_grad()) continue;
    parts_[stage].parameters.push_back(parameter.value());
    if (is_frozen(stage)) parts_[stage].parameters.back().requires_grad_(false);
  }
  for (const auto& buffer : model_->named_buffers()) stage_of(buffer.key());  // each has one
  for (const auto& child : model_->named_modules("", /*include_self=*/false))
    for (std::size_t stage = 0; stage < parts_.size(); ++stage)
      if (begins_with_one_of(child.key() + ".", stages_.body[stage].prefixes))
        parts_[stage].modules.push_back(child.value());
}

std::size_t StagedModel::stage_of(const std::string& name) const {
  std::vector<std::size_t> found;
  for (std::size_t stage = 0; stage < stages_.body.size(); ++stage)
    if (begins_with_one_of(name, stages_.body[stage].prefixes)) found.push_back(stage);
  if (begins_with_one_of(name, stages_.head)) found.push_back(stages_.body.size());
  TUNE_CHECK(found.size() == 1, "in one stage of its network: " + name);
  return found.front();
}

std::size_t StagedModel::trained_stages(double epoch) const {
  if (transfer_.unfreeze_every == 0) return most_;
  // An epoch is a sum of parts of one, and may lie a rounding below what it stands for.
  const double joined = std::floor(epoch / transfer_.unfreeze_every + 1e-9);
  return static_cast<std::size_t>(std::min(joined, static_cast<double>(most_)));
}

bool StagedModel::enter_step(double epoch) {
  const std::size_t trained = trained_stages(epoch);
  const bool is_first = trained_ > parts_.size(), changes = trained != trained_;
  trained_ = trained;
  model_->train();
  for (std::size_t stage = 0; stage < parts_.size(); ++stage) {
    const bool is_trained = stage + trained >= parts_.size();
    if (!is_trained)
      for (const auto& module : parts_[stage].modules) module->eval();
    if (changes)
      for (torch::Tensor& parameter : parts_[stage].parameters) parameter.requires_grad_(is_trained);
  }
  return changes && !is_first;
}

double StagedModel::rate_factor(std::size_t stage) const {
  if (stage == parts_.size()) return transfer_.head_rate_factor;
  return std::pow(transfer_.rate_decay, static_cast<double>(parts_.size() - stage));
}

std::vector<ParameterGroup> StagedModel::by_stage(const std::vector<ParameterGroup>& groups) const {
  std::vector<ParameterGroup> cut;
  for (const ParameterGroup& group : groups)
    for (const std::string& name : group.parameters) {
      const std::size_t stage = stage_of(name);
      if (is_frozen(stage)) continue;
      const double rate = group.rate_factor * rate_factor(stage);
      auto alike = std::find_if(cut.begin(), cut.end(), [&](const ParameterGroup& other) {
        return other.rate_factor == rate && other.weight_decay == group.weight_decay;
      });
      if (alike == cut.end()) alike = cut.insert(cut.end(), {{}, rate, group.weight_decay});
      alike->parameters.push_back(name);
    }
  return cut;
}

std::string StagedModel::to_text() const {
  if (transfer_.freeze == Freeze::kNone && transfer_.unfreeze_every == 0) return "all stages are trained";
  std::string trained = "the head";
  for (std::size_t stage = parts_.size(); stage-- > parts_.size() - most_;)
    trained += ", " + stages_.body[stage].name;
  std::string text = trained + (most_ == 0 ? " is trained" : " are trained");
  if (most_ < parts_.size()) text += ", " + plural_text(parts_.size() - most_, "stage") + " frozen";
  if (transfer_.unfreeze_every > 0 && most_ > 0)
    text += "; one more joins every " + shortest(transfer_.unfreeze_every) +
            (transfer_.unfreeze_every == 1 ? " epoch" : " epochs");
  return text;
}

}  // namespace tune::trainer::loop
