// Archives that are written the same each time, and archives of strangers.
#include <sys/stat.h>

#include <array>
#include <fstream>
#include <set>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/archive/tar_reader.h"
#include "tuner/archive/tar_writer.h"
#include "tuner/core/error.h"

namespace tune::archive {
namespace {

namespace fs = std::filesystem;
using tests::TemporaryFolder;

std::string bytes_in(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write(const fs::path& file, const std::string& bytes) { std::ofstream(file, std::ios::binary) << bytes; }

std::set<std::string> names_below(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    names.insert(entry.path().lexically_relative(folder).generic_string());
  return names;
}

// One entry of a ustar archive (POSIX.1-1988): a header of 512 bytes, then the content in blocks.
std::string entry(const std::string& name, const std::string& content = "x", char type = '0',
                  const std::string& link = {}, const std::string& size = {}) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) { header.replace(at, text.size(), text); };
  const auto octal = [](std::size_t number, int digits) {
    std::array<char, 16> text{};
    std::snprintf(text.data(), text.size(), "%0*zo", digits, number);
    return std::string(text.data());
  };
  put(0, name.substr(0, 100));
  put(100, "0000644");
  put(108, "0000000");
  put(116, "0000000");
  put(124, size.empty() ? octal(content.size(), 11) : size);
  put(136, "00000000000");
  put(148, "        ");
  header[156] = type;
  put(157, link);
  put(257, std::string("ustar\0"
                       "00",
                       8));
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  std::string padded = content;
  padded.resize((content.size() + 511) / 512 * 512);
  return header + padded;
}

const std::string kEnd(1024, '\0');

// What unpacking the archive comes to: "" or the error; nothing may ever lie beside the folder.
struct Outcome {
  ExitCode code = ExitCode::kOk;
  std::string message;
};
Outcome unpack(const std::string& bytes, const ArchiveLimits& limits = {}) {
  const TemporaryFolder scratch;
  write(scratch.path() / "a.tar", bytes);
  const fs::path folder = scratch.path() / "inner" / "folder";
  fs::create_directories(folder);
  Outcome outcome;
  try {
    unpack_tar(scratch.path() / "a.tar", folder, limits);
  } catch (const Error& error) {
    outcome = {error.code(), error.what()};
  }
  CHECK(names_below(scratch.path() / "inner").count("escaped") == 0);
  for (const auto& name : fs::recursive_directory_iterator(scratch.path())) CHECK_FALSE(name.is_symlink());
  CHECK(fs::directory_iterator(scratch.path() / "inner")->path() == folder);
  return outcome;
}

TEST_CASE("an archive has the same bytes each time, and comes out as it went in") {
  const TemporaryFolder folder;
  const std::string weights(3'000'000, 'w'), long_name = std::string(80, 'd') + "/" + std::string(120, 'n');
  for (const char* name : {"a.tar.gz", "b.tar.gz"}) {
    TarWriter writer(folder.path() / name);
    writer.add("README.md", "card\n");
    writer.add("deep/empty", "");
    writer.add("deep/w\xC3\xA4ights", weights);
    writer.add(long_name, "long");
    writer.add("run.sh", 5, true, [](const TarWriter::Give& give) {
      give("ec");
      give("ho\n");
    });
    CHECK_FALSE(fs::exists(folder.path() / name));
    writer.commit();
  }
  const std::string bytes = bytes_in(folder.path() / "a.tar.gz");
  CHECK(bytes == bytes_in(folder.path() / "b.tar.gz"));
  // gzip's header: no name, no time (RFC 1952).
  CHECK(bytes.substr(0, 8) == std::string("\x1f\x8b\x08\0\0\0\0\0", 8));
  fs::create_directory(folder.path() / "out");
  const Unpacked unpacked = unpack_tar(folder.path() / "a.tar.gz", folder.path() / "out");
  CHECK(unpacked.files == 5);
  CHECK(unpacked.bytes == 5 + weights.size() + 4 + 5);
  CHECK(bytes_in(folder.path() / "out/deep/w\xC3\xA4ights") == weights);
  CHECK(bytes_in(folder.path() / "out" / long_name) == "long");
  CHECK((fs::status(folder.path() / "out/run.sh").permissions() & fs::perms::owner_exec) != fs::perms::none);
  // Other programs read it, and see neither times nor owners.
  const tests::ShellResult listed =
      tests::run_shell("TZ=UTC tar --numeric-owner -tvzf a.tar.gz", folder.path());
  CHECK(listed.exit_code == 0);
  CHECK(listed.out.find("-rw-r--r-- 0/0") == 0);
  CHECK(listed.out.find("1970-01-01 00:00 README.md") != std::string::npos);
}

TEST_CASE("a file that is not as long as was said leaves no archive") {
  const TemporaryFolder folder;
  for (const char* piece : {"abc", "abcdef"}) {
    const auto pack = [&] {
      TarWriter writer(folder.path() / "a.tar.gz");
      writer.add("x", 4, false, [&](const TarWriter::Give& give) { give(piece); });
      writer.commit();
    };
    CHECK_THROWS_AS(pack(), Error);
    CHECK(fs::is_empty(folder.path()));
  }
}

TEST_CASE("what other programs have packed is unpacked, without what it says of owners and times") {
  const TemporaryFolder folder;
  const tests::ShellResult made = tests::run_shell(
      "mkdir -p m/sub out1 out2 && echo a > m/a && echo b > m/sub/b && chmod 4755 m/a && tar cf plain.tar -C "
      "m . "
      "&& tar czf model.tar.gz -C m a sub",
      folder.path());
  REQUIRE(made.exit_code == 0);
  CHECK(unpack_tar(folder.path() / "plain.tar", folder.path() / "out1").files == 2);
  CHECK(unpack_tar(folder.path() / "model.tar.gz", folder.path() / "out2").files == 2);
  for (const char* out : {"out1", "out2"}) {
    CHECK(names_below(folder.path() / out) == std::set<std::string>{"a", "sub", "sub/b"});
    CHECK((fs::status(folder.path() / out / "a").permissions() & fs::perms::set_uid) == fs::perms::none);
  }
}

TEST_CASE("names that lead out of the folder, links, devices and doubles are refused") {
  const std::vector<std::pair<std::string, std::string>> hostile{
      {entry("/etc/escaped"), "the absolute name"},
      {entry("../escaped"), "leads out of it"},
      {entry("a/../../escaped"), "leads out of it"},
      {entry("a/.."), "leads out of it"},
      {entry("link", "", '2', "/etc/passwd"), "the link \"link\""},
      {entry("link", "", '2', "..") + entry("link/escaped"), "the link \"link\""},
      {entry("a") + entry("hard", "", '1', "a"), "the link \"hard\""},
      {entry("hard", "", '1', "/etc/passwd"), "the link \"hard\""},
      {entry("tty", "", '3'), "neither a file nor a folder"},
      {entry("disk", "", '4'), "neither a file nor a folder"},
      {entry("pipe", "", '6'), "neither a file nor a folder"},
      {entry("a") + entry("a"), "\"a\" twice"},
      {entry("a") + entry("./a"), "twice"},
      {entry("a") + entry("a/b"), "both as a file and as a folder"},
      {entry("a/b") + entry("a"), "twice"},
      {entry("a\x1b[2J"), "a control character"},
      {entry("a\nb"), "a control character"},
      {entry("./", "", '5'), "holds no file"},
      {kEnd, "holds no file"},
      {std::string("not an archive at all"), "cannot be read as a tar archive"},
      {entry("a", "x", '0', {}, "77777777777"), "holds more than"},
  };
  for (const auto& [bytes, message] : hostile) {
    CAPTURE(message);
    ArchiveLimits limits;
    limits.bytes = 1'000'000;
    const Outcome outcome = unpack(bytes + kEnd, limits);
    CHECK(outcome.code == ExitCode::kBadData);
    CHECK(outcome.message.find(message) != std::string::npos);
    CHECK(outcome.message.find('\x1b') == std::string::npos);
  }
  {
    const TemporaryFolder folder;
    TarWriter writer(folder.path() / "long.tar.gz");
    std::string name;
    for (int i = 0; i < 20; ++i) name += std::string(200, 'd') + '/';
    writer.add(name + "f", "x");
    writer.commit();
    const Outcome outcome = unpack(bytes_in(folder.path() / "long.tar.gz"));
    CHECK(outcome.code == ExitCode::kBadData);
    CHECK(outcome.message.find("a name of more than 2048 bytes") != std::string::npos);
  }
  std::string deep;
  for (int i = 0; i < 30; ++i) deep += "d/";
  CHECK(unpack(entry(deep + "f") + kEnd).code == ExitCode::kOk);
  CHECK(unpack(entry("a") + entry("b/c") + kEnd).code == ExitCode::kOk);
}

TEST_CASE("too many entries, too many bytes and too good a compression are refused") {
  ArchiveLimits limits;
  limits.entries = 3;
  const std::string three = entry("a") + entry("b") + entry("c");
  CHECK(unpack(three + kEnd, limits).code == ExitCode::kOk);
  CHECK(unpack(three + entry("d") + kEnd, limits).message.find("more than 3 files") != std::string::npos);
  limits = {};
  limits.bytes = 10;
  CHECK(unpack(entry("a", "0123456789") + kEnd, limits).code == ExitCode::kOk);
  CHECK(
      unpack(entry("a", "012345678") + entry("b", "01") + kEnd, limits).message.find("more than 10 bytes") !=
      std::string::npos);

  const TemporaryFolder folder;
  {
    TarWriter writer(folder.path() / "bomb.tar.gz");
    writer.add("zeros", std::string(20'000'000, '\0'));
    writer.commit();
  }
  const std::string bomb = bytes_in(folder.path() / "bomb.tar.gz");
  CHECK(unpack(bomb).code == ExitCode::kOk);  // small enough to do no harm
  limits = {};
  limits.ratio = 50;
  limits.ratio_from = 1'000'000;
  CHECK(unpack(bomb, limits).message.find("more than 50 times its size") != std::string::npos);
}

TEST_CASE("an archive that is cut or changed is damaged") {
  const TemporaryFolder folder;
  std::string content;
  for (int i = 0; i < 40'000; ++i) content += std::to_string(i * 7919) + ",";
  {
    TarWriter writer(folder.path() / "a.tar.gz");
    writer.add("numbers", content);
    writer.commit();
  }
  const std::string bytes = bytes_in(folder.path() / "a.tar.gz");
  CHECK(unpack(bytes).code == ExitCode::kOk);
  for (const std::size_t length :
       {std::size_t{5}, std::size_t{200}, bytes.size() / 2, bytes.size() * 3 / 4}) {
    CAPTURE(length);
    CHECK(unpack(bytes.substr(0, length)).code == ExitCode::kBadData);
  }
  std::string changed = bytes;
  changed[bytes.size() / 2] = static_cast<char>(changed[bytes.size() / 2] ^ 0x40);
  // Either the stream breaks, or the file has other bytes, which an export's manifest tells: libarchive holds
  // no gzip checksum against what it has read.
  const Outcome outcome = unpack(changed);
  CHECK((outcome.code == ExitCode::kBadData || outcome.code == ExitCode::kOk));
}

TEST_CASE("unpacking is interrupted, and what is no file is not waited for") {
  const TemporaryFolder folder;
  write(folder.path() / "a.tar", entry("a") + kEnd);
  fs::create_directory(folder.path() / "out");
  try {
    unpack_tar(folder.path() / "a.tar", folder.path() / "out", {}, [] { return true; });
    FAIL("it was not interrupted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::kInterrupted);
  }
  REQUIRE(::mkfifo((folder.path() / "fifo").c_str(), 0600) == 0);
  CHECK_THROWS_WITH(unpack_tar(folder.path() / "fifo", folder.path() / "out"),
                    Catch::Matchers::Contains("FIFO"));
  CHECK_THROWS_WITH(unpack_tar(folder.path() / "none", folder.path() / "out"),
                    Catch::Matchers::Contains("there is no file"));
}

}  // namespace
}  // namespace tune::archive
