#pragma once
// The Open Inference Protocol, version 2 (KServe): tensors in, tensors out, as JSON or with the extension for
// binary data.
#include <cstddef>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "trainer/served/served_model.h"
#include "tuner/core/json.h"

namespace tune::trainer::serve {

// POST /v2/models/{model}/infer. A request has one tensor, of one of these:
//   images: "image" BYTES [n], files' bytes (in JSON: base64); "pixels" UINT8 [n, height, width, 3], red,
//   green, blue, of any size; "input" FP32 [n, 3, size, size], normalised as the network takes it
//   texts: "text" BYTES [n], or [n, 2] of pairs
//   prompts: "prompt" BYTES [n], with "parameters": max_tokens, temperature, top_p, top_k, seed
struct InferRequest {
  std::optional<std::string> id = std::nullopt;
  std::vector<served::Input> inputs = {};
  std::vector<std::string> prompts = {};
  served::GenerationSettings settings = {};
  std::set<std::string> outputs = {};         // those that are wanted; all where it is empty
  std::set<std::string> binary_outputs = {};  // of those, the ones to be sent as bytes
  bool all_binary = false;
  // What the inputs are views of, beside the body.
  std::vector<std::unique_ptr<std::string>> bytes = {};
  std::vector<std::unique_ptr<std::vector<float>>> floats = {};
};

// `json_bytes` is the header Inference-Header-Content-Length: the JSON's part of the body, behind which the
// tensors' bytes come. Throws Refusal with the place of what is wrong.
InferRequest read_infer(const served::Facts& facts, std::string_view body,
                        std::optional<std::size_t> json_bytes);

struct InferResponse {
  std::string body;
  std::optional<std::size_t> json_bytes;  // of the same header, where tensors' bytes come behind
};
InferResponse infer_response(const served::Facts& facts, const InferRequest& request,
                             const std::vector<served::Answer>& answers, const std::string& name,
                             const std::string& version);
InferResponse infer_response(const InferRequest& request, const std::vector<std::string>& texts,
                             const std::string& name, const std::string& version);

// GET /v2/models/{model}: its tensors; the classes are a parameter.
OrderedJson model_metadata(const served::Facts& facts, const std::string& name, const std::string& version);

}  // namespace tune::trainer::serve
