#include "tuner/metrics/number_reach.h"

#include <re2/re2.h>

#include <tuple>

#include "support/catch.h"

using tune::metrics::NumberIs;
using tune::metrics::NumberReach;
using tune::metrics::reach_of;

namespace {

// Where the first group of `regex` reaches in `line`.
// The line must outlive it.
NumberReach reach(const std::string& regex, std::string_view line, NumberIs is = NumberIs::kValue) {
  const RE2 pattern(regex);
  re2::StringPiece groups[2];
  REQUIRE(
      pattern.Match(re2::StringPiece(line.data(), line.size()), 0, line.size(), RE2::UNANCHORED, groups, 2));
  const auto end = static_cast<std::size_t>(groups[0].data() - line.data()) + groups[0].size();
  return reach_of(line, std::string_view(groups[1].data(), groups[1].size()), end, is);
}

std::string cut(const std::string& regex, std::string_view line) {
  const NumberReach found = reach(regex, line);
  return found.kind == NumberReach::Kind::kCut ? std::string(found.whole) : "";
}

}  // namespace

TEST_CASE("a number goes on behind what was captured, in all the ways in which people write numbers") {
  CHECK(cut("loss=([\\d.]+)", "loss=3.1e-05") == "3.1e-05");
  CHECK(cut("loss=(\\d)", "loss=3.1e-05") == "3.1e-05");
  CHECK(cut("loss=(\\S+?)", "loss=0.226 x") == "0.226");
  CHECK(cut("loss=(\\d+)", "loss=12.5") == "12.5");
  CHECK(cut("loss=([\\d.]+)", "loss=1.0D-05") == "1.0D-05");
  CHECK(cut("loss=([\\d.]+)", "loss=1,234.56") == "1,234.56");
  CHECK(cut("loss=([\\d.]+),", "loss=1,234.56, acc=1") == "1,234.56");
  CHECK(cut("loss=([\\d.]+)", "loss=0,2265") == "0,2265");
  CHECK(cut("loss=([\\d.]+)", "loss=1.234,56") == "1.234,56");
  CHECK(cut("loss=(\\d+\\.\\d+)", "loss=1.234.567") == "1.234.567");
  CHECK(cut("loss=([\\d.]+)", "loss=12_345.5") == "12_345.5");
  CHECK(cut("loss=([\\d.]+)", "loss=1'234.5") == "1'234.5");
  CHECK(cut("loss=([\\d.]+)", "loss=1 234") == "1 234");
  CHECK(cut("loss: ([\\d.]+)", "loss: 1 234.56 acc") == "1 234.56");
  CHECK(cut("loss=([\\d.]+)",
            "loss=1\xC2\xA0"
            "234") ==
        "1\xC2\xA0"
        "234");
  CHECK(cut("loss=([\\d.]+)",
            "loss=1\xE2\x80\xAF"
            "234,5") ==
        "1\xE2\x80\xAF"
        "234,5");
  CHECK(cut("loss=([\\d.]+)", "loss=1.#INF") == "1.#INF");
  CHECK(cut("loss=([\\d.]+)", "loss=1.#QNAN ") == "1.#QNAN");
  CHECK(cut("loss=(\\d+)", "loss=0x1F") == "0x1F");
  CHECK(cut("loss=([\\d.]+)",
            "loss=3.1\xC3\x97"
            "10^-5") ==
        "3.1\xC3\x97"
        "10^-5");
}

TEST_CASE("powers of ten, complex numbers and durations are longer numbers") {
  for (const auto& [line, whole] :
       {std::pair{"x=5*10**-3", "5*10**-3"},
        {"x=5x10^-3 ", "5x10^-3"},
        {"x=5 x 10^{-3}", "5 x 10^{-3}"},
        {"x=5 * 10**(-3)", "5 * 10**(-3)"},
        {"x=5 \xC2\xB7 10\xE2\x81\xBB\xC2\xB3,", "5 \xC2\xB7 10\xE2\x81\xBB\xC2\xB3"},
        {"x=10^-3", "10^-3"},
        {"x=2**10", "2**10"},
        {"x=0.5+0.1j", "0.5+0.1j"},
        {"x=0.5-1e-3j)", "0.5-1e-3j"},
        {"x=1m23s", "1m23s"},
        {"x=1h 5min left", "1h 5min"},
        {"x=2d 12h", "2d 12h"},
        {"x=1 min 30 s", "1 min 30 s"},
        {"x=2 min 5 sec left", "2 min 5 sec"},
        {"x=1 h 2 min", "1 h 2 min"},
        {"x=5 m 30 s", "5 m 30 s"},
        {"x=3 ms 20 us", "3 ms 20 us"},
        {"x=1hr 2min", "1hr 2min"},
        {"x=3min 20.5s", "3min 20.5s"},
        {"x=1 h 2 m 3 s", "1 h 2 m 3 s"},
        {"x=1\xC2\xA0min 30\xC2\xA0s", "1\xC2\xA0min 30\xC2\xA0s"},
        {"x=1 day, 2:03:04", "1 day, 2:03:04"},
        {"x=0.5 + 0.1j", "0.5 + 0.1j"},
        {"x=0.5 - 0.1j", "0.5 - 0.1j"},
        {"x=0.5+0.1im", "0.5+0.1im"},
        {"x=0.5 + 0.1im", "0.5 + 0.1im"},
        {"x=0.5j", "0.5j"},
        {"x=1 1/2", "1 1/2"},
        {"x=1\xC2\xBD", "1\xC2\xBD"},
        {"x=2 ** 3", "2 ** 3"},
        {"x=5\xC2\xB2", "5\xC2\xB2"},
        {"x=5*1e-3", "5*1e-3"},
        {"x=5 * 1e-3", "5 * 1e-3"},
        {"x=5.10\xE2\x81\xBB\xC2\xB3", "5.10\xE2\x81\xBB\xC2\xB3"},
        {"x=0.5 e-3", "0.5 e-3"},
        {"x=5x10-3", "5x10-3"}}) {
    INFO(line);
    CHECK(cut("x=([\\d.]+)", line) == whole);
  }
  CHECK(cut("\\(([\\d.]+)", "(0.5+0.1j)") == "0.5+0.1j");
  const char* const plain = "x=([-+]?\\d*\\.?\\d+)";
  CHECK(cut(plain, "x=1.e-05") == "1.e-05");
  CHECK(cut(plain, "x=1.E+05") == "1.E+05");
  CHECK(cut(plain, "x=-1.e-05") == "-1.e-05");
  CHECK(reach(plain, "x=1.e+00").kind == NumberReach::Kind::kWhole);
}

TEST_CASE("a time is none of its numbers") {
  for (const auto& [line, whole] : {std::pair{"took 0:01:23", "0:01:23"},
                                    {"took 12:30 min", "12:30"},
                                    {"took 1:05.25, loss 3", "1:05.25"}}) {
    INFO(line);
    const NumberReach found = reach("took ([\\d.]+)", line);
    CHECK(found.kind == NumberReach::Kind::kTime);
    CHECK(found.whole == whole);
  }
  CHECK(cut("took (\\d)", "took 12:30") == "12:30");
}

TEST_CASE("what a count is a part of stands behind it like a unit") {
  for (const auto& [line, unit] : {std::pair{"right: 45/50", "/50"},
                                   {"right: 45/50, wrong: 5", "/50"},
                                   {"right: 1 / 3", "/ 3"},
                                   {"right: 45 / 50", "/ 50"},
                                   {"right: 45/ 50", "/ 50"},
                                   {"right: 1/2/3", "/2/3"},
                                   {"right: 3/10 loss 0.4", "/10"}}) {
    INFO(line);
    const NumberReach found = reach("right: (\\d+)", line);
    CHECK(found.kind == NumberReach::Kind::kUnit);
    CHECK(found.unit == unit);
  }
  // What stands behind the slash may be a second value.
  const NumberReach two = reach("loss ([\\d.]+)", "loss 0.5/0.6");
  CHECK(two.kind == NumberReach::Kind::kUnit);
  CHECK(two.whole == "0.5/0.6");
  CHECK(two.unit == "/");
}

TEST_CASE("a blank before a known unit changes nothing") {
  for (const auto& [line, unit] : {std::pair{"x=93.5 %", "%"},
                                   {"x=93.5 % 120 s", "%"},
                                   {"x=12 ms", "ms"},
                                   {"x=12 ms, y=3", "ms"},
                                   {"x=12 ms loss 0.5", "ms"},
                                   {"x=1.5 GB | 3", "GB"},
                                   {"x=3 it/s", "it/s"},
                                   {"x=30 ms/step - loss: 0.5", "ms/step"},
                                   {"x=93.5\xC2\xA0%", "%"},
                                   {"x=12\xE2\x80\xAFms", "ms"},
                                   {"x=12 percent", "percent"},
                                   {"x=1.5 M", "M"},
                                   {"x=10s 200ms/step", "s"},
                                   {"x=25m 300ms", "m"},
                                   {"x=5 \xC2\xB5s", "\xC2\xB5s"}}) {
    INFO(line);
    const NumberReach found = reach("x=([\\d.]+)", line);
    CHECK(found.kind == NumberReach::Kind::kUnit);
    CHECK(found.unit == unit);
  }
  CHECK(reach("x=([\\d.]+) ms", "x=12 ms").kind == NumberReach::Kind::kWhole);
}

TEST_CASE("a number may begin before what was captured") {
  CHECK(cut("loss=-?([\\d.]+)", "loss=-0.5") == "-0.5");
  CHECK(cut("loss.*?([\\d.]+)", "loss: -0.5") == "-0.5");
  CHECK(cut("loss.*?([\\d.]+)",
            "loss=\xE2\x88\x92"
            "0.5") ==
        "\xE2\x88\x92"
        "0.5");
  CHECK(cut("loss=.*(\\d+)", "loss=12") == "12");
}

TEST_CASE("a number that begins before the group is a longer one, also for a greedy regex") {
  for (const auto& [regex, line, whole] : {std::tuple{"loss.*?(\\d+\\.\\d+)", "loss=1,234.56", "1,234.56"},
                                           {"loss.*?(\\d+\\.\\d+)", "loss: 1'234.56", "1'234.56"},
                                           {"loss.*?(\\d+\\.\\d+)", "loss=1 234.56", "1 234.56"},
                                           {"loss.*?(\\d+\\.\\d+)", "loss: 1 234.56", "1 234.56"},
                                           {"loss.*?(\\d+\\.\\d+)", "loss=1\u202f234.56", "1\u202f234.56"},
                                           {"loss.*?(\\d+\\.\\d+)", "loss=1\u2007234.5", "1\u2007234.5"},
                                           {"loss.*?(\\d+\\.\\d+)", "loss=-1,234.56", "-1,234.56"},
                                           {"(\\d+\\.\\d+) *$", "| loss | 12,345.67 ", "12,345.67"},
                                           {"(\\d+\\.\\d+)$", "loss=1_234.5", "1_234.5"},
                                           {"(\\d+)%", "acc: 93.5%", "93.5"},
                                           {"(\\d+) *%", "acc: 93.25 %", "93.25"},
                                           {"loss.*(\\d+)", "loss: 2.5", "2.5"},
                                           {"loss.*(\\d+)", "loss: 0.3421", "0.3421"},
                                           {"loss.*([\\d.]+)", "loss: 2.5", "2.5"},
                                           {"loss.*(\\.\\d+)", "loss: 2.5", "2.5"},
                                           {"loss.*(\\d+)", "loss: .5", ".5"},
                                           {"(\\d+)$", "loss=1e-3", "1e-3"},
                                           {"(\\d+)$", "loss=1.5E+13", "1.5E+13"},
                                           {"(-?\\d+)$", "loss=1e-3", "1e-3"},
                                           {"(\\d+)$", "loss=2.5e3", "2.5e3"},
                                           {"loss\\D+([\\d.]+)", "loss=-.5", "-.5"},
                                           {"acc.*?(\\d+)/\\d+", "acc 1,045/5,000", "1,045"},
                                           {"loss.*?([\\d.]+)$", "loss=0x1.8p3", "0x1.8p3"},
                                           {"(\\d+)$", "loss=0,2265", "0,2265"},
                                           {"(\\d+)$", "rate 0.5/0.6", "0.6"}}) {
    INFO(regex << " on " << line);
    CHECK(cut(regex, line) == whole);
  }
}

TEST_CASE("a sign before a number counts behind quotes, brackets, arrows and lines of tables") {
  for (const char* line : {"{\"epoch\": 1, \"loss\": \"-0.5\"}", "{'loss': '-0.5'}", "loss `-0.5`",
                           "loss->-0.5", "<loss>-0.5</loss>", "loss \u2502-0.5\u2502", "loss 1/-0.5",
                           "**loss:**-0.5", "loss\u00a0-0.5", "loss=+-0.5", "loss\uff1a-0.5"}) {
    INFO(line);
    CHECK(cut("loss.*?([\\d.]+\\.[\\d.]+)", line) == "-0.5");
  }
  CHECK(cut("loss=\\D+([\\d.]+)", "loss=\u20130.5") == "\u20130.5");
  for (const char* line :
       {"loss 1 +-0.5", "loss (+/-0.5)", "loss 0.97 (+-0.5)", "loss 0.1-0.5", "loss\u4e00-0.5", "loss_a-0.5",
        "loss [1]-0.5", "loss 10%-0.5", "loss 0.1 - 0.5"}) {
    INFO(line);
    CHECK(cut("loss.*[^.\\d](0\\.5)", line).empty());
  }
}

TEST_CASE("exponents in other letters and signs, and what Microsoft's C prints, are parts of a number") {
  for (const auto& [line, whole] : {std::pair{"x=5e\u22123", "5e\u22123"},
                                    {"x=3.1E\u22124", "3.1E\u22124"},
                                    {"x=5.0f-5", "5.0f-5"},
                                    {"x=3.1e -4", "3.1e -4"},
                                    {"x=5e\u20133", "5e\u20133"},
                                    {"x=5 x 10^\u22123", "5 x 10^\u22123"},
                                    {"x=5\\times10^{-3}", "5\\times10^{-3}"},
                                    {"x=5\u221910\u207b\u00b3", "5\u221910\u207b\u00b3"},
                                    {"x=0\u00b75", "0\u00b75"},
                                    {"x=0b11", "0b11"},
                                    {"x=0o17", "0o17"}}) {
    INFO(line);
    CHECK(cut("x=([\\d.]+)", line) == whole);
  }
  for (const char* regex : {"loss: ([-+]?\\d*\\.?\\d+)", "loss: (-?\\d+(?:\\.\\d+)?)", "loss: (-?\\d+)"})
    for (const char* number : {"1.#INF", "-1.#IND", "1.#QNAN", "-1.#IND00"}) {
      INFO(regex << " on " << number);
      CHECK(cut(regex, "loss: " + std::string(number)) == number);
    }
}

TEST_CASE("French numbers, and durations however their parts are joined, are longer numbers") {
  for (const auto& [line, whole] : {std::pair{"x: 1 234,56", "1 234,56"},
                                    {"x: 12 345,6", "12 345,6"},
                                    {"x: 2 min, 5 sec", "2 min, 5 sec"},
                                    {"x: 1 h, 2 min", "1 h, 2 min"},
                                    {"x: 1 hour and 5 minutes", "1 hour and 5 minutes"},
                                    {"x: 1h05", "1h05"},
                                    {"x: 1.0h 30m", "1.0h 30m"},
                                    {"x: 1min. 30sec.", "1min. 30sec"},
                                    {"x: 1 Min 30 Sek", "1 Min 30 Sek"}}) {
    INFO(line);
    CHECK(cut("x: ([\\d.]+)", line) == whole);
  }
  CHECK(cut("(\\d+)m", "took 1m23s") == "1m23s");
  CHECK(cut("(\\d+)m\\d+s", "took 1m23s").empty());
  CHECK(reach("x: (\\d+)", "x: 5'30\"").kind == NumberReach::Kind::kTime);
  CHECK(reach("x: (\\d+)", "x: 1:2:3").kind == NumberReach::Kind::kTime);
}

TEST_CASE("of a step, what stands behind a blank is another column") {
  for (const auto& [regex, line] : {std::pair{"^(\\d+)", "1 123.456 0.9"},
                                    {"Epoch (\\d+)", "Epoch 1 923.456"},
                                    {"epoch=(\\d+)", "epoch=1 400 loss"},
                                    {"epoch=(\\d+)", "epoch=1 4/9"}}) {
    INFO(line);
    CHECK(reach(regex, line, NumberIs::kStep).kind != NumberReach::Kind::kCut);
  }
  CHECK(reach("step (\\d+)", "step 1,000", NumberIs::kStep).kind == NumberReach::Kind::kCut);
}

TEST_CASE("the lines of well-known programs are read whole") {
  for (
      const auto& [regex, line] :
      {// Keras
       std::pair{"val_loss: ([-+.\\w]+)",
                 "313/313 [==============================] - 2s 6ms/step - loss: 0.4512 - accuracy: 0.8321 - "
                 "val_loss: 0.3987 - val_accuracy: 0.8570"},
       {" loss: ([\\d.]+)",
        "1875/1875 \u2501\u2501\u2501\u2501 5s 3ms/step - accuracy: 0.93 - loss: 223.4512"},
       // Hugging Face
       {"'eval_loss': ([\\d.]+)", "{'eval_loss': 0.6931, 'eval_runtime': 1.2345, 'epoch': 1.0}"},
       {"'eval_loss': '([\\d.]+)'", "{'eval_loss': '0.6931', 'epoch': '1'}"},
       {"'learning_rate': ([-+.\\w]+)", "{'loss': 2.3, 'learning_rate': 4.9e-05, 'epoch': 0.1}"},
       // Lightning
       {"val_loss=([\\d.]+)",
        "Epoch 3: 100%|\u2588\u2588| 938/938 [00:10<00:00, 88.12it/s, v_num=0, val_loss=0.123]"},
       {"Epoch (\\d+)", "Epoch 12: 100%|\u2588\u2588| 938/938 [00:10<00:00, 88.12it/s]"},
       {"val_acc +\u2502 +([\\d.]+)",
        "\u2502         val_acc          \u2502    0.9123456478118896     \u2502"},
       // Ultralytics, YOLOv5
       {"all +\\d+ +\\d+ +[\\d.]+ +[\\d.]+ +[\\d.]+ +([\\d.]+)",
        "                   all        128        929      0.642      0.537      0.605      0.446"},
       {"^ +all +\\d+ +(\\d+)", "                   all        128        929      0.642      0.537"},
       {"^ +\\d+/\\d+ +[\\d.]+G +([\\d.]+)",
        "      1/100      2.35G      1.155      1.462      1.243        213"},
       // detectron2
       {"total_loss: ([\\d.]+)",
        "[01/15 10:00:00 d2.utils.events]:  eta: 0:12:34  iter: 19  total_loss: 2.345  loss_cls: 0.6  time: "
        "0.45"},
       {"iter: (\\d+)",
        "[01/15 10:00:00 d2.utils.events]:  eta: 1 day, 2:03:04  iter: 19  total_loss: 2.345"},
       {"^\\| ([\\d.]+)", "| 40.123 | 61.2 | 43.5 | 22.1 | 44.0 | 53.1 |"},
       // mmdet
       {"loss: ([\\d.]+)",
        "2024-01-15 10:00:00,123 - mmdet - INFO - Epoch [1][50/7330]\tlr: 1.978e-03, eta: 14:02:10, time: "
        "0.575, "
        "memory: 3768, loss: 1.2345"},
       {"Epoch [^ ]*\\[(\\d+)/",
        "2024-01-15 10:00:00,123 - mmdet - INFO - Epoch [1][50/7330]\tlr: 1.978e-03"},
       {"mAP: ([\\d.]+)", "01/15 10:00:00 - mmengine - INFO - bbox_mAP: 0.3740  bbox_mAP_50: 0.581"},
       {"mAP_copypaste: ([\\d.]+)", "bbox_mAP_copypaste: 0.374 0.581 0.401 0.212 0.410 0.481"},
       // XGBoost, LightGBM, CatBoost
       {"eval-logloss:([\\d.]+)", "[12]\ttrain-logloss:0.48366\teval-logloss:0.49012"},
       {"^\\[(\\d+)\\]", "[12]\ttrain-rmse:0.48366+0.00123\ttest-rmse:0.49012+0.00456"},
       {"test-rmse:([\\d.]+)", "[12]\ttrain-rmse:0.48366+0.00123\ttest-rmse:0.49012+0.00456"},
       {"l2: ([\\d.]+)", "[100]\tvalid_0's l2: 0.123456\tvalid_0's auc: 0.98"},
       {"l2: [\\d.]+ \\+ ([\\d.]+)", "[100]\tcv_agg's l2: 0.123456 + 0.00123"},
       {"test: ([\\d.]+)",
        "100:\tlearn: 0.2101\ttest: 0.2302\tbest: 0.2301 (98)\ttotal: 1.2s\tremaining: 10.8s"},
       // timm, torchvision
       {"Acc@1: +([\\d.]+)",
        "Test: [  78/78]  Time: 0.05 (0.04)  Loss:  0.8765 (0.7)  Acc@1: 81.2500 (79.3)"},
       {"Loss: +[\\d.]+ \\(([\\d.]+)\\)",
        "Train: 3 [ 100/1251 (  8%)]  Loss: 6.91 (6.92)  Time: 0.3s,  3.2/s"},
       {"Acc@1 ([\\d.]+)", " * Acc@1 76.130 Acc@5 92.862"},
       {"top1: ([\\d.]+)", "top1: 76.130, top5: 92.862"},
       // fairseq
       {"\"valid_loss\": \"([\\d.]+)\"",
        "{\"epoch\": 1, \"valid_loss\": \"9.324\", \"valid_ppl\": \"640.92\"}"},
       {"valid \\| epoch 001 .*\\| loss ([\\d.]+)",
        "2024-01-15 10:00:00 | INFO | valid | epoch 001 | valid on 'valid' subset | loss 9.324 | ppl 640.92"},
       // tqdm
       {"loss=([\\d.]+)", "epoch 1:  45%|\u2588\u2588\u258c   | 45/100 [00:10<00:12, 4.50it/s, loss=0.123]"},
       {"\\| (\\d+)/\\d+", "45%|\u2588\u2588\u258c   | 45/100 [00:10<00:12, 4.50it/s, loss=0.123]"},
       // columns and sentences
       {"Epoch \\d+ ([\\d.]+)", "Epoch 1 923.456"},
       {"Epoch: \\d+ ([\\d.]+)", "Epoch: 1 923.456"},
       {"^\\d+ ([\\d.]+)", "1 123.456 0.9"},
       {"step \\d+,([\\d.]+)", "step 100,123.5"},
       {"^\\d+,([\\d.]+)", "1,123.456,0.9"},
       {"train,\\d+,([\\d.]+)", "train,3,123.456"},
       {"\\[\\d+, ?(\\d+)", "[12,345]"},
       {"\\.(\\d+)$", "version 1.2.3"},
       {"layer\\.(\\d+)", "encoder.layer.11.output 0.5"},
       {"ckpt.(\\d+)", "ckpt.12"},
       {"epoch_(\\d+)", "ckpt_epoch_123.pth"},
       {"epoch(\\d+)", "epoch3-step500"},
       {"x(\\d+)", "640x480"},
       {"\\d+-(\\d+)", "2024-01-15"},
       {"took ([\\d.]+)s, ", "took 12.5s, 3 ms left"},
       {"loss ([\\d.]+)", "iter 250: loss 2.4512, time 125.34ms, mfu 12.3%"}}) {
    INFO(regex << " on " << line);
    const auto kind = reach(regex, line).kind;
    CHECK((kind == NumberReach::Kind::kWhole || kind == NumberReach::Kind::kUnit));
  }
}

TEST_CASE("what only looks like a longer number is whole") {
  for (const auto& [regex, line] : {std::pair{"loss=([\\d.]+)", "loss=0.5"},
                                    {"loss=([\\d.]+)", "loss=5."},
                                    {"loss=([\\d.]+)", "loss=5 e"},
                                    {"loss=([\\d.]+)", "loss=0.5, acc=1"},
                                    {"loss=([\\d.]+)", "loss=0.5,0.7"},
                                    {"loss=([\\d.]+)", "loss=0.5;0.7"},
                                    {"\\[(\\d+),", "[1,2,3]"},
                                    {"^(\\d+),", "12,345,0.5"},
                                    {"^\\d+,(\\d+)", "3,12,400"},
                                    {"loss=(\\S+)", "loss=3.1e-05"},
                                    {"date (\\d+)", "date 2024/01/15"},
                                    {"loss ([\\d.]+)", "loss 0.5/epoch"},
                                    {"Epoch (\\d+)/", "Epoch 10/100"},
                                    {"loss: ([\\d.]+)", "loss: 0.5 acc: 0.9"},
                                    {"loss: ([\\d.]+)", "loss: 0.5 - val_loss: 0.6"},
                                    {"\\| ([\\d.]+)", "| 0.5 | 0.6 |"},
                                    {"loss ([\\d.]+)", "loss 0.5, 0.6"},
                                    {"loss ([\\d.]+)", "loss 0.5 +- 0.1"},
                                    {"loss ([\\d.]+)", "loss 0.5-0.6"},
                                    {"x ([\\d.]+)", "x 0.5 s: 3"},
                                    {"x ([\\d.]+)", "x 0.5 min 0.1 max 0.9"},
                                    {"x ([\\d.]+)", "x 0.5 s=3"},
                                    {"x ([\\d.]+)", "x 0.5 h(t)=3"},
                                    {"x ([\\d.]+)", "x 0.5 train/acc 0.9"},
                                    {"x ([\\d.]+)", "x 0.5 of 1"},
                                    {"x ([\\d.]+)", "x 3 x 10 pixels"},
                                    {"x ([\\d.]+)", "x 3 * 4"},
                                    {"x ([\\d.]+)", "x 0.5 **0.3**"},
                                    {"x ([\\d.]+)", "x 0.5 - 3 items"},
                                    {"x ([\\d.]+)", "x 0.5 M: 3"},
                                    {"Epoch (\\d+)", "Epoch 1 4/9 loss=0.5"},
                                    {"x ([\\d.]+)", "x 0.5 e3"},
                                    {"x ([\\d.]+)", "x 0.5 | 0.6"},
                                    {"line (\\d+)", "line 12:5"},
                                    {"x ([\\d.]+)", "x 0.5:12"},
                                    {"(\\d+):\\d+", "12:30"},
                                    {"\\(([\\d.]+)\\+[\\d.]+j", "(0.5+0.1j)"},
                                    {"loss: (\\d+)", "loss: 5 12 3"},
                                    {"loss (\\d+) ", "loss 5 123.4"},
                                    {"epoch-(\\d+)", "epoch-3"},
                                    {"step=0*(\\d+)", "step=0012"},
                                    {"x=(\\d+)", "x=12.0"},
                                    {"m=([\\d.]+)",
                                     "m=0.85\xC2\xB1"
                                     "0.02"},
                                    {"m=(nan|inf)", "m=inf"},
                                    {"m=([0-9]+ ?)", "m=1 234"}}) {
    INFO(line);
    CHECK(reach(regex, line).kind == NumberReach::Kind::kWhole);
  }
}

TEST_CASE("a unit stands behind a number, unless the regex asks for it") {
  for (const auto& [line, unit] : {std::pair{"x=93.5%", "%"},
                                   {"x=12ms", "ms"},
                                   {"x=1.5MB ", "MB"},
                                   {"x=3it/s", "it/s"},
                                   {"x=5\xC2\xB5s", "\xC2\xB5s"},
                                   {"x=3epochs", "epochs"}}) {
    INFO(line);
    const NumberReach found = reach("x=([\\d.]+)", line);
    CHECK(found.kind == NumberReach::Kind::kUnit);
    CHECK(found.unit == unit);
  }
  CHECK(reach("x=([\\d.]+)%", "x=93.5%").kind == NumberReach::Kind::kWhole);
  CHECK(reach("x=([\\d.]+)ms", "x=12ms").kind == NumberReach::Kind::kWhole);
}
