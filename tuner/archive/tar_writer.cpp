#include "tuner/archive/tar_writer.h"

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include <cerrno>

#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::archive {
namespace {

namespace fs = std::filesystem;

// Weights hardly shrink, whatever the level; the first is several times as fast.
constexpr const char* kGzip = "gzip:!timestamp,gzip:compression-level=1";

struct FreeingEntry {
  void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};
struct FreeingWriter {
  void operator()(struct ::archive* writer) const { archive_write_free(writer); }
};

}  // namespace

struct TarWriter::Impl {
  explicit Impl(const fs::path& output) : file(output, Durability::kPower), path(output) {
    writer.reset(archive_write_new());
    TUNE_CHECK(writer != nullptr);
    // ustar where it can say it all, else with pax's records: of long or non-ASCII names and of large files.
    check(archive_write_set_format_pax_restricted(writer.get()));
    check(archive_write_add_filter_gzip(writer.get()));
    check(archive_write_set_options(writer.get(), kGzip));
    check(archive_write_open(writer.get(), this, nullptr, &Impl::take, nullptr));
  }

  // libarchive is C: an exception waits here until its function has returned.
  static la_ssize_t take(struct ::archive* writer, void* self, const void* bytes, std::size_t count) {
    auto* impl = static_cast<Impl*>(self);
    try {
      impl->file.add({static_cast<const char*>(bytes), count});
      return static_cast<la_ssize_t>(count);
    } catch (...) {
      impl->failure = std::current_exception();
      archive_set_error(writer, EIO, "cannot write");
      return -1;
    }
  }

  void check(la_ssize_t result) {
    if (failure) std::rethrow_exception(failure);
    if (result >= ARCHIVE_OK || result == ARCHIVE_WARN) return;
    const char* reason = archive_error_string(writer.get());
    throw Error(ExitCode::kEnvironment,
                "cannot write " + path.string() + ": " + (reason != nullptr ? reason : "unknown"));
  }

  void begin(const std::string& name, std::uint64_t bytes, bool is_program) {
    const std::unique_ptr<archive_entry, FreeingEntry> entry(archive_entry_new());
    TUNE_CHECK(entry != nullptr);
    archive_entry_set_pathname(entry.get(), name.c_str());
    archive_entry_set_size(entry.get(), static_cast<la_int64_t>(bytes));
    archive_entry_set_filetype(entry.get(), AE_IFREG);
    archive_entry_set_perm(entry.get(), is_program ? 0755 : 0644);
    archive_entry_set_mtime(entry.get(), 0, 0);
    archive_entry_set_uid(entry.get(), 0);
    archive_entry_set_gid(entry.get(), 0);
    check(archive_write_header(writer.get(), entry.get()));
  }

  void give(std::string_view piece) {
    for (std::size_t done = 0; done < piece.size();) {
      const la_ssize_t written = archive_write_data(writer.get(), piece.data() + done, piece.size() - done);
      check(written);
      TUNE_CHECK(written > 0, path.string());  // more bytes than the entry was to have
      done += static_cast<std::size_t>(written);
    }
  }

  AtomicFile file;
  const fs::path path;
  std::exception_ptr failure;
  std::unique_ptr<struct ::archive, FreeingWriter> writer;
};

TarWriter::TarWriter(const fs::path& output) : impl_(std::make_unique<Impl>(output)) {}
TarWriter::~TarWriter() = default;

void TarWriter::add(const std::string& name, std::string_view content) {
  add(name, content.size(), false, [&](const Give& give) { give(content); });
}

void TarWriter::add(const std::string& name, std::uint64_t bytes, bool is_program,
                    const std::function<void(const Give& give)>& read) {
  impl_->begin(name, bytes, is_program);
  std::uint64_t given = 0;
  read([&](std::string_view piece) {
    given += piece.size();
    if (given > bytes)
      throw Error(ExitCode::kEnvironment, name + " grew while it was packed", "pack it again");
    impl_->give(piece);
  });
  if (given != bytes)
    throw Error(ExitCode::kEnvironment, name + " shrank while it was packed", "pack it again");
  impl_->check(archive_write_finish_entry(impl_->writer.get()));
}

void TarWriter::commit() {
  impl_->check(archive_write_close(impl_->writer.get()));
  impl_->file.commit();
}

}  // namespace tune::archive
