#include "trainer/weights/initial_weights.h"

#include <ostream>

#include "trainer/weights/weight_fit.h"
#include "tuner/core/bounded_json.h"
#include "tuner/core/error.h"
#include "tuner/os/regular_file.h"

namespace fs = std::filesystem;

namespace tune::trainer::weights {
namespace {

constexpr std::uint64_t kMostJsonBytes = 64 << 20;

// As the file's own format has it.
std::string dtype_in_file(const WeightFile& content, at::ScalarType dtype) {
  return content.format == "safetensors" ? safetensors_dtype(dtype) : dtype_name(dtype);
}

}  // namespace

Json read_model_json(const fs::path& path) {
  JsonFile file = read_json_file(path, kMostJsonBytes, Links::kFollow);
  if (!file.spoilt.empty()) throw Error(ExitCode::kBadData, file.spoilt, kRestoreModel);
  if (!file.is_there)
    throw Error(ExitCode::kNotFound, "there is no file \"" + path.string() + "\"", kRestoreModel);
  return std::move(file.value);
}

std::vector<std::string> labels_from_json(const Json& json, const std::string& place) {
  try {
    return json.at("classes").get<std::vector<std::string>>();
  } catch (const Json::exception&) {
    throw Error(ExitCode::kBadData, place + ": no list \"classes\"");
  }
}

Json header_json(const Metadata& metadata, const std::string& key, const fs::path& place) {
  const auto found = metadata.find(key);
  if (found == metadata.end()) return {};
  BoundedJson json = parse_bounded_json(found->second);
  if (!json.problem.empty())
    throw Error(ExitCode::kBadData, place.string() + ": \"" + key + "\" in its header: " + json.problem,
                "write the header again, or leave that out");
  return std::move(json.value);
}

void check_normalisation(const Metadata& metadata, const std::array<double, 3>& mean,
                         const std::array<double, 3>& std, const std::string& whose, const fs::path& place) {
  const Json own = header_json(metadata, "normalisation", place);
  const Json wanted{{"mean", mean}, {"std", std}};
  if (own.is_null() || own == wanted) return;
  throw Error(ExitCode::kBadData,
              place.string() + " takes images normalised by " + own.dump() + ", but " + whose + " says " +
                  wanted.dump(),
              "convert the weights for this model, or use the model that they are for");
}

void refuse_other_dtypes(const WeightFile& content, const TensorMap& own, const std::string& prefix,
                         const fs::path& place) {
  for (const auto& [name, tensor] : content.tensors) {
    auto target = own.find(name);
    if (target == own.end()) target = own.find(prefix + name);
    if (target == own.end() || holds_weights(tensor.scalar_type())) continue;
    const bool counts = tensor.scalar_type() != at::kBool && at::isIntegralType(tensor.scalar_type(), false);
    if (!target->second.is_floating_point() && counts) continue;
    throw Error(ExitCode::kBadData,
                place.string() + ": tensor \"" + name + "\" has the dtype " +
                    dtype_in_file(content, tensor.scalar_type()) + ", which is not read as weights",
                "a quantized file? give the weights as float32, float16 or bfloat16");
  }
}

void write_wrapping(const WeightFile& content, const FitReport& report, std::ostream& notes) {
  if (!content.section.empty()) notes << "weights: those under \"" << content.section << "\" are taken\n";
  if (!content.others.empty())
    notes << "weights: not taken: the tensors " << places_of(content.others) << '\n';
  if (!report.prefix.empty()) notes << "weights: names are read without \"" << report.prefix << "\"\n";
}

void write_report(const FitReport& report, const std::string& base, std::ostream& notes) {
  for (const std::string& remark : report.remarks) notes << "weights: " << remark << '\n';
  notes << "weights: " << report.loaded.size() << " tensors loaded, " << percent(report.share) << " of "
        << base << '\n';
  if (!report.missing.empty())
    notes << "weights: not in the file, initialised anew: " << first_names(report.missing) << '\n';
  if (!report.unexpected.empty())
    notes << "weights: not in the model, ignored: " << first_names(report.unexpected) << '\n';
  for (const Mismatch& mismatch : report.mismatched)
    notes << "weights: " << mismatch.name << " is " << c10::IntArrayRef(mismatch.in_file)
          << " in the file and " << c10::IntArrayRef(mismatch.in_model)
          << " in the model, initialised anew\n";
  notes << std::flush;
}

}  // namespace tune::trainer::weights
