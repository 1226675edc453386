#include "trainer/weights/tensor_hash.h"

#include "trainer/weights/dtype_name.h"

namespace tune::trainer::weights {

void add_tensors(Sha256& hash, const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor bytes = tensor.detach().to(torch::kCPU).contiguous();
    std::string head = name + '\0' + dtype_name(bytes.scalar_type());
    for (const std::int64_t size : bytes.sizes()) head += ' ' + std::to_string(size);
    hash.add(head + '\n');
    hash.add({static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()});
  }
}

}  // namespace tune::trainer::weights
