#include "trainer/tasks/classification/head_choice.h"

#include "trainer/loop/task.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/error.h"

namespace tune::trainer::classification {
namespace {

constexpr const char* kHeadKey = "head";

std::string counted_names(const std::vector<std::string>& classes) {
  return weights::first_names(classes) + " (" + std::to_string(classes.size()) + ")";
}

const char* kind_of_labels(bool multi_label) {
  return multi_label ? "several classes or none" : "one class each";
}

}  // namespace

OrderedJson head_key() {
  OrderedJson key = loop::trainer_key(
      kHeadKey, "choice",
      "the last layer of `weights`: kept where the file names the data's classes, else made anew (auto); "
      "kept, or the trial does not start (keep); made anew (new)");
  key["values"] = {"auto", "keep", "new"};
  key["default"] = "auto";
  return key;
}

HeadPolicy head_policy(const Json& trainer) {
  const std::string head = loop::text_key(trainer, kHeadKey, "auto");
  if (head == "auto") return HeadPolicy::kAuto;
  if (head == "keep") return HeadPolicy::kKeep;
  if (head == "new") return HeadPolicy::kNew;
  throw Error(ExitCode::kBadSpec, "trainer.head is \"" + head + "\"", "auto, keep or new");
}

HeadChoice choose_head(const OfferedHead& offer, const ClassSet& data, HeadPolicy policy,
                       const std::filesystem::path& file) {
  if (policy == HeadPolicy::kNew) return {false, "as trainer.head asks"};
  const std::size_t rows = offer.rows;
  if (rows > 0 && offer.classes && *offer.classes == data.classes && rows == data.classes.size()) {
    if (offer.multi_label.value_or(data.multi_label) != data.multi_label)
      throw Error(ExitCode::kBadSpec,
                  file.string() + ": its head is for examples of " + kind_of_labels(!data.multi_label) +
                      ", but those of the data have " + kind_of_labels(data.multi_label),
                  "give data of the same kind, or \"head\": \"new\" to make the head anew");
    return {true, "its classes are the data's"};
  }
  std::string reason;
  if (rows == 0)
    reason = "the file has none";
  else if (!offer.classes)
    reason = "the file's is for " + std::to_string(rows) + " classes that it does not name";
  else if (offer.classes->size() != rows)
    reason = "the file names " + std::to_string(offer.classes->size()) + " classes for a head of " +
             std::to_string(rows);
  else
    reason = "the file's is for the classes " + counted_names(*offer.classes) + ", the data has " +
             counted_names(data.classes);
  if (policy == HeadPolicy::kAuto) return {false, reason};
  if (rows == data.classes.size() && !offer.classes)
    return {true, "the file does not name its " + std::to_string(rows) +
                      " classes: they are taken for the data's, in the order " + counted_names(data.classes)};
  throw Error(ExitCode::kBadSpec,
              file.string() + ": its head cannot be kept, as trainer.head asks: " + reason +
                  (offer.classes || rows == 0 ? "" : ", the data has " + std::to_string(data.classes.size())),
              "give data of the same classes, or \"head\": \"new\" to make the head anew");
}

}  // namespace tune::trainer::classification
