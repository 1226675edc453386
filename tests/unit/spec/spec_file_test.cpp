#include "tuner/spec/spec_file.h"

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <sstream>
#include <thread>

#include "support/catch.h"
#include "support/run_shell.h"

using namespace tune;

TEST_CASE("A spec may come through a FIFO, which is waited for aloud") {
  const tests::TemporaryFolder folder;
  const std::filesystem::path fifo = folder.path() / "fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::ostringstream said;
  std::streambuf* const before = std::cerr.rdbuf(said.rdbuf());
  std::thread writer([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(1200));  // longer than the patience
    std::ofstream(fifo) << "{\"a\": 1}";
  });
  const std::string read = read_spec_file(fifo);
  writer.join();
  std::cerr.rdbuf(before);
  CHECK(read == "{\"a\": 1}");
  CHECK(said.str() == "reads " + fifo.string() + ", which is a pipe, and waits for what is written to it\n");
}

TEST_CASE("a device is no spec, and is never read") {
  CHECK_THROWS_WITH(read_spec_file("/dev/zero"), Catch::Matchers::Contains("it is a device"));
}
