#include "tuner/engine/database_file.h"

#include <cerrno>

#include "tuner/core/error.h"

namespace tune::engine {
namespace {
constexpr std::uintmax_t kLargeLog = 16 << 20;
}

DatabaseFile::DatabaseFile(const std::filesystem::path& study_folder)
    : file_(study_folder / "study.db"), at_begin_(look()) {}

std::optional<struct stat> DatabaseFile::look() const {
  struct stat status {};
  if (::stat(file_.c_str(), &status) != 0) return std::nullopt;
  return status;
}

void DatabaseFile::check_present() const {
  if (!at_begin_) return;
  const std::optional<struct stat> now = look();
  if (now && now->st_dev == at_begin_->st_dev && now->st_ino == at_begin_->st_ino) return;
  // Without the right to look, or while a network is away, nobody knows.
  if (!now && errno != ENOENT && errno != ENOTDIR) return;
  throw Error(ExitCode::kEnvironment,
              "the study's database was removed while it ran: " + file_.string() + " is " +
                  (now ? "another file now" : "gone"),
              "what was recorded is lost: run the spec again to start anew");
}

bool DatabaseFile::has_large_log() const {
  std::error_code missing;
  const std::uintmax_t size = std::filesystem::file_size(file_.string() + "-wal", missing);
  return !missing && size > kLargeLog;
}

}  // namespace tune::engine
