#include "trainer/tasks/image_classification/initial_weights.h"

#include <algorithm>
#include <optional>
#include <ostream>

#include "trainer/tasks/image_classification/weight_names.h"
#include "trainer/weights/initial_weights.h"
#include "trainer/weights/unwrap.h"
#include "tuner/core/error.h"

namespace fs = std::filesystem;

namespace tune::trainer::image_classification {
namespace {

constexpr const char* kLabelsFile = "labels.json";

std::string counted_names(const std::vector<std::string>& classes) {
  return weights::first_names(classes) + " (" + std::to_string(classes.size()) + ")";
}

// The classes that the file is for: its header's, which those of the folder that it was promoted in must
// agree with. nullopt where nobody says.
std::optional<std::vector<std::string>> classes_of(const weights::WeightFile& content, const fs::path& file) {
  std::optional<std::vector<std::string>> classes;
  if (const Json json = weights::header_json(content.metadata, "labels", file); !json.is_null())
    classes = weights::labels_from_json(json, file.string());
  const fs::path beside = file.parent_path() / kLabelsFile;
  std::error_code ignored;  // what cannot be looked at is not there
  if (file.filename() != weights::kWeightsFile || !fs::exists(beside, ignored)) return classes;
  const std::vector<std::string> named =
      weights::labels_from_json(weights::read_model_json(beside), beside.string());
  if (classes && *classes != named)
    throw Error(ExitCode::kBadData,
                file.string() + " is for the classes " + counted_names(*classes) + ", but " +
                    beside.string() + " has " + counted_names(named),
                weights::kRestoreModel);
  return named;
}

// How many classes the file's head is for; 0 without a head.
std::int64_t rows_of_head(const nn::Stages& stages, const weights::TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors)
    if (is_of_head(stages, name) && tensor.dim() > 0) return tensor.size(0);
  return 0;
}

// Networks that are sold as pretrained and never were.
bool is_untrained(const weights::TensorMap& tensors) {
  std::size_t norms = 0;
  for (const auto& [name, tensor] : tensors) {
    if (name.ends_with(".running_mean") && (++norms, tensor.ne(0).any().item<bool>())) return false;
    if (name.ends_with(".running_var") && tensor.ne(1).any().item<bool>()) return false;
  }
  return norms > 0;
}

// What a file gives, before a model takes it.
struct Offered {
  weights::WeightFile content;  // its tensors under the network's names
  std::optional<std::vector<std::string>> classes;
  std::int64_t head_rows = 0;
  weights::FitReport report;  // the prefix and the remarks
};

weights::WeightFile read_for(const nn::ImageClassifier& network, const fs::path& file) {
  return weights::read_weights(file, [&](const weights::TensorMap& tensors) {
    const auto fit = [&](const weights::TensorMap& some) { return body_fit(network, some).fit; };
    return fit(weights::unwrap(tensors, fit).tensors);
  });
}

// A promoted model's header says it among all that is done to its images. Of that a training may change the
// rest, as the networks take other sizes and cuts too.
void check_input(const weights::Metadata& metadata, const ClassifierModel& kind, const fs::path& file) {
  const auto check = [&](const weights::Metadata& said) {
    weights::check_normalisation(said, kind.input.mean, kind.input.std, "the model " + kind.name, file);
  };
  check(metadata);
  const Json own = weights::header_json(metadata, "preprocessing", file);
  if (own.is_object() && own.contains("mean") && own.contains("std"))
    check({{"normalisation", Json{{"mean", own["mean"]}, {"std", own["std"]}}.dump()}});
}

Offered offered(const nn::ImageClassifier& network, weights::WeightFile content, const fs::path& file,
                const ClassifierModel& kind) {
  check_input(content.metadata, kind, file);
  Offered result;
  result.classes = classes_of(content, file);
  NamedWeights named = named_weights(network, content);
  result.report.prefix = std::move(named.prefix);
  if (named.by_order)
    result.report.remarks.push_back("names are not " + kind.name +
                                    "'s, but the tensors are in its order: they are taken by their order");
  if (is_untrained(named.tensors))
    result.report.remarks.emplace_back(
        "every batch normalisation has the mean 0 and the variance 1, as before any training: these weights "
        "are random, whatever they are said to be");
  result.content = std::move(content);
  result.content.tensors = std::move(named.tensors);
  result.head_rows = rows_of_head(network.stages(), result.content.tensors);
  return result;
}

// Copies into `network` what fits, and says why a training would not start from it.
weights::FitReport load_offered(nn::ImageClassifier& network, Offered offer,
                                const weights::WeightFile& in_file, const fs::path& file,
                                const ClassifierModel& kind) {
  weights::FitReport report = std::move(offer.report);
  const weights::TensorMap& tensors = offer.content.tensors;
  weights::refuse_other_dtypes(offer.content, weights::state_dict(network), "", file);
  const weights::WeightFit fit = body_fit(network, tensors);
  static_cast<weights::LoadReport&>(report) = weights::load_state_dict(network, tensors);
  report.share = fit.share();
  const nn::Stages stages = network.stages();
  report.refusal = weights::refusal_of(
      fit, report, [&](std::string_view name) { return !is_of_head(stages, name); }, "the model " + kind.name,
      kind.name);
  if (report.refusal.empty()) return report;
  if (const auto alike = models_alike(in_file, kind.name); !alike.empty())
    report.refusal += "; it looks like a file of " + weights::first_names(alike);
  return report;
}

}  // namespace

void initialise_from(nn::ImageClassifier& network, const fs::path& weights, const ClassifierModel& kind,
                     const std::vector<std::string>& classes, HeadPolicy policy, std::ostream& notes) {
  const fs::path file = weights::weights_file(weights);
  const weights::WeightFile in_file = read_for(network, file);
  Offered offer = offered(network, in_file, file, kind);
  const nn::Stages stages = network.stages();
  const auto drop_head = [&](auto& tensors, auto name_of) {
    std::erase_if(tensors, [&](const auto& entry) { return is_of_head(stages, name_of(entry)); });
  };
  // Another network's head says nothing about this one's: that it is another's comes first.
  const bool is_same = body_fit(network, offer.content.tensors).is_same_network();
  const classification::HeadChoice head =
      is_same ? classification::choose_head({static_cast<std::size_t>(offer.head_rows), offer.classes},
                                            classes, policy, file)
              : classification::HeadChoice{false, "the network is another"};
  if (!head.kept) drop_head(offer.content.tensors, [](const auto& entry) { return entry.first; });
  weights::FitReport report = load_offered(network, std::move(offer), in_file, file, kind);
  if (!head.kept) drop_head(report.missing, [](const std::string& name) { return name; });
  weights::write_wrapping(in_file, report, notes);
  if (!report.refusal.empty())
    throw Error(ExitCode::kBadData, file.string() + ": " + report.refusal,
                "give weights of this model, or name the model that they are of: `tune-train "
                "inspect-weights FILE --model " +
                    kind.name + "` lists what differs");
  weights::write_report(report, "the network without its head", notes);
  notes << "weights: the head is " << (head.kept ? "kept" : "initialised anew") << ": " << head.reason
        << std::endl;
}

loop::FittedWeights fit_weights(const fs::path& file, const std::string& model) {
  const ClassifierModel& kind = classifier_model(model);
  auto network = kind.make(1, 0);
  weights::WeightFile in_file = read_for(*network, file);
  Offered offer = offered(*network, in_file, file, kind);
  if (offer.head_rows == 0)
    offer.report.remarks.emplace_back("the file has no head: a training makes one");
  else if (!offer.classes)
    offer.report.remarks.emplace_back(
        "the file does not name the classes of its head: a training makes the head anew, unless "
        "trainer.head is \"keep\"");
  if (offer.head_rows > 0) network = kind.make(offer.head_rows, 0);
  weights::FitReport report = load_offered(*network, std::move(offer), in_file, file, kind);
  return {std::move(in_file), std::move(report)};
}

}  // namespace tune::trainer::image_classification
