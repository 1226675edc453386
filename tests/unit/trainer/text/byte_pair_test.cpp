#include "trainer/text/byte_pair.h"

#include <thread>

#include "support/catch.h"
#include "tuner/core/rng.h"

using tune::trainer::text::BytePair;
using tune::trainer::text::Vocabulary;

namespace {

using Ids = std::vector<std::int64_t>;

struct Pairs {
  Vocabulary vocabulary;
  std::vector<std::pair<std::string, std::string>> merges;

  void add(const std::string& token) { vocabulary.add(token, static_cast<std::uint32_t>(vocabulary.end())); }
  void merge(const std::string& left, const std::string& right) {
    add(left + right);
    merges.emplace_back(left, right);
  }
};

// The definition: the first pair of the list that is there, the leftmost one, again and again.
Ids by_definition(const Pairs& pairs, const std::string& word) {
  std::vector<std::string> symbols;
  for (const char byte : word) symbols.emplace_back(1, byte);
  for (;;) {
    bool is_merged = false;
    for (const auto& [left, right] : pairs.merges) {
      for (std::size_t i = 0; i + 1 < symbols.size() && !is_merged; ++i)
        if (symbols[i] == left && symbols[i + 1] == right) {
          symbols[i] += right;
          symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(i) + 1);
          is_merged = true;
        }
      if (is_merged) break;
    }
    if (!is_merged) break;
  }
  Ids ids;
  for (const std::string& symbol : symbols) ids.push_back(*pairs.vocabulary.id_of(symbol));
  return ids;
}

}  // namespace

TEST_CASE("words of any length are merged as the definition says") {
  Pairs pairs;
  for (const char* letter : {"a", "b", "c"}) pairs.add(letter);
  for (const auto& [left, right] : std::vector<std::pair<std::string, std::string>>{{"a", "b"},
                                                                                    {"b", "c"},
                                                                                    {"ab", "c"},
                                                                                    {"ab", "ab"},
                                                                                    {"c", "a"},
                                                                                    {"abc", "abab"},
                                                                                    {"a", "a"},
                                                                                    {"aa", "aa"}})
    pairs.merge(left, right);
  std::optional<BytePair::BadMerge> bad;
  const BytePair model(pairs.vocabulary, pairs.merges, {}, bad);
  REQUIRE_FALSE(bad);
  tune::Rng rng(7);
  for (int round = 0; round < 400; ++round) {
    std::string word;
    const std::size_t length =
        1 + rng.below(round % 2 == 0 ? 12 : 160);  // below and above what is merged by a queue
    for (std::size_t i = 0; i < length; ++i) word.push_back(static_cast<char>('a' + rng.below(3)));
    Ids ids, again;
    model.append_ids(word, ids);
    model.append_ids(word, again);  // known by now
    INFO(word);
    CHECK(ids == by_definition(pairs, word));
    CHECK(again == ids);
  }
}

TEST_CASE("several threads use one model") {
  Pairs pairs;
  for (const char* letter : {"a", "b"}) pairs.add(letter);
  pairs.merge("a", "b");
  pairs.merge("ab", "ab");
  std::optional<BytePair::BadMerge> bad;
  const BytePair model(pairs.vocabulary, pairs.merges, {}, bad);
  std::vector<Ids> found(8);
  std::vector<std::thread> threads;
  for (Ids& ids : found)
    threads.emplace_back([&model, &ids] {
      for (int i = 0; i < 1000; ++i) model.append_ids("abab", ids);
    });
  for (std::thread& thread : threads) thread.join();
  for (const Ids& ids : found) CHECK(ids == Ids(1000, *pairs.vocabulary.id_of("abab")));
}

TEST_CASE("a merge of tokens that are not there is named") {
  Pairs pairs;
  for (const char* letter : {"a", "b", "ab"}) pairs.add(letter);
  std::optional<BytePair::BadMerge> bad;
  BytePair(pairs.vocabulary, {{"a", "b"}, {"ab", "c"}}, {}, bad);
  REQUIRE(bad);
  CHECK(bad->index == 1);
  CHECK(bad->what == "no token `c` in the vocabulary");
}
