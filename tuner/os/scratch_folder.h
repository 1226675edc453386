#pragma once
#include <filesystem>
#include <string>

namespace tune {

// A private folder of this process ($TMPDIR, else /tmp), gone with this. Owned by whoever works in it.
class ScratchFolder {
 public:
  // Its name begins with `name`. Throws Error(kEnvironment).
  explicit ScratchFolder(const std::string& name);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace tune
