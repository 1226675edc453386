// Whom a comparison notifies, and how another terminal watches it.
#include "compare_fixture.h"

namespace tune::tests {
namespace {

class ToldFolder : public ComparedFolder {
 public:
  ToldFolder() {
    document = OrderedJson::parse(R"json({
      "comparison": "c", "objective": {"metric": "value", "goal": "maximize"},
      "command": ["sh", "-c", "until [ -e go ]; do sleep 0.02; done; echo value=0.$1; echo test=0.$1", "sh", "{{x}}"],
      "metrics": [{"name": "value", "regex": "value=(.+)"}, {"name": "test", "regex": "test=(.+)"}],
      "test": {"metric": "test", "goal": "maximize"},
      "fixed": {"x": 50}, "seeds": 2, "limits": {"parallel": 1}, "resources": {"gpus_per_trial": 0},
      "controls": {"random_search": false, "best_of_seeds": false},
      "notify": [{"on": ["finished", "failed", "best"],
                  "command": ["sh", "-c", "echo \"$TUNE_EVENT $TUNE_STUDY: $TUNE_MESSAGE\" >> messages"]}],
      "approaches": [{"name": "searched", "search": {"parameters": {"x": {"type": "int", "min": 10, "max": 99}},
                                                     "strategy": {"name": "sobol"}, "limits": {"trials": 3}}}]})json");
    write("go", "");
  }
  std::string messages() const { return shell("cat messages").out; }
};

}  // namespace

TEST_CASE("a comparison tells of its end once, and of the bests of its searches", "[.compare]") {
  ToldFolder folder;
  const ShellResult run = folder.compare();
  CAPTURE(run.out, run.err);
  REQUIRE(run.exit_code == 0);
  const std::string said = folder.messages();
  CAPTURE(said);
  CHECK(mentions(said, "best c.searched.search: c.searched.search: trial "));
  CHECK_FALSE(mentions(said, "c.searched.defaults"));
  CHECK(mentions(said, "\nfinished c: c has finished: "));
  // What is notified may change afterwards, and nothing is told again.
  folder.document["notify"][0]["on"] = {"finished"};
  REQUIRE(folder.compare().exit_code == 0);
  CHECK(folder.messages() == said);
}

TEST_CASE("a comparison that cannot go on tells why", "[.compare]") {
  ToldFolder folder;
  folder.document["command"] = {"sh", "-c", "exit 1"};
  const ShellResult run = folder.compare();
  CAPTURE(run.out, run.err);
  CHECK(run.exit_code != 0);
  CHECK(mentions(folder.messages(), "failed c: c has failed: "));
}

TEST_CASE("a comparison is watched from study to study", "[.compare]") {
  ToldFolder folder;
  const ShellResult run = folder.shell(
      "rm go; tune compare study.json --store store > out 2> err & compare=$!\n"
      "until [ -e store/c.searched.search/trials/1 ]; do sleep 0.02; done\n"
      "tune watch c --store store > watched & watch=$!\n"
      "sleep 0.7; touch go; wait $compare; echo code $?; wait $watch; echo code $?; cat watched");
  CAPTURE(run.out, run.err);
  CHECK(mentions(run.out, "code 0\ncode 0\nstudy c.searched.search\n"));
  CHECK(mentions(run.out, "the comparison has ended; `tune report c` shows it\n"));
}

}  // namespace tune::tests
