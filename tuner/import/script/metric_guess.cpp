#include "tuner/import/script/metric_guess.h"

#include <algorithm>
#include <array>

#include "tuner/core/characters.h"
#include "tuner/import/script/printed_text.h"

namespace tune::script {
namespace {

using Words = std::vector<std::string>;

constexpr std::array<std::string_view, 5> kPrinting{"print", "info", "warning", "debug", "write"};

const Words kMore{"acc",  "accuracy", "top1",      "top5",   "f1",    "auc",    "auroc",
                  "map",  "ap",       "precision", "recall", "iou",   "miou",   "dice",
                  "bleu", "r2",       "score",     "mcc",    "kappa", "reward", "return",
                  "psnr", "ssim",     "rouge",     "ndcg",   "mrr",   "rougel", "balanced_accuracy"};
const Words kLess{"loss", "error", "err", "mse", "rmse", "mae",     "perplexity", "ppl", "nll",
                  "wer",  "cer",   "fid", "bpc", "bce",  "logloss", "entropy",    "mape"};
const Words kSteps{"epoch", "step", "iter", "iteration", "epochs"};
const Words kValidation{"val", "valid", "validation", "dev", "eval", "evaluation", "holdout"};
const Words kTest{"test", "testing"};
const Words kTraining{"train", "training", "tr"};

// "Val Acc@1" -> "val_acc_1", and of an expression metrics["val_acc"] -> "metrics_val_acc".
std::string name_of(std::string_view text) {
  std::string name;
  for (const char c : text) {
    const bool is_part = is_letter_or_digit(c);
    if (!is_part && (name.empty() || name.back() == '_')) continue;
    name += is_part ? lower_case(c) : '_';
  }
  constexpr std::size_t kLongest = 60;  // of the 64 characters that a metric's name may have
  if (name.size() > kLongest) name.resize(kLongest);
  while (name.ends_with('_')) name.pop_back();
  return name.empty() || !is_digit(name[0]) ? name : "_" + name;
}

Words words_of(const std::string& name) {
  Words words;
  std::size_t begin = 0;
  while (begin <= name.size()) {
    const std::size_t end = std::min(name.find('_', begin), name.size());
    words.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

bool has_word(const std::string& name, const Words& known) {
  const Words words = words_of(name);
  return std::any_of(words.begin(), words.end(), [&](const std::string& word) {
    return std::find(known.begin(), known.end(), word) != known.end();
  });
}

bool is_metric(const std::string& name) { return has_word(name, kMore) || has_word(name, kLess); }
Goal goal_of(const std::string& name) { return has_word(name, kLess) ? Goal::kMinimize : Goal::kMaximize; }

bool is_label_sign(char c) {
  return is_letter_or_digit(c) || std::string_view("_/.@- ").find(c) != std::string_view::npos;
}

// What a value is called by the text before it: "val loss" of "epoch 3, val loss: ".
std::string label_before(std::string_view text) {
  std::size_t end = text.size();
  while (end > 0 && !is_letter_or_digit(text[end - 1])) --end;
  std::size_t begin = end;
  while (begin > 0 && is_label_sign(text[begin - 1])) --begin;
  constexpr std::size_t kMostWords = 3;
  Words words = words_of(name_of(text.substr(begin, end - begin)));
  if (words.size() > kMostWords) words.erase(words.begin(), words.end() - kMostWords);
  std::string label;
  for (const std::string& word : words) label += (label.empty() ? "" : "_") + word;
  return label;
}

bool tells_set(const std::string& name) {
  return has_word(name, kValidation) || has_word(name, kTest) || has_word(name, kTraining);
}

// "val_acc" of metrics["val_acc"], "loss" of loss.item(); "" of 100 * correct / total.
std::string metric_in(const std::string& expression) {
  const auto is_part = [](char c) { return is_letter_or_digit(c) || c == '_'; };
  auto begin = expression.begin();
  while ((begin = std::find_if(begin, expression.end(), is_part)) != expression.end()) {
    const auto end = std::find_if_not(begin, expression.end(), is_part);
    if (const std::string name = name_of({begin, end}); is_metric(name)) return name;
    begin = end;
  }
  return "";
}

std::string escaped(std::string_view text) {
  std::string regex;
  for (const char c : text) {
    if (c == ' ' || c == '\t' || c == '\n') {
      if (!regex.ends_with("\\s+")) regex += "\\s+";
      continue;
    }
    if (std::string_view("\\^$.|?*+()[]{}").find(c) != std::string_view::npos) regex += '\\';
    regex += c;
  }
  return regex;
}

// Cut at line ends, which stand within texts.
std::vector<std::vector<Piece>> lines_of(const std::vector<Piece>& pieces) {
  std::vector<std::vector<Piece>> lines(1);
  for (const Piece& piece : pieces) {
    std::size_t begin = 0;
    for (std::size_t end = 0; !piece.is_value && (end = piece.text.find('\n', begin)) != std::string::npos;
         begin = end + 1) {
      if (end > begin) lines.back().push_back({false, piece.text.substr(begin, end - begin), ""});
      lines.emplace_back();
    }
    if (piece.is_value || begin < piece.text.size())
      lines.back().push_back({piece.is_value, piece.text.substr(begin), piece.format});
  }
  return lines;
}

// One line that a call prints. Lives for one call of take().
class Line {
 public:
  Line(const Call& call, std::vector<Piece> pieces) : call_(call), pieces_(std::move(pieces)) {}

  void take(GuessedMetrics& metrics) const {
    std::string step;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (!pieces_[i].is_value) continue;
      const std::string name = name_at(i);
      if (step.empty() && has_word(name, kSteps) && !is_metric(name) && has_context(i))
        step = regex_until(i) + "(\\d+)";
      else if (is_metric(name) && has_context(i))
        add({name, regex_until(i) + group_before(i + 1), step, goal_of(name), call_.line}, i, metrics);
    }
  }

 private:
  std::string text_before(std::size_t i) const {
    return i > 0 && !pieces_[i - 1].is_value ? pieces_[i - 1].text : "";
  }
  // Else its regex would be found anywhere.
  bool has_context(std::size_t i) const {
    return std::any_of(
        pieces_.begin(), pieces_.begin() + static_cast<std::ptrdiff_t>(i), [](const Piece& piece) {
          return !piece.is_value && std::any_of(piece.text.begin(), piece.text.end(), is_letter_or_digit);
        });
  }

  // By the text before it, or by its expression where that says more.
  std::string name_at(std::size_t i) const {
    const std::string label = label_before(text_before(i)), own = metric_in(pieces_[i].text);
    if (is_metric(label) && (tells_set(label) || !tells_set(own))) return label;
    return own.empty() || has_word(label, kSteps) ? label : own;
  }

  // Up to the value at i, from a text with a letter or digit on.
  std::string regex_until(std::size_t i) const {
    std::size_t begin = i;
    while (begin > 0) {
      --begin;
      const std::string& text = pieces_[begin].text;
      if (!pieces_[begin].is_value && std::any_of(text.begin(), text.end(), is_letter_or_digit)) break;
    }
    // A logger writes the time and its name before the text.
    std::string regex = begin == 0 && call_.function == "print" && !pieces_[0].is_value ? "^\\s*" : "";
    for (std::size_t k = begin; k < i; ++k) {
      const std::string& text = pieces_[k].text;
      regex += pieces_[k].is_value
                   ? ".*?"
                   : escaped(k == 0 ? text.substr(std::min(text.find_first_not_of(" "), text.size())) : text);
    }
    return regex + (regex.ends_with("\\s+") ? "" : "\\s*");
  }

  // All of the number, up to a blank or what is printed behind it.
  std::string group_before(std::size_t i) const {
    if (i >= pieces_.size() || pieces_[i].is_value || pieces_[i].text.empty()) return "(\\S+)";
    const char next = pieces_[i].text[0];
    if (next == ' ' || next == '\n' || next == '\t') return "(\\S+)";
    return std::string("([^\\s") +
           (std::string_view("\\]^-").find(next) != std::string_view::npos ? "\\" : "") + next + "]+)";
  }

  void add(GuessedMetric metric, std::size_t i, GuessedMetrics& metrics) const {
    const std::string place = "line " + std::to_string(call_.line) + ": ";
    const auto same = std::find_if(metrics.all.begin(), metrics.all.end(),
                                   [&](const GuessedMetric& each) { return each.name == metric.name; });
    if (pieces_[i].format.find(',') != std::string::npos)
      metrics.remarks.push_back(place + metric.name +
                                " is printed with commas within the number, which is not read");
    else if (same == metrics.all.end())
      metrics.all.push_back(std::move(metric));
    else if (same->regex != metric.regex)
      metrics.remarks.push_back(place + metric.name + " is printed here too, in another way than in line " +
                                std::to_string(same->line) + ", which is read");
  }

  const Call& call_;
  std::vector<Piece> pieces_;
};

// print() and what goes to stdout or stderr by another name; not file.write().
bool prints(const Call& call) {
  if (call.function == "print") return call.receiver.empty() && call.find("file") == nullptr;
  if (call.function != "write") return !call.receiver.empty();
  return call.receiver.ends_with("tqdm") || call.receiver == "sys.stdout" || call.receiver == "sys.stderr";
}

// Whether it prints TUNE_METRIC lines: the values of "name" in them, as a text or as Python's dict.
bool take_own_lines(const Call& call, GuessedMetrics& metrics) {
  std::string whole;
  for (const CallArgument& argument : call.arguments)
    for (const Token& token : argument.value)
      whole += token.kind == TokenKind::kText ? "\"" + token.text + "\"" : token.text;
  if (whole.find("TUNE_METRIC") == std::string::npos) return false;
  for (std::size_t at = whole.find("\"name\""); at != std::string::npos;
       at = whole.find("\"name\"", at + 1)) {
    const std::size_t begin = whole.find_first_not_of(": \"", at + 6), end = whole.find('"', begin);
    if (begin == std::string::npos || end == std::string::npos) break;
    const std::string name = whole.substr(begin, end - begin);
    const bool is_known = std::any_of(metrics.all.begin(), metrics.all.end(),
                                      [&](const GuessedMetric& each) { return each.name == name; });
    const bool is_plain = std::all_of(name.begin(), name.end(), [](char c) {
      return is_letter_or_digit(c) || std::string_view("_.:/@-").find(c) != std::string_view::npos;
    });
    if (is_plain && !is_known && !name.empty() && (is_letter(name[0]) || name[0] == '_'))
      metrics.all.push_back({name, "", "", goal_of(name_of(name)), call.line});
  }
  return true;
}

// The lower the better: a validation set chooses, a test set should not, and training data flatter.
int rank_of(const GuessedMetric& metric) {
  const std::string name = name_of(metric.name);
  const int of_set = has_word(name, kValidation) ? 0
                     : has_word(name, kTraining) ? 3
                     : has_word(name, kTest)     ? 2
                                                 : 1;
  return 4 * of_set + (has_word(name, {"best"}) ? 2 : 0) + (metric.goal == Goal::kMaximize ? 0 : 1);
}

void choose(GuessedMetrics& metrics) {
  if (metrics.all.empty()) return;
  const auto best = std::min_element(metrics.all.begin(), metrics.all.end(),
                                     [](const auto& a, const auto& b) { return rank_of(a) < rank_of(b); });
  metrics.objective = static_cast<std::size_t>(best - metrics.all.begin());
  const std::string name = name_of(best->name);
  if (has_word(name, kTraining))
    metrics.remarks.push_back(best->name +
                              " is of the training data, which flatters: print one of data held back");
  else if (has_word(name, kTest))
    metrics.remarks.push_back(
        best->name + " is of test data, which the search would choose by: print one of validation data");
  else if (!has_word(name, kValidation))
    metrics.remarks.push_back("whether " + best->name +
                              " is of data that was held back is not known here: it should be");
}

}  // namespace

GuessedMetrics guess_metrics(Tokens tokens) {
  GuessedMetrics metrics;
  for (const Call& call : calls_of(tokens, kPrinting)) {
    if (!prints(call) || !call.is_closed) continue;
    if (take_own_lines(call, metrics)) continue;
    for (std::vector<Piece>& line : lines_of(printed_by(call))) Line(call, std::move(line)).take(metrics);
  }
  choose(metrics);
  return metrics;
}

}  // namespace tune::script
