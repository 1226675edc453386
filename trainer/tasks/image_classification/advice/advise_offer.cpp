// `tune-train advise`: looks at labelled images for under a minute, and says what to train and to search.
#include <algorithm>
#include <chrono>
#include <sstream>

#include "trainer/tasks/image_classification/advice/doubts_page.h"
#include "trainer/tasks/image_classification/initial_weights.h"
#include "trainer/tasks/image_classification/offers.h"
#include "trainer/tasks/image_classification/task.h"
#include "trainer/tasks/image_classification/weight_names.h"
#include "trainer/weights/found_weights.h"
#include "tuner/core/error.h"
#include "tuner/core/plural_text.h"

namespace tune::trainer::image_classification {
namespace {

constexpr double kUsualSeconds = 45;

// The network that the weights are of, where nobody names it.
std::string model_of_weights(const std::filesystem::path& weights) {
  const std::filesystem::path file = weights::weights_file(weights);
  const std::vector<std::string> alike = models_alike(weights::read_weights(file), "");
  if (alike.size() == 1) return alike.front();
  std::string names;
  for (const std::string& name : alike) names += (names.empty() ? "" : ", ") + name;
  throw Error(
      ExitCode::kUsage,
      file.string() + (alike.empty() ? " is of no network that is known here" : " could be of " + names),
      "name the network with --model");
}

void choose_model(const loop::Request& request, bool accelerated, AdvisedSet& advised) {
  if (request.has("model")) {
    advised.model = request.text("model");
    advised.model_rule = "as asked";
  } else if (advised.weights) {
    advised.model = model_of_weights(*advised.weights);
    advised.model_rule = "the network of the weights";
  } else {
    const ModelAdvice model = advised_model(training_examples_of(advised.set).size(), accelerated);
    advised.model = model.name;
    advised.model_rule = model.rule;
  }
}

// Weights that lie here for that network, and where else some come from.
std::vector<std::string> weights_elsewhere(const std::string& model) {
  std::vector<std::string> places;
  for (const weights::FoundWeights& found : weights::find_weights(weights::weight_folders()))
    if (weights::are_called(found, model)) places.push_back("for " + model + " here: " + found.path.string());
  for (const OrderedJson& row : image_classification_task().models())
    for (const OrderedJson& source : row.value("weights_from", OrderedJson::array()))
      if (row.at("name") == model) places.push_back("for " + model + ": " + source.get<std::string>());
  places.emplace_back(
      "for squeezenet1_1 and mobilenet_v2: examples/image-weights/fetch_weights.py; torchvision's .pth files "
      "are "
      "read as they are");
  return places;
}

// Detectors that share a classifier's body; pretrain goes by their names.
std::string starter_of(const std::string& model) {
  if (model == "resnet18") return "ssd224-resnet18";
  if (model == "resnet50") return "ssd300-resnet50";
  return {};
}

Facts facts_of(const AdvisedSet& advised, bool accelerated) {
  Facts facts;
  facts.starter = starter_of(advised.model);
  const Measurements& measured = advised.measured;
  facts.images = measured.images;
  facts.classes = advised.set.classes.size();
  std::vector<std::size_t> counts(facts.classes, 0);
  for (const std::size_t image : training_examples_of(advised.set))
    for (const int label : advised.set.examples[image].labels) ++counts[static_cast<std::size_t>(label)];
  const auto [smallest, largest] = std::minmax_element(counts.begin(), counts.end());
  facts.smallest_class = *smallest;
  facts.largest_class = *largest;
  facts.multi_label = advised.set.multi_label;
  facts.has_weights = advised.weights.has_value();
  facts.nearness = measured.nearness;
  const auto strong = std::count_if(measured.doubts.begin(), measured.doubts.end(),
                                    [](const LabelDoubt& doubt) { return doubt.strength >= kStrongDoubt; });
  facts.strong_doubts = static_cast<double>(strong) / static_cast<double>(measured.sample.size());
  facts.shares_surfaces = measured.copies.overlapping > 0 || measured.copies.equal > 0;
  facts.leaks = measured.copies.leaks;
  facts.stages = measured.stages;
  facts.accelerated = accelerated;
  facts.images_per_second = measured.images_per_second;
  return facts;
}

void require_free_page(const loop::Request& request) {
  if (!request.has("page")) return;
  std::error_code unknown;
  const std::filesystem::path page = request.text("page");
  if (std::filesystem::exists(std::filesystem::symlink_status(page, unknown)))
    throw Error(ExitCode::kConflict, page.string() + " is there already", "name another file, or remove it");
}

loop::Answer answer_advise(const loop::Request& request) {
  const auto begin = std::chrono::steady_clock::now();
  require_free_page(request);
  AdvisedSet advised;
  advised.choice = data_choice(request);
  if (request.has("weights")) advised.weights = request.text("weights");
  advised.threads = loop::threads_for(request);
  const double seconds = request.number("seconds", 1, 3600, kUsualSeconds);
  const loop::Compute compute = loop::set_up_compute(advised.threads, torch::cuda::is_available());
  advised.device = compute.accelerated ? "GPU" : "CPU";
  ReadOptions options;
  options.images = advised.choice.images;
  options.classes_from = advised.choice.classes_from;
  options.threads = advised.threads;
  advised.set = read_to_the_end(advised.choice.data, options);
  choose_model(request, compute.accelerated, advised);
  const ClassifierModel& kind = classifier_model(advised.model);
  advised.measured =
      measure(advised.set, {kind, advised.weights, compute, seconds, request.notes, request.interrupted});
  if (!advised.weights) advised.other_weights = weights_elsewhere(advised.model);
  advised.facts = facts_of(advised, compute.accelerated);
  advised.advice = advise(advised.facts);
  if (request.has("page")) write_doubts_page(advised, request.text("page"));
  advised.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  loop::Answer answer;
  if (request.as_json) {
    answer.json = advice_json(advised);
  } else {
    std::ostringstream text;
    print_advice(advised, text);
    answer.text = text.str();
  }
  return answer;
}

}  // namespace

loop::Offer advise_offer() {
  return {"advise",
          {{"data", "DATA", "labelled images", true},
           {"model", "NAME", "the network; without it that of the weights, else one that suits the machine"},
           {"weights", "FILE", "weights that a training may start from: they are measured on the data"},
           {"images", "FOLDER", kImagesOption},
           {"classes-from", "PLACE", kClassesFromOption},
           {"page", "FILE", "write labels that neighbours contradict as an HTML page with pictures"},
           {"seconds", "S", "how long to measure, about; 45 by default"},
           {"threads", "N", "of the CPU; all cores by default"}},
          answer_advise,
          /*stops_on_signal=*/true,
          "what was measured, the advice with its rules and reasons, and a spec that searches as advised"};
}

}  // namespace tune::trainer::image_classification
