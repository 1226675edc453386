#pragma once
// What a tune-train says of itself, and a spec that fits it: for tests of what tune makes of both.
#include "unit/engine/loop/loop_fixture.h"

namespace tune::tests {

inline const Json& trainer_description() {
  static const Json json =
      Json::parse(R"json({"schema":1,"program":"tune-train","version":"0.1.0","libtorch":"2.13.0","tasks":[
    {"name":"detection",
     "trainer_keys":[{"name":"model","kind":"choice","values":["ssd224-resnet18"],"required":true},
       {"name":"recipe","kind":"choice","values":["legacy","latest"],"default":"legacy"},
       {"name":"data","kind":"path","required":true},{"name":"split","kind":"object",
         "keys":[{"name":"fractions","kind":"fractions"},{"name":"seed","kind":"count"},
                 {"name":"grouping","kind":"choice","values":["image"]}]}],
     "recipes":[
       {"name":"legacy","hyperparameters":[
          {"name":"learning_rate","type":"float","default":0.001,"min":1e-6,"max":0.5},
          {"name":"epochs","type":"int","default":10,"min":1,"max":1000},
          {"name":"nesterov","type":"bool","default":false},
          {"name":"optimizer","type":"categorical","values":["sgd","adam"]}],
        "metrics":[{"name":"validation:mAP","goal":"maximize","regex":"mAP=([0-9.]+)","step":"epoch=([0-9]+)"}]
},
       {"name":"latest","hyperparameters":[{"name":"adam_learning_rate","type":"float","min":1e-6,"max":0.5}],
        "metrics":[{"name":"Val_CrossEntropy","goal":"minimize","regex":"Val_CrossEntropy=([0-9.]+)"}]}],
     "models":[{"name":"ssd224-resnet18"}]
}]
})json");
  return json;
}

inline Spec spec_of_described_trainer() {
  Spec spec = small_spec();
  spec.objective = {"validation:mAP", Goal::kMaximize, Reduce::kBest};
  spec.space = SearchSpace({float_parameter("learning_rate", 0.001, 0.1)});
  spec.trainer = Json{{"task", "detection"}, {"model", "ssd224-resnet18"}, {"data", "/tmp"}};
  spec.fixed["epochs"] = 5;
  spec.command.clear();
  spec.metrics.clear();
  return spec;
}

}  // namespace tune::tests
