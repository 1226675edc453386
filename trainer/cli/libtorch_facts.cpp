#include "trainer/cli/libtorch_facts.h"

#include <dlfcn.h>

#include "trainer/torch_compat.h"

namespace tune::trainer::cli {
namespace {

// Keeps what LibTorch warns of, while it lives, in place of printing it.
class WarningsKept : public c10::WarningHandler {
 public:
  void process(const c10::Warning& warning) override { last = warning.msg(); }
  std::string last;
};

std::string folder_of_libtorch() {
  Dl_info place{};
  if (::dladdr(reinterpret_cast<void*>(&at::globalContext), &place) == 0) return {};
  return std::filesystem::path(place.dli_fname).parent_path().string();
}

std::string cuda_version() {
  if (void* library = ::dlopen("libtorch_cuda.so", RTLD_LAZY | RTLD_NOLOAD); library != nullptr)
    ::dlclose(library);
  else
    return {};
  const long version = at::detail::getCUDAHooks().versionCUDART();  // 13020 is 13.2
  return std::to_string(version / 1000) + "." + std::to_string(version % 1000 / 10);
}

}  // namespace

LibTorchFacts libtorch_facts() {
  LibTorchFacts facts{compat::libtorch_version(), folder_of_libtorch(), cuda_version(), 0, {}};
  if (facts.cuda.empty()) return facts;
  WarningsKept warnings;
  const c10::WarningUtils::WarningHandlerGuard guard(&warnings);
  facts.gpus = static_cast<int>(torch::cuda::device_count());
  facts.problem = warnings.last;
  return facts;
}

Json to_json(const LibTorchFacts& facts) {
  return {{"schema", 1},
          {"libtorch", facts.version},
          {"folder", facts.folder},
          {"cuda", facts.cuda.empty() ? Json() : Json(facts.cuda)},
          {"gpus", facts.gpus},
          {"problem", facts.problem}};
}

}  // namespace tune::trainer::cli
