#pragma once
// A model that somebody brings becomes a version: an archive or a folder, of an export or of any other
// program.
#include <filesystem>
#include <string>
#include <vector>

#include "tuner/archive/tar_reader.h"
#include "tuner/engine/promotion/held_models.h"

namespace tune::engine {

struct ImportRequest {
  std::filesystem::path store_folder;
  std::filesystem::path source;  // tar, plain or by gzip, or a folder
  std::string model;
  std::string note = {};  // kept with the version; may be empty
  ModelHooks hooks = {};
  archive::ArchiveLimits limits = {};
};

struct Imported {
  int version = 0;
  std::filesystem::path folder;
  std::size_t files = 0;
  std::vector<std::string> notices;  // sentences for people
};

// Unpacks or copies it to staging, where nothing of it is used yet. An export's manifest is held against
// every file, and its value and lineage are kept, but for the gate of its study; the card and the manifest,
// which every export makes anew, are not. Anything else is taken as it is. Where all of it lies in one
// folder, that folder is the model. Then it is hashed and recorded, without an alias, for a person to
// approve. Throws Error(kBadData) for an archive that is damaged or unsafe, files that the manifest does not
// know, and links; Error(kNotFound), Error(kEnvironment), Error(kInterrupted).
Imported import_model(const ImportRequest& request);

}  // namespace tune::engine
