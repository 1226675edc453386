// `tune-train predict`: detections of a model in COCO's results format, and what it took to make them.
#include <ostream>

#include "trainer/tasks/detection/detection_pictures.h"
#include "trainer/tasks/detection/evaluate_and_predict.h"
#include "trainer/tasks/detection/task.h"
#include "trainer/tasks/image_sets/part_options.h"
#include "trainer/tasks/image_sets/picture_page.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::detection {
namespace {

OrderedJson to_json(const Prediction& prediction, const std::string& output) {
  return {{"schema", 1},
          {"output", output.empty() ? OrderedJson() : OrderedJson(output)},
          {"form", prediction.form},
          {"warnings", prediction.warnings},
          {"images", prediction.images},
          {"detections", prediction.detections},
          {"seconds", prediction.seconds},
          {"device", prediction.device},
          {"parameters", prediction.facts->parameters},
          {"multiply_adds", prediction.facts->multiply_adds},
          {"latency_ms", prediction.facts->latency_ms},
          {"peak_memory_bytes", prediction.facts->peak_memory_bytes}};
}

loop::Answer answer_predict(const loop::Request& request) {
  const auto text = [&](const char* option) { return request.has(option) ? request.text(option) : ""; };
  const double threshold = request.number("score", 0, 1, 0);
  const std::string output = text("output"), pictures = text("pictures");
  if (output.empty() && pictures.empty())
    throw Error(ExitCode::kUsage, "neither --output nor --pictures is given",
                "say where the detections go: --output detections.json, or --pictures FOLDER");
  if (!pictures.empty()) image_sets::make_picture_folder(pictures);
  const Prediction prediction = predict_with_model(
      request.text("model"), data_choice(request),
      {output, pictures, threshold, loop::threads_for(request), request.as_json}, request.notes);
  if (!pictures.empty())
    request.notes << prediction.pictures << " pictures: " << pictures << "/index.html" << std::endl;
  if (request.as_json) return {to_json(prediction, output), "", -1};
  return {{},
          std::to_string(prediction.detections) + " detections in " + std::to_string(prediction.images) +
              " images: " + (output.empty() ? pictures + "/index.html" : output) + "\n"};
}

}  // namespace

loop::Offer predict_offer() {
  std::vector<loop::Option> options{
      {"model", "MODEL", "folder of a model", true},
      {"data", "DATA", "images, one image, or a data set with annotations", true},
      {"output", "FILE", "JSON file to write"},
      {"pictures", "FOLDER",
       "draw the detections with a score of at least " + shortest(kPicturedScore) +
           " on each image, with an index.html"},
      {"score", "S", "leave out detections below", false, false, "0.01"},
      {"threads", "N", "of the CPU; all cores by default"}};
  image_sets::add_part_options(options, kImagesOption);
  return {
      "predict", options, answer_predict, false,
      "what was written, with the model's parameters, the multiply-adds of one image (counted in a forward "
      "pass), the median milliseconds of one image at batch 1 and the memory it took (a GPU's tensors, else "
      "the whole process)"};
}

}  // namespace tune::trainer::detection
