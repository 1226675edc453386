#include "trainer/nn/multiply_adds.h"

#include <string_view>

#include "trainer/torch_compat.h"

namespace tune::trainer::nn {
namespace {

// LibTorch calls plain functions, on the thread that counts.
thread_local std::int64_t counted = 0;

// An operator's inputs can be looked at before it runs, its outputs after.
struct Product : at::ObserverContext {
  std::int64_t per_output = 0;
};

// Attention in one operator: the products that make its weights, and those of the weights and the values. As
// separate products it has another name, and counts as those.
bool is_fused_attention(std::string_view name) {
  return name.starts_with("aten::_scaled_dot_product_") &&
         (name.ends_with("_flash_attention") || name.ends_with("_flash_attention_for_cpu") ||
          name.ends_with("_efficient_attention") || name.ends_with("_cudnn_attention") ||
          name.ends_with("_fused_attention_overrideable"));
}

// Products for each number of the output; 0 where the operator is none of those that are counted. Operators
// that end in one of these are not named, so that nothing counts twice.
std::int64_t products_per_output(std::string_view name, c10::ArrayRef<const c10::IValue> inputs) {
  if (name == "aten::mm" || name == "aten::bmm" || name == "aten::mv" || name == "aten::dot")
    return inputs[0].toTensor().size(-1);
  if (name == "aten::addmm" || name == "aten::baddbmm" || name == "aten::addmv")
    return inputs[1].toTensor().size(-1);
  // An output is a sum over all keys, each weighed by a product over as many numbers as there are outputs.
  if (is_fused_attention(name)) return 2 * inputs[1].toTensor().size(-2);
  if (name != "aten::convolution") return 0;
  constexpr std::size_t kTransposed = 6;
  // A transposed one has its weights by input channels: counted by its input, below.
  return inputs[kTransposed].toBool() ? 0 : inputs[1].toTensor()[0].numel();
}

std::unique_ptr<at::ObserverContext> before(const at::RecordFunction& function) {
  const std::string_view name = function.name();
  const auto inputs = function.inputs();
  if (name == "aten::convolution" && inputs[6].toBool())
    counted += inputs[0].toTensor().numel() * inputs[1].toTensor()[0].numel();
  const std::int64_t per_output = products_per_output(name, inputs);
  if (per_output == 0) return nullptr;
  auto product = std::make_unique<Product>();
  product->per_output = per_output;
  return product;
}

void after(const at::RecordFunction& function, at::ObserverContext* context) {
  if (context == nullptr) return;
  counted += static_cast<Product*>(context)->per_output * function.outputs()[0].toTensor().numel();
}

}  // namespace

std::int64_t count_multiply_adds(const std::function<void()>& forward) {
  struct Listening {
    at::CallbackHandle handle = at::addThreadLocalCallback(at::RecordFunctionCallback(before, after)
                                                               .needsInputs(true)
                                                               .needsOutputs(true)
                                                               .scopes({at::RecordScope::FUNCTION}));
    ~Listening() { at::removeCallback(handle); }
  };
  counted = 0;
  const Listening listening;
  forward();
  return counted;
}

}  // namespace tune::trainer::nn
