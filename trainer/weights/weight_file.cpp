#include "trainer/weights/weight_file.h"

#include "trainer/weights/pth.h"
#include "tuner/core/atomic_file.h"
#include "tuner/core/error.h"

namespace tune::trainer::weights {
namespace {

// What people take for weights.
void refuse_other_formats(std::string_view bytes, const std::string& place) {
  if (bytes.starts_with("version https://git-lfs"))
    throw Error(ExitCode::kBadData, place + ": a Git LFS pointer, not the weights themselves",
                "fetch the file: git lfs pull");
  if (bytes.starts_with("\x89HDF"))
    throw Error(ExitCode::kBadData, place + ": an HDF5 file, which is not read",
                "write the weights as .safetensors, under torchvision's names");
  if (bytes.starts_with("<!") || bytes.starts_with("<html"))
    throw Error(ExitCode::kBadData, place + ": a web page, not weights", "download the file itself");
}

}  // namespace

WeightFile decode_weights(std::string_view bytes, const std::string& place) {
  refuse_other_formats(bytes, place);
  const bool zip = is_pth_zip(bytes);
  if (zip || is_pth_legacy(bytes)) {
    PthContent content = decode_pth(bytes, place);
    return {
        std::move(content.tensors), {}, zip ? "PyTorch zip" : "PyTorch legacy", std::move(content.section)};
  }
  SafetensorsContent content = decode_safetensors(bytes, place);
  return {std::move(content.tensors), std::move(content.metadata), "safetensors", {}};
}

WeightFile read_weights(const std::filesystem::path& path) {
  return decode_weights(read_file(path), path.string());
}

std::string dtype_name(at::ScalarType dtype) {
  switch (dtype) {
    case at::kDouble:
      return "float64";
    case at::kFloat:
      return "float32";
    case at::kHalf:
      return "float16";
    case at::kBFloat16:
      return "bfloat16";
    case at::kLong:
      return "int64";
    case at::kInt:
      return "int32";
    case at::kShort:
      return "int16";
    case at::kChar:
      return "int8";
    case at::kByte:
      return "uint8";
    case at::kBool:
      return "bool";
    default:
      return c10::toString(dtype);
  }
}

std::filesystem::path weights_file(const std::filesystem::path& weights) {
  return std::filesystem::is_directory(weights) ? weights / "weights.safetensors" : weights;
}

}  // namespace tune::trainer::weights
