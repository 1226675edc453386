#include "trainer/weights/found_weights.h"

#include "support/catch.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer::weights;
using tune::trainer::tests::TestFolder;

namespace {

// Sets a variable for as long as it lives.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { setenv(name, value.c_str(), 1); }
  ~Variable() { unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("weights are found in the folders that TUNE_WEIGHTS names, promoted models among them") {
  const TestFolder folder;
  folder.write("one/resnet18-f37072fd.pth", "12345");
  folder.write("one/notes.txt", "no weights");
  folder.write("one/steel/weights.safetensors", "123");
  folder.write("one/steel/model.json", R"({"model": "ssd224-resnet18"})");
  folder.write("one/empty/readme", "");
  folder.write("two/B.SAFETENSORS", "1");
  const Variable variable("TUNE_WEIGHTS", (folder.path() / "one").string() +
                                              "::" + (folder.path() / "two").string() + ":/missing");
  CHECK(weight_folders() == std::vector<std::filesystem::path>{folder.path() / "one", folder.path() / "two",
                                                               "/missing", "weights"});
  const std::vector<FoundWeights> found = find_weights(weight_folders());
  REQUIRE(found.size() == 3);
  CHECK(found[0].path == folder.path() / "one/resnet18-f37072fd.pth");
  CHECK(found[0].bytes == 5);
  CHECK(found[1].path == folder.path() / "one/steel");
  CHECK(found[1].bytes == 3);
  CHECK(found[1].model == "ssd224-resnet18");
  CHECK(found[2].path == folder.path() / "two/B.SAFETENSORS");
}

TEST_CASE("a file is called as a model is where no letter or digit goes on with the name") {
  const auto called = [](const std::string& file, const std::string& name) {
    return are_called({"weights/" + file, 1, ""}, name);
  };
  CHECK(called("resnet18-f37072fd.pth", "resnet18"));
  CHECK(called("my_ResNet18.pth", "resnet18"));
  CHECK(called("squeezenet1_1-b8a52dc0.pth", "squeezenet1_1"));
  CHECK(called("mobilenet_v2-b0353104.pth", "mobilenet-v2"));
  CHECK_FALSE(called("resnet18-f37072fd.pth", "resnet1"));
  CHECK_FALSE(called("wide_xresnet18.pth", "resnet18"));
  CHECK_FALSE(called("resnet152.pth", "resnet15"));
  CHECK(are_called({"steel", 1, "ssd224-resnet18"}, "ssd224-resnet18"));
  CHECK_FALSE(are_called({"resnet18", 1, "ssd224-resnet18"}, "resnet18"));
}
