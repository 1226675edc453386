// `tune serve` and `tune --spec ... --serve` as programs.
#include "e2e/study_fixture.h"

namespace tune::tests {
namespace {

// Shell: starts the server as $server, and reads its first line into $said; `get PATH` asks it with the
// token.
const std::string kServe =
    kLikeAtPrompt + R"sh(tune serve --addr 127.0.0.1:0 --store store --json >said 2>err & server=$!
until [ -s said ]; do kill -0 $server || exit 99; sleep 0.02; done
port=$(sed 's/.*"address":"http:..127.0.0.1:\([0-9]*\)".*/\1/' said)
get() {
  exec 3<>/dev/tcp/127.0.0.1/$port
  printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nAuthorization: Bearer %s\r\nConnection: close\r\n\r\n' "$1" $port "$2" >&3
  cat <&3
}
)sh";

TEST_CASE("tune serve shows a store to who has the token, and ends when it is told to", "[serve]") {
  const StudyFolder folder;
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult result = folder.shell(kServe + R"sh(
stat -c '%a' store/.serve-token
get /api/studies/s "$(cat store/.serve-token)" | tail -1
get /api/studies/s wrong | head -1
grep -c "$(cat store/.serve-token)" said err
tr '\0' ' ' < /proc/$server/cmdline | grep -c "$(cat store/.serve-token)"
kill -TERM $server
wait $server
echo ended $?
)sh");
  INFO(result.out << result.err);
  CHECK(result.out.starts_with("600\n{"));
  CHECK(says(result.out, "\"study\":\"s\""));
  CHECK(says(result.out, "\"completed\":4"));
  CHECK(says(result.out, "HTTP/1.1 401 Unauthorized"));
  CHECK(says(result.out, "said:0\nerr:0\n0\n"));
  CHECK(says(result.out, "ended 0"));
}

TEST_CASE("a server that cannot begin says why, and how it could", "[serve]") {
  const StudyFolder folder;
  CHECK(folder.shell("tune serve --store nowhere").exit_code == 5);
  REQUIRE(folder.run().exit_code == 0);
  const ShellResult taken = folder.shell(
      kServe + "tune serve --addr 127.0.0.1:$port --store store; code=$?; kill $server; wait; exit $code");
  INFO(taken.err);
  CHECK(taken.exit_code == 7);
  CHECK(says(taken.err, "the port is in use by tune (pid "));
  CHECK(says(taken.err, "--addr 127.0.0.1:"));
  const ShellResult open = folder.shell("tune serve --addr 0.0.0.0:0 --store store");
  CHECK(open.exit_code == 2);
  CHECK(says(open.err, "--token-file"));
  const ShellResult unwritable =
      folder.shell("tune serve --addr 127.0.0.1:0 --store store --token-file /proc/none/token");
  CHECK(unwritable.exit_code == 7);
  CHECK(says(unwritable.err, "name a file that can be written: --token-file FILE"));
  CHECK(folder.shell("tune serve --addr 127.0.0.1:99999 --store store").exit_code == 2);
  CHECK(folder.shell("tune serve --addr 127.0.0.1:0 --store store --assets-dir nowhere").exit_code == 5);
}

TEST_CASE("a search is shown while it runs, and the server ends with it", "[serve]") {
  const StudyFolder folder;
  const ShellResult result = folder.run("--serve");
  INFO(result.out << result.err);
  CHECK(result.exit_code == 0);
  CHECK(says(result.err, "Open in a browser while this runs (good for one use): http://127.0.0.1:"));
  CHECK(says(result.out, "4 completed"));
  CHECK(folder
            .shell("pgrep -f 'tune serve --json --addr 127.0.0.1:0 --store " +
                   (folder.path() / "store").string() + "'")
            .out == "");
  CHECK(folder.run("--serve --dry-run").exit_code == 2);
  CHECK(folder.run("--serve --detach").exit_code == 2);  // it would end at once
}

TEST_CASE("a search that is killed takes its server with it", "[serve]") {
  const StudyFolder folder("echo loss=0.5; touch running; sleep 60");
  const ShellResult result =
      folder.shell(kLikeAtPrompt + "tune --spec search.json --store store --serve >out 2>err & tune=$!\n" +
                   wait_for("running") + R"sh(
server=$(pgrep -P $tune -f 'tune serve')
kill -9 $tune
while kill -0 $server 2>/dev/null; do sleep 0.02; done
echo gone
)sh");
  INFO(result.out << result.err);
  CHECK(says(result.out, "gone"));
}

}  // namespace
}  // namespace tune::tests
