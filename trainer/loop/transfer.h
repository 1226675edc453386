#pragma once
// Transfer strategies: which stages of a network that was trained before are trained again, from when on, and
// at which rates.
#include <string>
#include <vector>

#include "trainer/loop/hyperparameters.h"
#include "trainer/loop/optimizer.h"
#include "trainer/nn/stages.h"

namespace tune::trainer::loop {

enum class Freeze {
  kNone,      // everything is trained
  kFeatures,  // the head alone
  kPartial,   // the last stages of the body, and the head
};

struct Transfer {
  Freeze freeze = Freeze::kNone;
  std::int64_t train_stages = 1;  // kPartial: so many, counted from the head
  // Epochs, or a part of one, after which one more stage is trained, from the head alone on; 0: all at once.
  double unfreeze_every = 0;
  double rate_decay = 1;        // each stage learns at so many times the rate of the one nearer to the head
  double head_rate_factor = 1;  // the head's rate, as a multiple of the schedule's
};

// freeze, train_stages, gradual_unfreezing, rate_decay and head_rate_factor: for networks that have stages.
std::vector<Hyperparameter> transfer_hyperparameters();
// Throws Error(kBadSpec) where they contradict each other.
Transfer make_transfer(const Hyperparameters& values);

// A network under a strategy. Owned by a training, on the loop's thread; the network must outlive it. What is
// frozen for good needs no gradient from the beginning (and what needs none before stays so), so that
// LibTorch neither computes one nor keeps activations for it: the frozen stages are those next to the image.
// Modules of frozen stages stay in evaluation mode, as their batch normalisation would else drift away from
// the weights that it belongs to.
class StagedModel {
 public:
  // Throws Error(kBadSpec) where the network has fewer stages than `transfer` asks for.
  StagedModel(std::shared_ptr<torch::nn::Module> model, nn::Stages stages, const Transfer& transfer);

  // Training::enter_step().
  bool enter_step(double epoch);
  // The parameters of `groups`, each at its stage's rate. What is frozen for good is in none.
  std::vector<ParameterGroup> by_stage(const std::vector<ParameterGroup>& groups) const;
  // Stages of the body that are trained at that time, counted from the head.
  std::size_t trained_stages(double epoch) const;
  // What is trained and what is not, in one line for a person.
  std::string to_text() const;

 private:
  // Of the body, from the image on.
  struct Part {
    std::vector<torch::Tensor> parameters;
    std::vector<std::shared_ptr<torch::nn::Module>> modules;  // whose mode is the stage's
  };
  std::size_t stage_of(const std::string& name) const;  // the head is the one after the body's last
  double rate_factor(std::size_t stage) const;
  bool is_frozen(std::size_t stage) const { return stage + most_ < parts_.size(); }  // for good

  std::shared_ptr<torch::nn::Module> model_;
  const nn::Stages stages_;
  const Transfer transfer_;
  std::vector<Part> parts_;
  std::size_t most_ = 0;  // stages of the body that are trained at some time
  std::size_t trained_;   // since the last step; parts_.size() + 1: none was entered
};

}  // namespace tune::trainer::loop
