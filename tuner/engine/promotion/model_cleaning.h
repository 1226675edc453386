#pragma once
// Versions go, and what dead processes left: never what an alias or an endpoint names.
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tuner/core/model_reference.h"
#include "tuner/engine/promotion/held_models.h"

namespace tune::engine {

// The endpoint that answers with a version of a model, or is about to; "" for none.
using EndpointOf = std::function<std::string(const std::string& model, int version)>;

// What deleting a version would free. Throws Error(kNotFound) without it, Error(kConflict) where an alias or
// an endpoint names it.
std::uint64_t bytes_to_delete(const std::filesystem::path& store_folder, const ModelReference& version,
                              const EndpointOf& endpoint_of);
// Deletes it: its record first, so that nobody begins to use it, then its files. Its number is not given
// again, and the log of promotions keeps it. Returns the bytes that were freed. Throws likewise.
std::uint64_t delete_version(const std::filesystem::path& store_folder, const ModelReference& version,
                             const std::string& note, const EndpointOf& endpoint_of, const ModelHooks& hooks);

// What is to become of folders of versions that the registry does not know. They may be all that is left of a
// registry that was lost.
enum class Orphans { kKeep, kAdopt, kRemove };

enum class Cleaned {
  kStaging,  // half a copy of a process that died
  kLink,     // a link `current` that did not lead where the registry says, mended
  kDeleted,  // files of a version that was deleted
  kOrphan,   // a folder that the registry does not know
};
struct CleanedPlace {
  Cleaned kind = Cleaned::kStaging;
  std::filesystem::path place;
  std::uint64_t bytes = 0;
  bool is_kept = false;     // an orphan that nobody said what to do with or that cannot be adopted, or in use
  int adopted = 0;          // the version that an orphan has become; 0: none
  std::string remark = {};  // why it is kept
};

// Looks through the store's models, and cleans up unless `only_looks`; what an endpoint answers with is kept,
// though the registry may not know it any more. Also brings an older registry up to date. Throws
// Error(kInterrupted), Error(kEnvironment).
std::vector<CleanedPlace> clean_models(const std::filesystem::path& store_folder, Orphans orphans,
                                       bool only_looks, const EndpointOf& endpoint_of,
                                       const ModelHooks& hooks);

}  // namespace tune::engine
