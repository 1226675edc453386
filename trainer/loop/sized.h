#pragma once
// What an estimate asks of a training beside its model, its plan and its batches.
#include <cstdint>
#include <vector>

namespace tune::trainer::loop {

struct Sizes {
  std::int64_t units_per_epoch = 0;      // of the task's unit; 0: as many as there are examples
  std::int64_t validation_examples = 0;  // 0: not known
  std::int64_t parameters = 0;           // numbers; 0: as many as the model's tensors have
  // Bytes of the scores of the largest batch's answers (the logits of a vocabulary), as many as there are at
  // once; 0 where they are too few to be told apart.
  std::int64_t logits_bytes = 0;
  std::int64_t cache_bytes = 0;          // of keys and values, while an evaluation generates answers
  std::int64_t export_bytes = 0;         // of the folder that is promoted, on the disk; 0: as the weights
  std::int64_t export_memory_bytes = 0;  // of what exporting holds beside the model and the best checkpoint
  bool exports_with_evaluation = true;   // the exported model is measured once more
};

// Of a training (training.h) whose examples differ in size, or that knows more of what it will take than its
// weights say. Of one that is no Sized all examples are alike, and the model is exported whole.
class Sized {
 public:
  virtual ~Sized() = default;
  virtual Sizes sizes() const = 0;
  // The examples that make the largest batch of so many, or of all that there are; the largest first.
  virtual std::vector<std::int64_t> largest_examples(std::int64_t count) const = 0;
};

// The indices of the `count` largest lengths, the largest first; of equal ones the first.
std::vector<std::int64_t> longest_first(const std::vector<std::int64_t>& lengths, std::int64_t count);

}  // namespace tune::trainer::loop
