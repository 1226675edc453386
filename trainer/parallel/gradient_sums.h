#pragma once
// Gradients of a step, added up over a team while the backward pass goes on.
#include <cstddef>
#include <cstdint>
#include <vector>

#include "trainer/parallel/team.h"

namespace tune::trainer::parallel {

// Parameters whose gradients travel together lie in one bucket, the last of the model first, since the
// backward pass reaches them first (Li et al., VLDB 2020, section 3.2). Sums are fp32. Processes that have a
// part of a step have gradients of the same parameters. Owned by one training loop, on its thread; the module
// and the team must outlive it.
class GradientSums {
 public:
  // Of the parameters that need a gradient now.
  GradientSums(const torch::nn::Module& module, const Team& team);
  ~GradientSums();
  GradientSums(const GradientSums&) = delete;
  GradientSums& operator=(const GradientSums&) = delete;

  // The next backward pass is the last of its step: each bucket is sent as soon as it is full.
  void begin();
  // Sends what was not sent, and waits. Each gradient is then the sum of the team's. One that no process has
  // is none: where not all take part in the step, the team is asked for it.
  void finish(bool all_take_part = true);

 private:
  struct Slot {
    torch::Tensor parameter;
    torch::Tensor sum;  // its part of the bucket, with the strides of the parameter
    std::size_t bucket = 0;
    bool has_arrived = false;
    bool has_gradient = false;  // in the step under way
  };
  struct Bucket {
    torch::Tensor memory;  // float [numbers]
    std::vector<std::size_t> slots;
    std::size_t missing = 0;
    Sum sum;
  };
  class Hook;

  void fill(Bucket& bucket, std::vector<torch::Tensor> parameters);
  void arrive(std::size_t slot);
  void take(Slot& slot);
  void send_full_ones();
  void hand_out(Slot& slot);

  const Team& team_;
  std::vector<Slot> slots_;
  std::vector<Bucket> buckets_;
  std::size_t next_ = 0;  // bucket to send: all processes send them in the same order
  bool is_last_pass_ = false;
};

}  // namespace tune::trainer::parallel
