#pragma once
// A version leaves the registry, as a folder or as one archive.
#include <cstdint>
#include <filesystem>
#include <string>

#include "store/model_registry.h"
#include "tuner/core/model_reference.h"
#include "tuner/engine/promotion/model_files.h"

namespace tune::engine {

enum class ExportForm { kFolder, kTarGz };

struct ExportRequest {
  std::filesystem::path store_folder;
  ModelReference model;
  ExportForm form = ExportForm::kTarGz;
  std::filesystem::path output;  // must not be there
  IsInterrupted is_interrupted = {};
};

struct Exported {
  store::ModelVersion version;
  std::size_t files = 0;    // with the card and the manifest
  std::uint64_t bytes = 0;  // of all of them, unpacked
  std::string sha256;       // of the archive; "" of a folder
};

// Writes the version's files, a model card and a manifest, whole or not at all. The bytes of an archive
// depend on the version alone. Throws Error(kNotFound) without the version, Error(kConflict) where something
// is at `output` already, Error(kEnvironment) where a file is not what was recorded or the disk refuses,
// Error(kInterrupted).
Exported export_model(const ExportRequest& request);

}  // namespace tune::engine
