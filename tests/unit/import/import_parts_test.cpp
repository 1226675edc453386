#include "support/catch.h"
#include "tuner/core/error.h"
#include "tuner/import/instance_gpus.h"
#include "tuner/import/path_map.h"
#include "tuner/import/training_command.h"

namespace tune::amt {
namespace {

using Catch::Matchers::Contains;
using Words = std::vector<std::string>;

TEST_CASE("a command is cut as a shell cuts it", "[import]") {
  CHECK(command_words("python3  train.py\t--x") == Words{"python3", "train.py", "--x"});
  CHECK(command_words("a 'b  c' \"d \\\" e\" f\\ g ''") == Words{"a", "b  c", "d \" e", "f g", ""});
  CHECK(command_words("a'b'\"c\"") == Words{"abc"});
  CHECK(command_words("--lr={{lr}} '$HOME' \"a|b\"") == Words{"--lr={{lr}}", "$HOME", "a|b"});
  CHECK(command_words("a \"b\\n\"") == Words{"a", "b\\n"});
}

TEST_CASE("what only a shell would do is refused", "[import]") {
  for (const char* command : {"a | b", "a && b", "a > log", "a $HOME", "a `b`", "a; b"}) {
    CAPTURE(command);
    CHECK_THROWS_WITH(command_words(command), Contains("no shell reads --command"));
  }
  CHECK_THROWS_WITH(command_words("a 'b"), Contains("is not closed"));
  CHECK_THROWS_WITH(command_words("  "), Contains("names no program"));
}

TEST_CASE("the longest prefix says where a place in S3 lies", "[import]") {
  PathMap paths;
  paths.add("s3://b/data=/d");
  paths.add("s3://b/data/train/=/t/");
  paths.add("s3://c=local");
  CHECK(paths.local("s3://b/data/x/y") == "/d/x/y");
  CHECK(paths.local("s3://b/data/train/") == "/t/");
  CHECK(paths.local("s3://b/data/train/a/") == "/t/a");
  CHECK_FALSE(paths.local("s3://b/database"));
  CHECK_FALSE(paths.local("http://b/data"));
  CHECK(paths.unused() == Words{"s3://c=local"});
  for (const char* entry : {"s3://b", "/a=/b", "s3://=x", "s3://b="}) {
    CAPTURE(entry);
    CHECK_THROWS_WITH(paths.add(entry), Contains("--map takes a place in S3"));
  }
}

TEST_CASE("a relative folder is named as seen from the spec", "[import]") {
  PathMap paths(std::filesystem::absolute("specs"));
  paths.add("s3://b=data");
  CHECK(paths.local("s3://b/train") == "../data/train");
}

TEST_CASE("instances of known families have known GPUs", "[import]") {
  CHECK(gpus_of("ml.p3.8xlarge") == 4);
  CHECK(gpus_of("ml.p5.48xlarge") == 8);
  CHECK(gpus_of("ml.g5.12xlarge") == 4);
  CHECK(gpus_of("ml.g5.16xlarge") == 1);
  CHECK(gpus_of("ml.m5.4xlarge") == 0);
  CHECK_FALSE(gpus_of("ml.trn1.32xlarge"));
  CHECK_FALSE(gpus_of("ml.g5.7xlarge"));
  CHECK_FALSE(gpus_of("ml.p3"));
  CHECK_FALSE(gpus_of(""));
}

}  // namespace
}  // namespace tune::amt
