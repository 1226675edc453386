#pragma once
// Labelled images that come out of formulas: nothing is downloaded, and nobody has to label them.
#include <cstdint>
#include <vector>

#include "trainer/tasks/pretraining/images/families.h"

namespace tune::trainer::pretraining {

// Classes of grey images, each a fixed draw of a family's parameters; the families take turns. Read-only once
// made, from any thread.
class FormulaImages {
 public:
  // The classes are a function of `seed`, each of its own number: more classes leave the first ones as they
  // are.
  FormulaImages(int classes, int size, std::uint64_t seed);
  int classes() const { return static_cast<int>(textures_.size()); }
  int size() const { return size_; }

  // Writes size * size values. Depends on nothing but the class, `instance` and the seed.
  void draw(int category, std::uint64_t instance, std::uint8_t* to) const;

 private:
  int size_;
  std::uint64_t seed_;
  std::vector<TextureClass> textures_;
};

}  // namespace tune::trainer::pretraining
