#include "trainer/weights/pickle.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <unordered_map>

#include "tuner/core/error.h"

namespace tune::trainer::weights {
namespace {

// A state dict takes some fifteen nodes a tensor; beyond this a small file could fill the memory.
constexpr std::size_t kMostNodes = 4'000'000;

// Names of Python's objects that training programs keep beside their weights, and that say nothing about
// them: each is a plain value, and is passed over. A name that is missing here makes a file refused, so the
// list holds what is common, and nothing that runs anything when Python reads it. In the order of bytes.
constexpr auto kOpaqueGlobals =
    std::to_array<std::string_view>({"__builtin__.bool",
                                     "__builtin__.bytearray",
                                     "__builtin__.bytes",
                                     "__builtin__.complex",
                                     "__builtin__.dict",
                                     "__builtin__.float",
                                     "__builtin__.frozenset",
                                     "__builtin__.int",
                                     "__builtin__.list",
                                     "__builtin__.long",
                                     "__builtin__.object",
                                     "__builtin__.range",
                                     "__builtin__.set",
                                     "__builtin__.slice",
                                     "__builtin__.str",
                                     "__builtin__.tuple",
                                     "__builtin__.unicode",
                                     "__builtin__.xrange",
                                     "_codecs.encode",
                                     "argparse.Namespace",
                                     "builtins.bool",
                                     "builtins.bytearray",
                                     "builtins.bytes",
                                     "builtins.complex",
                                     "builtins.dict",
                                     "builtins.float",
                                     "builtins.frozenset",
                                     "builtins.int",
                                     "builtins.list",
                                     "builtins.object",
                                     "builtins.range",
                                     "builtins.set",
                                     "builtins.slice",
                                     "builtins.str",
                                     "builtins.tuple",
                                     "collections.Counter",
                                     "collections.deque",
                                     "copy_reg._reconstructor",
                                     "copyreg._reconstructor",
                                     "datetime.date",
                                     "datetime.datetime",
                                     "datetime.time",
                                     "datetime.timedelta",
                                     "datetime.timezone",
                                     "decimal.Decimal",
                                     "easydict.EasyDict",
                                     "fractions.Fraction",
                                     "lightning.fabric.utilities.data.AttributeDict",
                                     "lightning.pytorch.utilities.parsing.AttributeDict",
                                     "lightning_fabric.utilities.data.AttributeDict",
                                     "numpy._core.multiarray._reconstruct",
                                     "numpy._core.multiarray.scalar",
                                     "numpy._core.numeric._frombuffer",
                                     "numpy.core.multiarray._reconstruct",
                                     "numpy.core.multiarray.scalar",
                                     "numpy.core.numeric._frombuffer",
                                     "numpy.dtype",
                                     "numpy.ndarray",
                                     "omegaconf.base.ContainerMetadata",
                                     "omegaconf.base.Metadata",
                                     "omegaconf.dictconfig.DictConfig",
                                     "omegaconf.listconfig.ListConfig",
                                     "omegaconf.nodes.AnyNode",
                                     "omegaconf.nodes.BooleanNode",
                                     "omegaconf.nodes.FloatNode",
                                     "omegaconf.nodes.IntegerNode",
                                     "omegaconf.nodes.StringNode",
                                     "pathlib.Path",
                                     "pathlib.PosixPath",
                                     "pathlib.PurePath",
                                     "pathlib.PurePosixPath",
                                     "pathlib.PureWindowsPath",
                                     "pathlib.WindowsPath",
                                     "pathlib._local.Path",
                                     "pathlib._local.PosixPath",
                                     "pathlib._local.PurePath",
                                     "pathlib._local.PurePosixPath",
                                     "pathlib._local.PureWindowsPath",
                                     "pathlib._local.WindowsPath",
                                     "pytorch_lightning.utilities.parsing.AttributeDict",
                                     "torch.Size",
                                     "torch.bfloat16",
                                     "torch.bool",
                                     "torch.complex128",
                                     "torch.complex64",
                                     "torch.device",
                                     "torch.float16",
                                     "torch.float32",
                                     "torch.float64",
                                     "torch.float8_e4m3fn",
                                     "torch.float8_e5m2",
                                     "torch.int16",
                                     "torch.int32",
                                     "torch.int64",
                                     "torch.int8",
                                     "torch.torch_version.TorchVersion",
                                     "torch.uint16",
                                     "torch.uint32",
                                     "torch.uint64",
                                     "torch.uint8",
                                     "types.SimpleNamespace",
                                     "typing.Any",
                                     "uuid.UUID"});
static_assert(std::is_sorted(kOpaqueGlobals.begin(), kOpaqueGlobals.end()));

bool is_opaque_global(std::string_view name) {
  return std::binary_search(kOpaqueGlobals.begin(), kOpaqueGlobals.end(), name);
}

class Unpickler {
 public:
  Unpickler(std::string_view bytes, std::span<const std::string_view> globals, const std::string& place)
      : bytes_(bytes), globals_(globals), place_(place) {}

  PickleDocument read() {
    while (!stopped_) step(take(1).front());
    document_.bytes = at_;
    return std::move(document_);
  }

 private:
  [[noreturn]] void refuse(const std::string& reason) const {
    throw Error(ExitCode::kBadData,
                place_ + ": its pickle is damaged at byte " + std::to_string(at_) + ": " + reason,
                "copy or download the file again");
  }

  std::string_view take(std::uint64_t count) {
    if (count > bytes_.size() - at_) refuse("it is cut short");
    const std::string_view taken = bytes_.substr(at_, count);
    at_ += count;
    return taken;
  }

  template <typename Number>
  Number number() {
    Number value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }

  std::string_view line() {
    const std::size_t end = bytes_.find('\n', at_);
    if (end == bytes_.npos) refuse("it is cut short");
    const std::string_view text = take(end - at_);
    take(1);
    return text;
  }

  NodeId make(PickleNode node) {
    if (document_.nodes.size() == kMostNodes) refuse("it holds more than 4 million values");
    document_.nodes.push_back(std::move(node));
    return static_cast<NodeId>(document_.nodes.size() - 1);
  }

  void push(PickleNode node) { stack_.push_back(make(std::move(node))); }

  // Nothing below the last mark may be taken one by one.
  void require(std::size_t count) const {
    if (stack_.size() - (marks_.empty() ? 0 : marks_.back()) < count) refuse("its stack is empty");
  }

  NodeId pop() {
    require(1);
    const NodeId node = stack_.back();
    stack_.pop_back();
    return node;
  }

  std::vector<NodeId> pop(std::size_t count) {
    require(count);
    const auto first = stack_.end() - static_cast<std::ptrdiff_t>(count);
    std::vector<NodeId> items(first, stack_.end());
    stack_.erase(first, stack_.end());
    return items;
  }

  std::vector<NodeId> pop_to_mark() {
    if (marks_.empty()) refuse("a mark is missing");
    std::vector<NodeId> items = pop(stack_.size() - marks_.back());
    marks_.pop_back();
    return items;
  }

  bool is_opaque_on_top() {
    require(1);
    return std::holds_alternative<PickleOpaque>(document_.nodes[stack_.back()]);
  }

  template <typename Wanted>
  Wanted& on_top(const char* what) {
    require(1);
    auto* node = std::get_if<Wanted>(&document_.nodes[stack_.back()]);
    if (!node) refuse(std::string("there is no ") + what + " to fill");
    return *node;
  }

  void append(const std::vector<NodeId>& items) {
    if (is_opaque_on_top()) return;
    auto& list = on_top<PickleList>("list").items;
    list.insert(list.end(), items.begin(), items.end());
  }

  void set_items(const std::vector<NodeId>& items) {
    if (items.size() % 2 != 0) refuse("a key without a value");
    if (is_opaque_on_top()) return;
    auto& dict = on_top<PickleDict>("dict").items;
    for (std::size_t i = 0; i < items.size(); i += 2) dict.emplace_back(items[i], items[i + 1]);
  }

  void long_integer(std::string_view digits) {
    if (digits.size() > sizeof(std::int64_t)) return push(PickleBytes{digits});
    const bool negative = !digits.empty() && (static_cast<unsigned char>(digits.back()) & 0x80U) != 0;
    std::int64_t value = negative ? -1 : 0;
    std::memcpy(&value, digits.data(), digits.size());
    push(value);
  }

  void real() {
    std::uint64_t bits = number<std::uint64_t>();
    bits = __builtin_bswap64(bits);
    push(std::bit_cast<double>(bits));
  }

  void global(std::string_view module, std::string_view name) {
    constexpr std::size_t kLongest = 200;
    const std::string full =
        std::string(module.substr(0, kLongest)) + "." + std::string(name.substr(0, kLongest));
    if (std::find(globals_.begin(), globals_.end(), full) == globals_.end() && !is_opaque_global(full))
      throw Error(ExitCode::kBadData,
                  place_ + ": it asks for the Python object " + full + ", which is not a part of weights",
                  "save the tensors alone: torch.save(model.state_dict(), file)");
    push(PickleGlobal{module, name});
  }

  void stack_global() {
    const std::vector<NodeId> names = pop(2);
    const auto* module = std::get_if<std::string_view>(&document_.nodes[names[0]]);
    const auto* name = std::get_if<std::string_view>(&document_.nodes[names[1]]);
    if (!module || !name) refuse("the name of a Python object is not text");
    global(*module, *name);
  }

  // Ordered and default dicts are dicts; the caller's functions are kept as what they are.
  void call() {
    const NodeId arguments = pop(), function = pop();
    const auto* global = std::get_if<PickleGlobal>(&document_.nodes[function]);
    const auto* tuple = std::get_if<PickleTuple>(&document_.nodes[arguments]);
    if (!global || !tuple) refuse("it calls what is no function");
    const std::string full = std::string(global->module) + "." + std::string(global->name);
    if (full == "collections.OrderedDict") return push(ordered_dict(*tuple));
    if (full == "collections.defaultdict" && tuple->items.size() < 2) return push(PickleDict{});
    if (is_opaque_global(full)) return push(PickleOpaque{});
    push(PickleCall{function, arguments});
  }

  // Without arguments, or as Python 2 wrote it, with a list of pairs.
  PickleDict ordered_dict(const PickleTuple& arguments) const {
    PickleDict dict;
    if (arguments.items.empty()) return dict;
    const auto* pairs = std::get_if<PickleList>(&document_.nodes[arguments.items[0]]);
    if (!pairs || arguments.items.size() != 1) refuse("an OrderedDict of something else than pairs");
    for (const NodeId pair : pairs->items) {
      const auto* list = std::get_if<PickleList>(&document_.nodes[pair]);
      const auto* tuple = std::get_if<PickleTuple>(&document_.nodes[pair]);
      const std::vector<NodeId>* items = list ? &list->items : tuple ? &tuple->items : nullptr;
      if (!items || items->size() != 2) refuse("an OrderedDict of something else than pairs");
      dict.items.emplace_back((*items)[0], (*items)[1]);
    }
    return dict;
  }

  // State of an object; an OrderedDict's is the versions of modules, which say nothing about weights.
  void build() {
    pop();
    if (!is_opaque_on_top()) on_top<PickleDict>("object");
  }

  void put(std::uint32_t slot) {
    require(1);
    if (memo_.size() == kMostNodes) refuse("it stores more than 4 million values");
    memo_[slot] = stack_.back();
  }

  void get(std::uint32_t slot) {
    const auto found = memo_.find(slot);
    if (found == memo_.end()) refuse("it refers to a value that it has not stored");
    stack_.push_back(found->second);
  }

  void stop() {
    document_.root = pop();
    if (!stack_.empty() || !marks_.empty()) refuse("values are left over");
    stopped_ = true;
  }

  void step(char opcode);
  bool number_or_text(char opcode);
  bool container(char opcode);

  std::string_view bytes_;
  std::span<const std::string_view> globals_;
  const std::string& place_;
  std::size_t at_ = 0;
  bool stopped_ = false;
  PickleDocument document_;
  std::vector<NodeId> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, NodeId> memo_;
};

bool Unpickler::number_or_text(char opcode) {
  switch (opcode) {
    case 'N':
      return push(PickleNone{}), true;
    case '\x88':
    case '\x89':
      return push(opcode == '\x88'), true;
    case 'K':
      return push(std::int64_t{number<std::uint8_t>()}), true;
    case 'M':
      return push(std::int64_t{number<std::uint16_t>()}), true;
    case 'J':
      return push(std::int64_t{number<std::int32_t>()}), true;
    case '\x8a':
      return long_integer(take(number<std::uint8_t>())), true;
    case '\x8b':
      return long_integer(take(number<std::uint32_t>())), true;
    case 'G':
      return real(), true;
    case 'X':  // text; T and U are Python 2's
    case 'T':
      return push(take(number<std::uint32_t>())), true;
    case '\x8c':
    case 'U':
      return push(take(number<std::uint8_t>())), true;
    case '\x8d':
      return push(take(number<std::uint64_t>())), true;
    case 'C':
      return push(PickleBytes{take(number<std::uint8_t>())}), true;
    case 'B':
      return push(PickleBytes{take(number<std::uint32_t>())}), true;
    case '\x8e':
    case '\x96':  // that may be changed
      return push(PickleBytes{take(number<std::uint64_t>())}), true;
    default:
      return false;
  }
}

bool Unpickler::container(char opcode) {
  switch (opcode) {
    case ')':
      return push(PickleTuple{}), true;
    case '\x85':
    case '\x86':
    case '\x87':
      return push(PickleTuple{pop(static_cast<std::size_t>(opcode - '\x85') + 1)}), true;
    case 't':
      return push(PickleTuple{pop_to_mark()}), true;
    case ']':
      return push(PickleList{}), true;
    case 'a':
      return append(pop(1)), true;
    case 'e':
      return append(pop_to_mark()), true;
    case '}':
      return push(PickleDict{}), true;
    case 's':
      return set_items(pop(2)), true;
    case 'u':
      return set_items(pop_to_mark()), true;
    case '\x8f':  // a set; its items say nothing about weights
      return push(PickleOpaque{}), true;
    case '\x90':
      return append(pop_to_mark()), true;
    case '\x91':
      return pop_to_mark(), push(PickleOpaque{}), true;
    default:
      return false;
  }
}

void Unpickler::step(char opcode) {
  if (number_or_text(opcode) || container(opcode)) return;
  switch (opcode) {
    case '\x80': {
      const int protocol = number<std::uint8_t>();
      if (protocol < 2 || protocol > 5) refuse("protocol " + std::to_string(protocol));
      return;
    }
    case '\x95':  // a frame, which only helps those who read piecewise
      take(sizeof(std::uint64_t));
      return;
    case '(':
      return marks_.push_back(stack_.size());
    case 'c': {
      const std::string_view module = line();
      return global(module, line());
    }
    case '\x93':
      return stack_global();
    case 'R':
    case '\x81':
      return call();
    case 'b':
      return build();
    case 'Q':
      return push(PicklePersistent{pop()});
    case 'q':
      return put(number<std::uint8_t>());
    case 'r':
      return put(number<std::uint32_t>());
    case '\x94':
      return put(static_cast<std::uint32_t>(memo_.size()));
    case 'h':
      return get(number<std::uint8_t>());
    case 'j':
      return get(number<std::uint32_t>());
    case '.':
      return stop();
    default: {
      constexpr std::string_view kDigits = "0123456789abcdef";
      const auto code = static_cast<unsigned char>(opcode);
      refuse(std::string("the instruction 0x") + kDigits[code >> 4U] + kDigits[code & 15U] +
             " does not occur in weights");
    }
  }
}

}  // namespace

PickleDocument unpickle(std::string_view bytes, std::span<const std::string_view> globals,
                        const std::string& place) {
  return Unpickler(bytes, globals, place).read();
}

}  // namespace tune::trainer::weights
