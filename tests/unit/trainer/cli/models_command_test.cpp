#include <cstdlib>
#include <sstream>

#include "trainer/cli/commands.h"
#include "trainer/tasks/catalog.h"
#include "trainer/tasks/task_table.h"
#include "tuner/core/json.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer;
using tests::contains;
using tests::message_of;
using tests::TestFolder;
using tune::ExitCode;
using tune::OrderedJson;

namespace {

const OrderedJson& row_named(const OrderedJson& rows, const std::string& name) {
  for (const OrderedJson& row : rows)
    if (row.at("name") == name) return row;
  FAIL("there is no " << name);
  throw std::logic_error(name);
}

std::string printed(const std::vector<std::string>& arguments) {
  std::ostringstream out, err;
  cli::Console console{out, err};
  const int code = cli::run_models(arguments, console);
  CHECK(code == 0);
  return out.str();
}

}  // namespace

TEST_CASE("the catalogue has every model of every task, with what it takes to begin") {
  const OrderedJson all = catalog({});
  CHECK(all.at("schema") == 1);
  CHECK(all.at("tasks").size() == task_table().size());
  for (const loop::Task* task : task_table()) {
    INFO(task->name);
    const OrderedJson& row = row_named(all.at("tasks"), task->name);
    CHECK(row.at("models").size() == task->models().size());
    CHECK(row.at("fine_tunes") == (task->fit_weights != nullptr));
    for (const OrderedJson& model : row.at("models")) {
      CHECK_FALSE(model.at("description").get<std::string>().empty());
      CHECK(model.at("weights").empty());
      // How large a language model is, only its base says.
      if (task->fit_weights == nullptr || task->name == "language_model") continue;
      CHECK(model.at("parameters") > 0);
      CHECK(model.at("multiply_adds") > 0);
    }
    for (const OrderedJson& recipe : row.at("recipes"))
      for (const OrderedJson& hyperparameter : recipe.at("hyperparameters"))
        CHECK(hyperparameter.contains("default"));
    // A task that predicts needs data of people's own, and says of which form.
    if (loop::offers(*task, "evaluate")) CHECK_FALSE(row.at("data").at("example").get<std::string>().empty());
  }
}

TEST_CASE("weights are those of the model whose name suits them best") {
  const TestFolder folder;
  const auto backbone = folder.write("resnet18-f37072fd.pth", "12345"),
             detector = folder.write("ssd300_vgg16_coco.pth", "1");
  folder.write("vgg16_features-amdegroot-88682ab5.pth", "123");
  folder.write("vgg16-397923af.pth", "123");  // for another normalisation
  const OrderedJson all = catalog({folder.path()});
  const OrderedJson& models = row_named(all.at("tasks"), "detection").at("models");
  CHECK(row_named(models, "ssd224-resnet18").at("weights") ==
        OrderedJson::array({{{"path", backbone.string()}, {"bytes", 5}}}));
  CHECK(row_named(models, "ssd128-resnet18-half").at("weights").empty());
  CHECK(row_named(models, "ssd300-vgg16").at("weights").size() == 2);
  CHECK(row_named(models, "ssd300-vgg16").at("weights")[0].at("path") == detector.string());
  REQUIRE(row_named(models, "ssd512-vgg16").at("weights").size() == 1);
  CHECK(contains(row_named(models, "ssd512-vgg16").at("weights")[0].at("path"), "vgg16_features"));
  CHECK(row_named(row_named(all.at("tasks"), "pretraining").at("models"), "ssd224-resnet18")
            .at("weights")
            .empty());
}

TEST_CASE("models prints one task or all, and refuses another with the nearest name") {
  const std::string detection = printed({"--task", "detection"});
  CHECK(contains(detection,
                 "task detection, from weights or from scratch\n  data: images with the boxes of objects"));
  CHECK(contains(detection, "      images/crazing_1.jpg\n"));
  CHECK(contains(detection, "weights from torchvision: resnet18, the backbone\n"));
  CHECK_FALSE(contains(detection, "task pretraining"));
  CHECK(contains(printed({}), "task pretraining, from scratch\n"));
  CHECK(OrderedJson::parse(printed({"--json"})).at("folders").back() == "weights");
  CHECK(message_of(ExitCode::kUsage, [] { printed({"--task", "detecting"}); }) == "--task is \"detecting\"");
}
