#pragma once
// The memory behind the tensors of a .pth file: typed runs of numbers, found by key. Used by the reader of
// .pth files alone.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/torch_compat.h"
#include "trainer/weights/pickle.h"

namespace tune::trainer::weights {

// The Python names that weights are made of: tensors, parameters, ordered dicts, and a storage type for each
// dtype.
std::span<const std::string_view> pth_globals();

// What the pickle says of a storage.
struct StorageClaim {
  std::string key;
  at::ScalarType dtype = at::kFloat;
  std::int64_t elements = 0;
};

// Owned by one reading of a .pth file, on its thread. It keeps references to the document and the place,
// which the reader holds as long. It reads no file itself: fill() is given the bytes.
class PthStorages {
 public:
  PthStorages(const PickleDocument& document, const std::string& place)
      : document_(document), place_(place) {}

  // Every storage that the document refers to, by key. References that disagree are refused.
  std::map<std::string, StorageClaim> claims() const;
  StorageClaim claim(const PicklePersistent& reference) const;

  // Gives a storage its bytes, which must be as many as it claims.
  void fill(const StorageClaim& claim, std::string_view bytes);
  // A flat tensor of all its numbers. The same memory for each reference.
  const torch::Tensor& storage(const PicklePersistent& reference) const;

 private:
  const PickleDocument& document_;
  const std::string& place_;
  std::map<std::string, torch::Tensor> filled_;
};

[[noreturn]] void refuse_pth(const std::string& place, const std::string& reason);

}  // namespace tune::trainer::weights
