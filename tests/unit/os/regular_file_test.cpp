#include "tuner/os/regular_file.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <chrono>
#include <cstring>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/os/atomic_file.h"

using namespace tune;
namespace fs = std::filesystem;

namespace {

struct Folder {
  tests::TemporaryFolder folder;
  fs::path at(const char* name) const { return folder.path() / name; }
};

bool ends_with(const std::string& text, const char* end) { return text.ends_with(end); }
bool holds(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

std::string nested(std::size_t depth, char open, char close) {
  return std::string(depth, open) + std::string(depth, close);
}

void make_socket(const fs::path& path) {
  const int descriptor = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  REQUIRE(path.string().size() < sizeof address.sun_path);
  std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
  REQUIRE(::bind(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  ::close(descriptor);
}

}  // namespace

TEST_CASE_METHOD(Folder, "What is no regular file is never read or waited for, and is named") {
  REQUIRE(::mkfifo(at("fifo").c_str(), 0600) == 0);
  fs::create_symlink("/dev/zero", at("endless"));
  fs::create_symlink(at("nowhere"), at("dangling"));
  fs::create_directory(at("folder"));
  make_socket(at("socket"));
  write_file_atomically(at("file"), "content");
  const auto spoilt = [&](const char* name) { return read_regular_file(at(name), 1000).spoilt; };
  CHECK(ends_with(spoilt("fifo"), "fifo\": it is a FIFO, not a regular file"));
  CHECK(ends_with(spoilt("endless"), "endless\": it is a link, not a regular file"));
  CHECK(ends_with(spoilt("dangling"), "it is a link, not a regular file"));
  CHECK(ends_with(spoilt("folder"), "it is a folder"));
  CHECK(holds(spoilt("socket"), "it is a socket"));
  CHECK(holds(read_regular_file("/dev/zero", 1000).spoilt, "it is a device"));
  CHECK(holds(read_regular_file(at("file") / "below", 1000).spoilt, "Not a directory"));
  const FileContent none = read_regular_file(at("nothing"), 1000);
  CHECK_FALSE(none.is_there);
  CHECK(none.spoilt.empty());
}

TEST_CASE_METHOD(Folder, "A person's data may lie behind a link, but not behind one to a FIFO or a device") {
  write_file_atomically(at("file"), "content");
  fs::create_symlink(at("file"), at("link"));
  REQUIRE(::mkfifo(at("fifo").c_str(), 0600) == 0);
  fs::create_symlink(at("fifo"), at("to-fifo"));
  fs::create_symlink("/dev/zero", at("to-zero"));
  CHECK(read_regular_file(at("link"), 1000, Links::kFollow).bytes == "content");
  CHECK(holds(read_regular_file(at("to-fifo"), 1000, Links::kFollow).spoilt, "FIFO"));
  CHECK(holds(read_regular_file(at("to-zero"), 1000, Links::kFollow).spoilt, "device"));
}

TEST_CASE_METHOD(Folder, "A file is read from an offset, and not when it holds more than the limit") {
  write_file_atomically(at("file"), std::string(100'000, 'a') + "end");
  CHECK(read_regular_file(at("file"), 100'003).bytes.size() == 100'003);
  CHECK(read_regular_file(at("file"), 3, Links::kRefuse, 100'000).bytes == "end");
  const FileContent large = read_regular_file(at("file"), 100'002);
  CHECK_FALSE(large.is_there);
  CHECK(large.bytes.empty());
  CHECK(holds(large.spoilt, "it is larger than 100002 bytes"));
}

TEST_CASE_METHOD(Folder, "A sparse file without end costs no memory") {
  const int descriptor = ::open(at("sparse").c_str(), O_CREAT | O_WRONLY, 0600);
  REQUIRE(::ftruncate(descriptor, off_t{1} << 40) == 0);
  ::close(descriptor);
  CHECK(holds(read_json_file(at("sparse"), 1 << 20).spoilt, "larger than"));
}

TEST_CASE_METHOD(Folder, "A JSON file's content comes back, or what is wrong with it, with its name") {
  write_file_atomically(at("good"), R"({"a": [1, 2]})");
  write_file_atomically(at("bad"), "{\"a\": ");
  write_file_atomically(at("deep"), nested(300'000, '[', ']'));
  CHECK(read_json_file(at("good"), 1000).value == Json{{"a", {1, 2}}});
  CHECK(read_json_file(at("good"), 1000).spoilt.empty());
  const JsonFile bad = read_json_file(at("bad"), 1000);
  CHECK(bad.is_there);
  CHECK(bad.value.is_null());
  CHECK(holds(bad.spoilt, "bad\": it is not JSON"));
  CHECK(ends_with(read_json_file(at("deep"), 1 << 20).spoilt, "deep\": it is nested deeper than 100 levels"));
  CHECK_FALSE(read_json_file(at("nothing"), 1000).is_there);
}

TEST_CASE_METHOD(Folder, "Writing follows no link and waits for no FIFO's reader") {
  write_file_atomically(at("precious"), "precious");
  for (const auto open : {open_regular_file_to_append, open_regular_file_anew}) {
    fs::create_symlink(at("precious"), at("link"));
    REQUIRE(::mkfifo(at("fifo").c_str(), 0600) == 0);
    for (const char* name : {"link", "fifo"}) {
      const int descriptor = open(at(name));
      if (descriptor >= 0) {
        CHECK(::write(descriptor, "x", 1) == 1);
        ::close(descriptor);
        CHECK(fs::is_regular_file(fs::symlink_status(at(name))));
      }
    }
    fs::remove(at("link"));
    fs::remove(at("fifo"));
  }
  CHECK(read_file(at("precious")) == "precious");
  const int added = open_regular_file_to_append(at("precious"));
  REQUIRE(added >= 0);
  CHECK(::write(added, "!", 1) == 1);
  ::close(added);
  CHECK(read_file(at("precious")) == "precious!");
}
