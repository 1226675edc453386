#pragma once
// Sums over the GPUs of a team, by NCCL.
#include <string>

#include "trainer/torch_compat.h"

namespace tune::trainer::parallel {

// One process's part in NCCL's communicator, on one GPU and a stream of its own. Owned by a Team. LibTorch's
// CUDA builds bring NCCL, which is found at run time, as LibTorch's part for CUDA is.
class DeviceSums {
 public:
  // Of a new communicator, for all its processes.
  static std::string new_id();
  // Blocks until all are there. Throws Error(kEnvironment).
  DeviceSums(const std::string& id, int rank, int size, const torch::Device& device);
  ~DeviceSums();
  DeviceSums(const DeviceSums&) = delete;
  DeviceSums& operator=(const DeviceSums&) = delete;

  c10::Stream current_stream() const;
  // In place, after what the current stream was given; the event is when it is done.
  c10::Event add(const torch::Tensor& tensor) const;

 private:
  torch::Device device_;
  c10::Stream stream_;
  void* communicator_ = nullptr;
};

}  // namespace tune::trainer::parallel
