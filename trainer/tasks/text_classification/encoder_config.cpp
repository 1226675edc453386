#include "trainer/tasks/text_classification/encoder_config.h"

#include <algorithm>

#include "trainer/weights/initial_weights.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/error.h"

namespace tune::trainer::text_classification {
namespace {

using nn::EncoderActivation, nn::EncoderFamily, nn::EncoderLayout;

struct Family {
  const char *name, *architecture, *description;
  EncoderFamily family;
};
constexpr Family kFamilies[]{{"bert", "BertForSequenceClassification",
                              "BERT, and MiniLM, which is one with fewer layers", EncoderFamily::kBert},
                             {"distilbert", "DistilBertForSequenceClassification",
                              "DistilBERT, of half as many layers as BERT", EncoderFamily::kDistilBert},
                             {"roberta", "RobertaForSequenceClassification",
                              "RoBERTa, with a byte-level vocabulary", EncoderFamily::kRoberta}};

const Family& family_of(const std::string& name) {
  const auto* found = std::find_if(std::begin(kFamilies), std::end(kFamilies),
                                   [&](const Family& family) { return family.name == name; });
  TUNE_CHECK(found != std::end(kFamilies), name);
  return *found;
}

// The keys of one family for the same numbers.
struct Keys {
  const char *width, *layers, *heads, *inner, *activation, *dropout, *attention, *head_dropout;
};
constexpr Keys kBertKeys{
    "hidden_size", "num_hidden_layers",   "num_attention_heads",          "intermediate_size",
    "hidden_act",  "hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"};
constexpr Keys kDistilKeys{"dim",        "n_layers", "n_heads",           "hidden_dim",
                           "activation", "dropout",  "attention_dropout", "seq_classif_dropout"};

// Reads one config.json; lives for one call.
class Reader {
 public:
  Reader(const Json& json, const std::string& place) : json_(json), place_(place) {}

  EncoderConfig read() {
    if (!json_.is_object()) refuse("it is no JSON object", "It should be what transformers writes.");
    EncoderConfig config{json_, family(), {}, {}, {}};
    const Family& kind = family_of(config.family);
    config.layout = layout_of(kind);
    check(config.layout);
    read_classes(config);
    const Json problem = json_.value("problem_type", Json());
    if (problem == "single_label_classification") config.multi_label = false;
    if (problem == "multi_label_classification") config.multi_label = true;
    if (problem == "regression")
      refuse("\"problem_type\" is \"regression\"", "Give the weights of an encoder or of a classifier.");
    return config;
  }

 private:
  [[noreturn]] void refuse(const std::string& cause, const std::string& cure) const {
    throw Error(ExitCode::kBadData, place_ + ": " + cause, cure);
  }

  std::string family() const {
    const Json type = json_.value("model_type", Json());
    const std::string name = type.is_string() ? type.get<std::string>() : "";
    const std::vector<std::string>& known = encoder_families();
    if (std::find(known.begin(), known.end(), name) != known.end()) return name;
    std::string words;
    for (const std::string& each : known) words += (words.empty() ? "" : ", ") + each;
    refuse("\"model_type\" is " + (type.is_null() ? "absent" : type.dump()), "Encoders are " + words + ".");
  }

  // Far above those of any encoder, and numbers of which no product overflows.
  static constexpr std::int64_t kMostTokens = 1 << 24, kMostWidth = 1 << 16, kMostLayers = 1 << 10;

  std::int64_t count(const char* key, std::int64_t fallback, std::int64_t most,
                     std::int64_t least = 1) const {
    const Json value = json_.value(key, Json(fallback));
    if (!value.is_number_integer() || value < least || value > most)
      refuse("\"" + std::string(key) + "\" is " + value.dump(),
             "It is a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
    return value.get<std::int64_t>();
  }

  double share(const char* key, double fallback) const {
    const Json value = json_.value(key, Json());
    if (value.is_null()) return fallback;
    if (!value.is_number() || !(value.get<double>() >= 0 && value.get<double>() < 1))
      refuse("\"" + std::string(key) + "\" is " + value.dump(), "It is a number from 0 up to 1.");
    return value;
  }

  EncoderActivation activation(const char* key) const {
    const Json value = json_.value(key, Json("gelu"));
    if (value == "gelu") return EncoderActivation::kGelu;
    if (value == "gelu_new" || value == "gelu_pytorch_tanh") return EncoderActivation::kGeluTanh;
    if (value == "relu") return EncoderActivation::kRelu;
    refuse("\"" + std::string(key) + "\" is " + value.dump(), "Known are gelu, gelu_new and relu.");
  }

  EncoderLayout layout_of(const Family& kind) const {
    EncoderLayout layout = default_layout(kind.name);
    const bool distilled = layout.family == EncoderFamily::kDistilBert;
    const Keys& keys = distilled ? kDistilKeys : kBertKeys;
    layout.width = count(keys.width, layout.width, kMostWidth);
    layout.layers = count(keys.layers, layout.layers, kMostLayers);
    layout.heads = count(keys.heads, layout.heads, kMostWidth);
    layout.inner = count(keys.inner, layout.inner, kMostWidth);
    layout.vocabulary = count("vocab_size", layout.vocabulary, kMostTokens);
    layout.positions = count("max_position_embeddings", layout.positions, kMostTokens);
    layout.padding = count("pad_token_id", layout.padding, kMostTokens, 0);
    if (!distilled) {
      layout.types = count("type_vocab_size", layout.types, kMostTokens);
      layout.epsilon = share("layer_norm_eps", layout.epsilon);
    }
    layout.activation = activation(keys.activation);
    layout.deviation = share("initializer_range", layout.deviation);
    layout.dropout = share(keys.dropout, layout.dropout);
    layout.attention = share(keys.attention, layout.attention);
    layout.head_dropout = share(keys.head_dropout, distilled ? layout.head_dropout : layout.dropout);
    return layout;
  }

  void check(const EncoderLayout& layout) const {
    if (layout.width % layout.heads != 0)
      refuse("a width of " + std::to_string(layout.width) + " has no " + std::to_string(layout.heads) +
                 " heads of one size",
             "Restore the file that came with the weights.");
    if (layout.padding >= layout.vocabulary)
      refuse("\"pad_token_id\" is " + std::to_string(layout.padding) + ", yet \"vocab_size\" is " +
                 std::to_string(layout.vocabulary),
             "Restore the file that came with the weights.");
    if (nn::longest_text(layout) < 2)
      refuse("\"max_position_embeddings\" is " + std::to_string(layout.positions) +
                 ", which leaves no place for a text",
             "Restore the file that came with the weights.");
    const Json positions = json_.value("position_embedding_type", Json("absolute"));
    if (positions != "absolute")
      refuse("\"position_embedding_type\" is " + positions.dump(), "Known are absolute positions.");
    for (const char* key : {"is_decoder", "add_cross_attention"})
      if (json_.value(key, Json(false)) == true)
        refuse("\"" + std::string(key) + "\" is true", "Give the weights of an encoder.");
  }

  // transformers writes LABEL_0, LABEL_1 where nobody named them.
  void read_classes(EncoderConfig& config) const {
    const Json names = json_.value("id2label", Json());
    if (!names.is_object() || names.empty()) return;
    bool named = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string key = std::to_string(i);
      if (!names.contains(key) || !names[key].is_string()) return;
      config.classes.push_back(names[key]);
      named = named || config.classes.back() != "LABEL_" + key;
    }
    if (!named) config.classes.clear();
  }

  const Json& json_;
  const std::string& place_;
};

}  // namespace

const std::vector<std::string>& encoder_families() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all;
    for (const Family& family : kFamilies) all.emplace_back(family.name);
    return all;
  }();
  return names;
}

std::string describe_family(const std::string& family) { return family_of(family).description; }

nn::EncoderLayout default_layout(const std::string& family) {
  EncoderLayout layout;
  layout.family = family_of(family).family;
  if (layout.family == EncoderFamily::kDistilBert) {
    layout.layers = 6;
    layout.head_dropout = 0.2;
  }
  if (layout.family == EncoderFamily::kRoberta) {
    layout.vocabulary = 50265;
    layout.padding = 1;
  }
  return layout;
}

EncoderConfig read_encoder_config(const std::filesystem::path& file) {
  return encoder_config(weights::read_model_json(file), file.string());
}

EncoderConfig encoder_config(const Json& json, const std::string& place) {
  return Reader(json, place).read();
}

OrderedJson config_for_classes(const EncoderConfig& config, const std::vector<std::string>& classes,
                               bool multi_label) {
  OrderedJson json(config.json);
  json["architectures"] = {family_of(config.family).architecture};
  json["problem_type"] = multi_label ? "multi_label_classification" : "single_label_classification";
  json["id2label"] = OrderedJson::object();
  json["label2id"] = OrderedJson::object();
  for (std::size_t i = 0; i < classes.size(); ++i) {
    json["id2label"][std::to_string(i)] = classes[i];
    json["label2id"][classes[i]] = i;
  }
  json.erase("num_labels");
  // transformers 5 says dtype, older ones torch_dtype.
  for (const char* key : {"dtype", "torch_dtype"})
    if (json.contains(key)) json[key] = "float32";
  return json;
}

}  // namespace tune::trainer::text_classification
