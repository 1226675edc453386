#include "trainer/weights/safetensors.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <set>

#include "trainer/weights/file_reader.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/json_positions.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::weights {
namespace {

static_assert(std::endian::native == std::endian::little,
              "safetensors is little-endian, and so is this reader");

constexpr std::uint64_t kLengthBytes = 8;
constexpr std::uint64_t kLargestHeader = 100'000'000;  // the format's own limit
constexpr std::size_t kLargestRank = 64;               // no layer has a tenth of it

constexpr int kDeepestHeader = 4;          // of a shape's numbers: 3
constexpr std::size_t kLongestShown = 40;  // of a dtype's name in an error

struct DtypeName {
  const char* name;
  at::ScalarType dtype;
};
constexpr auto kDtypes = std::to_array<DtypeName>({{"F64", at::kDouble},
                                                   {"F32", at::kFloat},
                                                   {"F16", at::kHalf},
                                                   {"BF16", at::kBFloat16},
                                                   {"I64", at::kLong},
                                                   {"I32", at::kInt},
                                                   {"I16", at::kShort},
                                                   {"I8", at::kChar},
                                                   {"U8", at::kByte},
                                                   {"BOOL", at::kBool},
                                                   {"U16", at::kUInt16},
                                                   {"U32", at::kUInt32},
                                                   {"U64", at::kUInt64},
                                                   {"F8_E4M3", at::kFloat8_e4m3fn},
                                                   {"F8_E5M2", at::kFloat8_e5m2},
                                                   {"F8_E4M3FNUZ", at::kFloat8_e4m3fnuz},
                                                   {"F8_E5M2FNUZ", at::kFloat8_e5m2fnuz},
                                                   {"F8_E8M0", at::kFloat8_e8m0fnu},
                                                   {"C64", at::kComplexFloat}});

[[noreturn]] void refuse(const std::string& place, const std::string& reason) {
  throw Error(ExitCode::kBadData, place + ": not a valid safetensors file: " + reason,
              "copy or download the file again");
}

struct Entry {
  std::string name;
  at::ScalarType dtype = at::kFloat;
  std::vector<std::int64_t> shape;
  std::uint64_t begin = 0, end = 0;
};

// What is wrong with a header that is no JSON, in words.
std::string header_fault(std::string_view text) {
  if (text.find_first_not_of(" \t\r\n") == text.npos) return "the header is empty";
  const auto fault = first_json_fault(text);
  if (!fault) return "the header is not JSON";
  return "the header is not JSON: line " + std::to_string(fault->problem.line) + ", column " +
         std::to_string(fault->problem.column) + ": " + fault->problem.message;
}

// The header as JSON. Duplicate names are refused, since two readers would disagree about them.
Json parse_header(std::string_view text, const std::string& place) {
  std::vector<std::set<std::string>> names;
  const auto refuse_duplicates = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepestHeader) refuse(place, "the header is nested deeper than a header is");
    if (event == Json::parse_event_t::object_start) names.emplace_back();
    if (event == Json::parse_event_t::object_end) names.pop_back();
    if (event == Json::parse_event_t::key && !names.back().insert(parsed.get<std::string>()).second)
      refuse(place, "the name \"" + parsed.get<std::string>() + "\" appears twice in the header");
    return true;
  };
  try {
    Json header = Json::parse(text, refuse_duplicates);
    if (!header.is_object()) refuse(place, "the header is not a JSON object");
    return header;
  } catch (const Json::exception&) {
    refuse(place, header_fault(text));
  }
}

std::uint64_t unsigned_at(const Json& value, const std::string& place, const std::string& what) {
  if (!value.is_number_unsigned()) refuse(place, what + " is not a whole number >= 0");
  return value.get<std::uint64_t>();
}

Entry parse_entry(const std::string& name, const Json& json, const std::string& place) {
  const std::string tensor = "tensor \"" + name + "\"";
  if (!json.is_object() || !json.contains("dtype") || !json.contains("shape") ||
      !json.contains("data_offsets"))
    refuse(place, tensor + " needs dtype, shape and data_offsets");
  Entry entry;
  entry.name = name;
  const Json& dtype = json["dtype"];
  const auto* known = std::find_if(kDtypes.begin(), kDtypes.end(), [&](const DtypeName& row) {
    return dtype.is_string() && dtype == row.name;
  });
  if (known == kDtypes.end())
    throw Error(
        ExitCode::kBadData,
        place + ": " + tensor + " has the dtype " +
            (dtype.is_string() ? dtype.get<std::string>().substr(0, kLongestShown) : "that is no text") +
            ", which is not read",
        "write it as F32, or leave it out");
  entry.dtype = known->dtype;
  if (!json["shape"].is_array()) refuse(place, tensor + " has a shape that is not a list");
  if (json["shape"].size() > kLargestRank)
    refuse(place, tensor + " has more than " + std::to_string(kLargestRank) + " dimensions");
  for (const Json& size : json["shape"]) {
    const std::uint64_t extent = unsigned_at(size, place, "a size of " + tensor);
    if (extent > static_cast<std::uint64_t>(INT64_MAX)) refuse(place, tensor + " is too large");
    entry.shape.push_back(static_cast<std::int64_t>(extent));
  }
  const Json& offsets = json["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2) refuse(place, tensor + " needs two data_offsets");
  entry.begin = unsigned_at(offsets[0], place, "an offset of " + tensor);
  entry.end = unsigned_at(offsets[1], place, "an offset of " + tensor);
  return entry;
}

std::uint64_t bytes_of(const Entry& entry, const std::string& place) {
  // Sizes of zero count as one: LibTorch computes strides of the others all the same.
  std::int64_t bytes = static_cast<std::int64_t>(c10::elementSize(entry.dtype));
  bool empty = false;
  for (const std::int64_t size : entry.shape) {
    empty = empty || size == 0;
    if (__builtin_mul_overflow(bytes, std::max<std::int64_t>(size, 1), &bytes))
      refuse(place, "the size of tensor \"" + entry.name + "\" overflows");
  }
  return empty ? 0 : static_cast<std::uint64_t>(bytes);
}

// The format wants the buffer covered without holes or overlaps.
void check_layout(std::vector<Entry>& entries, std::uint64_t buffer_bytes, const std::string& place) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  std::uint64_t position = 0;
  for (const Entry& entry : entries) {
    const std::string tensor = "tensor \"" + entry.name + "\"";
    if (entry.begin != position)
      refuse(place, tensor + " begins at " + std::to_string(entry.begin) + " where " +
                        std::to_string(position) + " was expected: a hole or an overlap");
    if (entry.end < entry.begin || entry.end > buffer_bytes) refuse(place, tensor + " ends outside the file");
    if (entry.end - entry.begin != bytes_of(entry, place))
      refuse(place, tensor + " has " + std::to_string(entry.end - entry.begin) +
                        " bytes, its shape and dtype say " + std::to_string(bytes_of(entry, place)));
    position = entry.end;
  }
  if (position != buffer_bytes)
    refuse(place, std::to_string(buffer_bytes - position) + " bytes at the end belong to no tensor");
}

Metadata parse_metadata(const Json& json, const std::string& place) {
  Metadata metadata;
  if (!json.is_object()) refuse(place, "__metadata__ is not an object");
  for (const auto& [name, value] : json.items()) {
    if (!value.is_string()) refuse(place, "__metadata__ \"" + name + "\" is not text");
    metadata[name] = value.get<std::string>();
  }
  return metadata;
}

}  // namespace

const char* safetensors_dtype(at::ScalarType dtype) {
  for (const DtypeName& row : kDtypes)
    if (row.dtype == dtype) return row.name;
  broken_invariant("a dtype that safetensors knows", __FILE__, __LINE__, c10::toString(dtype));
}

SafetensorsContent decode_safetensors(std::uint64_t bytes, const FillPiece& next, const std::string& place) {
  if (bytes < kLengthBytes) refuse(place, "it has only " + std::to_string(bytes) + " bytes");
  std::uint64_t header_bytes = 0;
  next(reinterpret_cast<char*>(&header_bytes), kLengthBytes);
  if (header_bytes > kLargestHeader) refuse(place, "the header is longer than 100 MB");
  if (header_bytes > bytes - kLengthBytes) refuse(place, "the header is longer than the file");
  std::string text(header_bytes, '\0');
  next(text.data(), text.size());
  const Json header = parse_header(text, place);

  SafetensorsContent content;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header.items()) {
    if (name == "__metadata__")
      content.metadata = parse_metadata(value, place);
    else
      entries.push_back(parse_entry(name, value, place));
  }
  check_layout(entries, bytes - kLengthBytes - header_bytes, place);
  for (const Entry& entry : entries) {  // in the order of the file
    torch::Tensor tensor = torch::empty(entry.shape, entry.dtype);
    if (entry.end > entry.begin) next(static_cast<char*>(tensor.data_ptr()), entry.end - entry.begin);
    content.tensors.emplace(entry.name, std::move(tensor));
  }
  return content;
}

SafetensorsContent decode_safetensors(std::string_view bytes, const std::string& place) {
  const auto next = [rest = bytes](char* to, std::size_t count) mutable {
    std::memcpy(to, rest.data(), count);
    rest.remove_prefix(count);
  };
  return decode_safetensors(bytes.size(), next, place);
}

void encode_safetensors(const TensorMap& tensors, const Metadata& metadata, const TakePiece& take) {
  OrderedJson header = OrderedJson::object();
  if (!metadata.empty()) header["__metadata__"] = metadata;
  std::uint64_t position = 0;
  for (const auto& [name, tensor] : tensors) {
    const std::uint64_t end = position + tensor.nbytes();
    header[name] = {{"dtype", safetensors_dtype(tensor.scalar_type())},
                    {"shape", tensor.sizes().vec()},
                    {"data_offsets", {position, end}}};
    position = end;
  }
  std::string text = header.dump();
  text.append((8 - text.size() % 8) % 8, ' ');
  const std::uint64_t length = text.size();
  take({reinterpret_cast<const char*>(&length), kLengthBytes});
  take(text);
  for (const auto& [name, tensor] : tensors) {
    const torch::Tensor packed = tensor.detach().to(torch::kCPU).contiguous();
    take({static_cast<const char*>(packed.data_ptr()), packed.nbytes()});
  }
}

std::string encode_safetensors(const TensorMap& tensors, const Metadata& metadata) {
  std::string bytes;
  encode_safetensors(tensors, metadata, [&](std::string_view piece) { bytes += piece; });
  return bytes;
}

SafetensorsContent read_safetensors(const std::filesystem::path& path) {
  FileReader file(path, Links::kFollow);  // a person may name it
  return decode_safetensors(
      file.size(), [&](char* to, std::size_t count) { file.read(to, count); }, path.string());
}

void write_safetensors(const std::filesystem::path& path, const TensorMap& tensors,
                       const Metadata& metadata) {
  AtomicFile file(path);
  encode_safetensors(tensors, metadata, [&](std::string_view piece) { file.add(piece); });
  file.commit();
}

}  // namespace tune::trainer::weights
