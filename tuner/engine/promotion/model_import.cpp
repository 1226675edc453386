#include "tuner/engine/promotion/model_import.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/model_reference.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/promotion/lineage.h"
#include "tuner/engine/promotion/model_card.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/sha256.h"
#include "tuner/os/user.h"
#include "tuner/spec/spec_text_rules.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMostManifest = 64'000'000;  // bytes; ten thousand files and a long lineage

[[noreturn]] void refuse(const std::string& what, const std::string& cure) {
  throw Error(ExitCode::kBadData, what, cure);
}

// A person named the folder, but not where links in it may lead.
void require_plain(const fs::path& folder) {
  on_disk(folder, "read", [&] {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      const fs::file_type type = entry.symlink_status().type();
      if (type == fs::file_type::symlink)
        refuse("cannot import " + entry.path().string() + ", which is a link",
               "copy what the links lead to first: cp -rL " + folder.string() + " COPY");
      if (type != fs::file_type::regular && type != fs::file_type::directory)
        refuse("cannot import " + entry.path().string() + ", which is neither a file nor a folder",
               "take it out of the folder");
    }
  });
}

// The files of the source, in staging.
void stage(const ImportRequest& request, const fs::path& staging) {
  std::error_code ignored;
  if (!fs::exists(request.source, ignored))
    throw Error(ExitCode::kNotFound, "there is no file or folder " + in_quotes(request.source.string()));
  if (fs::is_directory(request.source, ignored)) {
    require_plain(request.source);
    copy_model(request.source, staging, request.hooks.is_interrupted);
    return;
  }
  on_disk(staging, "create", [&] { fs::create_directory(staging); });
  archive::unpack_tar(request.source, staging, request.limits, request.hooks.is_interrupted);
  on_disk(staging, "sync", [&] {
    for (const auto& entry : fs::recursive_directory_iterator(staging))
      if (entry.is_directory()) sync_path(entry.path());
    sync_path(staging);
  });
}

// The only folder of an archive that was packed with it; else the folder itself.
fs::path root_of(const fs::path& staging, std::vector<std::string>& notices) {
  return on_disk(staging, "read", [&] {
    std::vector<fs::path> entries;
    for (const auto& entry : fs::directory_iterator(staging)) entries.push_back(entry.path());
    if (entries.size() != 1 || !fs::is_directory(fs::symlink_status(entries.front()))) return staging;
    notices.push_back("all of it lies in the folder " + in_quotes(entries.front().filename().string()) +
                      ", which is taken for the model");
    return entries.front();
  });
}

// Everything that the manifest knows is there and is the same, and nothing else but what exports add.
void hold_against(const store::ModelVersion& manifest, std::vector<store::ModelFile>& files,
                  const fs::path& root) {
  std::map<std::string, const store::ModelFile*> known;
  for (const store::ModelFile& file : manifest.files) known[file.path] = &file;
  const bool has_own_card = known.contains(kCardFile);
  const auto is_added = [&](const std::string& path) {
    return path == kManifestFile || path == (has_own_card ? kSecondCardFile : kCardFile);
  };
  std::vector<store::ModelFile> kept;
  for (store::ModelFile& file : files) {
    const auto found = known.find(file.path);
    if (found == known.end() && is_added(file.path)) {
      on_disk(root, "leave out a file of", [&] { fs::remove(root / file.path); });
      continue;
    }
    if (found == known.end())
      refuse(in_quotes(file.path) + " is not in " + kManifestFile, "export the model again");
    if (found->second->sha256 != file.sha256)
      refuse(in_quotes(file.path) + " is not what was exported: its SHA-256 is " + file.sha256,
             "export the model again, or copy it again");
    known.erase(found);
    kept.push_back(std::move(file));
  }
  if (!known.empty())
    refuse(in_quotes(known.begin()->first) + " is missing, which " + kManifestFile + " names",
           "export the model again, or copy it again");
  files = std::move(kept);
}

// What was required of it there is remembered and not obeyed: its paths are of another machine, and whoever
// packed it is not the one to say what it must show here.
void leave_gate_behind(Json& lineage, Json& origin, std::vector<std::string>& notices) {
  const auto required = lineage.find("require");
  if (required == lineage.end()) return;
  origin["require"] = std::move(*required);
  lineage.erase(required);
  notices.push_back(
      "what its study required of it is not required here: `tune models promote` takes --require FILE");
}

// What was said of one path, of the other.
std::string with_path(std::string text, const fs::path& path, const fs::path& other) {
  const std::string was = path.string();
  if (const std::size_t at = text.find(was); at != std::string::npos)
    text.replace(at, was.size(), other.string());
  return text;
}

// Manifests are JSON, which has no other texts.
void require_utf8_names(const std::vector<store::ModelFile>& files) {
  for (const store::ModelFile& file : files)
    if (!is_utf8(file.path))
      refuse("cannot import the file " + in_quotes(file.path) + ", whose name is no UTF-8",
             "rename it where it comes from");
}

// Formats that run code when Python loads them. `tune` never loads them itself.
std::vector<std::string> pickles_in(const std::vector<store::ModelFile>& files) {
  std::vector<std::string> names;
  for (const store::ModelFile& file : files) {
    const std::string extension = lower_case(fs::path(file.path).extension().string());
    for (const char* pickle : {".pt", ".pth", ".bin", ".pkl", ".pickle", ".ckpt", ".joblib"})
      if (extension == pickle) names.push_back(file.path);
  }
  return names;
}

}  // namespace

Imported import_model(const ImportRequest& request) {
  if (!kModelName.accepts(request.model))
    throw Error(ExitCode::kUsage, in_quotes(request.model) + " cannot be a model's name",
                std::string(kModelName.says));
  HeldModels models(request.store_folder, request.hooks);
  const fs::path staging = models.new_staging();
  try {
    Imported imported;
    stage(request, staging);
    crash_point("import_staged");
    const fs::path root = root_of(staging, imported.notices);
    store::ModelVersion version;
    version.value = std::nan("");
    version.files = files_in(root, request.hooks.is_interrupted);
    require_utf8_names(version.files);
    // As people know it: staging is gone by the time they read of it.
    const fs::path named = request.source / (root / kManifestFile).lexically_relative(staging);
    const JsonFile manifest = read_json_file(root / kManifestFile, kMostManifest);
    Json origin{{"source", request.source.filename().string()}, {"who", asking_user()}};
    if (!manifest.spoilt.empty())
      refuse(with_path(manifest.spoilt, root / kManifestFile, named), "export the model again");
    if (manifest.is_there) {
      const store::ModelVersion known = version_from_manifest(manifest.value, named);
      hold_against(known, version.files, root);
      version.objective = known.objective;
      version.value = known.value;
      version.lineage = known.lineage;
      origin.update({{"model", known.model},
                     {"version", known.version},
                     {"study", known.study},
                     {"trial", known.trial}});
      leave_gate_behind(version.lineage, origin, imported.notices);
    } else {
      Lineage lineage = lineage_of_folder(root);
      version.lineage = std::move(lineage.document);
      for (const std::string& unread : lineage.unread)
        imported.notices.push_back("not taken into its lineage: " + unread);
    }
    if (version.files.empty()) refuse("there is no file in " + request.source.string(), "name a model");
    std::error_code ignored;
    if (!fs::is_directory(request.source, ignored)) origin["sha256"] = sha256_of_file(request.source);
    version.lineage["imported"] = std::move(origin);
    const std::vector<std::string> pickles = pickles_in(version.files);
    if (!pickles.empty())
      imported.notices.push_back(
          in_quotes(pickles.front()) + (pickles.size() > 1 ? " and others are" : " is") +
          " in a format that can run code when it is loaded: load it only if you trust "
          "where it comes from");
    version.model = request.model;
    version.created = SystemClock().wall_now();
    imported.files = version.files.size();
    imported.version = models.add(std::move(version), root);
    imported.folder = models.folder_of(request.model, imported.version);
    fs::remove_all(staging, ignored);
    if (!request.note.empty())
      models.registry().remark({request.model, imported.version, store::RemarkKind::kNote, request.note,
                                asking_user(), SystemClock().wall_now()});
    return imported;
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(staging, ignored);
    throw;
  }
}

}  // namespace tune::engine
