#include "tuner/import/study_name.h"

#include "support/catch.h"
#include "tuner/spec/spec_text_rules.h"

namespace tune::amt {
namespace {

TEST_CASE("a study is called as its file or folder is, in the signs that a study's name may have") {
  CHECK(study_name_of("scripts/train_cifar.py", "search") == "train_cifar");
  CHECK(study_name_of("Steel surfaces (2)/", "images") == "Steel-surfaces-2");
  CHECK(study_name_of("_private.py", "search") == "private");
  CHECK(study_name_of("x/../data", "images") == "data");
  CHECK(study_name_of(std::string(80, 'a'), "images") == std::string(40, 'a'));
  CHECK(study_name_of("Ärger.py", "search") == "rger");
  for (const char* path : {"models", "comparisons/", "---", "(..)"})
    CHECK(study_name_of(path, "images") == "images");
}

TEST_CASE("whatever a path is called, its study may be called so") {
  for (const char* path : {"a b", "9", "-x", "_", "a.b.c", "\xff\xfe", "..", "x/", "A--B__C", ".hidden"}) {
    INFO(path);
    CHECK(kStudyName.accepts(study_name_of(path, "images")));
  }
}

}  // namespace
}  // namespace tune::amt
