#pragma once
// A finished model as an endpoint uses it: what it takes, and what it answers. Tasks implement the two
// interfaces (Task::serve), trainer/serve/ asks them.
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "trainer/served/generation_settings.h"

namespace tune::trainer::served {

enum class InputKind { kImages, kTexts, kPrompts };

// What an endpoint says of a model before it asks it anything.
struct Facts {
  std::string task;
  InputKind input = InputKind::kImages;
  std::vector<std::string> classes = {};   // in the order of labels.json; none of a language model
  bool multi_label = false;                // an example may be of several classes, or of none
  bool pairs = false;                      // of texts: each example is two
  int image_size = 0;                      // of images: pixels of the square that the network looks at
  std::int64_t context = 0;                // of prompts: tokens of a prompt and its answer together
  std::vector<std::string> adapters = {};  // of prompts: those that can be asked for by name
  bool on_device = false;                  // it computes beside the CPU
};

// An image in a file's bytes, of any format that trainer/images/ reads.
struct EncodedImage {
  std::string_view bytes;
};
// Pixels as a camera has them: rows from the top; red, green, blue. height * width * 3 bytes.
struct RawPixels {
  int width = 0, height = 0;
  std::string_view bytes;
};
// What the network itself takes: [3, size, size], normalised.
struct NormalisedPixels {
  std::span<const float> values;
};
struct Text {
  std::string first;
  std::optional<std::string> second = std::nullopt;
};
// The views are good for as long as prepare() runs.
using Input = std::variant<EncodedImage, RawPixels, NormalisedPixels, Text>;

// One input as the network takes it; a task's own.
class Prepared {
 public:
  virtual ~Prepared() = default;
};

struct Detection {
  int category = 0;  // index into Facts::classes
  float score = 0;
  float x1 = 0, y1 = 0, x2 = 0, y2 = 0;  // fractions of the image, within it
};
struct Detections {
  int width = 0, height = 0;          // of the image as a person sees it
  std::vector<Detection> found = {};  // by falling score
};
struct Probabilities {
  std::vector<double> of_classes;
  std::vector<int> labels;  // what it says: one class, or any number where Facts::multi_label
};
using Answer = std::variant<Detections, Probabilities>;

// A model that answers examples.
class Answerer {
 public:
  virtual ~Answerer() = default;
  virtual const Facts& facts() const = 0;
  // Decodes and scales, or cuts into tokens: any number of threads. Throws Error(kBadData) for what cannot be
  // read, and for another kind of input than the model's.
  virtual std::unique_ptr<const Prepared> prepare(const Input& input) const = 0;
  // In their order: any number of threads, each of which may compute with so many of its own. The same
  // answers, whatever else is in the batch, but for the last bits of arithmetic.
  virtual std::vector<Answer> answer(const std::vector<const Prepared*>& examples, int threads) const = 0;
  // An example that anybody could send: what a new version is tried with before it answers others.
  virtual std::unique_ptr<const Prepared> smoke_example() const = 0;
};

struct Message {
  std::string role, content;  // "system", "user", "assistant"
};
// A text, a conversation whose next turn is the assistant's, or token ids.
using Prompt = std::variant<std::string, std::vector<Message>, std::vector<std::int64_t>>;

struct GenerationRequest {
  std::vector<std::int64_t> prompt;  // of tokens_of(); not empty, and shorter than Facts::context
  std::string adapter = {};          // "": the model as it is
  GenerationSettings settings = {};
  std::uint64_t stream = 0;  // of the random numbers of the seed: the place of the prompt among several
  // The log-probabilities of so many tokens at each place, the chosen one's besides; -1: none at all.
  int alternatives = -1;
};

struct TokenScore {
  std::string token;  // its bytes, which may be a part of a character
  double logprob = 0;
};
struct WrittenToken {
  TokenScore chosen;
  std::vector<TokenScore> alternatives;  // by falling probability
};

enum class End { kNone, kStop, kLength };

// What a step added to one answer.
struct Written {
  std::uint64_t id = 0;
  std::string text;  // that will not be taken back: what may be the beginning of a stop waits
  std::int64_t tokens = 0;
  std::vector<WrittenToken> scores = {};  // where they were asked for
  End end = End::kNone;
};

// A model that writes on. Several answers are under way at once, and go on together.
class Generator {
 public:
  virtual ~Generator() = default;
  virtual const Facts& facts() const = 0;
  // Any number of threads. Throws Error(kBadData) for a conversation that the model's template does not lay
  // out, and for ids of no token.
  virtual std::vector<std::int64_t> tokens_of(const Prompt& prompt) const = 0;

  // The rest is for one thread at a time.
  virtual void begin(std::uint64_t id, const GenerationRequest& request) = 0;
  // Writes the next token of some of the answers, or computes a part of a long prompt, which gives nothing
  // yet: one call after the other they all have their turn.
  virtual std::vector<Written> step() = 0;
  // Nobody waits for those answers any more; ids that it does not know are passed over. Where step() has
  // thrown, all answers are dropped, in one call, before it is called again.
  virtual void drop(const std::vector<std::uint64_t>& ids) = 0;
  virtual std::size_t under_way() const = 0;
};

// One of the two.
struct ServedModel {
  std::shared_ptr<Answerer> answerer = nullptr;
  std::shared_ptr<Generator> generator = nullptr;

  const Facts& facts() const { return answerer ? answerer->facts() : generator->facts(); }
};

}  // namespace tune::trainer::served
