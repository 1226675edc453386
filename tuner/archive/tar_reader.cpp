#include "tuner/archive/tar_reader.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "tuner/core/error.h"
#include "tuner/core/visible_text.h"
#include "tuner/os/descriptor.h"
#include "tuner/os/file_system.h"
#include "tuner/os/regular_file.h"

namespace tune::archive {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDeepestFolder = 50;  // as of a trainer's output
constexpr std::size_t kLongestName = 2048;  // bytes: with the store's folder before it, the system takes 4096
constexpr std::size_t kPiece = 1 << 20;     // bytes between two looks at limits and interruptions
constexpr std::uint64_t kKeptFree = 64 << 20;

constexpr const char* kCure = "an archive of a model holds files and folders alone, by relative names";

// One archive that is being unpacked. Lives for one call of unpack_tar().
class Unpacking {
 public:
  Unpacking(const fs::path& file, const fs::path& folder, const ArchiveLimits& limits,
            const std::function<bool()>& is_interrupted)
      : file_(file), folder_(folder), limits_(limits), is_interrupted_(is_interrupted) {}

  Unpacked run() {
    open();
    archive_entry* entry = nullptr;
    for (;;) {
      const int result = archive_read_next_header(reader_.get(), &entry);
      if (result == ARCHIVE_EOF) break;
      // A warning is of a name that this locale cannot show; it is read below.
      if (result != ARCHIVE_OK && result != ARCHIVE_WARN) refuse_reading();
      if (++entries_ > limits_.entries)
        refuse("holds more than " + std::to_string(limits_.entries) + " files and folders");
      take(entry);
    }
    if (unpacked_.files == 0) refuse("holds no file");
    return unpacked_;
  }

 private:
  [[noreturn]] void refuse(const std::string& why, const char* cure = kCure) const {
    throw Error(ExitCode::kBadData, file_.string() + " " + why, cure);
  }
  [[noreturn]] void refuse_reading() const {
    const char* reason = archive_error_string(reader_.get());
    refuse(std::string("cannot be read as a tar archive, plain or by gzip: ") +
               (reason != nullptr ? visible_text(reason) : "it is damaged"),
           "copy it again, or pack the model's folder with `tar czf model.tar.gz -C FOLDER .`");
  }
  [[noreturn]] void fail_to_write(const fs::path& path, int reason) const {
    const std::string message = "cannot write \"" + path.string() + "\": " + std::strerror(reason);
    if (is_disk_full(reason)) throw DiskFull(message);
    throw Error(ExitCode::kEnvironment, message);
  }

  void open() {
    std::error_code ignored;
    if (!fs::exists(file_, ignored))
      throw Error(ExitCode::kNotFound, "there is no file \"" + file_.string() + "\"");
    OpenedFile opened = open_regular_file(file_, Links::kFollow);
    source_ = Descriptor(opened.descriptor);
    if (source_.get() < 0) throw Error(ExitCode::kBadData, opened.spoilt, "name an archive");
    reader_.reset(archive_read_new());
    TUNE_CHECK(reader_ != nullptr);
    // No other format and no other filter: each would be code that strangers reach.
    archive_read_support_format_tar(reader_.get());
    archive_read_support_filter_gzip(reader_.get());
    if (archive_read_open_fd(reader_.get(), source_.get(), kPiece) != ARCHIVE_OK) refuse_reading();
  }

  std::string name_of(archive_entry* entry) const {
    const char* name = archive_entry_pathname(entry);
    if (name == nullptr) name = archive_entry_pathname_utf8(entry);
    if (name == nullptr) refuse("holds a name that cannot be read");
    return name;
  }

  // Relative, without "." and "..".
  fs::path place_of(const std::string& name) const {
    const std::string shown = in_quotes(name);
    if (name.empty() || name[0] == '/') refuse("holds the absolute name " + shown);
    for (const char c : name)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) refuse("holds a control character in " + shown);
    if (name.size() > kLongestName)
      refuse("holds a name of more than " + std::to_string(kLongestName) + " bytes with its folders");
    fs::path place;
    std::size_t depth = 0;
    for (std::size_t begin = 0; begin < name.size();) {
      const std::size_t end = std::min(name.find('/', begin), name.size());
      const std::string part = name.substr(begin, end - begin);
      begin = end + 1;
      if (part.empty() || part == ".") continue;
      if (part == "..") refuse("holds " + shown + ", which leads out of it");
      if (part.size() > 255) refuse("holds a name of more than 255 bytes");
      if (++depth > kDeepestFolder)
        refuse("holds folders more than " + std::to_string(kDeepestFolder) + " deep");
      place /= part;
    }
    return place;
  }

  void take(archive_entry* entry) {
    const std::string name = name_of(entry);
    const fs::path place = place_of(name);
    if (archive_entry_hardlink(entry) != nullptr || archive_entry_symlink(entry) != nullptr)
      refuse("holds the link " + in_quotes(name));
    const auto type = archive_entry_filetype(entry);
    if (type == AE_IFDIR) {
      make_folder(place, name);
    } else if (type == AE_IFREG && !place.empty()) {
      make_folder(place.parent_path(), name);
      write(entry, folder_ / place, name);
    } else {
      refuse("holds " + in_quotes(name) + ", which is neither a file nor a folder");
    }
  }

  void make_folder(const fs::path& place, const std::string& name) const {
    std::error_code error;
    fs::create_directories(folder_ / place, error);
    if (!error) return;
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(folder_ / place, ignored)) || error == std::errc::not_a_directory ||
        error == std::errc::file_exists)
      refuse("holds " + in_quotes(name) + " both as a file and as a folder");
    fail_to_write(folder_ / place, error.value());
  }

  void write(archive_entry* entry, const fs::path& path, const std::string& name) {
    require_room(static_cast<std::uint64_t>(std::max<la_int64_t>(0, archive_entry_size(entry))), name);
    const bool is_program = (archive_entry_perm(entry) & S_IXUSR) != 0;
    // Never what is there: a second entry of that name, whatever it is, is refused.
    const Descriptor target(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, is_program ? 0755 : 0644));
    if (target.get() < 0) {
      if (errno == EEXIST || errno == EISDIR) refuse("holds " + in_quotes(name) + " twice");
      fail_to_write(path, errno);
    }
    for (;;) {
      if (is_interrupted_ && is_interrupted_())
        throw Error(ExitCode::kInterrupted, "interrupted while " + file_.string() + " was unpacked");
      const la_ssize_t got = archive_read_data(reader_.get(), buffer_.data(), buffer_.size());
      if (got < 0) refuse_reading();
      if (got == 0) break;
      count(static_cast<std::uint64_t>(got));
      write_all(target.get(), path, static_cast<std::size_t>(got));
    }
    if (::fsync(target.get()) != 0) fail_to_write(path, errno);
    ++unpacked_.files;
  }

  // The size is the archive's word alone; count() holds it to that.
  void require_room(std::uint64_t size, const std::string& name) const {
    if (size > limits_.bytes - std::min(limits_.bytes, unpacked_.bytes)) refuse_size();
    if (free_disk_bytes(folder_) < size + kKeptFree)
      throw DiskFull("there is no room for " + in_quotes(name) + " of " + file_.string() + ", which has " +
                     std::to_string(size) + " bytes");
  }

  void count(std::uint64_t more) {
    unpacked_.bytes += more;
    if (unpacked_.bytes > limits_.bytes) refuse_size();
    const auto packed =
        static_cast<std::uint64_t>(std::max<la_int64_t>(1, archive_filter_bytes(reader_.get(), -1)));
    if (unpacked_.bytes > limits_.ratio_from && unpacked_.bytes / limits_.ratio > packed)
      refuse("unpacks to more than " + std::to_string(limits_.ratio) + " times its size", "no model does");
  }
  [[noreturn]] void refuse_size() const {
    refuse("holds more than " + std::to_string(limits_.bytes) + " bytes");
  }

  void write_all(int target, const fs::path& path, std::size_t count) const {
    for (std::size_t done = 0; done < count;) {
      const ssize_t written = ::write(target, buffer_.data() + done, count - done);
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_to_write(path, errno);
      done += static_cast<std::size_t>(written);
    }
  }

  struct Freeing {
    void operator()(struct ::archive* reader) const { archive_read_free(reader); }
  };

  const fs::path file_, folder_;
  const ArchiveLimits limits_;
  const std::function<bool()>& is_interrupted_;
  Descriptor source_;
  std::unique_ptr<struct ::archive, Freeing> reader_;
  std::vector<char> buffer_ = std::vector<char>(kPiece);
  std::size_t entries_ = 0;
  Unpacked unpacked_;
};

}  // namespace

Unpacked unpack_tar(const fs::path& archive, const fs::path& folder, const ArchiveLimits& limits,
                    const std::function<bool()>& is_interrupted) {
  return Unpacking(archive, folder, limits, is_interrupted).run();
}

}  // namespace tune::archive
