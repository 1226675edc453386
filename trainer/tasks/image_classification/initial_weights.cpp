#include "trainer/tasks/image_classification/initial_weights.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <ostream>

#include "trainer/tasks/image_classification/weight_names.h"
#include "trainer/weights/initial_weights.h"
#include "trainer/weights/unwrap.h"
#include "tuner/core/error.h"

namespace fs = std::filesystem;

namespace tune::trainer::image_classification {
namespace {

constexpr const char *kLabelsFile = "labels.json", *kPreprocessingFile = "preprocessing.json";

std::string counted_names(const std::vector<std::string>& classes) {
  return weights::first_names(classes) + " (" + std::to_string(classes.size()) + ")";
}

// What the file's header says under `key`, which the file of that name in the folder that it was promoted in
// must agree with; `words` turns it into text for the error. Null where nobody says.
Json said_of(const weights::WeightFile& content, const fs::path& file, const char* key, const char* name,
             const std::function<std::string(const Json&, const std::string& place)>& words) {
  const Json in_header = weights::header_json(content.metadata, key, file);
  const fs::path beside = file.parent_path() / name;
  std::error_code ignored;  // what cannot be looked at is not there
  if (file.filename() != weights::kWeightsFile || !fs::exists(beside, ignored)) return in_header;
  const Json named = weights::read_model_json(beside);
  const std::string its = words(named, beside.string());
  if (!in_header.is_null() && words(in_header, file.string()) != its)
    throw Error(ExitCode::kBadData,
                file.string() + " is for " + words(in_header, file.string()) + ", but " + beside.string() +
                    " has " + its,
                weights::kRestoreModel);
  return named;
}

// How many classes the file's head is for; 0 without a head.
std::size_t rows_of_head(const nn::Stages& stages, const weights::TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors)
    if (is_of_head(stages, name) && tensor.dim() > 0) return static_cast<std::size_t>(tensor.size(0));
  return 0;
}

// Of tensors under the network's names.
classification::OfferedHead head_in(const weights::WeightFile& content, const nn::Stages& stages,
                                    const fs::path& file) {
  classification::OfferedHead head{rows_of_head(stages, content.tensors)};
  const Json said =
      said_of(content, file, "labels", kLabelsFile, [](const Json& json, const std::string& place) {
        return "the classes " + counted_names(weights::labels_from_json(json, place));
      });
  if (said.is_null()) return head;
  head.classes = weights::labels_from_json(said, file.string());
  if (const auto found = said.find("multi_label"); found != said.end() && found->is_boolean())
    head.multi_label = found->get<bool>();
  return head;
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
  classification::OfferedHead head;
  weights::FitReport report;  // the prefix and the remarks
};

weights::WeightFile read_for(const nn::ImageClassifier& network, const fs::path& file) {
  return weights::read_weights(file, [&](const weights::TensorMap& tensors) {
    const auto fit = [&](const weights::TensorMap& some) { return body_fit(network, some).fit; };
    return fit(weights::unwrap(tensors, fit).tensors);
  });
}

// Normalisation has to be the model's. Sizes and cuts need not, as the networks take others: `remarks` say
// it.
void check_input(const weights::WeightFile& content, const ClassifierModel& kind,
                 const data::Preprocessing& input, const fs::path& file, std::vector<std::string>& remarks) {
  const auto check = [&](const weights::Metadata& said) {
    weights::check_normalisation(said, input.mean, input.std, "the model " + kind.name, file);
  };
  check(content.metadata);
  const Json own = said_of(content, file, "preprocessing", kPreprocessingFile,
                           [](const Json& json, const std::string&) { return "images like " + json.dump(); });
  // Others may call something else so.
  if (!own.is_object() || !own.contains("size") || !own.contains("mean") || !own.contains("std")) return;
  check({{"normalisation", Json{{"mean", own["mean"]}, {"std", own["std"]}}.dump()}});
  const std::string trained = form_of(data::preprocessing_from_json(own, file.string())),
                    seen = form_of(input);
  if (trained != seen)
    remarks.push_back("they were trained on images of " + trained + "; a training of " + kind.name +
                      " shows them " + seen);
}

Offered offered(const nn::ImageClassifier& network, weights::WeightFile content, const fs::path& file,
                const ClassifierModel& kind, const data::Preprocessing& input) {
  Offered result;
  check_input(content, kind, input, file, result.report.remarks);
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
  result.head = head_in(result.content, network.stages(), file);
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
                     const data::Preprocessing& input, const classification::ClassSet& labels,
                     HeadPolicy policy, std::ostream& notes) {
  const fs::path file = weights::weights_file(weights);
  const weights::WeightFile in_file = read_for(network, file);
  Offered offer = offered(network, in_file, file, kind, input);
  const nn::Stages stages = network.stages();
  const auto drop_head = [&](auto& tensors, auto name_of) {
    std::erase_if(tensors, [&](const auto& entry) { return is_of_head(stages, name_of(entry)); });
  };
  // Another network's head says nothing about this one's: that it is another's comes first.
  const bool is_same = body_fit(network, offer.content.tensors).is_same_network();
  const classification::HeadChoice head = is_same
                                              ? classification::choose_head(offer.head, labels, policy, file)
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
  Offered offer = offered(*network, in_file, file, kind, kind.input);
  if (offer.head.rows == 0)
    offer.report.remarks.emplace_back("the file has no head: a training makes one");
  else if (!offer.head.classes)
    offer.report.remarks.emplace_back(
        "the file does not name the classes of its head: a training makes the head anew, unless "
        "trainer.head is \"keep\"");
  if (offer.head.rows > 0) network = kind.make(static_cast<std::int64_t>(offer.head.rows), 0);
  weights::FitReport report = load_offered(*network, std::move(offer), in_file, file, kind);
  return {std::move(in_file), std::move(report)};
}

}  // namespace tune::trainer::image_classification
