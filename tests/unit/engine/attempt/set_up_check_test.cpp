#include "tuner/engine/attempt/set_up_check.h"

#include <filesystem>
#include <fstream>

#include "unit/engine/attempt/runner_fixture.h"
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using engine::set_up_problems;

struct SetUpFixture {
  SetUpFixture() { spec.folder = folder.path(); }
  void write(const std::string& name, const std::string& text, bool executable) const {
    std::ofstream(folder.path() / name) << text;
    if (executable) fs::permissions(folder.path() / name, fs::perms::owner_all);
  }
  // What keeps a command from being started; empty if nothing does.
  std::string objection(std::vector<std::string> command) {
    spec.command = std::move(command);
    const auto problems = set_up_problems(spec);
    return problems.fatal.empty() ? std::string() : problems.fatal.front().message;
  }
  std::vector<std::string> warned(std::vector<std::string> command) {
    spec.command = std::move(command);
    std::vector<std::string> pointers;
    for (const Problem& warning : set_up_problems(spec).warnings) pointers.push_back(warning.pointer);
    return pointers;
  }
  ScratchFolder folder;
  Spec spec = small_spec();
};

TEST_CASE("a program is looked for as the system will: on the trial's own path, or from the spec's folder") {
  SetUpFixture f;
  CHECK(f.objection({"sh", "{{x}}"}).empty());
  CHECK(f.objection({"/bin/sh"}).empty());
  CHECK_THAT(f.objection({"pyton3", "train.py"}), Contains("no program \"pyton3\" on the trials' PATH"));
  CHECK_THAT(f.objection({"./train"}),
             Contains("there is no program " + (f.folder.path() / "train").string()));
  f.write("train", "echo\n", false);
  CHECK_THAT(f.objection({"./train"}), Contains("may not be executed"));
  f.write("train", "echo\n", true);
  CHECK(f.objection({"./train"}).empty());
  CHECK_FALSE(f.objection({"train"}).empty());
  CHECK_THAT(set_up_problems(f.spec).fatal.front().hint, Contains("./train"));
  f.spec.environment["PATH"] = f.folder.path().string();
  CHECK(f.objection({"train"}).empty());
  CHECK_FALSE(f.objection({"sh"}).empty());
  f.spec.environment["PATH"] = FromEnvironment{"TUNE_TEST_PATH"};
  const engine::ScopedVariable path("TUNE_TEST_PATH", "/none:.");
  CHECK(f.objection({"train"}).empty());
  fs::create_directory(f.folder.path() / "package");
  CHECK_THAT(f.objection({"./package"}), Contains("is a folder"));
  // Which program it is, a parameter decides.
  CHECK(f.objection({"{{program}}"}).empty());
  CHECK(f.objection({}).empty());
}

TEST_CASE("the interpreter of a script is looked for too") {
  SetUpFixture f;
  f.write("good", "#!/bin/sh\n", true);
  CHECK(f.objection({"./good"}).empty());
  f.write("bare", "echo\n", true);
  CHECK(f.objection({"./bare"}).empty());
  f.write("env", "#!/usr/bin/env -S sh -e\n", true);
  CHECK(f.objection({"./env"}).empty());
  f.write("bad", "#!/no/such/python -u\nprint()\n", true);
  CHECK_THAT(f.objection({"./bad"}), Contains("/no/such/python") && Contains("interpreter"));
  f.write("badenv", "#!/usr/bin/env pyton3\n", true);
  CHECK_THAT(f.objection({"./badenv"}), Contains("pyton3"));
  f.write("dos", "#!/bin/sh\r\necho\r\n", true);
  CHECK_THAT(f.objection({"./dos"}), Contains("Windows line ends"));
}

TEST_CASE("a folder that cannot be entered is said with its cure") {
  SetUpFixture f;
  f.spec.folder = f.folder.path() / "gone";
  CHECK_THAT(f.objection({"sh"}), Contains("cannot be entered") && Contains("No such file"));
  std::ofstream(f.folder.path() / "gone") << "";
  CHECK_THAT(f.objection({"sh"}), Contains("Not a directory"));
  CHECK_THROWS_WITH(engine::SetUp(f.spec), Contains("cannot be entered"));
}

TEST_CASE("a script that is not there is a warning, and what only looks a little like one is none") {
  SetUpFixture f;
  using Pointers = std::vector<std::string>;
  f.write("train.py", "", false);
  CHECK(f.warned({"python3", "train.py"}).empty());
  CHECK(f.warned({"python3", "-u", "tain.py"}) == Pointers{"/command/2"});
  CHECK(f.warned({"python3", "scripts/train"}) == Pointers{"/command/1"});
  CHECK(f.warned({"run", "once", "./data/steel"}) == Pointers{"/command/2"});
  CHECK(f.warned({"python3", "{{script}}.py"}).empty());
  CHECK(f.warned({"python3", "-m", "package/train.py"}).empty());
  CHECK(f.warned({"sh", "-c", "cat ./missing.sh"}).empty());
  CHECK(f.warned({"python3", "train.py", "--output", "./runs/new", "--model=org/name.py"}).empty());
  CHECK(f.warned({"python3", "train.py", "org/model", "s3://bucket/x.sh", "*.py"}).empty());
}

TEST_CASE("what was there when a run began and is gone later is a fault of the set-up") {
  SetUpFixture f;
  f.write("train.sh", "#!/bin/sh\n", true);
  f.spec.command = {"sh", "train.sh", "other.sh"};
  const engine::SetUp set_up(f.spec);
  CHECK(set_up.warnings().size() == 1);
  CHECK_FALSE(set_up.fault());
  fs::remove(f.folder.path() / "train.sh");
  REQUIRE(set_up.fault());
  CHECK(set_up.fault()->kind == engine::Fault::Kind::kSetUp);
  CHECK_THAT(set_up.fault()->message, Contains("train.sh any more"));
  fs::remove_all(f.folder.path());
  CHECK_THAT(set_up.fault()->message, Contains("cannot be entered"));
}

}  // namespace
}  // namespace tune::tests
