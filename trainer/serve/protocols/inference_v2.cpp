#include "trainer/serve/protocols/inference_v2.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include "trainer/serve/protocols/json_body.h"
#include "trainer/serve/protocols/refusal.h"
#include "tuner/core/edit_distance.h"
#include "tuner/core/rng.h"

namespace tune::trainer::serve {
namespace {

constexpr std::int64_t kMostExamples = 256, kMostNumbers = std::int64_t{1} << 28;

struct TensorForm {
  const char *name, *datatype;
};

std::vector<TensorForm> inputs_of(const served::Facts& facts) {
  switch (facts.input) {
    case served::InputKind::kImages:
      return {{"image", "BYTES"}, {"pixels", "UINT8"}, {"input", "FP32"}};
    case served::InputKind::kTexts:
      return {{"text", "BYTES"}};
    case served::InputKind::kPrompts:
      return {{"prompt", "BYTES"}};
  }
  return {};
}

// One tensor of a request, whose content is JSON or bytes.
struct Tensor {
  std::string place;  // "inputs[0]"
  std::string name, datatype;
  std::vector<std::int64_t> shape;
  const Json* data = nullptr;
  std::optional<std::string_view> bytes = std::nullopt;

  std::int64_t count() const {
    std::int64_t count = 1;
    for (const std::int64_t size : shape) count *= size;
    return count;
  }
};

std::vector<std::int64_t> shape_in(JsonMembers& members) {
  const Json* list = members.find("shape");
  const std::string place = members.at("shape");
  if (list == nullptr || !list->is_array() || list->empty() || list->size() > 8)
    throw Refusal(place + " is no list of sizes", place);
  std::vector<std::int64_t> shape;
  std::int64_t count = 1;
  for (const Json& size : *list) {
    const bool fits = size.is_number_integer() && size.get<double>() >= 1 &&
                      size.get<double>() <= static_cast<double>(kMostNumbers / count);
    if (!fits) throw Refusal(place + " is " + list->dump() + ": sizes are whole numbers from 1 on", place);
    shape.push_back(size);
    count *= shape.back();
  }
  return shape;
}

// Lists may be nested as the shape is, or flat.
void flatten(const Json& data, const std::string& place, std::int64_t wanted,
             const std::function<void(const Json&)>& take) {
  std::int64_t count = 0;
  const std::function<void(const Json&)> walk = [&](const Json& value) {
    if (value.is_array()) {
      for (const Json& one : value) walk(one);
      return;
    }
    if (++count <= wanted) take(value);
  };
  walk(data);
  if (count != wanted)
    throw Refusal(
        place + ".data holds " + std::to_string(count) + " values, and its shape " + std::to_string(wanted),
        place + ".data");
}

std::vector<std::string> byte_elements(const Tensor& tensor, bool is_base64) {
  std::vector<std::string> elements;
  if (!tensor.bytes) {
    flatten(*tensor.data, tensor.place, tensor.count(), [&](const Json& value) {
      if (is_base64)
        elements.push_back(base64_bytes(value, tensor.place + ".data"));
      else if (value.is_string())
        elements.push_back(value);
      else
        throw Refusal(tensor.place + ".data holds what is no text", tensor.place + ".data");
    });
    return elements;
  }
  std::string_view rest = *tensor.bytes;
  while (!rest.empty()) {
    std::uint32_t size = 0;
    if (rest.size() >= sizeof size) std::memcpy(&size, rest.data(), sizeof size);
    if (rest.size() < sizeof size || rest.size() - sizeof size < size)
      throw Refusal(tensor.place + ": an element is longer than the bytes that were sent", tensor.place);
    elements.emplace_back(rest.substr(sizeof size, size));
    rest.remove_prefix(sizeof size + size);
  }
  if (static_cast<std::int64_t>(elements.size()) != tensor.count())
    throw Refusal(tensor.place + " holds " + std::to_string(elements.size()) + " elements, and its shape " +
                      std::to_string(tensor.count()),
                  tensor.place);
  return elements;
}

void check_bytes(const Tensor& tensor, std::int64_t width) {
  if (static_cast<std::int64_t>(tensor.bytes->size()) != tensor.count() * width)
    throw Refusal(tensor.place + " has " + std::to_string(tensor.bytes->size()) + " bytes, and its shape " +
                      std::to_string(tensor.count() * width),
                  tensor.place);
}

[[noreturn]] void refuse_shape(const Tensor& tensor, const std::string& wanted) {
  throw Refusal(tensor.place + ".shape is " + Json(tensor.shape).dump() + ", and \"" + tensor.name +
                    "\" has the shape " + wanted,
                tensor.place + ".shape");
}

void add_images(InferRequest& request, const Tensor& tensor) {
  if (tensor.shape.size() > 2 || (tensor.shape.size() == 2 && tensor.shape[1] != 1))
    refuse_shape(tensor, "[n]");
  for (std::string& file : byte_elements(tensor, /*is_base64=*/true)) {
    request.bytes.push_back(std::make_unique<std::string>(std::move(file)));
    request.inputs.emplace_back(served::EncodedImage{*request.bytes.back()});
  }
}

void add_pixels(InferRequest& request, Tensor tensor) {
  if (tensor.shape.size() == 3) tensor.shape.insert(tensor.shape.begin(), 1);
  if (tensor.shape.size() != 4 || tensor.shape[3] != 3) refuse_shape(tensor, "[n, height, width, 3]");
  constexpr std::int64_t kLargestSide = 1 << 16;
  if (tensor.shape[1] > kLargestSide || tensor.shape[2] > kLargestSide)
    refuse_shape(tensor, "[n, height, width, 3] with sides of up to 65536");
  std::string_view all;
  if (tensor.bytes) {
    check_bytes(tensor, 1);
    all = *tensor.bytes;
  } else {
    auto held = std::make_unique<std::string>();
    flatten(*tensor.data, tensor.place, tensor.count(), [&](const Json& value) {
      const double number = value.is_number_integer() ? value.get<double>() : -1;
      if (number < 0 || number > 255)
        throw Refusal(tensor.place + ".data holds what is no whole number from 0 to 255",
                      tensor.place + ".data");
      *held += static_cast<char>(static_cast<std::uint8_t>(number));
    });
    request.bytes.push_back(std::move(held));
    all = *request.bytes.back();
  }
  const auto size = static_cast<std::size_t>(tensor.count() / tensor.shape[0]);
  for (std::size_t i = 0; i < static_cast<std::size_t>(tensor.shape[0]); ++i)
    request.inputs.emplace_back(served::RawPixels{
        static_cast<int>(tensor.shape[2]), static_cast<int>(tensor.shape[1]), all.substr(i * size, size)});
}

void add_normalised(InferRequest& request, Tensor tensor, const served::Facts& facts) {
  const std::int64_t side = facts.image_size;
  if (tensor.shape.size() == 3) tensor.shape.insert(tensor.shape.begin(), 1);
  if (tensor.shape.size() != 4 || tensor.shape[1] != 3 || tensor.shape[2] != side || tensor.shape[3] != side)
    refuse_shape(tensor, "[n, 3, " + std::to_string(side) + ", " + std::to_string(side) + "]");
  auto held = std::make_unique<std::vector<float>>();
  held->reserve(static_cast<std::size_t>(tensor.count()));
  if (tensor.bytes) {
    check_bytes(tensor, sizeof(float));
    held->resize(static_cast<std::size_t>(tensor.count()));
    std::memcpy(held->data(), tensor.bytes->data(), tensor.bytes->size());
  } else {
    flatten(*tensor.data, tensor.place, tensor.count(), [&](const Json& value) {
      if (!value.is_number())
        throw Refusal(tensor.place + ".data holds what is no number", tensor.place + ".data");
      held->push_back(value.get<float>());
    });
  }
  if (!std::all_of(held->begin(), held->end(), [](float x) { return std::isfinite(x); }))
    throw Refusal(tensor.place + ".data holds numbers that are not finite", tensor.place + ".data");
  request.floats.push_back(std::move(held));
  const std::span<const float> all = *request.floats.back();
  const auto size = static_cast<std::size_t>(3 * side * side);
  for (std::size_t i = 0; i < static_cast<std::size_t>(tensor.shape[0]); ++i)
    request.inputs.emplace_back(served::NormalisedPixels{all.subspan(i * size, size)});
}

void add_texts(InferRequest& request, const Tensor& tensor, const served::Facts& facts) {
  const std::size_t columns = facts.pairs ? 2 : 1;
  const bool is_plain = !facts.pairs && tensor.shape.size() == 1;
  const bool has_columns = tensor.shape.size() == 2 && tensor.shape[1] == static_cast<std::int64_t>(columns);
  if (!is_plain && !has_columns) refuse_shape(tensor, facts.pairs ? "[n, 2]" : "[n]");
  std::vector<std::string> texts = byte_elements(tensor, /*is_base64=*/false);
  for (std::size_t i = 0; i < texts.size(); i += columns) {
    served::Text text{std::move(texts[i])};
    if (facts.pairs) text.second = std::move(texts[i + 1]);
    request.inputs.emplace_back(std::move(text));
  }
}

void add_prompts(InferRequest& request, const Tensor& tensor) {
  if (tensor.shape.size() > 2 || (tensor.shape.size() == 2 && tensor.shape[1] != 1))
    refuse_shape(tensor, "[n]");
  request.prompts = byte_elements(tensor, /*is_base64=*/false);
}

Tensor tensor_in(JsonMembers& members, const std::string& place, const served::Facts& facts,
                 std::string_view& bytes) {
  Tensor tensor{place, members.required_text("name"), members.required_text("datatype"), shape_in(members)};
  std::vector<std::string> names;
  for (const TensorForm& form : inputs_of(facts)) {
    names.emplace_back(form.name);
    if (tensor.name == form.name && tensor.datatype != form.datatype)
      throw Refusal(place + ".datatype is \"" + tensor.datatype + "\", and \"" + tensor.name + "\" has " +
                        form.datatype,
                    place + ".datatype");
  }
  if (std::find(names.begin(), names.end(), tensor.name) == names.end())
    throw Refusal(place + ".name is \"" + tensor.name + "\": " + name_hint(tensor.name, names, "inputs"),
                  place + ".name");
  tensor.data = members.find("data");
  std::optional<std::int64_t> size;
  if (const Json* given = members.find("parameters")) {
    JsonMembers parameters(*given, place + ".parameters");
    size = parameters.whole("binary_data_size", 0, std::numeric_limits<std::int32_t>::max());
    parameters.pass_over({"content_type"});
    parameters.finish();
  }
  if (size) {
    if (tensor.data != nullptr) throw Refusal(place + " has data as JSON and as bytes", place);
    if (static_cast<std::size_t>(*size) > bytes.size())
      throw Refusal(place + ".parameters.binary_data_size is " + std::to_string(*size) + ", and " +
                        std::to_string(bytes.size()) + " bytes are left of the body",
                    place + ".parameters.binary_data_size");
    tensor.bytes = bytes.substr(0, static_cast<std::size_t>(*size));
    bytes.remove_prefix(static_cast<std::size_t>(*size));
  } else if (tensor.data == nullptr || !tensor.data->is_array()) {
    throw Refusal(place + ".data is missing, or no list", place + ".data");
  }
  members.finish();
  return tensor;
}

void read_parameters(InferRequest& request, const Json& given, const served::Facts& facts) {
  JsonMembers parameters(given, "parameters");
  request.all_binary = parameters.flag("binary_data_output").value_or(false);
  if (facts.input == served::InputKind::kPrompts) {
    served::GenerationSettings& settings = request.settings;
    settings.max_new_tokens =
        parameters.whole("max_tokens", 1, kMostTokens).value_or(settings.max_new_tokens);
    settings.temperature = parameters.number("temperature", 0, 100).value_or(0);
    settings.top_p = parameters.number("top_p", 0, 1).value_or(1);
    settings.top_k = parameters.whole("top_k", 0, kMostTokens).value_or(0);
    if (const auto seed = parameters.whole("seed", 0, std::int64_t{1} << 53))
      settings.seed = static_cast<std::uint64_t>(*seed);
  }
  parameters.finish();
}

void read_outputs(InferRequest& request, const Json& list) {
  if (!list.is_array()) throw Refusal("outputs is no list", "outputs");
  for (std::size_t i = 0; i < list.size(); ++i) {
    const std::string place = "outputs[" + std::to_string(i) + "]";
    JsonMembers output(list[i], place);
    const std::string name = output.required_text("name");
    request.outputs.insert(name);
    if (const Json* given = output.find("parameters")) {
      JsonMembers parameters(*given, place + ".parameters");
      if (parameters.flag("binary_data").value_or(false)) request.binary_outputs.insert(name);
      parameters.finish();
    }
    output.finish();
  }
}

// Tensors of an answer, as JSON with bytes behind it where they are wanted.
class Outputs {
 public:
  Outputs(const InferRequest& request, const std::string& name, const std::string& version)
      : request_(request) {
    json_ = {{"model_name", name}, {"model_version", version}};
    if (request.id) json_["id"] = *request.id;
    json_["outputs"] = OrderedJson::array();
  }

  template <typename Number>
  void add(const char* name, const char* datatype, const std::vector<std::int64_t>& shape,
           const std::vector<Number>& numbers) {
    std::string bytes(numbers.size() * sizeof(Number), '\0');
    if (!numbers.empty()) std::memcpy(bytes.data(), numbers.data(), bytes.size());
    put(name, datatype, shape, OrderedJson(numbers), std::move(bytes));
  }
  void add(const char* name, const std::vector<std::int64_t>& shape, const std::vector<std::string>& texts) {
    std::string bytes;
    for (const std::string& text : texts) {
      const auto size = static_cast<std::uint32_t>(text.size());
      bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
      bytes += text;
    }
    put(name, "BYTES", shape, OrderedJson(texts), std::move(bytes));
  }

  InferResponse finish() {
    for (const std::string& name : request_.outputs)
      if (!offered_.contains(name))
        throw Refusal("outputs: there is no \"" + name +
                          "\": " + name_hint(name, {offered_.begin(), offered_.end()}, "outputs"),
                      "outputs");
    std::string text = json_.dump(-1, ' ', false, OrderedJson::error_handler_t::replace);
    if (!has_bytes_) return {std::move(text), std::nullopt};
    const std::size_t size = text.size();
    return {text + bytes_, size};
  }

 private:
  void put(const char* name, const char* datatype, const std::vector<std::int64_t>& shape, OrderedJson data,
           std::string bytes) {
    offered_.insert(name);
    if (!request_.outputs.empty() && !request_.outputs.contains(name)) return;
    OrderedJson tensor{{"name", name}, {"datatype", datatype}, {"shape", shape}};
    if (request_.all_binary || request_.binary_outputs.contains(name)) {
      has_bytes_ = true;
      tensor["parameters"] = {{"binary_data_size", bytes.size()}};
      bytes_ += bytes;
    } else {
      tensor["data"] = std::move(data);
    }
    json_["outputs"].push_back(std::move(tensor));
  }

  const InferRequest& request_;
  OrderedJson json_;
  std::set<std::string> offered_;
  std::string bytes_;
  bool has_bytes_ = false;
};

void add_probabilities(Outputs& outputs, const served::Facts& facts,
                       const std::vector<served::Answer>& answers) {
  std::vector<float> probabilities;
  std::vector<std::string> labels;
  for (const served::Answer& answer : answers) {
    const auto& said = std::get<served::Probabilities>(answer);
    for (const double value : said.of_classes) probabilities.push_back(static_cast<float>(value));
    std::string names;
    for (const int label : said.labels)
      names += (names.empty() ? "" : "|") + facts.classes[static_cast<std::size_t>(label)];
    labels.push_back(std::move(names));
  }
  const auto count = static_cast<std::int64_t>(answers.size());
  outputs.add("probabilities", "FP32", {count, static_cast<std::int64_t>(facts.classes.size())},
              probabilities);
  outputs.add("label", {count}, labels);
}

void add_detections(Outputs& outputs, const std::vector<served::Answer>& answers) {
  std::size_t most = 0;
  for (const served::Answer& answer : answers)
    most = std::max(most, std::get<served::Detections>(answer).found.size());
  std::vector<float> boxes, scores;
  std::vector<std::int64_t> classes, counts;
  for (const served::Answer& answer : answers) {
    std::vector<served::Detection> found = std::get<served::Detections>(answer).found;
    counts.push_back(static_cast<std::int64_t>(found.size()));
    found.resize(most, {-1, 0, 0, 0, 0, 0});
    for (const served::Detection& one : found) {
      boxes.insert(boxes.end(), {one.x1, one.y1, one.x2, one.y2});
      scores.push_back(one.score);
      classes.push_back(one.category);
    }
  }
  const auto count = static_cast<std::int64_t>(answers.size()), width = static_cast<std::int64_t>(most);
  outputs.add("boxes", "FP32", {count, width, 4}, boxes);
  outputs.add("scores", "FP32", {count, width}, scores);
  outputs.add("classes", "INT64", {count, width}, classes);
  outputs.add("count", "INT64", {count}, counts);
}

}  // namespace

InferRequest read_infer(const served::Facts& facts, std::string_view body,
                        std::optional<std::size_t> json_bytes) {
  if (json_bytes && *json_bytes > body.size())
    throw Refusal("Inference-Header-Content-Length is " + std::to_string(*json_bytes) +
                  ", and the body has " + std::to_string(body.size()) + " bytes");
  const Json json = json_body(body.substr(0, json_bytes.value_or(body.size())));
  std::string_view bytes = json_bytes ? body.substr(*json_bytes) : std::string_view();
  InferRequest request;
  request.settings.seed = entropy_seed();
  JsonMembers members(json, "");
  request.id = members.text("id");
  if (const Json* given = members.find("parameters")) read_parameters(request, *given, facts);
  if (const Json* outputs = members.find("outputs")) read_outputs(request, *outputs);
  const Json* inputs = members.find("inputs");
  if (inputs == nullptr || !inputs->is_array() || inputs->size() != 1)
    throw Refusal("inputs is no list of one tensor", "inputs");
  JsonMembers first((*inputs)[0], "inputs[0]");
  const Tensor tensor = tensor_in(first, "inputs[0]", facts, bytes);
  members.finish();
  if (!bytes.empty()) throw Refusal(std::to_string(bytes.size()) + " bytes of the body belong to no tensor");
  if (tensor.shape.front() > kMostExamples && tensor.shape.size() != 3)
    throw Refusal("inputs[0].shape asks for " + std::to_string(tensor.shape.front()) + " examples, and " +
                      std::to_string(kMostExamples) + " are the most",
                  "inputs[0].shape");
  if (tensor.name == "image") add_images(request, tensor);
  if (tensor.name == "pixels") add_pixels(request, tensor);
  if (tensor.name == "input") add_normalised(request, tensor, facts);
  if (tensor.name == "text") add_texts(request, tensor, facts);
  if (tensor.name == "prompt") add_prompts(request, tensor);
  return request;
}

InferResponse infer_response(const served::Facts& facts, const InferRequest& request,
                             const std::vector<served::Answer>& answers, const std::string& name,
                             const std::string& version) {
  Outputs outputs(request, name, version);
  if (std::holds_alternative<served::Detections>(answers.front()))
    add_detections(outputs, answers);
  else
    add_probabilities(outputs, facts, answers);
  return outputs.finish();
}

InferResponse infer_response(const InferRequest& request, const std::vector<std::string>& texts,
                             const std::string& name, const std::string& version) {
  Outputs outputs(request, name, version);
  outputs.add("text", {static_cast<std::int64_t>(texts.size())}, texts);
  return outputs.finish();
}

OrderedJson model_metadata(const served::Facts& facts, const std::string& name, const std::string& version) {
  const auto tensor = [](const char* of, const char* datatype, const OrderedJson& shape) {
    return OrderedJson{{"name", of}, {"datatype", datatype}, {"shape", shape}};
  };
  OrderedJson inputs = OrderedJson::array(), outputs = OrderedJson::array(),
              parameters = OrderedJson::object();
  const OrderedJson any = OrderedJson::array({-1});
  if (facts.input == served::InputKind::kImages) {
    inputs.push_back(tensor("image", "BYTES", any));
    inputs.push_back(tensor("pixels", "UINT8", {-1, -1, -1, 3}));
    inputs.push_back(tensor("input", "FP32", {-1, 3, facts.image_size, facts.image_size}));
    parameters["image_size"] = facts.image_size;
  } else if (facts.input == served::InputKind::kTexts) {
    inputs.push_back(tensor("text", "BYTES", facts.pairs ? OrderedJson::array({-1, 2}) : any));
  } else {
    inputs.push_back(tensor("prompt", "BYTES", any));
    outputs.push_back(tensor("text", "BYTES", any));
    parameters = {{"context", facts.context}, {"adapters", facts.adapters}};
  }
  if (facts.task == "detection") {
    outputs.push_back(tensor("boxes", "FP32", {-1, -1, 4}));
    outputs.push_back(tensor("scores", "FP32", {-1, -1}));
    outputs.push_back(tensor("classes", "INT64", {-1, -1}));
    outputs.push_back(tensor("count", "INT64", any));
  } else if (facts.input != served::InputKind::kPrompts) {
    outputs.push_back(tensor("probabilities", "FP32", {-1, facts.classes.size()}));
    outputs.push_back(tensor("label", "BYTES", any));
  }
  if (!facts.classes.empty()) {
    parameters["classes"] = facts.classes;
    parameters["multi_label"] = facts.multi_label;
  }
  return {{"name", name},
          {"versions", OrderedJson::array({version})},
          {"platform", "tune_" + facts.task},
          {"inputs", inputs},
          {"outputs", outputs},
          {"parameters", parameters}};
}

}  // namespace tune::trainer::serve
