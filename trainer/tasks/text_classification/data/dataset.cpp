#include "trainer/tasks/text_classification/data/dataset.h"

#include "tuner/core/json.h"
#include "tuner/os/sha256.h"

namespace tune::trainer::text_classification {
namespace {

// Lengths go first, so that no two sets of texts are the same bytes.
void add_texts(Sha256& hash, const Example& example) {
  for (const std::string* text : {&example.text, &example.second}) {
    hash.add(std::to_string(text->size()) + ':');
    hash.add(*text);
  }
}

}  // namespace

metrics::LabelSet labels_of(const Dataset& dataset) {
  metrics::LabelSet set{dataset.classes, {}, dataset.multi_label};
  set.labels.reserve(dataset.examples.size());
  for (const Example& example : dataset.examples) set.labels.push_back(example.labels);
  return set;
}

Dataset subset(const Dataset& dataset, const std::vector<std::size_t>& indices) {
  Dataset part{dataset.classes, {}, dataset.multi_label, dataset.pairs, {}, dataset.form};
  part.examples.reserve(indices.size());
  for (const std::size_t index : indices) part.examples.push_back(dataset.examples.at(index));
  return part;
}

std::string content_of(const Example& example) {
  Sha256 hash;
  add_texts(hash, example);
  return hash.hex();
}

std::string fingerprint(const Dataset& dataset) {
  Sha256 hash;
  hash.add(Json(dataset.classes).dump());
  for (const Example& example : dataset.examples) {
    add_texts(hash, example);
    hash.add(Json(example.labels).dump());
  }
  return "sha256:" + hash.hex();
}

}  // namespace tune::trainer::text_classification
