#include "trainer/loop/device_graph.h"

#include <dlfcn.h>

#include <array>
#include <cstddef>
#include <utility>

#include "trainer/loop/device.h"

namespace tune::trainer::loop {
namespace {

// at::cuda::CUDAGraph, whose header needs CUDA's own to compile. LibTorch's library for CUDA is loaded where
// there is one, so the class is found by the names of its functions (ATen/cuda/CUDAGraph.h, the same from
// LibTorch 2.7 to 2.13).
struct CudaGraphFunctions {
  using Pool = std::pair<unsigned long long, unsigned long long>;  // MempoolId_t; {0, 0}: one of its own
  void (*construct)(void* graph, bool keep_graph);
  void (*destroy)(void* graph);
  void (*capture_begin)(void* graph, Pool pool, int mode);
  void (*capture_end)(void* graph);
  void (*replay)(void* graph);

  bool complete() const { return construct && destroy && capture_begin && capture_end && replay; }
};

template <typename Function>
void find(Function& function, const char* name) {
  function = reinterpret_cast<Function>(dlsym(RTLD_DEFAULT, name));
}

const CudaGraphFunctions& cuda_graph_functions() {
  static const CudaGraphFunctions functions = [] {
    CudaGraphFunctions found{};
    find(found.construct, "_ZN2at4cuda9CUDAGraphC1Eb");
    find(found.destroy, "_ZN2at4cuda9CUDAGraphD1Ev");
    find(found.capture_begin, "_ZN2at4cuda9CUDAGraph13capture_beginESt4pairIyyE21cudaStreamCaptureMode");
    find(found.capture_end, "_ZN2at4cuda9CUDAGraph11capture_endEv");
    find(found.replay, "_ZN2at4cuda9CUDAGraph6replayEv");
    return found;
  }();
  return functions;
}

class CudaGraph final : public DeviceGraph {
 public:
  explicit CudaGraph(const torch::Device& device) : device_(device) {
    functions_.construct(memory_.data(), /*keep_graph=*/false);
  }
  ~CudaGraph() override { functions_.destroy(memory_.data()); }
  CudaGraph(const CudaGraph&) = delete;
  CudaGraph& operator=(const CudaGraph&) = delete;

  void record(const std::function<void()>& work) override {
    // Other threads, which pin memory for the next batches, go on undisturbed.
    constexpr int kThreadLocal = 1;
    wait_for(device_);
    compat::give_back_device_memory(device_);  // the graph takes memory of its own
    functions_.capture_begin(memory_.data(), {0, 0}, kThreadLocal);
    try {
      work();
    } catch (...) {
      try {
        functions_.capture_end(memory_.data());
      } catch (const c10::Error&) {
        // The first error says why.
      }
      throw;
    }
    functions_.capture_end(memory_.data());
  }
  void replay() override { functions_.replay(memory_.data()); }

 private:
  // Several times what the class needs in any of those versions.
  static constexpr std::size_t kBytes = 4096;

  const CudaGraphFunctions& functions_ = cuda_graph_functions();
  const torch::Device device_;
  alignas(64) std::array<std::byte, kBytes> memory_{};
};

}  // namespace

std::unique_ptr<DeviceGraph> device_graph(const torch::Device& device) {
  if (!device.is_cuda() || !cuda_graph_functions().complete()) return nullptr;
  return std::make_unique<CudaGraph>(device);
}

}  // namespace tune::trainer::loop
