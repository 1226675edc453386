#include "trainer/weights/file_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "tuner/core/error.h"

namespace tune::trainer::weights {

FileReader::FileReader(std::filesystem::path path, Links links) : path_(std::move(path)) {
  const OpenedFile opened = open_regular_file(path_, links);
  file_ = Descriptor(opened.descriptor);
  if (!opened.spoilt.empty())
    throw Error(ExitCode::kBadData, opened.spoilt, "name a file with weights that may be read");
  if (opened.descriptor < 0) throw Error(ExitCode::kNotFound, "there is no file \"" + path_.string() + "\"");
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0)
    throw Error(ExitCode::kEnvironment, "cannot read \"" + path_.string() + "\": " + std::strerror(errno));
  size_ = static_cast<std::uint64_t>(status.st_size);
}

void FileReader::read(char* to, std::size_t count) {
  while (count > 0) {
    const ssize_t got = ::read(file_.get(), to, count);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0)
      throw Error(ExitCode::kEnvironment, "cannot read \"" + path_.string() + "\": " + std::strerror(errno));
    if (got == 0)
      throw Error(ExitCode::kBadData, path_.string() + ": it became shorter while it was read",
                  "copy or download the file again");
    to += got;
    count -= static_cast<std::size_t>(got);
  }
}

}  // namespace tune::trainer::weights
