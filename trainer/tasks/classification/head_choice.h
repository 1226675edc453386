#pragma once
// What becomes of the head of a classifier's weights when another training starts from them.
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tuner/core/json.h"

namespace tune::trainer::classification {

// trainer.head.
enum class HeadPolicy {
  kAuto,  // kept where the file names the same classes in the same order, else made anew
  kKeep,  // kept, or the training does not start: where the file names other classes, has no head or one of
          // another size. A head without class names is taken for that of the data's classes.
  kNew,   // made anew
};
// The row of Task::trainer_keys(), and its value. Throws Error(kBadSpec).
OrderedJson head_key();
HeadPolicy head_policy(const Json& trainer);

// The head that a file has; nullopt where nobody says.
struct OfferedHead {
  std::size_t rows = 0;  // the classes that it is for; 0 without a head
  std::optional<std::vector<std::string>> classes = std::nullopt;
  std::optional<bool> multi_label = std::nullopt;
};

// What a head is to tell apart.
struct ClassSet {
  std::vector<std::string> classes;
  bool multi_label = false;  // an example is of several of them, or of none
};

// Whether it is kept, with the reason for a person. Throws Error(kBadSpec) where it has to be and cannot, and
// where it would be although it is for one class an example and the data has several, or the other way about.
struct HeadChoice {
  bool kept;
  std::string reason;
};
HeadChoice choose_head(const OfferedHead& offer, const ClassSet& data, HeadPolicy policy,
                       const std::filesystem::path& file);

}  // namespace tune::trainer::classification
