#include "trainer/tasks/detection/served_detector.h"

#include "trainer/images/image.h"
#include "trainer/loop/model_facts.h"
#include "trainer/nn/normaliser.h"
#include "trainer/tasks/detection/model_folder.h"
#include "trainer/tasks/image_sets/served_image.h"

namespace tune::trainer::detection {
namespace {

class ServedDetector final : public served::Answerer {
 public:
  ServedDetector(LoadedDetector detector, const loop::Compute& compute)
      : detector_(std::move(detector)),
        compute_(compute),
        normalise_(detector_.kind->preprocessing.mean, detector_.kind->preprocessing.std, compute.device) {
    detector_.model->to(compute.device);
    facts_.task = "detection";
    facts_.classes = detector_.classes;
    facts_.image_size = size();
    facts_.on_device = compute.accelerated;
  }

  const served::Facts& facts() const override { return facts_; }

  std::unique_ptr<const served::Prepared> prepare(const served::Input& input) const override {
    return image_sets::prepare_image(input, size(), [this](const images::Image& image) {
      return data::input_pixels(image, detector_.kind->preprocessing);
    });
  }

  std::vector<served::Answer> answer(const std::vector<const served::Prepared*>& examples,
                                     int threads) const override {
    const torch::NoGradGuard no_grad;
    loop::use_threads(threads);
    std::vector<images::Size> shown;
    for (const served::Prepared* example : examples) shown.push_back(image_sets::served_image(*example).seen);
    const auto found = detector_.model
                           ->answer({image_sets::network_input(examples, normalise_), shown},
                                    detector_.kind->limits, compute_, nullptr, {})
                           .found;
    std::vector<served::Answer> answers;
    for (std::size_t i = 0; i < examples.size(); ++i) {
      const image_sets::ServedImage& image = image_sets::served_image(*examples[i]);
      served::Detections detections{image.width, image.height};
      for (const ScoredBox& box : found[i])
        detections.found.push_back(
            {box.category - 1, box.score, box.box.x1, box.box.y1, box.box.x2, box.box.y2});
      answers.emplace_back(std::move(detections));
    }
    return answers;
  }

  std::unique_ptr<const served::Prepared> smoke_example() const override {
    return image_sets::grey_square(size());
  }

 private:
  int size() const { return detector_.kind->preprocessing.size; }

  LoadedDetector detector_;
  const loop::Compute compute_;
  const nn::Normaliser normalise_;
  served::Facts facts_;
};

}  // namespace

served::ServedModel serve_detector(const loop::ServeRequest& request) {
  return {std::make_shared<ServedDetector>(load_detector(request.model), loop::compute_for(request.threads))};
}

}  // namespace tune::trainer::detection
