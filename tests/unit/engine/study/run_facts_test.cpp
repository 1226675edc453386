#include "tuner/engine/study/run_facts.h"

#include <chrono>
#include <cstdlib>
#include <map>

#include "support/catch.h"
#include "support/processes.h"
#include "support/run_shell.h"
#include "tuner/engine/promotion/lineage.h"
#include "tuner/os/run_program.h"
#include "unit/engine/attempt/runner_fixture.h"

namespace tune::engine {
namespace {

WallTime at(std::int64_t ms) { return WallTime(Milliseconds(ms)); }

Machine machine(const std::string& host, const std::vector<std::string>& gpus) {
  Machine result;
  result.host = host;
  for (const std::string& name : gpus) result.gpus.push_back({"GPU-" + name, name, 0, 0, {}});
  return result;
}

store::RunFacts run_on(const std::string& host) {
  store::RunFacts run;
  run.machine.host = host;
  return run;
}

TEST_CASE("an attempt belongs to the last run that had begun before it") {
  store::StudyFacts facts;
  CHECK(run_at(facts, at(5)) == nullptr);
  record_run(facts, run_on("a"), at(100));
  record_run(facts, run_on("b"), at(200));
  CHECK(run_at(facts, at(99)) == nullptr);
  CHECK(run_at(facts, at(100))->machine.host == "a");
  CHECK(run_at(facts, at(199))->machine.host == "a");
  CHECK(run_at(facts, at(1000))->machine.host == "b");
}

TEST_CASE("a run that is as the one before it is recorded once") {
  store::StudyFacts facts;
  for (int i = 0; i < 3; ++i) record_run(facts, run_on("a"), at(i));
  record_run(facts, run_on("b"), at(3));
  record_run(facts, run_on("a"), at(4));
  REQUIRE(facts.runs.size() == 3);
  CHECK(facts.runs.front().since == at(0));
}

TEST_CASE("what was measured on another machine, or on another kind of device, does not count here") {
  Resources resources;
  CHECK(probe_name(machine("one", {}), resources) == "one: cpu");
  CHECK(probe_name(machine("two", {}), resources) == "two: cpu");
  CHECK(probe_name(machine("two", {"H200", "H200"}), resources) == "two: H200");
  CHECK(probe_name(machine("two", {"H200", "A10"}), resources) == "two: A10, H200");
  resources.gpus_per_trial = 0;
  CHECK(probe_name(machine("two", {"H200"}), resources) == "two: cpu");
}

TEST_CASE("what tune has put into a git folder is no change of the code there, and anything else is") {
  const tests::TemporaryFolder folder;
  const auto shell = [&](const std::string& line) {
    REQUIRE(tests::run_shell(line, folder.path()).exit_code == 0);
  };
  const auto is_clean = [&](const std::filesystem::path& store) {
    Spec spec;
    spec.folder = folder.path();
    return code_state(spec, folder.path() / store).value().clean;
  };
  shell("git init -q && touch a && git add . && git -c user.name=a -c user.email=a@b commit -qm one");
  shell(
      "mkdir -p own deep/store/s/trials/1 deep/store/models deep/store/comparisons/c && touch own/study.db "
      "deep/store/s/study.db deep/store/models/registry.db deep/store/comparisons/c/comparison.db");
  CHECK_FALSE(is_clean("deep/store"));  // "own" is a study of another store
  CHECK_FALSE(is_clean("."));
  shell("rm -r own");
  CHECK(is_clean("deep/store"));
  CHECK_FALSE(is_clean("elsewhere"));
  shell("mv deep/store/* . && rm -r deep");
  CHECK(is_clean("."));  // a store that is the folder of the code
  shell("echo x > a");
  CHECK_FALSE(is_clean("."));
}

TEST_CASE("a folder's commit is its own repository's, whatever variables git has set for a hook") {
  const tests::TemporaryFolder folder;
  const auto shell = [&](const std::string& line) {
    REQUIRE(tests::run_shell(line, folder.path()).exit_code == 0);
  };
  shell(
      "for each in ours hook; do git init -q $each && git -C $each -c user.name=$each -c user.email=a@b "
      "commit -qm $each --allow-empty; done");
  const auto ours = git_state(folder.path() / "ours", "/no/such/store");
  REQUIRE(ours.has_value());
  CHECK(ours->clean);
  const std::string hook = (folder.path() / "hook").string();
  const std::map<std::string, std::string> set{{"GIT_DIR", hook + "/.git"},
                                               {"GIT_WORK_TREE", hook},
                                               {"GIT_INDEX_FILE", hook + "/.git/index"},
                                               {"GIT_LITERAL_PATHSPECS", "1"}};
  for (const auto& [name, value] : set) ::setenv(name.c_str(), value.c_str(), 1);
  const auto state = git_state(folder.path() / "ours", "/no/such/store");
  for (const auto& [name, value] : set) ::unsetenv(name.c_str());
  REQUIRE(state.has_value());
  CHECK(state->commit == ours->commit);
  CHECK(state->clean);
}

TEST_CASE("code that git was told not to look at is not clean") {
  const tests::TemporaryFolder folder;
  const auto shell = [&](const std::string& line) {
    REQUIRE(tests::run_shell(line, folder.path()).exit_code == 0);
  };
  const auto is_clean = [&] { return git_state(folder.path() / "sub", "/no/such/store").value().clean; };
  shell(
      "git init -q && mkdir sub && touch a sub/b && git add . && "
      "git -c user.name=a -c user.email=a@b commit -qm one");
  CHECK(is_clean());
  shell("git config status.showUntrackedFiles no && touch c");
  CHECK_FALSE(is_clean());
  shell("rm c && git update-index --assume-unchanged a && echo x > a");
  CHECK_FALSE(is_clean());
  shell("git update-index --no-assume-unchanged a && git checkout -q a");
  CHECK(is_clean());
  shell("git update-index --skip-worktree sub/b && echo x > sub/b");
  CHECK_FALSE(is_clean());
  shell("rm sub/b");
  CHECK_FALSE(is_clean());
  shell("git update-index --no-skip-worktree sub/b && git checkout -q sub/b");
  CHECK(is_clean());
}

TEST_CASE(
    "a sparse checkout is clean without the files that it leaves out, and not with others in their place") {
  const tests::TemporaryFolder folder;
  const auto shell = [&](const std::string& line) {
    REQUIRE(tests::run_shell(line, folder.path()).exit_code == 0);
  };
  const auto is_clean = [&] { return git_state(folder.path() / "sub", "/no/such/store").value().clean; };
  shell(
      "git init -q && mkdir sub out && touch a sub/b out/c && git add . && "
      "git -c user.name=a -c user.email=a@b commit -qm one && git sparse-checkout set sub && [ ! -e out ]");
  CHECK(is_clean());
  shell("mkdir out && echo x > out/c");
  CHECK_FALSE(is_clean());
}

TEST_CASE("a submodule at another commit is a change, whatever the configuration ignores") {
  const tests::TemporaryFolder folder;
  const auto shell = [&](const std::string& line) {
    REQUIRE(tests::run_shell("export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
                             "GIT_COMMITTER_EMAIL=a@b; " +
                                 line,
                             folder.path())
                .exit_code == 0);
  };
  const auto is_clean = [&] { return git_state(folder.path() / "top", "/no/such/store").value().clean; };
  shell(
      "git init -q part && git -C part commit -qm one --allow-empty && git init -q top && "
      "git -C top -c protocol.file.allow=always submodule add -q ../part part >&2 && git -C top commit -qm "
      "top");
  CHECK(is_clean());
  shell("git -C top config submodule.part.ignore all && git -C top/part commit -qm two --allow-empty");
  CHECK_FALSE(is_clean());
}

TEST_CASE("a git that does not answer is given up once, with what it has started, and said") {
  const tests::TemporaryFolder folder;
  REQUIRE(tests::run_shell("mkdir bin && echo a > a.py && printf '#!/bin/sh\\ntrap \"\" TERM\\nsleep 600 & "
                           "echo $! > %s/pid\\nwait\\n' $PWD > bin/git && chmod +x bin/git",
                           folder.path())
              .exit_code == 0);
  const ScopedVariable path("PATH", (folder.path() / "bin").string() + ":" + std::getenv("PATH"));
  Spec spec;
  spec.folder = folder.path();
  spec.command = {"python3", "a.py"};
  std::vector<std::string> notices;
  const auto begin = std::chrono::steady_clock::now();
  const store::RunFacts run = run_facts(machine("here", {}), "0.1.0", spec, "/no/such/store",
                                        [&](const std::string& sentence) { notices.push_back(sentence); });
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(6));
  CHECK_FALSE(run.code.has_value());
  REQUIRE(notices.size() == 1);
  CHECK(notices[0] ==
        "\"git\" did not end within 3 s and was killed: the state of the code is not recorded with this run");
  const pid_t child = tests::pid_in(folder.path() / "pid");
  tests::wait_until([&] { return !tests::is_running(child); }, "the child's end");
}

TEST_CASE("the code's commit is that of the script or of the spec's folder, never that of an interpreter") {
  const tests::TemporaryFolder folder;
  const auto shell = [&](const std::string& line) {
    const auto result = tests::run_shell(
        "export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a "
        "GIT_COMMITTER_EMAIL=a@b; " +
            line,
        folder.path());
    REQUIRE(result.exit_code == 0);
  };
  shell(
      "for repository in built own; do git init -q $repository && git -C $repository commit -qm $repository "
      "--allow-empty; done; mkdir -p built/shims built/bin venv plain && touch built/bin/python own/train.py "
      "built/shims/python && echo /shims > built/.gitignore && ln -s $PWD/built/bin/python venv/python");
  const auto commit_at = [&](const std::string& name) {
    return git_state(folder.path() / name, "/no/such/store").value().commit;
  };
  const auto commit_of = [&](const std::string& where, std::vector<std::string> command) {
    Spec spec;
    spec.folder = folder.path() / where;
    spec.command = std::move(command);
    const auto state = code_state(spec, "/no/such/store");
    return state ? state->commit : "none";
  };
  const std::string venv = (folder.path() / "venv/python").string(),
                    built = (folder.path() / "built/bin/python").string(),
                    shim = (folder.path() / "built/shims/python").string();
  CHECK(commit_of("own", {venv, "train.py"}) == commit_at("own"));
  CHECK(commit_of("own", {venv, "-m", "train"}) == commit_at("own"));
  CHECK(commit_of("plain", {venv, "-m", "train"}) == "none");
  CHECK(commit_of("own", {built, "train.py"}) == commit_at("own"));
  CHECK(commit_of("own", {shim, "-m", "train"}) == commit_at("own"));
  CHECK(commit_of("plain", {"env", shim, "../own/train.py"}) == commit_at("own"));
  CHECK(commit_of("plain", {"../own/train.py"}) == commit_at("own"));
}

TEST_CASE("a run's facts name the versions and this machine as it is now") {
  const Machine here = machine("here", {"H200"});
  Spec spec;
  spec.folder = "/";
  const store::RunFacts run = run_facts(here, "0.1.0", spec, "/no/such/store", [](const std::string&) {});
  CHECK(run.tune == "0.1.0");
  CHECK(run.machine.host == "here");
  CHECK(run.machine.gpus.at(0).name == "H200");
  CHECK_FALSE(run.code.has_value());  // nobody keeps / in git
}

}  // namespace
}  // namespace tune::engine
