// Weights among whatever else training programs keep, in files made by tests/golden/weights/make_wrapped.py.
#include <sys/stat.h>

#include <filesystem>

#include "stored_zip.h"
#include "torch_catch.h"
#include "trainer/weights/unwrap.h"
#include "trainer/weights/weight_file.h"
#include "tuner/core/error.h"
#include "unit/trainer/test_folder.h"

using namespace tune::trainer::weights;
using namespace std::string_literals;
using tune::ExitCode;
using tune::trainer::tests::contains;
using tune::trainer::tests::message_of;
using tune::trainer::tests::stored_zip;
using tune::trainer::tests::TestFolder;
using tune::trainer::tests::ZipEntry;

namespace {

std::filesystem::path golden(const std::string& name) {
  return std::filesystem::path(TUNE_SOURCE_DIR) / "tests/golden/weights" / name;
}

void check_state(const WeightFile& file, float value) {
  REQUIRE(file.tensors.size() == 3);
  CHECK(file.tensors.at("conv1.weight").equal(torch::full({2, 3}, value)));
  CHECK(file.tensors.at("bn1.num_batches_tracked").item<int>() == 3);
}

// How many numbers of conv1.weight are this one.
Fit wanting(float value) {
  return [value](const TensorMap& tensors) {
    const auto found = tensors.find("conv1.weight");
    return found == tensors.end() ? 0 : (found->second == value).sum().item<std::int64_t>();
  };
}

}  // namespace

TEST_CASE("A tensor, a Counter, a Namespace and other values beside a state dict do not hide it") {
  for (const char* name : {"wrapped2.pth", "wrapped5.pth", "legacy_wrapped.pth"}) {
    INFO(name);
    const WeightFile file = read_weights(golden(name));
    check_state(file, 2.0F);
    CHECK(file.section == "state_dict");
    CHECK(file.others == std::vector<std::string>{""});
    CHECK(places_of(file.others) == "at the top of the file");
    // A caller that says what would fit gets no lone tensor either.
    check_state(read_weights(golden(name), wanting(2.0F)), 2.0F);
    check_state(read_weights(golden(name), wanting(9.0F)), 2.0F);
  }
}

TEST_CASE("A model comes before its averaged weights, unless those alone fit") {
  const WeightFile plain = read_weights(golden("averaged.pth"));
  check_state(plain, 2.0F);
  CHECK(plain.section == "model.state_dict");
  CHECK(places_of(plain.others) == "under \"ema.module\"");
  check_state(read_weights(golden("averaged.pth"), wanting(2.0F)), 2.0F);
  const WeightFile averaged = read_weights(golden("averaged.pth"), wanting(4.0F));
  check_state(averaged, 4.0F);
  CHECK(averaged.section == "ema.module");
}

TEST_CASE("Of several dicts under unusual names the one that fits is taken, and equals are refused") {
  const Fit zeros = [](const TensorMap& tensors) {
    return tensors.contains("x") ? (tensors.at("x") == 0).sum().item<std::int64_t>() : 0;
  };
  CHECK(read_weights(golden("two.pth"), zeros).section == "b");
  const Fit anything = [](const TensorMap& tensors) { return static_cast<std::int64_t>(tensors.size()); };
  CHECK(contains(message_of(ExitCode::kBadData, [&] { read_weights(golden("two.pth"), anything); }),
                 "several dicts of tensors are in it: a, b"));
}

TEST_CASE("A defaultdict of tensors is a dict of tensors") {
  const WeightFile file = read_weights(golden("defaultdict.pth"));
  check_state(file, 2.0F);
  CHECK(file.section == "net");
}

TEST_CASE("Tensors of dtypes without a storage type are read as what they are") {
  const WeightFile file = read_weights(golden("rare_dtypes.pth"));
  REQUIRE(file.tensors.size() == 6);
  for (const char* name : {"uint16", "uint32", "uint64", "float8_e4m3fn", "float8_e5m2", "complex64"}) {
    INFO(name);
    CHECK(dtype_name(file.tensors.at(name).scalar_type()) == name);
    if (std::string(name) == "complex64") continue;
    CHECK(file.tensors.at(name).to(at::kDouble).equal(torch::tensor({1.0, 2.0}, at::kDouble)));
  }
}

TEST_CASE("A program is called a program, though its code is compressed") {
  const auto refusal = [](const std::string& bytes) {
    return message_of(ExitCode::kBadData, [&] { decode_weights(bytes, "w.pt"); });
  };
  CHECK(contains(refusal(tune::read_file(golden("script.pt"))), "w.pt: a TorchScript program, not weights"));
  const ZipEntry code{"s/code/__torch__/net.py", "pressed", 0, 8};
  CHECK(contains(refusal(stored_zip({{"s/data.pkl", "\x80\x02}."}, code})), "a TorchScript program"));
  CHECK(contains(refusal(stored_zip({{"e/archive_format", "pt2"}, {"e/models/model.json", "{}"}})),
                 "a program of torch.export"));
  CHECK(contains(refusal(stored_zip({{"m/data.pkl", "pressed", 0, 8}})), "compressed"));
}

TEST_CASE("Wrappers' names are taken off wherever they stand, and the prefix without which most fits") {
  const torch::Tensor one = torch::ones({1});
  const Fit own = [](const TensorMap& tensors) {
    std::int64_t fits = 0;
    for (const char* name : {"conv1.weight", "bn1.weight", "layer1.0.conv1.weight"})
      fits += static_cast<std::int64_t>(tensors.count(name));
    return fits;
  };
  const auto check = [&](const TensorMap& saved, const std::string& prefix) {
    INFO(saved.begin()->first);
    const Unwrapped found = unwrap(saved, own);
    CHECK(found.prefix == prefix);
    CHECK(own(found.tensors) == 3);
  };
  for (const std::string prefix : {"", "module.", "model.", "net.encoder.", "a.b.c.d.", "modelling.model."})
    check({{prefix + "conv1.weight", one},
           {prefix + "bn1.weight", one},
           {prefix + "layer1.0.conv1.weight", one}},
          prefix);
  check({{"module._orig_mod.conv1.weight", one},
         {"module._orig_mod.bn1.weight", one},
         {"module._orig_mod.layer1._checkpoint_wrapped_module.0.conv1.weight", one}},
        "module.");
  check({{"_orig_mod.module.conv1.weight", one},
         {"_orig_mod.module.bn1.weight", one},
         {"_orig_mod.module.layer1.0._orig_mod.conv1.weight", one}},
        "module.");
  // Lightning's loss beside the model; a student beside its teacher, in the order of the names' length.
  check({{"loss.weight", one},
         {"model.conv1.weight", one},
         {"model.bn1.weight", one},
         {"model.layer1.0.conv1.weight", one}},
        "model.");
  TensorMap pair;
  for (const char* name : {"conv1.weight", "bn1.weight", "layer1.0.conv1.weight"})
    for (const char* who : {"student.", "teacher_model."}) pair[std::string(who) + name] = one;
  check(pair, "student.");
  // A name that only ends like a wrapper's is the model's own.
  CHECK(unwrap({{"my_orig_mod.x", one}}, own).tensors.contains("my_orig_mod.x"));
}

TEST_CASE("What is no file is refused as weights, and never waited for") {
  const TestFolder folder;
  const auto refusal = [&](const std::filesystem::path& path) {
    return message_of(ExitCode::kBadData, [&] { read_weights(path); });
  };
  REQUIRE(mkfifo((folder.path() / "fifo.pth").c_str(), 0600) == 0);
  CHECK(contains(refusal(folder.path() / "fifo.pth"), "it is a FIFO"));
  std::filesystem::create_symlink("/dev/zero", folder.path() / "endless.pth");
  CHECK(contains(refusal(folder.path() / "endless.pth"), "it is a device"));
  CHECK(contains(refusal(folder.path()), "it is a folder"));
  std::filesystem::create_symlink(golden("one.pth"), folder.path() / "link.pth");
  CHECK(read_weights(folder.path() / "link.pth").tensors.size() == 1);
}
