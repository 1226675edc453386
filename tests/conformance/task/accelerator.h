#pragma once
// What stands for an accelerator where there is none.
#include <ATen/record_function.h>

#include "trainer/loop/device_graph.h"

namespace tune::tests {

using namespace trainer;

// Stands for a graph of a device: records without doing, and repeats when it is asked to.
class RepeatedWork final : public loop::DeviceGraph {
 public:
  void record(const std::function<void()>& work) override { work_ = work; }
  void replay() override { work_(); }

 private:
  std::function<void()> work_;
};

// While it lives, notes the operators of this thread that read a tensor's numbers, for which a GPU would be
// waited for. What the fused optimizers do inside is another on the CPU, where they read the step's number.
class Questions {
 public:
  Questions() {
    asked_.clear();
    handle_ = at::addThreadLocalCallback(
        at::RecordFunctionCallback(
            [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
              if (is_fused(function)) ++within_fused_;
              if (within_fused_ == 0 && reads_numbers(function)) asked_.emplace_back(function.name());
              return nullptr;
            },
            [](const at::RecordFunction& function, at::ObserverContext*) {
              if (is_fused(function)) --within_fused_;
            })
            .scopes({at::RecordScope::FUNCTION}));
  }
  ~Questions() { at::removeCallback(handle_); }
  Questions(const Questions&) = delete;
  Questions& operator=(const Questions&) = delete;
  const std::vector<std::string>& asked() const { return asked_; }

 private:
  static bool is_fused(const at::RecordFunction& function) {
    return std::string_view(function.name()).starts_with("aten::_fused_");
  }
  static bool reads_numbers(const at::RecordFunction& function) {
    const std::string_view name = function.name();
    return name == "aten::_local_scalar_dense" || name == "aten::nonzero" || name == "aten::equal" ||
           name == "aten::masked_select";
  }

  static inline std::vector<std::string> asked_;
  static inline int within_fused_ = 0;
  at::CallbackHandle handle_ = 0;
};

}  // namespace tune::tests
