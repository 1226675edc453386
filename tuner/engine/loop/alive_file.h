#pragma once
// Tells the next run when this one last lived, so that what died with it is paid for to that moment.
#include <filesystem>

#include "tuner/core/clock.h"
#include "tuner/os/descriptor.h"

namespace tune::engine {

// A file of one number in the study's folder, written over and over, which costs the database nothing. Owned
// by the loop, on its thread. Nothing depends on it but the bill: where it cannot be written, the database's
// own time counts, which is some seconds older.
class AliveFile {
 public:
  explicit AliveFile(const std::filesystem::path& study_folder);

  void write(WallTime now);
  // When an earlier run last lived: what the file said when it was opened, if that is later than `recorded`
  // and could have been written between two saves of the study.
  WallTime last_time(WallTime recorded) const;

 private:
  Descriptor file_;
  WallTime found_{};
};

}  // namespace tune::engine
