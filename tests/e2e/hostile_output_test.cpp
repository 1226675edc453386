// What a trainer leaves is hostile input, for the run that made it and for every later command.
#include "study_fixture.h"

namespace tune::tests {
namespace {

TEST_CASE("a trainer that leaves FIFOs, links and endless nesting ends nothing but its own promotion") {
  StudyFolder folder(
      "echo loss=0.$1\n"
      "case $HOSTILE in\n"
      "  fifo) mkfifo $TUNE_OUTPUT_DIR/model.json;;\n"
      "  endless) ln -s /dev/zero $TUNE_OUTPUT_DIR/model.json;;\n"
      "  root) rmdir $TUNE_OUTPUT_DIR; ln -s /etc $TUNE_OUTPUT_DIR;;\n"
      "  deep) head -c 300000 /dev/zero | tr '\\0' '[' > $TUNE_OUTPUT_DIR/model.json;;\n"
      "esac");
  folder.spec["promote"] = {{"model", "m"}};
  folder.spec["limits"] = {{"trials", 2}, {"parallel", 1}};
  for (const std::string what : {"fifo", "endless", "root", "deep"}) {
    CAPTURE(what);
    const bool promotes = what == "deep";  // its bytes do no harm to a program that copies them
    const ShellResult run = folder.run("--name " + what, "HOSTILE=" + what + " timeout 60 ");
    CHECK(run.exit_code == (promotes ? 0 : 1));
    CHECK(run.out.find(promotes ? "not taken into its lineage" : "$TUNE_OUTPUT_DIR") != std::string::npos);
    for (const std::string& command : std::vector<std::string>{
             "tune report " + what + " --output r.html", "tune show " + what + "/1",
             "tune promote " + what + "/2 --model n", "tune --spec search.json --name " + what}) {
      CAPTURE(command);
      const int code = folder.shell("timeout 60 " + command + " --store store").exit_code;
      CHECK((code == 0 || code == 1));
    }
  }
}

TEST_CASE(
    "files of an attempt that its trainer replaces by links and FIFOs fail that trial, and write nothing "
    "elsewhere") {
  StudyFolder folder(
      "a=$(dirname $TUNE_TRIAL_FILE)\n"
      "case $HOSTILE in\n"
      "  link) ln -s $PWD/precious $a/metrics.jsonl;;\n"
      "  fifo) mkfifo $a/metrics.jsonl;;\n"
      "  exit) rm $a/exit.json.part; ln -s $PWD/precious $a/exit.json;;\n"
      "esac\n"
      "echo loss=0.$1");
  folder.spec["limits"] = {{"trials", 1}};
  folder.write("precious", "precious");
  for (const std::string what : {"link", "fifo", "exit"}) {
    CAPTURE(what);
    const ShellResult run = folder.run("--name " + what, "HOSTILE=" + what + " timeout 60 ");
    CHECK((run.exit_code == 8 || run.exit_code == 7));
    CHECK(folder.shell("cat precious").out == "precious\n");
  }
}

TEST_CASE("an interruption is heeded while a large model is copied, and the same command promotes it") {
  StudyFolder folder("echo loss=0.$1; truncate -s 2G $TUNE_OUTPUT_DIR/weights");
  folder.spec["promote"] = {{"model", "m"}};
  folder.spec["limits"] = {{"trials", 1}};
  const ShellResult stopped =
      folder.shell(kStart +
                   "until [ -e store/models/staging/*/weights ]; do sleep 0.01; done\n"
                   "kill -INT $tune; wait $tune; code=$?\n"
                   "ls store/models/staging; exit $code");
  CHECK(stopped.exit_code == 130);
  CHECK(stopped.out.empty());
  CHECK(folder.shell("cat err").out.find("the same command goes on") != std::string::npos);
  folder.shell("truncate -s 1M store/s/trials/1/attempts/1/output/weights");
  CHECK(folder.run().exit_code == 0);
  CHECK(folder.shell("cat store/models/m/current/weights | wc -c").out == "1048576\n");
}

}  // namespace
}  // namespace tune::tests
