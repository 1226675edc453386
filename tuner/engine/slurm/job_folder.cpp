#include "tuner/engine/slurm/job_folder.h"

#include <system_error>

#include "tuner/core/attempt_layout.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/os/atomic_file.h"
#include "tuner/os/regular_file.h"

namespace tune::engine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFolder = "slurm";
constexpr const char *kMarkFile = "mark", *kRoomFile = "room";
constexpr std::size_t kRecordBytes = 512;  // no less than a heartbeat has
constexpr std::size_t kMarkLength = 8;
constexpr std::uint64_t kMostMark = 4096;  // bytes that are read of it

// $1 is the batch's list, $2 tune-supervisor. Slurm keeps a copy, so it begins on a node that does not see
// the shared folder too. As the supervisor's parent it says when that has died; it hands on what signals the
// cluster sends to the script alone.
constexpr const char* kScript = R"sh(#!/bin/sh
# One attempt of a trial, as a job: written by tune, which submits it.
TUNE_JOB_BEGAN=$(date +%s%3N)
# A node is not always called as its host is.
node=${SLURMD_NODENAME:-localhost}
getent hosts "$node" >/dev/null || node=$(hostname)
: "${MASTER_ADDR:=$node}" "${MASTER_PORT:=$((20000 + SLURM_JOB_ID % 20000))}"
: "${PET_MASTER_ADDR:=$MASTER_ADDR}" "${PET_MASTER_PORT:=$MASTER_PORT}"
: "${PET_RDZV_ENDPOINT:=$MASTER_ADDR:$MASTER_PORT}" "${PET_RDZV_ID:=$SLURM_JOB_ID}"
export TUNE_JOB_BEGAN MASTER_ADDR MASTER_PORT PET_MASTER_ADDR PET_MASTER_PORT PET_RDZV_ENDPOINT PET_RDZV_ID
[ -r "$1" ] || exit 87
[ -x "$2" ] || exit 88
[ ! -e "$1.void" ] || exit 0
launch=$(sed -n "$((${SLURM_ARRAY_TASK_ID:-0} + 1))p" "$1")
folder=${launch%/*}
[ -r "$launch" ] || exit 87
"$2" "$launch" >>"$folder/job.log" 2>&1 &
supervisor=$!
trap 'kill -TERM "$supervisor" 2>/dev/null' TERM INT HUP USR1 USR2
wait "$supervisor"
code=$?
while kill -0 "$supervisor" 2>/dev/null; do
  wait "$supervisor"
  code=$?
done
if [ "$code" -ne 0 ] && [ ! -e "$folder/exit.json" ]; then
  # It was killed, and what it had started may live on: each of that carries the attempt's token.
  token=$(sed -n 's/.*"token":"\([0-9a-f]*\)".*/\1/p' "$launch")
  for process in /proc/[0-9]* /proc/[0-9]*; do
    tr '\0' '\n' 2>/dev/null <"$process/environ" | grep -qx "TUNE_ATTEMPT_TOKEN=$token" && kill -9 "${process#/proc/}"
  done
  echo "$code" >"$folder/ended"
fi
exit "$code"
)sh";

[[noreturn]] void fail(const fs::path& folder, const std::string& reason) {
  throw Error(ExitCode::kEnvironment, "the folder \"" + folder.string() + "\" cannot be made: " + reason,
              "runner.work must name a folder that may be written here and on every node");
}

void make_folders(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(folder, error.message());
}

bool is_link(const fs::path& path) {
  std::error_code ignored;
  return fs::is_symlink(fs::symlink_status(path, ignored));
}

}  // namespace

fs::path shared_folder_of(const fs::path& study_folder) {
  const fs::path trials = trials_folder(study_folder);
  std::error_code ignored;
  if (!is_link(trials)) return {};
  const fs::path folder = fs::read_symlink(trials, ignored).parent_path();
  return fs::exists(folder / kFolder / kMarkFile, ignored) ? folder : fs::path();
}

fs::path work_folder(const fs::path& study_folder, const std::string& study, const fs::path& shared) {
  const fs::path trials = trials_folder(study_folder);
  if (const fs::path there = shared_folder_of(study_folder); !there.empty()) {
    if (!shared.empty() && there.parent_path() != shared)
      throw Error(
          ExitCode::kConflict,
          "the study's trials lie in \"" + there.string() + "\", and runner.work is \"" + shared.string() +
              "\"",
          "name \"" + there.parent_path().string() + "\" in runner.work, or begin another study: --name");
    return there;
  }
  if (shared.empty()) return study_folder;
  std::error_code error;
  if (fs::exists(fs::symlink_status(trials, error)) && !fs::is_empty(trials, error))
    throw Error(ExitCode::kConflict,
                "the study has trials in \"" + trials.string() + "\", which is not in runner.work",
                "leave runner.work out where the nodes see that folder, or begin another study: --name");
  fs::remove(trials, error);
  const fs::path folder = shared / (study + "-" + random_token().substr(0, kMarkLength));
  make_folders(trials_folder(folder));
  fs::permissions(folder, fs::perms::owner_all, error);
  const JobFolder marked(folder);
  fs::create_directory_symlink(trials_folder(folder), trials, error);
  if (error) fail(trials, error.message());
  return folder;
}

JobFolder::JobFolder(const fs::path& work_folder) : folder_(work_folder / kFolder) {
  make_folders(folder_ / "batches");
  const fs::path file = folder_ / kMarkFile;
  const FileContent known = read_regular_file(file, kMostMark);
  mark_ = known.is_there ? known.bytes.substr(0, known.bytes.find('\n')) : std::string();
  if (mark_.size() != kMarkLength) {
    mark_ = random_token().substr(0, kMarkLength);
    write_file_atomically(file, mark_ + "\n");
  }
  write_file_atomically(script(), kScript);
}

std::string JobFolder::write_batch(const std::vector<fs::path>& launch_files) {
  std::string list;
  for (const fs::path& file : launch_files) {
    if (file.string().find('\n') != std::string::npos)
      throw Error(ExitCode::kEnvironment, "the path of a launch file has a line break in it",
                  "rename the folder");
    list += file.string() + "\n";
  }
  std::string name = random_token().substr(0, 2 * kMarkLength);
  write_file_atomically(batch_file(name), list);
  return name;
}

std::string JobFolder::lack_of_room() const {
  try {
    write_file_atomically(folder_ / kRoomFile, std::string(kRecordBytes, '\n'));
    return {};
  } catch (const DiskFull& full) {
    return full.what();
  }
}

void JobFolder::void_batch(const std::string& batch) {
  write_file_atomically(batch_file(batch).string() + ".void", "");
}

}  // namespace tune::engine
