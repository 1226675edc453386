#include "trainer/weights/weight_file.h"

#include "trainer/weights/file_reader.h"
#include "trainer/weights/model_tensors.h"
#include "trainer/weights/state_dict.h"
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

WeightFile decode_weights(std::string_view bytes, const std::string& place, const Fit& fit) {
  refuse_other_formats(bytes, place);
  const bool zip = is_pth_zip(bytes);
  if (zip || is_pth_legacy(bytes)) {
    PthContent content = decode_pth(bytes, place, fit);
    return {std::move(content.tensors),
            {},
            zip ? "PyTorch zip" : "PyTorch legacy",
            std::move(content.section),
            std::move(content.order),
            std::move(content.others)};
  }
  SafetensorsContent content = decode_safetensors(bytes, place);
  return {std::move(content.tensors), std::move(content.metadata), "safetensors", {}, {}, {}};
}

WeightFile read_weights(const std::filesystem::path& path, const Fit& fit) {
  FileReader file(path, Links::kFollow);  // a person may name it
  std::string bytes(file.size(), '\0');
  file.read(bytes.data(), bytes.size());
  return decode_weights(bytes, path.string(), fit);
}

std::string places_of(const std::vector<std::string>& sections) {
  std::vector<std::string> places;
  for (const std::string& section : sections)
    places.push_back(section.empty() ? "at the top of the file" : "under \"" + section + "\"");
  return first_names(places);
}

std::filesystem::path weights_file(const std::filesystem::path& weights) {
  std::error_code ignored;  // what cannot be looked at is said where it is opened
  if (!std::filesystem::is_directory(weights, ignored)) return weights;
  for (const char* name : {kWeightsFile, kHuggingFaceFile, kOldHuggingFaceFile, kShardIndex})
    if (std::filesystem::exists(weights / name, ignored)) return weights / name;
  return weights / kWeightsFile;
}

}  // namespace tune::trainer::weights
