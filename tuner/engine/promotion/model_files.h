#pragma once
// The files of a model version: what of a trainer's output may be promoted, its copy, and whether what was
// promoted is still the same.
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "store/model_registry.h"
#include "tuner/core/error.h"

namespace tune::engine {

// Asked several times a second while large files are read. Empty: nobody interrupts.
using IsInterrupted = std::function<bool()>;

// Runs a file operation and turns its failure into our error, with the path.
template <typename Operation>
auto on_disk(const std::filesystem::path& path, const char* what, Operation operation) {
  try {
    return operation();
  } catch (const std::filesystem::filesystem_error& error) {
    throw Error(ExitCode::kEnvironment,
                std::string("cannot ") + what + " " + path.string() + ": " + error.code().message());
  }
}

// Why the output folder cannot be promoted, or read at all, a sentence; empty when it can. The folder is a
// trainer's, which may have put anything there: it must be a real folder that holds a file, and below it
// nothing but folders, files and links to files of its own.
std::string output_problem(const std::filesystem::path& output);

// Copies an output without a problem to a folder that does not exist, and syncs it. Links become the files
// they lead to, and set-uid, set-gid and sticky bits are left behind. Returns the files, ordered by path.
// Throws Error(kInterrupted), Error(kEnvironment); the copy is gone then.
std::vector<store::ModelFile> copy_model(const std::filesystem::path& output, const std::filesystem::path& to,
                                         const IsInterrupted& is_interrupted);

// The files of a folder without a problem that stays where it is, hashed and ordered by path. Throws as
// copy_model().
std::vector<store::ModelFile> files_in(const std::filesystem::path& folder,
                                       const IsInterrupted& is_interrupted);

// Of the files in a folder and below it, or of a file; links count nothing. What cannot be read is left out.
std::uint64_t bytes_of(const std::filesystem::path& place);

// Gives `use` the bytes of a file that was recorded, and makes sure that they are what was recorded:
// Error(kEnvironment) otherwise, and Error(kInterrupted).
void read_recorded(const std::filesystem::path& folder, const store::ModelFile& file,
                   const IsInterrupted& is_interrupted, const std::function<void(std::string_view)>& use);

// How the folder of a version differs from what was promoted, a sentence a file; empty when it does not.
// Reads every byte. Throws as copy_model().
std::vector<std::string> damage_of(const std::filesystem::path& folder,
                                   const std::vector<store::ModelFile>& files,
                                   const IsInterrupted& is_interrupted = {});

}  // namespace tune::engine
