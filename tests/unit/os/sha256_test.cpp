#include "tuner/os/sha256.h"

#include <sys/stat.h>

#include <algorithm>
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/os/atomic_file.h"

using namespace tune;

TEST_CASE("SHA-256 gives the digests of its standard, however the bytes arrive") {
  Sha256 empty;
  CHECK(empty.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  Sha256 abc;
  abc.add("abc");
  CHECK(abc.hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;  // a million times "a", in pieces of 1 to 999
  for (int left = 1'000'000, piece = 1; left > 0;
       left -= piece, piece = std::min(piece % 999 + 1, std::max(left, 1)))
    pieces.add(std::string(static_cast<std::size_t>(std::min(piece, left)), 'a'));
  CHECK(pieces.hex() == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 of a file is the published one of its bytes") {
  tests::TemporaryFolder folder;
  std::ofstream(folder.path() / "abc") << "abc";
  std::ofstream(folder.path() / "empty");
  CHECK(sha256_of_file(folder.path() / "abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256_of_file(folder.path() / "empty") ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST_CASE("what is no regular file is neither hashed nor read whole, and is never waited for") {
  tests::TemporaryFolder folder;
  const std::filesystem::path fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  for (const auto& [path, reason] :
       {std::pair{fifo, "it is a FIFO, not a regular file"},
        {std::filesystem::path("/dev/zero"), "it is a device, not a regular file"}}) {
    CHECK_THROWS_WITH(sha256_of_file(path), Catch::Matchers::Contains(reason));
    CHECK_THROWS_WITH(read_file(path), Catch::Matchers::Contains(reason));
  }
  CHECK_THROWS_WITH(sha256_of_file(folder.path() / "none"), Catch::Matchers::Contains("No such file"));
}
