#pragma once
// A training of a classifier that starts from weights of a file.
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/tasks/classification/head_choice.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/json.h"

namespace tune::trainer::image_classification {

using classification::HeadPolicy, classification::head_key, classification::head_policy;

// Starts `network`, a new one of this kind for these classes, from a weights file or a folder as promoted.
// Names are this library's, with any prefix; where they are not, but a .pth file has the same tensors in the
// same order, they are taken by that order. What became of each tensor and of the head goes to `notes`.
// A promoted model whose images were cut or sized otherwise than `input` is taken, which the notes say.
// Throws Error(kBadData) where the file is another network's (and says which it looks like), holds weights in
// a dtype that stands for others, or wants another normalisation; Error(kBadSpec) where the head cannot be
// kept, or would be although it says one class an image and the data several, or the other way about.
void initialise_from(nn::ImageClassifier& network, const std::filesystem::path& weights,
                     const ClassifierModel& kind, const data::Preprocessing& input,
                     const classification::ClassSet& labels, HeadPolicy policy, std::ostream& notes);

// What a training of a model of that name could take of a file, its head included: Task::fit_weights.
loop::FittedWeights fit_weights(const std::filesystem::path& file, const std::string& model);

}  // namespace tune::trainer::image_classification
