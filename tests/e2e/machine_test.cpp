// Places that a run is started in, and disks that are not what they were: said where it begins, with the
// cure.
#include "study_fixture.h"
#include "support/sanitized.h"

namespace tune::tests {
namespace {

// Variables with which a program takes the store's disk for another.
std::string on_fake_disk(const StudyFolder& folder, const std::string& more) {
  return "LD_PRELOAD=" TUNE_TEST_BIN_DIR "/libfake_disk.so TUNE_FAKE_DISK=" +
         (folder.path() / "store").string() + " " + more + " ";
}

TEST_CASE("a removed working folder is named with the cure, and what is named in full needs none") {
  StudyFolder folder;
  const std::string gone = "spec=$PWD/search.json store=$PWD/store; mkdir gone; cd gone; rmdir ../gone; ";
  const ShellResult run = folder.shell(gone + "tune --spec $spec");
  CHECK(run.exit_code == 7);
  CHECK(run.err.find("the current folder has been removed") != std::string::npos);
  CHECK(run.err.find("--store") != std::string::npos);
  CHECK(folder.shell(gone + "tune status").exit_code == 7);
  CHECK(folder.shell(gone + "tune --spec $spec --store $store").exit_code == 0);
}

TEST_CASE("a store on a network is warned of where the run begins") {
  if (kSanitized) return;
  StudyFolder folder;
  folder.shell("mkdir store");
  const ShellResult run = folder.run("", on_fake_disk(folder, "TUNE_FAKE_DISK_TYPE=6969"));
  CHECK(run.exit_code == 0);
  CHECK(run.err.find("may lie on a network (NFS)") != std::string::npos);
  CHECK(folder.run("--name other").err.find("network") == std::string::npos);
  const std::string resume = on_fake_disk(folder, "TUNE_FAKE_DISK_TYPE=6969") + "tune resume s --store store";
  CHECK(folder.shell(resume + " --trials 5").err.find("may lie on a network (NFS)") != std::string::npos);
  const ShellResult session =
      folder.shell("echo '{\"ask\": 1}' | " + on_fake_disk(folder, "TUNE_FAKE_DISK_TYPE=6969") +
                   "tune ask-tell --spec search.json --name third --store store");
  CHECK(session.err.find("may lie on a network (NFS)") != std::string::npos);
}

TEST_CASE("a disk that takes no more writes in the middle pauses a study, which goes on when it does again") {
  if (kSanitized) return;
  StudyFolder folder("echo loss=0.$1; [ -e twice ] || touch broken; touch twice; sleep 0.2");
  folder.spec["limits"] = {{"trials", 3}, {"parallel", 1}};
  const std::string kernel = GENERATE("", " TUNE_FAKE_DISK_KEEPS_FLAG=1");
  const ShellResult run =
      folder.shell("export " + on_fake_disk(folder, "TUNE_FAKE_DISK_READ_ONLY=$PWD/broken" + kernel) + "\n" +
                   kStart + "until grep -q paused err; do sleep 0.01; done; rm broken; wait $tune");
  const std::string said = folder.shell("cat err").out;
  CAPTURE(said);
  CHECK(run.exit_code == 0);
  CHECK(said.find("can only be read by now") != std::string::npos);
  CHECK(said.find("dmesg") != std::string::npos);
  CHECK(folder.table().size() == 3);
  const ShellResult resumed =
      folder.shell("touch broken; " + on_fake_disk(folder, "TUNE_FAKE_DISK_READ_ONLY=$PWD/broken" + kernel) +
                   "tune resume s --trials 4 --store store");
  CAPTURE(resumed.err);
  CHECK(resumed.exit_code == 7);
  CHECK(resumed.err.find("mount -o remount,rw") != std::string::npos);
}

TEST_CASE("lineage holds the commit of a script that lies in a git folder of its own") {
  StudyFolder folder;
  folder.spec["command"] = {"sh", "code/train.sh", "{{x}}"};
  folder.spec["promote"] = {{"model", "m"}};
  const ShellResult made = folder.shell(
      "mkdir code && mv train.sh code && cd code && git init -q && git add . && "
      "git -c user.name=a -c user.email=a@b commit -qm one && git rev-parse HEAD");
  REQUIRE(made.exit_code == 0);
  REQUIRE(folder.run().exit_code == 0);
  const Json model = Json::parse(folder.shell("tune models m --store store --json").out);
  const Json lineage = model.at("versions").at(0).at("lineage");
  CHECK(lineage.at("code").at("commit").get<std::string>() + "\n" == made.out);
  CHECK(lineage.at("code").at("clean") == true);
}

}  // namespace
}  // namespace tune::tests
