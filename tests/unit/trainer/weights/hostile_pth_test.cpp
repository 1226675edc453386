// Files that nobody's torch.save would write.
#include <filesystem>

#include "stored_zip.h"
#include "support/sanitized.h"
#include "torch_catch.h"
#include "trainer/weights/pickle.h"
#include "trainer/weights/pth.h"
#include "trainer/weights/zip_archive.h"
#include "tuner/core/error.h"
#include "tuner/core/rng.h"
#include "tuner/os/atomic_file.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer::weights;
using namespace std::string_literals;
using tune::trainer::tests::contains;
using tune::trainer::tests::little_endian;
using tune::trainer::tests::message_of;
using tune::trainer::tests::stored_zip;
using tune::trainer::tests::ZipEntry;

namespace {

std::string text(const std::string& value) {
  return "X" + little_endian(static_cast<std::uint32_t>(value.size())) + value;
}

std::string number(std::int64_t value) { return "\x8a\x08" + little_endian(value); }

std::string numbers(const std::vector<std::int64_t>& values) {
  std::string tuple = "(";
  for (const std::int64_t value : values) tuple += number(value);
  return tuple + "t";
}

std::string storage(const std::string& key, std::int64_t elements, const std::string& type = "FloatStorage") {
  return "(" + text("storage") + "ctorch\n" + type + "\n" + text(key) + text("cpu") + number(elements) + "tQ";
}

// _rebuild_tensor_v2(storage, offset, size, stride, False, OrderedDict())
std::string tensor(const std::string& of, std::int64_t offset, const std::vector<std::int64_t>& size,
                   const std::vector<std::int64_t>& stride) {
  return "ctorch._utils\n_rebuild_tensor_v2\n(" + of + number(offset) + numbers(size) + numbers(stride) +
         "\x89"
         "ccollections\nOrderedDict\n)RtR";
}

std::string dict_of(const std::string& name, const std::string& value) {
  return "\x80\x02}" + text(name) + value + "s.";
}

std::string archive(const std::string& pickle, const std::string& data = std::string(16, '\0')) {
  return stored_zip({{"m/data.pkl", pickle}, {"m/data/0", data}});
}

std::string refusal(const std::string& bytes) {
  return message_of(tune::ExitCode::kBadData, [&] { decode_pth(bytes, "w.pth"); });
}

std::string pickle_refusal(const std::string& pickle) { return refusal(archive(pickle)); }

constexpr std::int64_t kHuge = std::int64_t{1} << 62;

}  // namespace

TEST_CASE("An archive made by hand is read") {
  const std::string data("\0\0\x80\x3f\0\0\0\x40\0\0\x40\x40\0\0\x80\x40", 16);
  const std::string pickle = dict_of("w", tensor(storage("0", 4), 1, {3}, {1}));
  const PthContent content = decode_pth(archive(pickle, data), "w.pth");
  CHECK(content.tensors.at("w").equal(torch::tensor({2.0F, 3.0F, 4.0F})));
  CHECK(decode_pth(stored_zip({{"m/data.pkl", pickle}, {"m/data/0", data}}, "a comment"), "w.pth")
            .tensors.size() == 1);
}

TEST_CASE("An ordered dict that Python 2 wrote is read") {
  const std::string pairs = "](](" + text("w") + tensor(storage("0", 4), 0, {4}, {1}) + "ee";
  CHECK(decode_pth(archive("\x80\x02"
                           "ccollections\nOrderedDict\n" +
                           pairs + "\x85R."),
                   "w.pth")
            .tensors.size() == 1);
}

TEST_CASE("A tensor that does not lie within its storage is refused") {
  const auto with = [](std::int64_t offset, const std::vector<std::int64_t>& size,
                       const std::vector<std::int64_t>& stride) {
    return pickle_refusal(dict_of("w", tensor(storage("0", 4), offset, size, stride)));
  };
  CHECK(contains(with(0, {5}, {1}), "reaches beyond its storage"));
  CHECK(contains(with(1, {4}, {1}), "reaches beyond its storage"));
  CHECK(contains(with(0, {2, 2}, {3, 1}), "reaches beyond its storage"));
  CHECK(contains(with(4, {1}, {1}), "reaches beyond its storage"));
  CHECK(contains(with(-1, {1}, {1}), "not a whole number >= 0"));
  CHECK(contains(with(3, {2}, {-1}), "not a whole number >= 0"));
  CHECK(contains(with(0, {-2}, {1}), "not a whole number >= 0"));
  CHECK(contains(with(0, {2}, {1, 1}), "do not agree"));
  CHECK(
      contains(with(0, std::vector<std::int64_t>(65, 1), std::vector<std::int64_t>(65, 1)), "do not agree"));
  CHECK(contains(with(0, {kHuge, 4}, {0, 0}), "overflows"));
  CHECK(contains(with(0, {kHuge, 0}, {1, 1}), "overflows"));
  CHECK(contains(with(0, {3}, {kHuge}), "overflows"));
  CHECK(contains(with(kHuge, {2, 2}, {kHuge, kHuge}), "overflows"));
}

TEST_CASE("A storage that is not what the pickle says is refused") {
  const auto with = [](const std::string& of) {
    return pickle_refusal(dict_of("w", tensor(of, 0, {1}, {1})));
  };
  CHECK(contains(with(storage("0", 5)), "has 16 bytes, and should have 5 numbers"));
  CHECK(contains(with(storage("0", kHuge)), "should have"));
  CHECK(contains(with(storage("1", 4)), "the storage \"1\" is missing"));
  CHECK(contains(with(storage("0", -1)), "a storage is damaged"));
  CHECK(contains(with(storage("0", 4, "QInt8Storage")), "torch.QInt8Storage"));
  CHECK(contains(with(text("0")), "a tensor has no storage"));
  CHECK(contains(with(text("0") + "Q"), "a storage is damaged"));
  const std::string disagreeing = "\x80\x02}(" + text("a") + tensor(storage("0", 4), 0, {1}, {1}) +
                                  text("b") + tensor(storage("0", 4, "IntStorage"), 0, {1}, {1}) + "u.";
  CHECK(contains(pickle_refusal(disagreeing), "disagree"));
}

TEST_CASE("No Python object but tensors and dicts gets past the reader, and its name is told") {
  CHECK(contains(pickle_refusal("\x80\x02"
                                "cos\nsystem\n" +
                                text("true") + "\x85R."),
                 "Python object os.system"));
  CHECK(contains(pickle_refusal("\x80\x04" + text("builtins") + text("eval") + "\x93" + text("1") + "\x85R."),
                 "builtins.eval"));
  CHECK(contains(pickle_refusal("\x80\x02"
                                "ctorch._utils\n_rebuild_tensor_v2 \n."),
                 "_rebuild_tensor_v2 "));
  // Names that are allowed, called for something that they are not for.
  CHECK(contains(pickle_refusal(dict_of("w", "ctorch\nFloatStorage\n)R")), "it calls FloatStorage"));
  CHECK(contains(pickle_refusal(dict_of("w", "ctorch._utils\n_rebuild_tensor_v2\n)R")), "it calls"));
  CHECK(contains(pickle_refusal(dict_of("w", "ctorch._utils\n_rebuild_parameter\nN\x85R")),
                 "a parameter holds no tensor"));
  CHECK(contains(pickle_refusal("\x80\x02"
                                "ccollections\nOrderedDict\nK\x01\x85R."),
                 "something else than pairs"));
  CHECK(contains(pickle_refusal("\x80\x02K\x01)R."), "it calls what is no function"));
  CHECK(contains(pickle_refusal("\x80\x02"
                                "ctorch\nFloatStorage\n}b."),
                 "no object to fill"));
}

TEST_CASE("Plain values are passed over whatever they are filled with, and nothing else becomes one") {
  const std::string state = text("w") + tensor(storage("0", 4), 0, {4}, {1});
  const auto beside = [&](const std::string& value) {
    return decode_pth(archive("\x80\x04}(" + state + text("v") + value + "u."), "w.pth").tensors.size();
  };
  CHECK(beside("ccollections\nCounter\n}K\x03K\x02s\x85R") == 1);
  CHECK(beside("cargparse\nNamespace\n)\x81}" + text("lr") + "K\x01sb") == 1);
  CHECK(beside("cargparse\nNamespace\n)\x81}" + text("w") + tensor(storage("0", 4), 0, {4}, {1}) + "sb") ==
        1);
  CHECK(beside("cpathlib\nPosixPath\n(" + text("/") + text("x") + "tR") == 1);
  CHECK(beside("\x8f(K\x01K\x02\x90") == 1);                    // a set
  CHECK(beside("(K\x01K\x02\x91") == 1);                        // a frozen one
  CHECK(beside("C\x02\x00\xff"s) == 1);                         // bytes
  CHECK(beside("\x96\x02\0\0\0\0\0\0\0\x00\xff"s) == 1);        // a bytearray
  CHECK(beside("\x8b\x09\0\0\0\1\2\3\4\5\6\7\x08\x09"s) == 1);  // a long number
  CHECK(beside("\x8d\x01\0\0\0\0\0\0\0t"s) == 1);               // a long text
  CHECK(beside("ccollections\ndeque\n)R(K\x01K\x02"
               "e") == 1);
  CHECK(beside("ctorch\nfloat16\n") == 1);
  for (const auto& [value, reason] : std::vector<std::pair<std::string, const char*>>{
           {"cos\nsystem\n" + text("true") + "\x85R", "os.system"},
           {"cargparse\nArgumentParser\n)R", "argparse.ArgumentParser"},
           {"cbuiltins\ngetattr\n)R", "builtins.getattr"},
           {"c__builtin__\neval\n" + text("1") + "\x85R", "__builtin__.eval"},
           {"cposixpath\njoin\n)R", "posixpath.join"},
           {"cnumpy\nload\n)R", "numpy.load"},
           {"ctorch\nload\n)R", "torch.load"},
           {"ccollections\nCounter\n)RN\x85R", "it calls what is no function"},
           {"K\x01}b", "no object to fill"},
           {"K\x01(K\x02\x90", "no list to fill"}})
    CHECK(contains(message_of(tune::ExitCode::kBadData, [&, pickle = value] { beside(pickle); }), reason));
}

TEST_CASE("An untyped storage gives numbers of the dtype that is named, or none") {
  const auto of = [](const std::string& dtype, const std::string& kind = "storage", std::int64_t size = 4) {
    const std::string bytes =
        "(" + text("storage") +
        (kind == "storage" ? "ctorch.storage\nUntypedStorage\n" : "ctorch\nFloatStorage\n") + text("0") +
        text("cpu") + number(kind == "storage" ? 16 : 4) + "tQ";
    return dict_of("w", "ctorch._utils\n_rebuild_tensor_v3\n(" + bytes + number(0) + numbers({size}) +
                            numbers({1}) + "\x89" + "ccollections\nOrderedDict\n)R" + dtype + "tR");
  };
  CHECK(decode_pth(archive(of("ctorch\nuint32\n")), "w.pth").tensors.at("w").scalar_type() == at::kUInt32);
  CHECK(contains(pickle_refusal(of("ctorch\nuint64\n")), "reaches beyond its storage"));
  CHECK(contains(pickle_refusal(of("ctorch\nfloat32\n")), "a tensor of the dtype float32"));
  CHECK(contains(pickle_refusal(of("K\x01")), "a tensor of the dtype that is none"));
  CHECK(contains(pickle_refusal(of("ctorch\nuint16\n", "typed")), "a tensor of the dtype uint16"));
  CHECK(contains(pickle_refusal(of("ctorch\nuint32\n", "storage", 5)), "reaches beyond its storage"));
}

TEST_CASE("Pickles that are no pickles are refused") {
  for (const auto& [pickle, reason] : std::vector<std::pair<std::string, const char*>>{
           {"", "cut short"},
           {"\x80\x02", "cut short"},
           {"\x80\x07.", "protocol 7"},
           {"\x80\x02.", "stack is empty"},
           {"\x80\x02}}.", "left over"},
           {"\x80\x02(}.", "left over"},
           {"\x80\x02}t.", "a mark is missing"},
           {"\x80\x02N(NNu.", "no dict to fill"},
           {"\x80\x02}(Nu.", "a key without a value"},
           {"\x80\x02h\x05.", "has not stored"},
           {"\x80\x02X\xff\xff\xff\xffx.", "cut short"},
           {"\x80\x02\x8a\xff.", "cut short"},
           {"\x80\x02i", "instruction 0x69"},
           {"\x80\x02"
            "cos",
            "cut short"},
           {"\x80\x02NN\x93.", "not text"},
       }) {
    INFO(reason);
    CHECK(contains(pickle_refusal(pickle), reason));
  }
}

TEST_CASE("Deep, cyclic and endlessly shared pickles end") {
  // A dict in a dict in a dict ...
  std::string deep = "\x80\x02";
  for (int i = 0; i < 200'000; ++i) deep += "}" + text("k");
  deep += "N";
  for (int i = 0; i < 200'000; ++i) deep += "s";
  CHECK(contains(pickle_refusal(deep + "."), "no dict of tensors"));
  // A dict that holds itself.
  CHECK(contains(pickle_refusal("\x80\x02}q\x01" + text("self") + "h\x01s."), "no dict of tensors"));
  // Sixty dicts, each with the one before it under ten names: 10^60 ways down.
  std::string laughs = "\x80\x02}(" + text("0") + "}q\x01";
  for (int level = 1; level < 60; ++level) {
    laughs += text(std::to_string(level)) + "}(";
    for (char key = '0'; key <= '9'; ++key)
      laughs += text(std::string(1, key)) + "h" + static_cast<char>(level);
    laughs += "uq"s + static_cast<char>(level + 1);
  }
  CHECK(contains(pickle_refusal(laughs + "u."), "no dict of tensors"));
  // Five million empty lists.
  CHECK(contains(pickle_refusal("\x80\x02(" + std::string(5'000'000, ']') + "t."),
                 "more than 4 million values"));
  CHECK(contains(pickle_refusal("\x80\x04N" + std::string(5'000'000, '\x94') + "."),
                 "more than 4 million values"));
}

TEST_CASE("Archives that are more than a row of files are refused") {
  const auto of = [](const std::vector<ZipEntry>& entries) {
    const std::string bytes = stored_zip(entries);
    return message_of(tune::ExitCode::kBadData, [&] { read_zip(bytes, "w.pth"); });
  };
  const auto entry = [](auto change) {
    ZipEntry changed{"m/a", "data"};
    change(changed);
    return changed;
  };
  CHECK(of({{"m/a", "data"}, {"m/b", ""}}).empty());
  CHECK(contains(of({entry([](auto& e) { e.method = 8; })}), "compressed"));
  CHECK(contains(of({entry([](auto& e) { e.flags = 1; })}), "encrypted"));
  CHECK(contains(of({{"m/a", "data"}, {"m/a", "other"}}), "appears twice"));
  CHECK(contains(of({entry([](auto& e) { e.name_in_header = "m/b"; })}), "another name"));
  CHECK(contains(of({entry([](auto& e) { e.more_bytes = 1; })}), "runs into the directory"));
  CHECK(contains(of({entry([](auto& e) { e.more_bytes = 1U << 30U; })}), "cut short"));
  CHECK(contains(of({entry([](auto& e) { e.header_earlier = 1; })}), "cut short"));
  CHECK(contains(of({{"m/a", "data"}, entry([](auto& e) { e.name = "m/c", e.header_earlier = 1; })}),
                 "not where it should be"));
  // Two names for one run of bytes: a bomb of this kind would need no compression.
  const std::string inner = "PK\3\4" + std::string(22, '\0') + "\3" + std::string(3, '\0') + "m/b";
  CHECK(contains(of({{"m/a", inner + "data"}, entry([&](auto& e) {
                       e.name = e.name_in_header = "m/b";
                       e.data = "";
                       e.more_bytes = 4;
                       e.header_earlier = static_cast<std::uint32_t>(inner.size()) + 4;
                     })}),
                 "overlap"));
  CHECK(contains(message_of(tune::ExitCode::kBadData, [] { read_zip("PK\3\4", "w.pth"); }), "cut short"));
  CHECK(contains(
      message_of(tune::ExitCode::kBadData, [] { read_zip("PK\3\4" + std::string(100, 'x'), "w.pth"); }),
      "no directory"));
}

TEST_CASE("An archive of zip64 is read, and one that lies about it is refused") {
  const std::string plain = stored_zip({{"m/a", "data"}});
  const std::size_t end = plain.size() - 22;
  const std::string body = plain.substr(0, end);
  const auto with = [&](std::uint64_t bytes, std::uint64_t offset, std::uint64_t record) {
    return body + "PK\6\6" + little_endian(std::uint64_t{44}) + std::string(28, '\0') + little_endian(bytes) +
           little_endian(offset) + "PK\6\7" + std::string(4, '\0') + little_endian(record) +
           std::string(4, '\0') + "PK\5\6" + std::string(4, '\0') + std::string(4, '\xff') +
           std::string(8, '\xff') + std::string(2, '\0');
  };
  const std::size_t directory = body.find("PK\1\2");
  const std::string good = with(end - directory, directory, end);
  CHECK(read_zip(good, "w.pth").at("m/a") == "data");
  for (const std::string& bad :
       {with(~std::uint64_t{0}, directory, end), with(end - directory, ~std::uint64_t{0} - 3, end),
        with(end - directory, directory, end + 1), with(~std::uint64_t{0} - directory + 1, directory, end)})
    CHECK(contains(message_of(tune::ExitCode::kBadData, [&] { read_zip(bad, "w.pth"); }),
                   "not a valid zip archive"));
}

TEST_CASE("An archive with any bit flipped is refused, or gives what it gave before") {
  for (const char* name : {"state_dict", "views", "dtypes"}) {
    const std::string good =
        tune::read_file(std::filesystem::path(TUNE_SOURCE_DIR) / "tests/golden/weights" / (name + ".pth"s));
    const TensorMap whole = decode_pth(good, "good").tensors;
    for (std::size_t at = 0; at < good.size(); ++at) {
      std::string bytes = good;
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << (at % 8)));
      CAPTURE(name, at);
      try {
        const TensorMap read = decode_pth(bytes, "damaged").tensors;
        REQUIRE(read.size() == whole.size());
        for (const auto& [key, tensor] : read)
          REQUIRE((whole.contains(key) && tensor.dtype() == whole.at(key).dtype() &&
                   tensor.equal(whole.at(key))));
      } catch (const tune::Error& error) {
        REQUIRE(error.code() == tune::ExitCode::kBadData);
      }
    }
  }
}

TEST_CASE("The checksums of an archive are compared where it has any") {
  const auto of = [](std::uint32_t checksum) {
    ZipEntry entry{"m/a", "data"};
    entry.checksum = checksum;
    return stored_zip({entry, {"m/empty", ""}});
  };
  CHECK(read_zip(of(0xadf3f363), "w.pth").at("m/a") == "data");
  CHECK(read_zip(of(0), "w.pth").at("m/a") == "data");
  CHECK(contains(message_of(tune::ExitCode::kBadData, [&] { read_zip(of(0xadf3f362), "w.pth"); }),
                 "the entry \"m/a\" is damaged, as its checksum tells"));
}

TEST_CASE("Damaged files are read or refused, and nothing else happens") {
  constexpr int kDamaged = tune::tests::kSanitized ? 300 : 10'000;
  int read = 0, refused = 0;
  for (const char* name : {"state_dict", "nested", "views", "dtypes", "protocol4", "parameters", "legacy",
                           "legacy_nested", "legacy_views", "legacy_dtypes", "wrapped2", "wrapped5",
                           "legacy_wrapped", "averaged", "rare_dtypes"}) {
    const std::string good =
        tune::read_file(std::filesystem::path(TUNE_SOURCE_DIR) / "tests/golden/weights" / (name + ".pth"s));
    tune::Rng rng(std::hash<std::string>{}(name));
    for (int n = 0; n < kDamaged; ++n) {
      std::string bytes = good;
      for (std::uint64_t change = rng.below(4) + 1; change > 0; --change) {
        const std::size_t at = rng.below(bytes.size()), from = rng.below(bytes.size());
        switch (rng.below(5)) {
          case 0:
            bytes[at] = static_cast<char>(rng.below(256));
            break;
          case 1:
            bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng.below(8)));
            break;
          case 2:
            bytes.erase(at, rng.below(8) + 1);
            break;
          case 3:
            bytes.insert(at, bytes.substr(from, rng.below(32)));
            break;
          default:
            bytes.replace(at, std::min<std::size_t>(8, bytes.size() - at),
                          little_endian(rng() >> rng.below(64)), 0,
                          std::min<std::size_t>(8, bytes.size() - at));
        }
        if (bytes.empty()) bytes = good;
      }
      try {
        // Every number is touched, so that a sanitizer sees whether it may be.
        for (const auto& [key, tensor] : decode_pth(bytes, "damaged").tensors)
          if (tensor.numel() < 100'000) tensor.to(at::kDouble).sum();
        ++read;
      } catch (const tune::Error&) {
        ++refused;
      }
    }
  }
  CHECK(read > 0);
  CHECK(refused > 0);
}
