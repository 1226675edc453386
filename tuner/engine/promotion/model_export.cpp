#include "tuner/engine/promotion/model_export.h"

#include <map>

#include "tuner/archive/tar_writer.h"
#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/core/store_layout.h"
#include "tuner/core/visible_text.h"
#include "tuner/engine/promotion/model_card.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/crash_point.h"
#include "tuner/os/sha256.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

// What an export holds, by name: a file of the version, or a text of ours.
struct Content {
  const store::ModelFile* file = nullptr;
  std::string text;
};
using Contents = std::map<std::string, Content>;

Contents contents_of(const store::ModelVersion& version, const fs::path& folder) {
  Contents contents;
  for (const store::ModelFile& file : version.files) {
    if (!is_utf8(file.path))
      throw Error(ExitCode::kConflict,
                  "the version has the file " + in_quotes(file.path) + ", whose name is no UTF-8, and so " +
                      kManifestFile + " cannot name it",
                  "let the trainer name it otherwise, and promote the trial again");
    contents[file.path].file = &file;
  }
  if (contents.contains(kManifestFile))
    throw Error(ExitCode::kConflict,
                "the version has a file " + std::string(kManifestFile) + ", which exports write themselves",
                "let the trainer name it otherwise");
  contents[kManifestFile].text = manifest_json(version).dump(2) + "\n";
  const char* card = contents.contains(kCardFile) ? kSecondCardFile : kCardFile;
  if (!contents.contains(card)) contents[card].text = model_card(version, folder);
  return contents;
}

bool is_program(const fs::path& file) {
  std::error_code ignored;
  return (fs::status(file, ignored).permissions() & fs::perms::owner_exec) != fs::perms::none;
}

void write_archive(const Contents& contents, const fs::path& folder, const ExportRequest& request) {
  archive::TarWriter writer(request.output);
  for (const auto& [name, content] : contents) {
    if (content.file == nullptr) {
      writer.add(name, content.text);
      continue;
    }
    const store::ModelFile& file = *content.file;
    writer.add(name, file.bytes, is_program(folder / file.path), [&](const archive::TarWriter::Give& give) {
      read_recorded(folder, file, request.is_interrupted, give);
    });
  }
  crash_point("export_written");
  writer.commit();
}

void write_folder(const Contents& contents, const fs::path& folder, const ExportRequest& request) {
  fs::path output = request.output.lexically_normal();
  if (output.filename().empty()) output = output.parent_path();
  // Beside its place, so that a rename makes it whole.
  const fs::path staging =
      output.parent_path() / ("." + output.filename().string() + ".tmp-" + random_token().substr(0, 12));
  try {
    on_disk(staging, "write", [&] {
      fs::create_directory(staging);
      for (const auto& [name, content] : contents) {
        const fs::path target = staging / name;
        fs::create_directories(target.parent_path());
        AtomicFile file(target, Durability::kPower);
        if (content.file == nullptr)
          file.add(content.text);
        else
          read_recorded(folder, *content.file, request.is_interrupted,
                        [&](std::string_view piece) { file.add(piece); });
        file.commit();
        if (content.file != nullptr && is_program(folder / content.file->path))
          fs::permissions(target, fs::perms::owner_exec | fs::perms::group_exec | fs::perms::others_exec,
                          fs::perm_options::add);
      }
      crash_point("export_written");
      fs::rename(staging, output);
    });
  } catch (...) {
    std::error_code ignored;
    fs::remove_all(staging, ignored);
    throw;
  }
}

}  // namespace

Exported export_model(const ExportRequest& request) {
  const fs::path models = models_folder(request.store_folder);
  const store::ModelRegistry registry(registry_file(models), store::OpenMode::kRead);
  Exported exported;
  exported.version = registry.resolve(request.model);
  std::error_code ignored;
  if (fs::exists(fs::symlink_status(request.output, ignored)))
    throw Error(ExitCode::kConflict, request.output.string() + " is there already", "choose another name");
  const fs::path folder = version_folder(models / exported.version.model, exported.version.version);
  const Contents contents = contents_of(exported.version, folder);
  for (const auto& [name, content] : contents) {
    ++exported.files;
    exported.bytes += content.file == nullptr ? content.text.size() : content.file->bytes;
  }
  if (request.form == ExportForm::kFolder) {
    write_folder(contents, folder, request);
    return exported;
  }
  write_archive(contents, folder, request);
  exported.sha256 = sha256_of_file(request.output);
  return exported;
}

}  // namespace tune::engine
