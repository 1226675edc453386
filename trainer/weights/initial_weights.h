#pragma once
// What tasks share when a training starts from a file of weights: what its header says, what is refused
// whatever the network is, and what a person is told.
#include <array>
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/weights/state_dict.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/json.h"

namespace tune::trainer::weights {

// A JSON file of a model's folder. Throws Error(kNotFound), Error(kBadData).
Json read_model_json(const std::filesystem::path& path);
// Where the folder's files contradict each other or lack something.
inline constexpr const char* kRestoreModel = "restore the file that came with the model";

// `json` is labels.json or its copy in a header. Throws Error(kBadData).
std::vector<std::string> labels_from_json(const Json& json, const std::string& place);
// A value of the header of a .safetensors file; null where it says nothing. Throws Error(kBadData).
Json header_json(const Metadata& metadata, const std::string& key, const std::filesystem::path& place);

// Those who convert other projects' weights write what the first layer takes ("normalisation"), for images of
// any size. `whose` says what must agree with it: "the model resnet18". Throws Error(kBadData).
void check_normalisation(const Metadata& metadata, const std::array<double, 3>& mean,
                         const std::array<double, 3>& std, const std::string& whose,
                         const std::filesystem::path& place);

// A quantized tensor under a model's name would be copied as numbers that mean nothing. Names are the
// model's, with or without `prefix`. Throws Error(kBadData).
void refuse_other_dtypes(const WeightFile& content, const TensorMap& own, const std::string& prefix,
                         const std::filesystem::path& place);

// How the tensors were found, and what became of them; `base` is what FitReport::share is of ("the
// backbone").
void write_wrapping(const WeightFile& content, const FitReport& report, std::ostream& notes);
void write_report(const FitReport& report, const std::string& base, std::ostream& notes);

}  // namespace tune::trainer::weights
