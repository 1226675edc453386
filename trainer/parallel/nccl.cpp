#include "trainer/parallel/nccl.h"

#include <dlfcn.h>

#include <array>
#include <cstring>

#include "tuner/core/error.h"

namespace tune::trainer::parallel {
namespace {

// NCCL's interface in C, the same since its version 2.0 (nccl.h): its header comes with CUDA's own, which
// building does not need.
struct UniqueId {
  std::array<char, 128> bytes;
};
constexpr int kSuccess = 0, kSum = 0, kFloat32 = 7, kFloat64 = 8;

struct NcclFunctions {
  int (*get_unique_id)(UniqueId* id);
  int (*init_rank)(void** communicator, int size, UniqueId id, int rank);
  int (*all_reduce)(const void* from, void* to, std::size_t count, int type, int operation,
                    void* communicator, void* stream);
  int (*abort)(void* communicator);
  const char* (*error_text)(int result);

  bool complete() const { return get_unique_id && init_rank && all_reduce && abort && error_text; }
};

const NcclFunctions& functions() {
  static const NcclFunctions found = [] {
    // Loaded by LibTorch's part for CUDA, or by this, where that holds it inside itself.
    void* library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_LOCAL);
    const auto find = [&](auto& function, const char* name) {
      void* place = library != nullptr ? dlsym(library, name) : nullptr;
      if (place == nullptr) place = dlsym(RTLD_DEFAULT, name);
      function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(place);
    };
    NcclFunctions some{};
    find(some.get_unique_id, "ncclGetUniqueId");
    find(some.init_rank, "ncclCommInitRank");
    find(some.all_reduce, "ncclAllReduce");
    find(some.abort, "ncclCommAbort");
    find(some.error_text, "ncclGetErrorString");
    return some;
  }();
  if (!found.complete())
    throw Error(
        ExitCode::kEnvironment,
        "a trial of several GPUs needs NCCL, which LibTorch " + compat::libtorch_version() +
            " does not bring here",
        "install LibTorch's CUDA build by pip, which brings NCCL, or search with \"gpus_per_trial\": 1");
  return found;
}

void check(int result, const char* what) {
  if (result == kSuccess) return;
  throw Error(ExitCode::kEnvironment,
              std::string("NCCL cannot ") + what + ": " + functions().error_text(result),
              "NCCL_DEBUG=INFO in the spec's environment makes it say more");
}

}  // namespace

std::string DeviceSums::new_id() {
  UniqueId id{};
  check(functions().get_unique_id(&id), "begin");
  return {id.bytes.data(), id.bytes.size()};
}

DeviceSums::DeviceSums(const std::string& id, int rank, int size, const torch::Device& device)
    : device_(device), stream_(c10::impl::VirtualGuardImpl(device.type()).getStreamFromGlobalPool(device)) {
  UniqueId own{};
  TUNE_CHECK(id.size() == own.bytes.size());
  std::memcpy(own.bytes.data(), id.data(), id.size());
  const c10::DeviceGuard here(device_);
  check(functions().init_rank(&communicator_, size, own, rank), "connect the GPUs");
}

// Not destroyed in good order, which would wait for processes that may be gone: all sums were waited for.
DeviceSums::~DeviceSums() {
  if (communicator_ != nullptr) functions().abort(communicator_);
}

c10::Stream DeviceSums::current_stream() const {
  return c10::impl::VirtualGuardImpl(device_.type()).getStream(device_);
}

c10::Event DeviceSums::add(const torch::Tensor& tensor) const {
  const bool is_double = tensor.scalar_type() == torch::kDouble;
  TUNE_CHECK(is_double || tensor.scalar_type() == torch::kFloat);
  c10::Event ready(device_.type()), done(device_.type());
  ready.record(current_stream());
  ready.block(stream_);
  check(functions().all_reduce(tensor.data_ptr(), tensor.data_ptr(), static_cast<std::size_t>(tensor.numel()),
                               is_double ? kFloat64 : kFloat32, kSum, communicator_, stream_.native_handle()),
        "add up");
  // Its memory belongs to another stream, which must not reuse it before.
  tensor.record_stream(stream_);
  done.record(stream_);
  return done;
}

}  // namespace tune::trainer::parallel
