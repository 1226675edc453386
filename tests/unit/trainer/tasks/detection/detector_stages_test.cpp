// Transfer strategies of detectors.
#include "trainer/tasks/detection/detector_stages.h"

#include "torch_catch.h"
#include "trainer/loop/transfer.h"
#include "trainer/tasks/detection/detector.h"
#include "trainer/tasks/detection/ssd_model.h"
#include "trainer/tasks/detection/weight_names.h"

using namespace tune::trainer;
using namespace tune::trainer::detection;

TEST_CASE("The features of a detector that are frozen are the network that pretrained weights have") {
  for (const DetectorModel& kind : detector_models()) {
    INFO(kind.name);
    const std::unique_ptr<Detector> detector = make_detector(kind, 2);
    loop::StagedModel staged(detector->shared_network(), detector_stages(kind),
                             {.freeze = loop::Freeze::kFeatures});
    std::size_t frozen = 0;
    for (const auto& parameter : detector->network().named_parameters()) {
      INFO(parameter.key());
      const bool is_base =
          parameter.key().starts_with(backbone_prefix(kind)) && is_of_base_network(parameter.key(), kind);
      CHECK(parameter.value().requires_grad() != is_base);
      if (is_base) ++frozen;
    }
    CHECK(frozen > 20);
    CHECK(detector_stages(kind).body.size() == 5);
  }
}

TEST_CASE("A detector whose features are frozen learns by its head, and its normalisation does not drift") {
  const DetectorModel& kind = detector_model("ssd128-resnet18-half");
  torch::manual_seed(1);
  SsdModel model(kind, 2);
  loop::StagedModel staged(model.ptr(), detector_stages(kind), {.freeze = loop::Freeze::kFeatures});
  const auto buffers = [&] {
    std::map<std::string, torch::Tensor> copies;
    for (const auto& buffer : model->named_buffers()) copies[buffer.key()] = buffer.value().clone();
    return copies;
  };
  const auto before = buffers();
  staged.enter_step(0);
  const SsdOutput output = model(torch::randn({2, 3, kind.preprocessing.size, kind.preprocessing.size}));
  (output.logits.sum() + output.offsets.sum()).backward();
  for (const auto& [name, tensor] : buffers()) {
    INFO(name);
    CHECK(tensor.equal(before.at(name)) == name.starts_with(kBackbone));
  }
}
