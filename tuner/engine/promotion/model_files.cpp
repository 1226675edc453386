#include "tuner/engine/promotion/model_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>

#include "tuner/core/characters.h"
#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/descriptor.h"
#include "tuner/os/regular_file.h"
#include "tuner/os/sha256.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr int kDeepestFolder = 50;       // no trainer's own; well before the system's limit on paths
constexpr std::size_t kPiece = 1 << 20;  // between two looks at the person who may want to stop

[[noreturn]] void fail(const char* what, const fs::path& path, int reason) {
  const std::string message =
      std::string("cannot ") + what + " \"" + path.string() + "\": " + std::strerror(reason);
  if (is_disk_full(reason)) throw DiskFull(message);
  throw Error(ExitCode::kEnvironment, message);
}

// Gives `use` the file's bytes in pieces.
void read_pieces(int fd, const fs::path& file, const IsInterrupted& is_interrupted,
                 const std::function<void(std::string_view)>& use) {
  const auto buffer = std::make_unique<char[]>(kPiece);
  for (;;) {
    if (is_interrupted && is_interrupted())
      throw Error(ExitCode::kInterrupted, "interrupted while " + file.string() + " was read");
    const ssize_t got = ::read(fd, buffer.get(), kPiece);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("read", file, errno);
    if (got == 0) return;
    use({buffer.get(), static_cast<std::size_t>(got)});
  }
}

// The SHA-256 of a regular file; empty, with `problem` filled, for anything else.
std::string hash_of(const fs::path& file, const IsInterrupted& is_interrupted, std::string& problem) {
  const OpenedFile opened = open_regular_file(file);
  const Descriptor source(opened.descriptor);
  problem = opened.spoilt;
  if (source.get() < 0) return {};
  Sha256 hash;
  read_pieces(source.get(), file, is_interrupted, [&](std::string_view piece) { hash.add(piece); });
  return hash.hex();
}

void write_all(int fd, const fs::path& file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail("write", file, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Hard links would let a later write to the output change the version, so bytes are copied.
store::ModelFile copy_file(const fs::path& from, const fs::path& to, const IsInterrupted& is_interrupted) {
  // A link leads to a file of the same output, as was checked.
  const fs::path file = fs::is_symlink(from) ? fs::canonical(from) : from;
  const OpenedFile opened = open_regular_file(file);
  const Descriptor source(opened.descriptor);
  if (source.get() < 0)
    throw Error(ExitCode::kEnvironment, opened.spoilt.empty() ? file.string() + " is gone" : opened.spoilt);
  const int made = open_regular_file_anew(to);
  if (made < 0) fail("write", to, -made);
  const Descriptor target(made);
  store::ModelFile copy{{}, 0, {}};
  Sha256 hash;
  read_pieces(source.get(), file, is_interrupted, [&](std::string_view piece) {
    hash.add(piece);
    write_all(target.get(), to, piece);
    copy.bytes += piece.size();
  });
  struct stat status {};
  constexpr mode_t kRights = 0777;  // nobody runs a model as its owner
  if (::fstat(source.get(), &status) != 0 || ::fchmod(target.get(), status.st_mode & kRights) != 0)
    fail("write", to, errno);
  if (::fsync(target.get()) != 0) fail("make durable", to, errno);
  copy.sha256 = hash.hex();
  std::string problem;
  if (hash_of(to, is_interrupted, problem) != copy.sha256)
    throw Error(ExitCode::kEnvironment,
                to.string() + " is not what was copied: the disk or memory is at fault");
  return copy;
}

// A link may lead to a file of the same output, as "last" does to "best": that file's bytes travel with it.
bool leads_to_file_within(const fs::path& link, const fs::path& output) {
  std::error_code error;
  const fs::path target = fs::canonical(link, error),
                 root = error ? fs::path() : fs::canonical(output, error);
  if (error || !fs::is_regular_file(target, error)) return false;
  return std::mismatch(root.begin(), root.end(), target.begin(), target.end()).first == root.end();
}

}  // namespace

std::string output_problem(const fs::path& output) {
  constexpr const char* kEmpty = "left nothing in its output folder ($TUNE_OUTPUT_DIR)";
  const std::string too_deep =
      "left folders more than " + std::to_string(kDeepestFolder) +
      " deep, or with names too long to be read: let the trainer write fewer of them into $TUNE_OUTPUT_DIR";
  const auto look = [&]() -> std::string {
    const fs::file_status root = fs::symlink_status(output);
    if (root.type() == fs::file_type::not_found) return kEmpty;
    if (root.type() != fs::file_type::directory)
      return "put a link or a file in the place of its output folder, " + output.string() +
             ": let the trainer write into $TUNE_OUTPUT_DIR itself";
    bool holds_files = false;
    for (fs::recursive_directory_iterator at(output), end; at != end; ++at) {
      if (at.depth() > kDeepestFolder) return too_deep;
      const fs::directory_entry& entry = *at;
      const fs::file_type type = entry.symlink_status().type();
      const bool is_file = type == fs::file_type::symlink ? leads_to_file_within(entry.path(), output)
                                                          : type == fs::file_type::regular;
      if (!is_file && type != fs::file_type::directory)
        return "left " + entry.path().string() + ", which is neither a file nor a folder, nor a link to a " +
               "file of this output: let the trainer write the file itself into $TUNE_OUTPUT_DIR";
      const std::string name = entry.path().lexically_relative(output).native();
      if (is_file && !is_utf8(name))
        return "left the file " + in_quotes(name) +
               ", whose name is no UTF-8: let the trainer name it otherwise";
      holds_files = holds_files || is_file;
    }
    return holds_files ? "" : kEmpty;
  };
  return on_disk(output, "read", [&] {
    try {
      return look();
    } catch (const fs::filesystem_error& error) {
      if (error.code() == std::errc::filename_too_long) return too_deep;
      throw;
    }
  });
}

std::vector<store::ModelFile> copy_model(const fs::path& output, const fs::path& to,
                                         const IsInterrupted& is_interrupted) try {
  std::vector<store::ModelFile> files;
  on_disk(to, "copy the model to", [&] {
    fs::create_directories(to);
    for (const auto& entry : fs::recursive_directory_iterator(output)) {
      const fs::path relative = entry.path().lexically_relative(output), target = to / relative;
      if (entry.is_directory()) {
        fs::create_directories(target);
        continue;
      }
      store::ModelFile file = copy_file(entry.path(), target, is_interrupted);
      file.path = relative.generic_string();
      files.push_back(std::move(file));
    }
    for (const auto& entry : fs::recursive_directory_iterator(to))
      if (entry.is_directory()) sync_path(entry.path());
    sync_path(to);
  });
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
} catch (...) {
  // The half of a large model would fill the disk until the next promotion.
  std::error_code ignored;
  fs::remove_all(to, ignored);
  throw;
}

std::vector<store::ModelFile> files_in(const fs::path& folder, const IsInterrupted& is_interrupted) {
  std::vector<store::ModelFile> files;
  on_disk(folder, "read", [&] {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_directory()) continue;
      store::ModelFile& file = files.emplace_back();
      std::string problem;
      file.path = entry.path().lexically_relative(folder).generic_string();
      file.bytes = entry.file_size();
      file.sha256 = hash_of(entry.path(), is_interrupted, problem);
      if (file.sha256.empty())
        throw Error(ExitCode::kEnvironment, problem.empty() ? entry.path().string() + " is gone" : problem);
    }
  });
  std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  return files;
}

std::uint64_t bytes_of(const fs::path& place) {
  std::error_code ignored;
  if (!fs::is_directory(fs::symlink_status(place, ignored))) {
    const std::uint64_t size = fs::file_size(place, ignored);
    return ignored ? 0 : size;
  }
  std::uint64_t bytes = 0;
  for (fs::recursive_directory_iterator at(place, ignored), end; !ignored && at != end; at.increment(ignored))
    if (std::error_code gone; fs::is_regular_file(at->symlink_status(gone))) bytes += at->file_size(gone);
  return bytes;
}

void read_recorded(const fs::path& folder, const store::ModelFile& file, const IsInterrupted& is_interrupted,
                   const std::function<void(std::string_view)>& use) {
  const fs::path path = folder / file.path;
  const OpenedFile opened = open_regular_file(path);
  const Descriptor source(opened.descriptor);
  std::string problem = opened.spoilt;
  if (problem.empty() && source.get() < 0) problem = path.string() + " is gone";
  if (problem.empty()) {
    Sha256 hash;
    read_pieces(source.get(), path, is_interrupted, [&](std::string_view piece) {
      hash.add(piece);
      use(piece);
    });
    const std::string found = hash.hex();
    if (found == file.sha256) return;
    problem = path.string() + " is not what was recorded: its SHA-256 is " + found;
  }
  throw Error(ExitCode::kEnvironment, problem, "restore the version's folder from a copy");
}

std::vector<std::string> damage_of(const fs::path& folder, const std::vector<store::ModelFile>& files,
                                   const IsInterrupted& is_interrupted) {
  return on_disk(folder, "read", [&] {
    std::vector<std::string> damage;
    if (!fs::is_directory(fs::symlink_status(folder))) {
      damage.push_back(folder.string() + " is gone");
      return damage;
    }
    std::set<std::string> known;
    for (const store::ModelFile& file : files) {
      known.insert(file.path);
      const fs::path path = folder / file.path;
      std::string problem;
      const std::string hash = hash_of(path, is_interrupted, problem);
      if (!problem.empty())
        damage.push_back(problem);
      else if (hash.empty())
        damage.push_back(path.string() + " is gone");
      else if (hash != file.sha256)
        damage.push_back(path.string() + " is not what was promoted: its SHA-256 is " + hash);
    }
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_directory() && !entry.is_symlink()) continue;
      if (!known.contains(entry.path().lexically_relative(folder).generic_string()))
        damage.push_back(entry.path().string() + " was not promoted");
    }
    return damage;
  });
}

}  // namespace tune::engine
