#include "trainer/weights/weight_file.h"

#include <algorithm>

#include "trainer/weights/file_reader.h"
#include "trainer/weights/model_tensors.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"

namespace tune::trainer::weights {
namespace {

constexpr std::string_view kBlank = " \t\r\n";

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

// A .safetensors file begins with a length of eight bytes, of which the highest are NUL.
bool is_text(std::string_view bytes) {
  std::string_view begin = bytes.substr(0, 256);
  while (!begin.empty() && static_cast<unsigned char>(begin.back()) >= 0x80)
    begin.remove_suffix(1);  // which may be half a character
  return is_utf8(begin) && std::none_of(begin.begin(), begin.end(), [](char c) {
           return c == 0x7F || (c >= 0 && c < 0x20 && kBlank.find(c) == kBlank.npos);
         });
}

void refuse_text(std::string_view bytes, const std::string& place) {
  const std::size_t first = bytes.find_first_not_of(kBlank);
  if (first == bytes.npos || !is_text(bytes)) return;
  const bool is_json = bytes[first] == '{' || bytes[first] == '[';
  throw Error(ExitCode::kBadData, place + (is_json ? ": JSON, not weights" : ": a text, not weights"),
              "name a .safetensors or .pth file, or the folder of a model that holds one");
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
  refuse_text(bytes, place);
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
