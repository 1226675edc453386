// A store on a disk that fills up: a small tmpfs in a mount namespace of its own.
#include <cstdio>

#include "study_fixture.h"

namespace tune::tests {
namespace {

// The third attempt of all fills the disk first; all count outside of it.
const char* kFilling =
    "n=$(flock count sh -c 'n=$(cat count); echo $((n + 1)) | tee count')\n"
    "if [ $n = 3 ]; then dd if=/dev/zero of=store/ballast bs=4k 2>/dev/null; touch full; fi\n"
    "echo loss=0.$1";

bool may_mount(const StudyFolder& folder) {
  const ShellResult tried = folder.shell("mkdir -p store; unshare -rm mount -t tmpfs -o size=1m tmpfs store");
  if (tried.exit_code != 0) std::printf("SKIPPED: this user may not mount a tmpfs in a namespace\n");
  return tried.exit_code == 0;
}

// Runs a script with `store` on a small disk, and copies what is on it at the end.
ShellResult on_small_disk(const StudyFolder& folder, const std::string& options, const std::string& script) {
  folder.write("script", "set -e\nmount -t tmpfs -o " + options + " tmpfs store\nset +e\necho 0 > count\n" +
                             script + "\ncode=$?; rm -f store/ballast; cp -r store copy; exit $code");
  return folder.shell("unshare -rm bash script");
}

Json undisturbed_table() {
  StudyFolder folder;
  folder.spec["limits"] = {{"trials", 8}, {"parallel", 2}};
  REQUIRE(folder.run().exit_code == 0);
  return folder.table();
}

// Whichever write met the full disk first: one into a trial's folder or one into the database.
const std::string kPaused = "until grep -q paused err; do sleep 0.01; done\n";

void check_whole(StudyFolder& folder) {
  REQUIRE(folder.shell("rmdir store && mv copy store").exit_code == 0);
  CHECK(folder.table() == undisturbed_table());
  const ShellResult shown = folder.shell("tune show s/3 --store store --json");
  CHECK(Json::parse(shown.out).at("attempts").size() == 1);
}

TEST_CASE("a full disk pauses a study, and with room again it ends as if nothing had been", "[.disk_full]") {
  StudyFolder folder(kFilling);
  if (!may_mount(folder)) return;
  folder.spec["limits"] = {{"trials", 8}, {"parallel", 2}};
  const ShellResult run =
      on_small_disk(folder, "size=2m", kStart + wait_for("full") + kPaused + "rm store/ballast; wait $tune");
  CAPTURE(run.err, folder.shell("cat err").out);
  REQUIRE(run.exit_code == 0);
  check_whole(folder);
}

TEST_CASE("an interruption ends a study that a full disk has paused, and the same command goes on",
          "[.disk_full]") {
  StudyFolder folder(kFilling);
  if (!may_mount(folder)) return;
  folder.spec["limits"] = {{"trials", 8}, {"parallel", 2}};
  const ShellResult run = on_small_disk(folder, "size=2m",
                                        kStart + wait_for("full") + kPaused +
                                            "kill -INT $tune; wait $tune; [ $? = 130 ] || exit 99\n"
                                            "rm store/ballast; tune --spec search.json --store store");
  CAPTURE(run.err, folder.shell("cat err").out);
  REQUIRE(run.exit_code == 0);
  REQUIRE(folder.shell("rmdir store && mv copy store").exit_code == 0);
  CHECK(folder.table() == undisturbed_table());
}

TEST_CASE("starts that fail for want of room pause a study, and with room again it goes on", "[.disk_full]") {
  StudyFolder folder("echo loss=0.$1");
  if (!may_mount(folder)) return;
  folder.spec["limits"] = {{"trials", 8}, {"parallel", 2}};
  // No inodes: what is open can still be written, so that the store takes every failed start.
  const ShellResult run = on_small_disk(
      folder, "size=4m,nr_inodes=50",
      kStart +
          "until grep -q paused err; do sleep 0.01; done\nmount -o remount,nr_inodes=1000 store; wait $tune");
  CAPTURE(run.err, folder.shell("cat err").out);
  REQUIRE(run.exit_code == 0);
  check_whole(folder);
}

}  // namespace
}  // namespace tune::tests
