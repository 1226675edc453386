#pragma once
// A training of a classifier that starts from weights of a file.
#include <filesystem>
#include <iosfwd>
#include <string>
#include <vector>

#include "trainer/loop/task.h"
#include "trainer/tasks/image_classification/models.h"
#include "trainer/weights/state_dict.h"
#include "tuner/core/json.h"

namespace tune::trainer::image_classification {

// What becomes of the file's head: trainer.head.
enum class HeadPolicy {
  kAuto,  // kept where the file names the same classes in the same order, else made anew
  kKeep,  // kept, or the training does not start: where the file names other classes, has no head or one of
          // another size. A head without class names is taken for that of the data's classes.
  kNew,   // made anew
};
// The row of Task::trainer_keys(), and its value. Throws Error(kBadSpec).
OrderedJson head_key();
HeadPolicy head_policy(const Json& trainer);

// What a network is to tell apart.
struct LabelSet {
  std::vector<std::string> classes;
  bool multi_label = false;  // an image shows several of them, or none
};

// Starts `network`, a new one of this kind for these classes, from a weights file or a folder as promoted.
// Names are this library's, with any prefix; where they are not, but a .pth file has the same tensors in the
// same order, they are taken by that order. What became of each tensor and of the head goes to `notes`.
// A promoted model whose images were cut or sized otherwise is taken, which the notes say. Throws
// Error(kBadData) where the file is another network's (and says which it looks like), holds weights in a
// dtype that stands for others, or wants another normalisation; Error(kBadSpec) where the head cannot be
// kept, or would be although it says one class an image and the data several, or the other way about.
void initialise_from(nn::ImageClassifier& network, const std::filesystem::path& weights,
                     const ClassifierModel& kind, const LabelSet& labels, HeadPolicy policy,
                     std::ostream& notes);

// What a training of a model of that name could take of a file, its head included: Task::fit_weights.
loop::FittedWeights fit_weights(const std::filesystem::path& file, const std::string& model);

}  // namespace tune::trainer::image_classification
