#include "trainer/tasks/image_classification/served_classifier.h"

#include "trainer/loop/model_facts.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/classification/answers.h"
#include "trainer/tasks/image_classification/model_folder.h"
#include "trainer/tasks/image_sets/served_image.h"

namespace tune::trainer::image_classification {
namespace {

class ServedClassifier final : public served::Answerer {
 public:
  ServedClassifier(LoadedClassifier classifier, const loop::Compute& compute)
      : classifier_(std::move(classifier)),
        normalise_(classifier_.preprocessing.mean, classifier_.preprocessing.std, compute.device) {
    classifier_.network->to(compute.device);
    facts_.task = "image_classification";
    facts_.classes = classifier_.classes;
    facts_.multi_label = classifier_.multi_label;
    facts_.image_size = classifier_.preprocessing.size;
    facts_.on_device = compute.accelerated;
  }

  const served::Facts& facts() const override { return facts_; }

  std::unique_ptr<const served::Prepared> prepare(const served::Input& input) const override {
    return image_sets::prepare_image(input, facts_.image_size, [this](const images::Image& image) {
      return data::input_pixels(image, classifier_.preprocessing);
    });
  }

  std::vector<served::Answer> answer(const std::vector<const served::Prepared*>& examples,
                                     int threads) const override {
    const torch::NoGradGuard no_grad;
    loop::use_threads(threads);
    return classification::served_answers(
        classifier_.network->forward(image_sets::network_input(examples, normalise_)),
        classifier_.multi_label);
  }

  std::unique_ptr<const served::Prepared> smoke_example() const override {
    return image_sets::grey_square(facts_.image_size);
  }

 private:
  LoadedClassifier classifier_;
  const nn::Normaliser normalise_;
  served::Facts facts_;
};

}  // namespace

served::ServedModel serve_classifier(const loop::ServeRequest& request) {
  return {
      std::make_shared<ServedClassifier>(load_classifier(request.model), loop::compute_for(request.threads))};
}

}  // namespace tune::trainer::image_classification
