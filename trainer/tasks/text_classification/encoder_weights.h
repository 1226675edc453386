#pragma once
// Weights files of encoders under the names that transformers gives them now, and a training that starts from
// one.
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/nn/text_encoder.h"
#include "trainer/tasks/classification/head_choice.h"
#include "trainer/tasks/text_classification/encoder_config.h"
#include "trainer/weights/weight_file.h"

namespace tune::trainer::text_classification {

// What of a file an encoder takes.
struct NamedWeights {
  weights::TensorMap tensors;         // under the encoder's names
  std::vector<std::string> left_out;  // heads of what it was trained on before, and counters of positions
};
// Norms of the first BERT files have gamma and beta, encoders that were saved alone no prefix; heads of
// pretraining (cls.*, lm_head.*, ...) and position_ids are left out.
NamedWeights named_weights(const nn::TextEncoder& network, weights::TensorMap tensors);

// Starts `network`, a new one for these classes, from a weights file, whose config.json is `config`. The
// encoder has to be there whole; layers of its head that the file lacks are made anew. What became of each
// goes to `notes`. Throws Error(kBadData) where the file is another encoder's, or holds weights in a dtype
// that stands for others; Error(kBadSpec) as choose_head().
void initialise_from(nn::TextEncoder& network, const EncoderConfig& config, const std::filesystem::path& file,
                     const classification::ClassSet& labels, classification::HeadPolicy policy,
                     std::ostream& notes);

// What a training of a model of that family could take of a file: Task::fit_weights. The file's folder has
// its config.json.
loop::FittedWeights fit_weights(const std::filesystem::path& file, const std::string& model);

}  // namespace tune::trainer::text_classification
