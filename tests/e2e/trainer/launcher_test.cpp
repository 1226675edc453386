// tune-train as it is packaged, with a shell script in the trainer's place.
#include <filesystem>
#include <fstream>

#include "support/catch.h"
#include "support/run_shell.h"

namespace tune::tests {
namespace {

using Catch::Matchers::Contains;

// A package in the folder `p`, and what makes a LibTorch of a version, `V` being the one that is needed.
const std::string kPackage = R"sh(
launcher=$(command -v tune-train-launcher); V=$(cat $(dirname $launcher)/../libtorch-version)
mkdir -p p/bin p/lib/tune; cp $launcher p/bin/tune-train
printf '#!/bin/sh\necho "with $LD_LIBRARY_PATH: $*"\nexit 3\n' > p/lib/tune/tune-train; chmod +x p/lib/tune/tune-train
libtorch() { mkdir -p $1/lib; touch $1/lib/libtorch_cpu.so; echo "__version__ = '$2'" > $1/version.py; }
python() { mkdir -p python; printf '#!/bin/sh\necho %s\n' "$1" > python/python3; chmod +x python/python3; }
unset TUNE_LIBTORCH LD_LIBRARY_PATH; python ''; export PATH=$PWD/python:$PATH
)sh";

class Package {
 public:
  ShellResult shell(const std::string& lines) const { return run_shell(kPackage + lines, folder_.path()); }
  std::string path() const { return folder_.path().string(); }

 private:
  TemporaryFolder folder_;
};

TEST_CASE(
    "a packaged tune-train becomes the trainer with the LibTorch that is named, beside it or Python's") {
  const Package package;
  const ShellResult named = package.shell(
      "libtorch named $V.1+cu130; libtorch p/libtorch $V.0; TUNE_LIBTORCH=named LD_LIBRARY_PATH=/more "
      "p/bin/tune-train a 'b c'");
  CAPTURE(named.err);
  CHECK(named.out == "with " + package.path() + "/named/lib:/more: a b c\n");
  CHECK(named.exit_code == 3);
  const ShellResult beside = package.shell("libtorch theirs $V.0; python $PWD/theirs; p/bin/tune-train");
  CHECK(beside.out == "with " + package.path() + "/p/libtorch/lib: \n");
  const ShellResult of_python =
      package.shell("rm -r p/libtorch; python $PWD/theirs; p/bin/tune-train --json");
  CHECK(of_python.out == "with " + package.path() + "/theirs/lib: --json\n");
}

TEST_CASE("a packaged tune-train refuses another LibTorch than it was built for, and says what it found") {
  const Package package;
  const ShellResult none = package.shell("p/bin/tune-train describe");
  CHECK(none.exit_code == 7);
  CHECK_THAT(none.err, Contains("which was not found\n") && Contains("pip install \"torch=="));
  const ShellResult other =
      package.shell("libtorch old 1.2.0; libtorch p/libtorch ''; python $PWD/old; p/bin/tune-train describe");
  CHECK(other.exit_code == 7);
  CHECK_THAT(other.err, Contains("there is a LibTorch of unknown version in " + package.path() +
                                 "/p/libtorch/lib, and LibTorch 1.2.0 in " + package.path() + "/old/lib"));
  // A folder that is named is used or refused, though another would do; and 2.1 is not 2.13.
  const ShellResult named = package.shell(
      "libtorch good $V.0; python $PWD/good; libtorch near ${V}3.0; TUNE_LIBTORCH=near p/bin/tune-train");
  CHECK(named.exit_code == 7);
  CHECK_THAT(named.err, Contains("and TUNE_LIBTORCH names LibTorch "));
  // Somebody else's parent is not looked into.
  const ShellResult child = package.shell("mkdir good/child; TUNE_LIBTORCH=good/child p/bin/tune-train");
  CHECK(child.exit_code == 7);
  const ShellResult lib = package.shell("TUNE_LIBTORCH=good/lib/ p/bin/tune-train");
  CHECK(lib.out == "with " + package.path() + "/good/lib: \n");
  const ShellResult empty = package.shell("TUNE_LIBTORCH=p p/bin/tune-train --json");
  CHECK(empty.exit_code == 7);
  CHECK_THAT(empty.err, Contains("\"code\":\"environment\"") && Contains("has no lib/libtorch_cpu.so"));
  const ShellResult torn = package.shell("rm p/lib/tune/tune-train; TUNE_LIBTORCH=good p/bin/tune-train");
  CHECK(torn.exit_code == 7);
  CHECK_THAT(torn.err, Contains("bin/ and lib/ of the package belong together"));
}

}  // namespace
}  // namespace tune::tests
