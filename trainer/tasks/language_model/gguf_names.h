#pragma once
// Between the tensors of GGUF files and those of Hugging Face's: names, and how their numbers are laid.
#include <optional>
#include <string>

#include "trainer/nn/decoder_shape.h"
#include "trainer/tasks/language_model/base_shape.h"
#include "trainer/torch_compat.h"

namespace tune::trainer::language_model {

// Of one model, whose shape and family outlive it. Immutable.
class GgufNames {
 public:
  GgufNames(const nn::DecoderShape& shape, const Family& family) : shape_(shape), family_(family) {}

  struct Place {
    std::string name;  // Hugging Face's
    std::int64_t turned_heads =
        0;                  // rows that a rotation pairs lie side by side in so many heads; 0: as here
    bool adds_one = false;  // a norm whose file holds its weight and one
  };
  // nullopt for a name that the format does not have for such a model.
  std::optional<Place> place_of(const std::string& gguf) const;
  std::string in_file(const std::string& name) const;  // the format's name of one of Hugging Face's

  // `tensor` is [rows, ..]: its numbers, or packed rows.
  torch::Tensor from_file(const Place& place, const torch::Tensor& tensor) const;
  torch::Tensor to_file(const std::string& name, const torch::Tensor& tensor) const;
  // By which Llama 3 divides the frequencies; undefined for others.
  torch::Tensor rope_factors() const;

 private:
  const nn::DecoderShape& shape_;
  const Family& family_;
};

}  // namespace tune::trainer::language_model
