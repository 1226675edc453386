// `tune-train tokenize`: what a model's tokenizer makes of texts, and how long they are for it.
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <ostream>

#include "trainer/cli/commands.h"
#include "trainer/data/text_file.h"
#include "trainer/text/tokenizer.h"
#include "tuner/core/error.h"
#include "tuner/core/json.h"
#include "tuner/core/visible_text.h"

namespace tune::trainer::cli {
namespace {

using text::Tokenizer;
using Ids = std::vector<std::int64_t>;

Error wrong_line(const std::string& file, std::size_t line, const std::string& what,
                 const std::string& hint) {
  return {ExitCode::kBadData, file + ", line " + std::to_string(line) + ": " + what, hint};
}

// A text a line; of a .jsonl, a line is a text in JSON's quotes or an object with a "text".
std::vector<std::string> read_texts(const std::string& file) {
  std::vector<std::string> lines = data::lines_of(data::read_text(file));
  if (!file.ends_with(".jsonl")) return lines;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const Json json = Json::parse(lines[i], nullptr, false);
    const Json* const text = json.is_object() && json.contains("text") ? &json["text"] : &json;
    if (!text->is_string())
      throw wrong_line(file, i + 1, "a text in quotes is expected here, or an object with a \"text\"",
                       "one such line for each text");
    lines[i] = text->get<std::string>();
  }
  return lines;
}

std::vector<Ids> read_ids(const std::string& file) {
  std::vector<Ids> all;
  for (const std::string& line : data::lines_of(data::read_text(file))) {
    Ids& ids = all.emplace_back();
    for (const std::string& word : data::words_of(line)) {
      const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), ids.emplace_back());
      if (error != std::errc() || end != word.data() + word.size())
        throw wrong_line(file, all.size(), in_quotes(word) + " is no id",
                         "ids with spaces between them, as --ids prints them");
    }
  }
  return all;
}

struct Summary {
  std::size_t texts = 0, tokens = 0, longest = 0, unknown = 0, cut = 0;
  double seconds = 0;

  void add(const Ids& ids, const Tokenizer& tokenizer) {
    ++texts;
    tokens += ids.size();
    longest = std::max(longest, ids.size());
    if (const std::optional<std::int64_t> id = tokenizer.specials().unknown)
      unknown += static_cast<std::size_t>(std::count(ids.begin(), ids.end(), *id));
  }
  double mean() const { return texts == 0 ? 0 : static_cast<double>(tokens) / static_cast<double>(texts); }
};

void print(const Summary& summary, const Tokenizer& tokenizer, bool as_json, Console& console) {
  if (as_json) {
    print_ordered({{"schema", 1},
                   {"vocabulary", tokenizer.size()},
                   {"texts", summary.texts},
                   {"tokens", summary.tokens},
                   {"mean", summary.mean()},
                   {"longest", summary.longest},
                   {"unknown", summary.unknown},
                   {"cut", summary.cut},
                   {"seconds", summary.seconds}},
                  console);
    return;
  }
  console.out << summary.texts << " texts, " << summary.tokens << " tokens of " << tokenizer.size() << ": "
              << shortest(std::round(summary.mean() * 10) / 10) << " a text, " << summary.longest
              << " in the longest\n";
  if (summary.unknown > 0) console.out << summary.unknown << " of them are unknown to the tokenizer\n";
  if (summary.cut > 0) console.out << summary.cut << " tokens were cut\n";
}

void print_ids(const Ids& ids, std::ostream& out) {
  for (std::size_t i = 0; i < ids.size(); ++i) out << (i > 0 ? " " : "") << ids[i];
  out << '\n';
}

void print_tokens(const Ids& ids, const Tokenizer& tokenizer, std::ostream& out) {
  for (std::size_t i = 0; i < ids.size(); ++i)
    out << (i > 0 ? " " : "") << visible_text(tokenizer.token_of(ids[i]));
  out << '\n';
}

// Calls `work` and adds the time that it took.
template <typename Work>
auto timed(double& seconds, const Work& work) {
  const auto begin = std::chrono::steady_clock::now();
  auto result = work();
  seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return result;
}

}  // namespace

int run_tokenize(const Arguments& arguments, Console& console) {
  const auto options =
      Options(command_line(), "tokenize")
          .positional("FILE",
                      "a text a line; of a .jsonl, a text in quotes or an object with a \"text\" a line")
          .add({"model", "FOLDER", "holds tokenizer.json, vocab.txt or tokenizer.model", true})
          .value("max-length", "N", "cut texts to so many tokens")
          .flag("bare", "without the tokens that the tokenizer puts round a text")
          .flag("ids", "print the ids of each text")
          .flag("tokens", "print the tokens of each text")
          .flag("decode",
                "FILE holds ids, as --ids prints them: print the text of each line, in JSON's quotes")
          .parse(arguments, console);
  if (!options) return 0;
  const std::string file = options->text("FILE");
  const bool prints_ids = options->has("ids"), prints_tokens = options->has("tokens"),
             decodes = options->has("decode");
  const bool is_summary = options->has("json") || (!prints_ids && !prints_tokens && !decodes);
  if (prints_ids + prints_tokens + decodes > 1)
    throw Error(ExitCode::kUsage, "--ids, --tokens and --decode do not go together", "one of them");
  std::optional<std::size_t> most;
  if (const auto given = options->integer("max-length", 1)) most = static_cast<std::size_t>(*given);
  const Tokenizer tokenizer = Tokenizer::open(options->text("model"));
  Summary summary;
  if (decodes) {
    for (const Ids& ids : read_ids(file)) {
      const std::string text = timed(summary.seconds, [&] { return tokenizer.decode(ids, false); });
      summary.add(ids, tokenizer);
      if (!is_summary) console.out << Json(text).dump() << '\n';
    }
  } else {
    for (const std::string& line : read_texts(file)) {
      text::Encoding encoding = timed(summary.seconds, [&] {
        if (!options->has("bare")) return tokenizer.encode_one(line, most);
        text::Encoding bare;
        bare.ids = tokenizer.encode(line);
        if (most && bare.ids.size() > *most) {
          bare.cut = bare.ids.size() - *most;
          bare.ids.resize(*most);
        }
        return bare;
      });
      summary.add(encoding.ids, tokenizer);
      summary.cut += encoding.cut;
      if (is_summary) continue;
      if (prints_ids)
        print_ids(encoding.ids, console.out);
      else
        print_tokens(encoding.ids, tokenizer, console.out);
    }
  }
  if (is_summary) print(summary, tokenizer, options->has("json"), console);
  return 0;
}

}  // namespace tune::trainer::cli
