#include "trainer/weights/pth.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>

#include "trainer/weights/dtype_name.h"
#include "trainer/weights/pth_storage.h"
#include "trainer/weights/state_dict.h"
#include "trainer/weights/zip_archive.h"
#include "tuner/core/error.h"

namespace tune::trainer::weights {
namespace {

constexpr std::string_view kZip{"PK\3\4"};
// torch.serialization.MAGIC_NUMBER 0x1950a86a20f9469cfc6c as pickle writes it, and PROTOCOL_VERSION.
constexpr std::string_view kMagic{"\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"};
constexpr std::size_t kLongestMagic = 32;
constexpr std::int64_t kLegacyVersion = 1001;
constexpr std::size_t kMostDimensions = 64;
constexpr std::int64_t kMostElements = std::int64_t{1} << 56;  // its bytes still fit into 63 bits
constexpr std::size_t kLongestKey = 200;                       // of a dict that is searched
constexpr int kDeepestDict = 4;                                // of the dicts that are searched for tensors

// The keys that training programs keep a model's tensors under, those of averaged weights last.
constexpr auto kUsualSections =
    std::to_array<std::string_view>({"", "state_dict", "model_state_dict", "model_state", "model", "weights",
                                     "net", "network", "net_state_dict", "module", "backbone",
                                     "ema_state_dict", "state_dict_ema", "model_ema", "ema_model", "ema"});
// The dtypes that have no storage type of their own.
constexpr auto kUntyped =
    std::to_array<at::ScalarType>({at::kUInt16, at::kUInt32, at::kUInt64, at::kFloat8_e4m3fn,
                                   at::kFloat8_e5m2, at::kFloat8_e4m3fnuz, at::kFloat8_e5m2fnuz});

// Turns the calls that make tensors into tensors.
class TensorBuilder {
 public:
  TensorBuilder(const PickleDocument& document, const PthStorages& storages, const std::string& place)
      : document_(document), storages_(storages), place_(place) {}

  // nullopt when the node is no tensor.
  std::optional<torch::Tensor> tensor(NodeId node) const {
    const auto* call = std::get_if<PickleCall>(&document_.at(node));
    if (!call) return std::nullopt;
    const auto& function = std::get<PickleGlobal>(document_.at(call->function));
    const auto& arguments = std::get<PickleTuple>(document_.at(call->arguments)).items;
    if (function.name == "_rebuild_parameter" && !arguments.empty()) {
      // (tensor, requires_grad, hooks); a parameter of a parameter would be a way to recurse without end.
      const auto* inner = std::get_if<PickleCall>(&document_.at(arguments[0]));
      if (!inner ||
          !std::get<PickleGlobal>(document_.at(inner->function)).name.starts_with("_rebuild_tensor"))
        refuse_pth(place_, "a parameter holds no tensor");
      return tensor(arguments[0]);
    }
    const bool names_dtype = function.name == "_rebuild_tensor_v3";
    if ((!names_dtype && function.name != "_rebuild_tensor_v2") || arguments.size() < (names_dtype ? 7U : 4U))
      refuse_pth(place_, "it calls " + std::string(function.name) + " for a value");
    const auto* reference = std::get_if<PicklePersistent>(&document_.at(arguments[0]));
    if (!reference) refuse_pth(place_, "a tensor has no storage");
    const torch::Tensor& storage = storages_.storage(*reference);
    return view(names_dtype ? as_dtype(storage, arguments[6]) : storage, arguments);
  }

 private:
  // The bytes of an untyped storage as the numbers that they are.
  torch::Tensor as_dtype(const torch::Tensor& storage, NodeId name) const {
    const auto* global = std::get_if<PickleGlobal>(&document_.at(name));
    for (const at::ScalarType dtype : kUntyped) {
      if (!global || global->module != "torch" || dtype_name(dtype) != global->name) continue;
      const auto bytes = static_cast<std::int64_t>(c10::elementSize(dtype));
      if (storage.scalar_type() != at::kByte || storage.numel() % bytes != 0) break;
      return storage.view(dtype);
    }
    refuse_pth(place_, "a tensor of the dtype " + (global ? std::string(global->name) : "that is none"));
  }

  // (storage, offset, size, stride, ...): the numbers must all lie within the storage.
  torch::Tensor view(const torch::Tensor& storage, const std::vector<NodeId>& arguments) const {
    const std::int64_t offset = whole(arguments[1]);
    const std::vector<std::int64_t> size = wholes(arguments[2]), stride = wholes(arguments[3]);
    if (size.size() != stride.size() || size.size() > kMostDimensions)
      refuse_pth(place_, "a tensor's sizes and strides do not agree");
    // Sizes of zero count as one: LibTorch computes strides of the others all the same.
    std::int64_t elements = 1, last = offset;
    for (std::size_t i = 0; i < size.size(); ++i) {
      const std::int64_t extent = std::max<std::int64_t>(size[i], 1);
      std::int64_t reach = 0;
      if (__builtin_mul_overflow(elements, extent, &elements) || elements > kMostElements ||
          __builtin_mul_overflow(extent - 1, stride[i], &reach) || __builtin_add_overflow(last, reach, &last))
        refuse_pth(place_, "a tensor's size overflows");
    }
    if (std::count(size.begin(), size.end(), 0) > 0) return torch::empty(size, storage.scalar_type());
    if (last >= storage.numel()) refuse_pth(place_, "a tensor reaches beyond its storage");
    return storage.as_strided(size, stride, offset);
  }

  std::int64_t whole(NodeId node) const {
    const auto* number = std::get_if<std::int64_t>(&document_.at(node));
    if (!number || *number < 0) refuse_pth(place_, "a size or stride is not a whole number >= 0");
    return *number;
  }

  std::vector<std::int64_t> wholes(NodeId node) const {
    const auto* tuple = std::get_if<PickleTuple>(&document_.at(node));
    if (!tuple) refuse_pth(place_, "sizes or strides are no tuple");
    std::vector<std::int64_t> numbers;
    for (const NodeId item : tuple->items) numbers.push_back(whole(item));
    return numbers;
  }

  const PickleDocument& document_;
  const PthStorages& storages_;
  const std::string& place_;
};

struct Section {
  std::string name;
  const PickleDict* dict;
};

bool is_call(const PickleDocument& document, NodeId node) {
  return std::holds_alternative<PickleCall>(document.at(node));
}

// The dicts that hold tensors under a text, outermost first. A dict is looked into once, so that neither
// cycles nor shared parts take long.
void find_sections(const PickleDocument& document, NodeId node, const std::string& name, int depth,
                   std::vector<char>& seen, std::vector<Section>& sections) {
  const auto* dict = std::get_if<PickleDict>(&document.at(node));
  if (!dict || depth > kDeepestDict || seen[node]++) return;
  if (std::any_of(dict->items.begin(), dict->items.end(), [&](const auto& item) {
        return std::holds_alternative<std::string_view>(document.at(item.first)) &&
               is_call(document, item.second);
      }))
    sections.push_back({name, dict});
  for (const auto& [key, value] : dict->items)
    if (const auto* text = std::get_if<std::string_view>(&document.at(key));
        text && text->size() <= kLongestKey)
      find_sections(document, value, (name.empty() ? "" : name + ".") + std::string(*text), depth + 1, seen,
                    sections);
}

// Of two tensors under one name the later one counts, at the place of the first: so Python's dicts have it.
PthContent content_of(const PickleDocument& document, const Section& section, const TensorBuilder& builder) {
  PthContent content;
  content.section = section.name;
  for (const auto& [key, value] : section.dict->items)
    if (const auto* name = std::get_if<std::string_view>(&document.at(key)))
      if (auto tensor = builder.tensor(value)) {
        if (!content.tensors.contains(std::string(*name))) content.order.emplace_back(*name);
        content.tensors[std::string(*name)] = std::move(*tensor);
      }
  return content;
}

// Its place among the keys that people use: that of the least usual part of its name.
std::size_t rank_of(const std::string& section) {
  std::size_t rank = 0;
  for (std::size_t begin = 0; begin <= section.size();) {
    const std::size_t end = std::min(section.find('.', begin), section.size());
    const auto* usual = std::find(kUsualSections.begin(), kUsualSections.end(),
                                  std::string_view(section).substr(begin, end - begin));
    rank = std::max(rank, static_cast<std::size_t>(usual - kUsualSections.begin()));
    begin = end + 1;
  }
  return rank;
}

struct Candidate {
  PthContent content;
  std::int64_t fits, tensors, rank;
  // Where nothing fits, or nobody says what would, a lone tensor beside a state dict must not hide it.
  auto order() const {
    return fits > 0 ? std::make_tuple(-fits, rank, -tensors)
                    : std::make_tuple(std::int64_t{0}, -tensors, rank);
  }
};

PthContent collect(const PickleDocument& document, const PthStorages& storages, const std::string& place,
                   const Fit& fit) {
  std::vector<Section> sections;
  std::vector<char> seen(document.nodes.size());
  find_sections(document, document.root, "", 0, seen, sections);
  if (sections.empty())
    throw Error(ExitCode::kBadData, place + ": no dict of tensors is in it",
                "save one: torch.save(model.state_dict(), file)");
  const TensorBuilder builder(document, storages, place);
  std::vector<Candidate> candidates;
  for (const Section& section : sections) {
    PthContent content = content_of(document, section, builder);
    const std::int64_t fits = fit && sections.size() > 1 ? fit(content.tensors) : 0;
    const auto count = static_cast<std::int64_t>(content.tensors.size());
    candidates.push_back({std::move(content), fits, count, static_cast<std::int64_t>(rank_of(section.name))});
  }
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.order() < b.order(); });
  PthContent& best = candidates.front().content;
  for (std::size_t i = 1; i < candidates.size(); ++i) best.others.push_back(candidates[i].content.section);
  if (candidates.size() > 1 && candidates[0].order() == candidates[1].order())
    throw Error(
        ExitCode::kBadData,
        place + ": several dicts of tensors are in it: " + best.section + ", " + first_names(best.others),
        "save the one that is wanted by itself: torch.save(file[\"" + best.section + "\"], other)");
  return std::move(best);
}

// A program is recognised by its names, since its code is compressed.
void refuse_programs(std::string_view bytes, const std::string& place) {
  for (const std::string& name : names_in_zip(bytes, place)) {
    const std::string_view inner = std::string_view(name).substr(name.find('/') + 1);
    if (inner == "constants.pkl" || inner.starts_with("code/"))
      throw Error(ExitCode::kBadData, place + ": a TorchScript program, not weights",
                  "save the weights: torch.save(torch.jit.load(file).state_dict(), other)");
    if (inner == "archive_format" || inner == "serialized_exported_program.json")
      throw Error(ExitCode::kBadData, place + ": a program of torch.export, not weights",
                  "save the weights: torch.save(torch.export.load(file).state_dict, other)");
  }
}

PthContent decode_zip(std::string_view bytes, const std::string& place, const Fit& fit) {
  refuse_programs(bytes, place);
  const std::map<std::string, std::string_view> entries = read_zip(bytes, place);
  constexpr std::string_view kPickle = "/data.pkl";
  const auto pickle = std::find_if(entries.begin(), entries.end(),
                                   [&](const auto& entry) { return entry.first.ends_with(kPickle); });
  if (pickle == entries.end()) refuse_pth(place, "the archive holds no data.pkl");
  const std::string stem = pickle->first.substr(0, pickle->first.size() - kPickle.size());
  if (const auto order = entries.find(stem + "/byteorder");
      order != entries.end() && order->second != "little")
    refuse_pth(place, "its numbers are in the order of a big-endian machine");
  const PickleDocument document = unpickle(pickle->second, pth_globals(), place);
  PthStorages storages(document, place);
  for (const auto& [key, claim] : storages.claims()) {
    const auto entry = entries.find(stem + "/data/" + key);
    if (entry == entries.end()) refuse_pth(place, "the storage \"" + key + "\" is missing");
    storages.fill(claim, entry->second);
  }
  return collect(document, storages, place, fit);
}

// A magic number, a version, facts of the machine, the object, the keys of its storages in order; then each
// storage: its number of elements (64 bits) and the elements.
PthContent decode_legacy(std::string_view bytes, const std::string& place, const Fit& fit) {
  const auto next = [&] {
    PickleDocument document = unpickle(bytes, pth_globals(), place);
    bytes.remove_prefix(document.bytes);
    return document;
  };
  const PickleDocument magic = next(), version = next(), machine = next();
  const auto* number = std::get_if<PickleBytes>(&magic.top());
  if (!number || number->bytes != kMagic) refuse_pth(place, "it does not begin like one");
  const auto* known = std::get_if<std::int64_t>(&version.top());
  if (!known || *known != kLegacyVersion) refuse_pth(place, "another version of the format than 1001");
  const PickleDocument document = next(), keys = next();
  PthStorages storages(document, place);
  std::map<std::string, StorageClaim> claims = storages.claims();
  const auto* list = std::get_if<PickleList>(&keys.top());
  if (!list) refuse_pth(place, "the list of its storages is missing");
  for (const NodeId item : list->items) {
    const auto* key = std::get_if<std::string_view>(&keys.at(item));
    const auto claim = key ? claims.find(std::string(*key)) : claims.end();
    if (claim == claims.end()) refuse_pth(place, "a storage that nothing refers to, or twice the same");
    std::int64_t elements = 0;
    if (bytes.size() < sizeof elements) refuse_pth(place, "it is cut short");
    std::memcpy(&elements, bytes.data(), sizeof elements);
    bytes.remove_prefix(sizeof elements);
    if (elements != claim->second.elements)
      refuse_pth(place, "two sizes of the storage \"" + claim->first + "\" disagree");
    const std::uint64_t element_bytes = c10::elementSize(claim->second.dtype);
    if (static_cast<std::uint64_t>(elements) > bytes.size() / element_bytes)
      refuse_pth(place, "it is cut short");
    const std::uint64_t own = static_cast<std::uint64_t>(elements) * element_bytes;
    storages.fill(claim->second, bytes.substr(0, own));
    bytes.remove_prefix(own);
    claims.erase(claim);
  }
  if (!claims.empty()) refuse_pth(place, "the storage \"" + claims.begin()->first + "\" is missing");
  return collect(document, storages, place, fit);
}

}  // namespace

bool is_pth_zip(std::string_view bytes) { return bytes.starts_with(kZip); }

// The first pickle is the magic number. Its first bytes alone would do for a safetensors header of 640 bytes
// too.
bool is_pth_legacy(std::string_view bytes) {
  return bytes.starts_with('\x80') && bytes.substr(0, kLongestMagic).find(kMagic) != bytes.npos;
}

PthContent decode_pth(std::string_view bytes, const std::string& place, const Fit& fit) {
  return is_pth_zip(bytes) ? decode_zip(bytes, place, fit) : decode_legacy(bytes, place, fit);
}

}  // namespace tune::trainer::weights
