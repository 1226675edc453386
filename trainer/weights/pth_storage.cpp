#include "trainer/weights/pth_storage.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tuner/core/error.h"

namespace tune::trainer::weights {
namespace {

constexpr auto kGlobals = std::to_array<std::string_view>(
    {"torch.FloatStorage", "torch.HalfStorage", "torch.BFloat16Storage", "torch.DoubleStorage",
     "torch.LongStorage", "torch.IntStorage", "torch.ShortStorage", "torch.CharStorage", "torch.ByteStorage",
     "torch.BoolStorage", "torch.ComplexFloatStorage", "torch.ComplexDoubleStorage",
     "torch.storage.UntypedStorage", "collections.OrderedDict", "collections.defaultdict",
     "torch._utils._rebuild_tensor_v2", "torch._utils._rebuild_tensor_v3",
     "torch._utils._rebuild_parameter"});
// In the order of the names above. A storage without a type is counted in bytes.
constexpr auto kStorageTypes = std::to_array<at::ScalarType>(
    {at::kFloat, at::kHalf, at::kBFloat16, at::kDouble, at::kLong, at::kInt, at::kShort, at::kChar, at::kByte,
     at::kBool, at::kComplexFloat, at::kComplexDouble, at::kByte});

at::ScalarType dtype_of(const PickleGlobal& global, const std::string& place) {
  const std::string full = std::string(global.module) + "." + std::string(global.name);
  for (std::size_t i = 0; i < kStorageTypes.size(); ++i)
    if (kGlobals[i] == full) return kStorageTypes[i];
  refuse_pth(place, "a storage of the type " + std::string(global.name));
}

}  // namespace

void refuse_pth(const std::string& place, const std::string& reason) {
  throw Error(ExitCode::kBadData, place + ": not a valid PyTorch weights file: " + reason,
              "copy or download the file again");
}

std::span<const std::string_view> pth_globals() { return kGlobals; }

// ('storage', torch.FloatStorage, key, device, elements[, view])
StorageClaim PthStorages::claim(const PicklePersistent& reference) const {
  const auto* tuple = std::get_if<PickleTuple>(&document_.at(reference.id));
  if (!tuple || tuple->items.size() < 5 || tuple->items.size() > 6)
    refuse_pth(place_, "a storage is damaged");
  const auto node = [&](std::size_t i) -> const PickleNode& { return document_.at(tuple->items[i]); };
  const auto* kind = std::get_if<std::string_view>(&node(0));
  const auto* type = std::get_if<PickleGlobal>(&node(1));
  const auto* key = std::get_if<std::string_view>(&node(2));
  const auto* elements = std::get_if<std::int64_t>(&node(4));
  if (!kind || *kind != "storage" || !type || !key || !elements || *elements < 0)
    refuse_pth(place_, "a storage is damaged");
  if (tuple->items.size() == 6 && !std::holds_alternative<PickleNone>(node(5)))
    refuse_pth(place_, "a storage is a view of another one, as PyTorch before 0.4 wrote them");
  return {std::string(*key), dtype_of(*type, place_), *elements};
}

std::map<std::string, StorageClaim> PthStorages::claims() const {
  std::map<std::string, StorageClaim> claims;
  for (const PickleNode& node : document_.nodes) {
    const auto* reference = std::get_if<PicklePersistent>(&node);
    if (!reference) continue;
    const StorageClaim own = claim(*reference);
    const auto [known, is_new] = claims.emplace(own.key, own);
    if (!is_new && (known->second.dtype != own.dtype || known->second.elements != own.elements))
      refuse_pth(place_, "two descriptions of the storage \"" + own.key + "\" disagree");
  }
  return claims;
}

void PthStorages::fill(const StorageClaim& claim, std::string_view bytes) {
  std::uint64_t wanted = 0;
  if (__builtin_mul_overflow(static_cast<std::uint64_t>(claim.elements), c10::elementSize(claim.dtype),
                             &wanted) ||
      wanted != bytes.size())
    refuse_pth(place_, "the storage \"" + claim.key + "\" has " + std::to_string(bytes.size()) +
                           " bytes, and should have " + std::to_string(claim.elements) + " numbers");
  torch::Tensor numbers = torch::empty({claim.elements}, claim.dtype);
  if (!bytes.empty()) std::memcpy(numbers.data_ptr(), bytes.data(), bytes.size());
  filled_[claim.key] = std::move(numbers);
}

const torch::Tensor& PthStorages::storage(const PicklePersistent& reference) const {
  return filled_.at(claim(reference).key);
}

}  // namespace tune::trainer::weights
