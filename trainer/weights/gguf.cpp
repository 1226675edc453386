#include "trainer/weights/gguf.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>

#include "trainer/weights/file_reader.h"
#include "tuner/core/error.h"
#include "tuner/os/atomic_file.h"

namespace tune::trainer::weights {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is little-endian, and so is this reader");

constexpr std::string_view kGgufMagic = "GGUF";
constexpr std::uint32_t kVersion = 3;
constexpr std::uint64_t kDefaultAlignment = 32, kLargestAlignment = 1 << 20;
constexpr std::size_t kLongestNameShown = 60;     // of a name in an error
constexpr std::uint32_t kMostGgufDimensions = 4;  // ggml's own limit

[[noreturn]] void refuse_gguf(const std::string& place, const std::string& reason,
                              const std::string& cure = "copy or download the file again") {
  throw Error(ExitCode::kBadData, place + ": not a valid GGUF file: " + reason, cure);
}

std::string shown(const std::string& name) { return "\"" + name.substr(0, kLongestNameShown) + "\""; }

enum class Kind : std::uint32_t {
  kUint8,
  kInt8,
  kUint16,
  kInt16,
  kUint32,
  kInt32,
  kFloat32,
  kBool,
  kString,
  kArray,
  kUint64,
  kInt64,
  kFloat64
};

// The bytes of a file in their order, none beyond its end.
class Bytes {
 public:
  Bytes(std::uint64_t bytes, const FillPiece& next, std::string place)
      : left_(bytes), next_(next), place_(std::move(place)) {}

  std::uint64_t position() const { return position_; }
  std::uint64_t left() const { return left_; }
  void read(char* to, std::uint64_t count, const char* what) {
    if (count > left_) refuse_gguf(place_, std::string("it ends within ") + what);
    if (count > 0) next_(to, count);
    left_ -= count;
    position_ += count;
  }
  template <typename T>
  T number(const char* what) {
    T value{};
    read(reinterpret_cast<char*>(&value), sizeof value, what);
    return value;
  }
  std::string text(const char* what) {
    const auto length = number<std::uint64_t>(what);
    if (length > left_) refuse_gguf(place_, std::string("it ends within ") + what);
    std::string value(length, '\0');
    read(value.data(), length, what);
    return value;
  }
  void skip(std::uint64_t count, const char* what) {
    std::string passed;
    while (count > 0) {
      passed.resize(std::min<std::uint64_t>(count, 1 << 20));
      read(passed.data(), passed.size(), what);
      count -= passed.size();
    }
  }

 private:
  std::uint64_t left_, position_ = 0;
  const FillPiece& next_;
  const std::string place_;
};

// The shortest number that is that float: 1e-05 rather than 9.99999974738e-06.
double as_written(float number) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), number).ptr;
  double value = number;
  std::from_chars(text.data(), end, value);
  return value;
}

Json scalar(Bytes& bytes, Kind kind, const std::string& place, const std::string& name) {
  switch (kind) {
    case Kind::kUint8:
      return bytes.number<std::uint8_t>("a value");
    case Kind::kInt8:
      return bytes.number<std::int8_t>("a value");
    case Kind::kUint16:
      return bytes.number<std::uint16_t>("a value");
    case Kind::kInt16:
      return bytes.number<std::int16_t>("a value");
    case Kind::kUint32:
      return bytes.number<std::uint32_t>("a value");
    case Kind::kInt32:
      return bytes.number<std::int32_t>("a value");
    case Kind::kFloat32:
      return as_written(bytes.number<float>("a value"));
    case Kind::kBool:
      return bytes.number<std::uint8_t>("a value") != 0;
    case Kind::kString:
      return bytes.text("a text");
    case Kind::kUint64:
      return bytes.number<std::uint64_t>("a value");
    case Kind::kInt64:
      return bytes.number<std::int64_t>("a value");
    case Kind::kFloat64:
      return bytes.number<double>("a value");
    case Kind::kArray:
      break;
  }
  refuse_gguf(place, "the value " + shown(name) + " is of a type " +
                         std::to_string(static_cast<std::uint32_t>(kind)) + " that there is not");
}

// Bytes that one takes at least.
std::uint64_t least_bytes(Kind kind) {
  switch (kind) {
    case Kind::kUint16:
    case Kind::kInt16:
      return 2;
    case Kind::kUint32:
    case Kind::kInt32:
    case Kind::kFloat32:
      return 4;
    case Kind::kString:
    case Kind::kUint64:
    case Kind::kInt64:
    case Kind::kFloat64:
      return 8;
    default:
      return 1;
  }
}

Json value_of(Bytes& bytes, const std::string& place, const std::string& name) {
  const auto kind = static_cast<Kind>(bytes.number<std::uint32_t>("a value"));
  if (kind != Kind::kArray) return scalar(bytes, kind, place, name);
  const auto of = static_cast<Kind>(bytes.number<std::uint32_t>("an array"));
  const auto count = bytes.number<std::uint64_t>("an array");
  if (of == Kind::kArray) refuse_gguf(place, "the value " + shown(name) + " is an array of arrays");
  if (count > bytes.left() / least_bytes(of)) refuse_gguf(place, "it ends within the array " + shown(name));
  Json values = Json::array();
  for (std::uint64_t i = 0; i < count; ++i) values.push_back(scalar(bytes, of, place, name));
  return values;
}

struct GgufEntry {
  std::string name;
  GgufTensor tensor;
  std::uint64_t offset = 0, row_bytes = 0, rows = 1;
};

GgufEntry entry_of(Bytes& bytes, const std::string& place) {
  GgufEntry entry;
  entry.name = bytes.text("the list of tensors");
  const std::string tensor = "tensor " + shown(entry.name);
  const auto dimensions = bytes.number<std::uint32_t>("the list of tensors");
  if (dimensions < 1 || dimensions > kMostGgufDimensions)
    refuse_gguf(place, tensor + " has " + std::to_string(dimensions) + " dimensions");
  std::uint64_t numbers = 1;
  for (std::uint32_t i = 0; i < dimensions; ++i) {
    const auto size = bytes.number<std::uint64_t>("the list of tensors");
    if (size < 1 || size > (std::uint64_t{1} << 40) || __builtin_mul_overflow(numbers, size, &numbers) ||
        numbers > (std::uint64_t{1} << 48))
      refuse_gguf(place, tensor + " has an impossible size");
    entry.tensor.shape.insert(entry.tensor.shape.begin(), static_cast<std::int64_t>(size));
  }
  const auto type = bytes.number<std::uint32_t>("the list of tensors");
  entry.offset = bytes.number<std::uint64_t>("the list of tensors");
  const GgufBlock* block = gguf_block(type);
  if (block == nullptr)
    throw Error(ExitCode::kBadData,
                place + ": " + tensor + " is packed as " + gguf_type_name(type) + ", which is not read",
                "take a file of F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q4_K or Q6_K (llama.cpp's Q4_K_M has the "
                "last two)");
  const auto columns = static_cast<std::uint64_t>(entry.tensor.shape.back());
  if (columns % static_cast<std::uint64_t>(block->numbers) != 0)
    refuse_gguf(place, tensor + " has rows of " + std::to_string(columns) +
                           " numbers, which are no whole blocks of " + block->name);
  entry.tensor.type = static_cast<GgufType>(type);
  entry.row_bytes =
      columns / static_cast<std::uint64_t>(block->numbers) * static_cast<std::uint64_t>(block->bytes);
  entry.rows = numbers / columns;
  return entry;
}

std::uint64_t alignment_of(const GgufContent& content, const std::string& place) {
  const auto found = content.values.find("general.alignment");
  if (found == content.values.end()) return kDefaultAlignment;
  const Json& value = found->second;
  if (!value.is_number_unsigned() || value.get<std::uint64_t>() == 0 ||
      value.get<std::uint64_t>() > kLargestAlignment)
    refuse_gguf(place, "general.alignment is " + value.dump().substr(0, kLongestNameShown));
  return value.get<std::uint64_t>();
}

std::uint64_t padding(std::uint64_t position, std::uint64_t alignment) {
  return (alignment - position % alignment) % alignment;
}

void read_tensors(Bytes& bytes, std::vector<GgufEntry>& entries, GgufContent& content,
                  const std::string& place) {
  std::sort(entries.begin(), entries.end(),
            [](const GgufEntry& a, const GgufEntry& b) { return a.offset < b.offset; });
  const std::uint64_t begin = bytes.position(), all = bytes.left();
  for (GgufEntry& entry : entries) {
    const std::string tensor = "tensor " + shown(entry.name);
    std::uint64_t size = 0;
    if (__builtin_mul_overflow(entry.rows, entry.row_bytes, &size) || entry.offset > all ||
        size > all - entry.offset)
      refuse_gguf(place, tensor + " ends outside the file: it is cut off, or damaged");
    if (entry.offset < bytes.position() - begin) refuse_gguf(place, tensor + " overlaps another one");
    bytes.skip(entry.offset - (bytes.position() - begin), "the tensors");
    entry.tensor.bytes = torch::empty(
        {static_cast<std::int64_t>(entry.rows), static_cast<std::int64_t>(entry.row_bytes)}, at::kByte);
    bytes.read(static_cast<char*>(entry.tensor.bytes.data_ptr()), size, "the tensors");
    content.tensors[entry.name] = std::move(entry.tensor);
  }
}

// What a file consists of, as it is written.
class Writer {
 public:
  explicit Writer(const std::filesystem::path& path) : file_(path) {}
  template <typename T>
  void number(T value) {
    add({reinterpret_cast<const char*>(&value), sizeof value});
  }
  void text(std::string_view value) {
    number<std::uint64_t>(value.size());
    add(value);
  }
  void add(std::string_view piece) {
    file_.add(piece);
    position_ += piece.size();
  }
  void align(std::uint64_t alignment) { add(std::string(padding(position_, alignment), '\0')); }
  void commit() { file_.commit(); }

 private:
  AtomicFile file_;
  std::uint64_t position_ = 0;
};

Kind kind_of(const Json& value, bool in_array) {
  if (value.is_string()) return Kind::kString;
  if (value.is_boolean()) return Kind::kBool;
  if (value.is_number_float()) return Kind::kFloat32;
  TUNE_CHECK(value.is_number_integer(), value.dump());
  return in_array ? Kind::kInt32 : Kind::kUint32;
}

void write_scalar(Writer& writer, Kind kind, const Json& value) {
  switch (kind) {
    case Kind::kString:
      return writer.text(value.get_ref<const std::string&>());
    case Kind::kBool:
      return writer.number<std::uint8_t>(value.get<bool>() ? 1 : 0);
    case Kind::kFloat32:
      return writer.number<float>(value.get<float>());
    case Kind::kInt32:
      return writer.number<std::int32_t>(value.get<std::int32_t>());
    default:
      return writer.number<std::uint32_t>(value.get<std::uint32_t>());
  }
}

void write_value(Writer& writer, const Json& value) {
  if (!value.is_array()) {
    const Kind kind = kind_of(value, /*in_array=*/false);
    writer.number(static_cast<std::uint32_t>(kind));
    return write_scalar(writer, kind, value);
  }
  const Kind kind = value.empty() ? Kind::kString : kind_of(value.front(), /*in_array=*/true);
  writer.number(static_cast<std::uint32_t>(Kind::kArray));
  writer.number(static_cast<std::uint32_t>(kind));
  writer.number<std::uint64_t>(value.size());
  for (const Json& one : value) write_scalar(writer, kind, one);
}

}  // namespace

torch::Tensor GgufTensor::unpacked(at::ScalarType dtype) const {
  return unpack_blocks(bytes, type, dtype).view(shape);
}

bool is_gguf(std::string_view first_bytes) { return first_bytes.starts_with(kGgufMagic); }

GgufContent decode_gguf(std::uint64_t size, const FillPiece& next, const std::string& place, GgufPart part) {
  Bytes bytes(size, next, place);
  std::string magic(kGgufMagic.size(), '\0');
  bytes.read(magic.data(), magic.size(), "its first bytes");
  if (magic != kGgufMagic) refuse_gguf(place, "it does not begin with GGUF", "name a .gguf file");
  const auto version = bytes.number<std::uint32_t>("its version");
  if (version != 2 && version != 3)
    refuse_gguf(place, "it is of version " + std::to_string(version),
                "convert the model again: versions 2 and 3 are read, little-endian");
  const auto tensors = bytes.number<std::uint64_t>("its header"),
             values = bytes.number<std::uint64_t>("its header");
  constexpr std::uint64_t kLeastOfTensor = 32, kLeastOfValue = 13;  // bytes
  if (tensors > bytes.left() / kLeastOfTensor || values > bytes.left() / kLeastOfValue)
    refuse_gguf(place, "its header lists more than fits into it");
  GgufContent content;
  for (std::uint64_t i = 0; i < values; ++i) {
    const std::string name = bytes.text("a value's name");
    if (!content.values.emplace(name, value_of(bytes, place, name)).second)
      refuse_gguf(place, "the value " + shown(name) + " is there twice");
  }
  std::vector<GgufEntry> entries;
  for (std::uint64_t i = 0; i < tensors; ++i) {
    entries.push_back(entry_of(bytes, place));
    if (!content.tensors.emplace(entries.back().name, entries.back().tensor).second)
      refuse_gguf(place, "tensor " + shown(entries.back().name) + " is there twice");
  }
  if (part == GgufPart::kHeader) return content;
  bytes.skip(std::min(padding(bytes.position(), alignment_of(content, place)), bytes.left()), "the tensors");
  read_tensors(bytes, entries, content, place);
  return content;
}

GgufContent read_gguf(const std::filesystem::path& path, GgufPart part) {
  FileReader file(path, Links::kFollow);  // a person may name it
  return decode_gguf(
      file.size(), [&](char* to, std::size_t count) { file.read(to, count); }, path.string(), part);
}

void write_gguf(const std::filesystem::path& path, const std::vector<std::pair<std::string, Json>>& values,
                const std::vector<GgufOutput>& tensors) {
  Writer writer(path);
  writer.add(kGgufMagic);
  writer.number(kVersion);
  writer.number<std::uint64_t>(tensors.size());
  writer.number<std::uint64_t>(values.size());
  for (const auto& [name, value] : values) {
    writer.text(name);
    write_value(writer, value);
  }
  std::uint64_t offset = 0;
  for (const GgufOutput& tensor : tensors) {
    const GgufBlock& block = *gguf_block(static_cast<std::uint32_t>(tensor.type));
    TUNE_CHECK(tensor.numbers.size(-1) % block.numbers == 0, tensor.name);
    const auto bytes = static_cast<std::uint64_t>(tensor.numbers.numel() / block.numbers * block.bytes);
    writer.text(tensor.name);
    writer.number(static_cast<std::uint32_t>(tensor.numbers.dim()));
    for (std::int64_t i = tensor.numbers.dim(); i-- > 0;)
      writer.number(static_cast<std::uint64_t>(tensor.numbers.size(i)));
    writer.number(static_cast<std::uint32_t>(tensor.type));
    writer.number(offset);
    offset += bytes + padding(bytes, kDefaultAlignment);
  }
  writer.align(kDefaultAlignment);
  for (const GgufOutput& tensor : tensors) {
    const torch::Tensor packed = pack_blocks(tensor.numbers.cpu(), tensor.type).contiguous();
    writer.add({static_cast<const char*>(packed.const_data_ptr()), packed.nbytes()});
    writer.align(kDefaultAlignment);
  }
  writer.commit();
}

}  // namespace tune::trainer::weights
