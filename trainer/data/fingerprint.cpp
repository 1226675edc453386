#include "trainer/data/fingerprint.h"

#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::data {
namespace {

std::string text_of_facts(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::string image_bytes(const std::filesystem::path& file) {
  try {
    return read_file(file);
  } catch (const Error& error) {
    throw Error(ExitCode::kBadData, error.what(), error.hint());
  }
}

}  // namespace

Fingerprint::Fingerprint(const std::vector<std::string>& classes) { hash_.add(text_of_facts(Json(classes))); }

void Fingerprint::add(const std::filesystem::path& image,
                      const std::function<Json(std::size_t bytes)>& facts) {
  const std::string content = image_bytes(image);
  hash_.add(text_of_facts(facts(content.size())));
  hash_.add(content);
}

std::string Fingerprint::text() { return "sha256:" + hash_.hex(); }

}  // namespace tune::trainer::data
