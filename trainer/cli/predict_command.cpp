// `tune-train predict`: detections of a model in COCO's results format, and what it took to make them.
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/cli/options.h"
#include "trainer/tasks/detection/picture_page.h"
#include "trainer/tasks/detection/use_detector.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"

namespace tune::trainer::cli {
namespace {

OrderedJson to_json(const detection::Prediction& prediction, const std::string& output) {
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

}  // namespace

int run_predict(const std::vector<std::string>& arguments, Console& console) {
  namespace po = boost::program_options;
  po::options_description options("options");
  options.add_options()("model", po::value<std::string>()->required()->value_name("MODEL"),
                        "folder of a model")("data", po::value<std::string>()->required()->value_name("DATA"),
                                             "images, one image, or a data set with annotations")(
      "output", po::value<std::string>()->value_name("FILE"), "JSON file to write")(
      "pictures", po::value<std::string>()->value_name("FOLDER"),
      "draw the detections with a score of at least 0.25 on each image, with an index.html")(
      "score", po::value<double>()->default_value(0.01, "0.01")->value_name("S"),
      "leave out detections below")("threads", po::value<int>()->value_name("N"),
                                    "of the CPU; all cores by default")(
      "json",
      "what was written, as one JSON object, with the model's parameters, the multiply-adds of one image "
      "(counted "
      "in a forward pass), the median milliseconds of one image at batch 1 and the memory it took (a GPU's "
      "tensors, else the whole process)");
  add_part_options(options);
  const auto values = parse_options("predict", options, arguments, console);
  if (!values) return 0;
  const double threshold = (*values)["score"].as<double>();
  if (!(threshold >= 0 && threshold <= 1)) throw Error(ExitCode::kUsage, "--score is not between 0 and 1");
  const int threads =
      detection::threads_to_use(values->contains("threads") ? (*values)["threads"].as<int>() : 0);
  const auto text = [&](const char* option) {
    return values->contains(option) ? (*values)[option].as<std::string>() : std::string();
  };
  const std::string output = text("output"), pictures = text("pictures");
  if (output.empty() && pictures.empty())
    throw Error(ExitCode::kUsage, "neither --output nor --pictures is given",
                "say where the detections go: --output detections.json, or --pictures FOLDER");
  if (!pictures.empty()) detection::make_picture_folder(pictures);
  const bool as_json = values->contains("json");
  const detection::Prediction prediction = detection::predict_with_model(
      (*values)["model"].as<std::string>(),
      {(*values)["data"].as<std::string>(), part_choice(*values), images_choice(*values)},
      {output, pictures, threshold, threads, as_json}, console.err);
  if (!pictures.empty())
    console.err << prediction.pictures << " pictures: " << pictures << "/index.html" << std::endl;
  if (as_json)
    print_json(to_json(prediction, output), console.out, /*indent=*/-1);
  else
    console.out << prediction.detections << " detections in " << prediction.images
                << " images: " << (output.empty() ? pictures + "/index.html" : output) << "\n";
  return 0;
}

}  // namespace tune::trainer::cli
