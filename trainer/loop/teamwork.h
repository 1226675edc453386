#pragma once
// What the processes of a team owe each other while they train.
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "trainer/loop/checkpoint.h"
#include "trainer/loop/training.h"
#include "trainer/parallel/gradient_sums.h"

namespace tune::trainer::loop {

// Gradients that are added up, statistics of normalisation that are shared or averaged, sums of losses. Owned
// by one training loop, on its thread; the training must outlive it. All processes call the same functions in
// the same order; those of a process by itself do nothing.
class Teamwork {
 public:
  // Of the parameters that need a gradient now. That sync_batch_norm finds nothing to share goes to `notes`.
  Teamwork(Training& training, std::shared_ptr<const parallel::Team> team, std::ostream& notes);

  bool is_shared() const { return gradients_.has_value(); }
  // Throws Error(kBadSpec) for a batch of which a process would have too little.
  void check_parts(const std::vector<std::vector<std::int64_t>>& batches, const std::string& unit) const;
  // Whether all processes have the same numbers.
  bool are_alike(const std::vector<std::int64_t>& numbers) const;
  // Whatever training changes is the first process's from now on.
  void begin();

  // The next backward pass is the last of its step.
  void begin_last_pass();
  // Then each process has the gradients of the whole step, and the same running statistics. Whether all of
  // the team had a part of it: the answer is the same in each process.
  void finish_step(bool all_take_part);
  LossSums whole(LossSums own) const;  // of the team

 private:
  void average_norms();

  Training& training_;
  const std::shared_ptr<const parallel::Team> team_;
  std::optional<parallel::GradientSums> gradients_;
  std::vector<torch::Tensor> norms_;  // running statistics, where each process has its own
};

}  // namespace tune::trainer::loop
