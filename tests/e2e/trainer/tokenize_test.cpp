// `tune-train tokenize` on the tokenizers and texts of tests/golden/text/.
#include <fstream>
#include <sstream>

#include "support/catch.h"
#include "support/run_shell.h"
#include "tuner/core/json.h"
#include "tuner/os/atomic_file.h"

using tune::Json;
using tune::tests::run_shell;
using tune::tests::ShellResult;
using tune::tests::TemporaryFolder;

namespace {

const std::string kGolden = TUNE_SOURCE_DIR "/tests/golden/text/";

std::string tokenize(const std::string& model, const std::string& rest) {
  return "tune-train tokenize --model " + kGolden + model + " " + rest;
}

}  // namespace

TEST_CASE("tokenize prints ids, tokens and texts, and counts what it cut") {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "texts.txt") << "the steel strip\nthe\n";
  std::ofstream(folder.path() / "texts.jsonl") << "\"the steel strip\"\n{\"text\": \"the\"}\n";
  const ShellResult ids = run_shell(tokenize("bert", "texts.txt --ids"), folder.path());
  REQUIRE(ids.exit_code == 0);
  CHECK(run_shell(tokenize("bert", "texts.jsonl --ids"), folder.path()).out == ids.out);
  std::ofstream(folder.path() / "ids.txt") << ids.out;
  CHECK(run_shell(tokenize("bert", "ids.txt --decode"), folder.path()).out ==
        "\"[CLS] the steel strip [SEP]\"\n\"[CLS] the [SEP]\"\n");
  CHECK(run_shell(tokenize("bert", "texts.txt --tokens --max-length 3"), folder.path()).out ==
        "[CLS] the [SEP]\n[CLS] the [SEP]\n");
  const Json summary =
      Json::parse(run_shell(tokenize("bert", "texts.txt --json --bare --max-length 1"), folder.path()).out);
  CHECK(summary["texts"] == 2);
  CHECK(summary["tokens"] == 2);
  CHECK(summary["cut"].get<int>() >= 2);
  CHECK(summary["unknown"] == 0);
  CHECK(run_shell(tokenize("bert", "texts.txt"), folder.path()).out.starts_with("2 texts, "));
}

TEST_CASE("tokenize makes the ids of Python's library from the program's command line too") {
  const TemporaryFolder folder;
  const Json texts = Json::parse(tune::read_file(kGolden + "texts.json")),
             expected = Json::parse(tune::read_file(kGolden + "expected.json"));
  std::ofstream file(folder.path() / "texts.jsonl");
  std::string lines;
  for (std::size_t i = 0; i < 100; ++i) {  // the broken ones come later
    std::string text;
    const auto digits = texts[i].get<std::string>();
    for (std::size_t at = 0; at < digits.size(); at += 2)
      text.push_back(static_cast<char>(std::stoi(digits.substr(at, 2), nullptr, 16)));
    file << Json(text).dump() << '\n';
    std::string line;
    for (const Json& id : expected["llama3"]["ids"][i]) line += (line.empty() ? "" : " ") + id.dump();
    lines += line + "\n";
  }
  file.close();
  CHECK(run_shell(tokenize("llama3", "texts.jsonl --ids --bare"), folder.path()).out == lines);
}

TEST_CASE("tokenize refuses what is no tokenizer, no text and no id") {
  const TemporaryFolder folder;
  std::ofstream(folder.path() / "texts.jsonl") << "\"the\"\n{\"words\": \"the\"}\n";
  std::ofstream(folder.path() / "ids.txt") << "1 2\n3 x\n";
  CHECK(run_shell("tune-train tokenize texts.jsonl --model .", folder.path()).exit_code == 5);
  const ShellResult text = run_shell(tokenize("bert", "texts.jsonl"), folder.path());
  CHECK(text.exit_code == 65);
  CHECK(text.err.find("texts.jsonl, line 2: a text in quotes is expected here") != std::string::npos);
  const ShellResult id = run_shell(tokenize("bert", "ids.txt --decode"), folder.path());
  CHECK(id.exit_code == 65);
  CHECK(id.err.find("ids.txt, line 2: \"x\" is no id") != std::string::npos);
  CHECK(run_shell(tokenize("bert", "ids.txt --decode --ids"), folder.path()).exit_code == 2);
}
