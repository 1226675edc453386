#pragma once
// Python pickles as data. Nothing is imported, constructed or called: what a pickle asks for becomes nodes
// that say so, and every name of a Python object that is not listed is refused. The instructions are those of
// protocols 2 to 5 that weight files use (Python's pickletools.py describes them).
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tune::trainer::weights {

// A position in PickleDocument::nodes. Nodes may be shared, and a list or dict may even contain itself.
using NodeId = std::uint32_t;

struct PickleNone {};
struct PickleBytes {  // or a whole number of more than 64 bits, least byte first
  std::string_view bytes;
};
struct PickleGlobal {
  std::string_view module, name;
};
struct PickleTuple {
  std::vector<NodeId> items;
};
struct PickleList {
  std::vector<NodeId> items;
};
struct PickleDict {  // a collections.OrderedDict or defaultdict too
  std::vector<std::pair<NodeId, NodeId>> items;
};
struct PickleCall {
  NodeId function, arguments;  // a PickleGlobal and a PickleTuple
};
struct PickleOpaque {};  // an object that says nothing about weights: a number of numpy's, a path, a Counter
struct PicklePersistent {
  NodeId id;  // whatever the writer uses to find it elsewhere
};

using PickleNode =
    std::variant<PickleNone, bool, std::int64_t, double, std::string_view, PickleBytes, PickleGlobal,
                 PickleTuple, PickleList, PickleDict, PickleCall, PickleOpaque, PicklePersistent>;

struct PickleDocument {
  std::vector<PickleNode> nodes;
  NodeId root = 0;
  std::size_t bytes = 0;  // of the pickle, up to and with its STOP

  const PickleNode& at(NodeId node) const { return nodes[node]; }
  const PickleNode& top() const { return nodes[root]; }
};

// Reads the pickle at the beginning of `bytes`, whose memory the texts of the result point into. `globals`
// are the names "module.name" whose calls the caller wants to see; what people keep beside their weights
// (kOpaqueGlobals in pickle.cpp) may occur too. `place` names the file in errors. Throws Error(kBadData).
PickleDocument unpickle(std::string_view bytes, std::span<const std::string_view> globals,
                        const std::string& place);

}  // namespace tune::trainer::weights
