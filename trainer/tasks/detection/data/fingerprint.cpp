#include "trainer/tasks/detection/data/fingerprint.h"

#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::detection {

namespace {

std::string image_bytes(const std::filesystem::path& file) {
  try {
    return read_file(file);
  } catch (const Error& error) {
    throw Error(ExitCode::kBadData, error.what(), error.hint());
  }
}

}  // namespace

std::string fingerprint(const Dataset& dataset) {
  Sha256 hash;
  hash.add(Json(dataset.classes).dump(-1, ' ', false, Json::error_handler_t::replace));
  for (const Example& example : dataset.examples) {
    const std::string content = image_bytes(example.image);
    Json objects = Json::array();
    for (const GroundTruth& object : example.objects)
      objects.push_back({object.category, object.x1, object.y1, object.x2, object.y2, object.area,
                         object.crowd, object.difficult});
    // Lengths come before what has no end of its own, so that two sets never run together into the same
    // bytes.
    hash.add(Json({example.image_id, example.image.filename().string(), content.size(), objects})
                 .dump(-1, ' ', false, Json::error_handler_t::replace));
    hash.add(content);
  }
  return "sha256:" + hash.hex();
}

}  // namespace tune::trainer::detection
