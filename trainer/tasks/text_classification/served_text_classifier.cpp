#include "trainer/tasks/text_classification/served_text_classifier.h"

#include "trainer/loop/model_facts.h"
#include "trainer/tasks/classification/answers.h"
#include "trainer/tasks/text_classification/inference.h"
#include "trainer/tasks/text_classification/model_folder.h"
#include "tuner/core/error.h"

namespace tune::trainer::text_classification {
namespace {

// Immutable.
struct ServedText final : served::Prepared {
  text::Encoding encoding;
};

class ServedTextClassifier final : public served::Answerer {
 public:
  ServedTextClassifier(LoadedTextClassifier classifier, const loop::Compute& compute)
      : classifier_(std::move(classifier)), device_(compute.device) {
    classifier_.network->to(device_);
    facts_.task = "text_classification";
    facts_.input = served::InputKind::kTexts;
    facts_.classes = classifier_.form.classes;
    facts_.multi_label = classifier_.form.multi_label;
    facts_.pairs = classifier_.form.pairs;
    facts_.on_device = compute.accelerated;
  }

  const served::Facts& facts() const override { return facts_; }

  std::unique_ptr<const served::Prepared> prepare(const served::Input& input) const override {
    const auto* text = std::get_if<served::Text>(&input);
    if (text == nullptr)
      throw Error(ExitCode::kBadData, "this model reads texts, and was sent an image", "send a text");
    if (text->second.has_value() != facts_.pairs)
      throw Error(ExitCode::kBadData,
                  facts_.pairs ? "this model compares two texts, and was sent one"
                               : "this model reads one text, and was sent two",
                  facts_.pairs ? "send both" : "send one");
    auto prepared = std::make_unique<ServedText>();
    const std::size_t most = classifier_.form.max_length;
    prepared->encoding = facts_.pairs ? classifier_.tokenizer.encode_pair(text->first, *text->second, most)
                                      : classifier_.tokenizer.encode_one(text->first, most);
    if (prepared->encoding.ids.empty())
      throw Error(ExitCode::kBadData, "the text has no tokens", "say something");
    return prepared;
  }

  std::vector<served::Answer> answer(const std::vector<const served::Prepared*>& examples,
                                     int threads) const override {
    const torch::NoGradGuard no_grad;
    loop::use_threads(threads);
    std::vector<const text::Encoding*> encoded;
    for (const served::Prepared* example : examples)
      encoded.push_back(&dynamic_cast<const ServedText&>(*example).encoding);
    const EncodedTexts texts(encoded);
    return classification::served_answers(
        *logits_of(*classifier_.network, texts, device_, [] { return false; }), facts_.multi_label);
  }

  std::unique_ptr<const served::Prepared> smoke_example() const override {
    return prepare(facts_.pairs ? served::Text{"a text", "another"} : served::Text{"a text"});
  }

 private:
  LoadedTextClassifier classifier_;
  const torch::Device device_;
  served::Facts facts_;
};

}  // namespace

served::ServedModel serve_text_classifier(const loop::ServeRequest& request) {
  return {std::make_shared<ServedTextClassifier>(load_text_classifier(request.model),
                                                 loop::compute_for(request.threads))};
}

}  // namespace tune::trainer::text_classification
