// A finished model behind HTTP: it says what `predict` writes, in every protocol; what is bad is refused in
// the protocol's own words; versions change without a request that fails.
#include <atomic>
#include <set>
#include <thread>

#include "served_process.h"
#include "support/shell_place.h"
#include "support/skip.h"

using tune::Json;
using tune::OrderedJson;
using tune::tests::ServedProcess;
using tune::tests::ShellPlace;
using tune::tests::ShellResult;
namespace fs = std::filesystem;
namespace http = tune::http;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

class ServedPlace : public ShellPlace {
 public:
  ServedPlace() : ShellPlace("export XDG_CACHE_HOME=$PWD/cache OMP_NUM_THREADS=1\n") {}

  // A trial in NAME/, whose model is NAME/output.
  void train(const std::string& name, const OrderedJson& trainer, const OrderedJson& fixed,
             const std::string& metric) const {
    fs::create_directories(path(name));
    write(name + "/trial.json",
          {{"schema", 1},
           {"study", name},
           {"trial", 1},
           {"attempt", 1},
           {"token", "t"},
           {"seed", 3},
           {"parameters", OrderedJson::object()},
           {"fixed", fixed},
           {"objective", {{"metric", metric}, {"goal", "maximize"}, {"reduce", "best"}}},
           {"trainer", trainer},
           {"budget", 1},
           {"threads", 1},
           {"devices", OrderedJson::array()},
           {"precision", "fp32"},
           {"checkpoint_dir", name + "/checkpoints"},
           {"output_dir", name + "/output"},
           {"resume_from", nullptr}});
    run("tune-train --trial " + name + "/trial.json");
  }
  void train_classifier(const std::string& name, int seed_images = 12) const {
    if (!fs::exists(path("classes")))
      run("tune-train synthesize --task image_classification --output classes --images " +
          std::to_string(seed_images) + " --size 64 --seed 1");
    train(name, {{"task", "image_classification"}, {"model", "squeezenet1_1"}, {"data", "classes"}},
          {{"epochs", 0}, {"image_size", 64}}, "validation:accuracy");
  }
  Json scored(const std::string& arguments) const {
    return Json::parse(run("tune-train score " + arguments + " --json").out);
  }
  std::string bytes(const std::string& file) const { return tune::read_file(path(file)); }
};

std::string header_of(const http::ClientResponse& response, const char* name) {
  const std::string* value = response.header(name);
  return value == nullptr ? "" : *value;
}

// Batches of other sizes are summed up in another order, so that last bits differ.
void check_near(const Json& numbers, const OrderedJson& wanted) {
  REQUIRE(numbers.size() == wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i)
    CHECK(numbers[i].get<double>() == Approx(wanted[i].get<double>()).margin(1e-5));
}

// The numbers of a score, less those that hang on last bits.
Json counted(Json score) {
  for (const char* key : {"log_loss", "calibration_error"}) {
    CHECK(score.at(key).is_number());
    score.erase(key);
  }
  return score;
}

const std::vector<http::Header> kAnImage{{"Content-Type", "image/jpeg"}};
const std::vector<http::Header> kAnImageForUs{{"Content-Type", "image/jpeg"},
                                              {"Accept", "application/vnd.tune+json"}};

}  // namespace

TEST_CASE("A served classifier of images says what predict writes, and refuses what is bad") {
  const ServedPlace place;
  place.train_classifier("a");
  place.run("tune-train predict --model a/output --data classes --output said.json");
  ServedProcess served(place.path(), {"--model", "a/output", "--name", "steel", "--model-version", "3",
                                      "--threads", "1", "--max-body-mb", "1"});
  CHECK(served.ready.at("version") == "3");
  const OrderedJson said = place.read("said.json");
  for (const auto& row : said.at("predictions")) {
    const std::string file = "classes/" + row.at("image").get<std::string>();
    const auto response = served.ask("POST", "/invocations", place.bytes(file), kAnImageForUs);
    const Json answer = served.json(response);
    CHECK(header_of(response, "X-Tune-Model") == "steel@3");
    CHECK(answer.at("labels").at(0) == row.at("label"));
    check_near(answer.at("probabilities"), row.at("probabilities"));
  }
  // The same in the other shapes and protocols.
  const std::string file = "classes/" + said.at("predictions")[0].at("image").get<std::string>();
  const OrderedJson wanted = said.at("predictions")[0].at("probabilities");
  check_near(served.json(served.ask("POST", "/invocations", place.bytes(file), kAnImage)), wanted);
  tune::write_file_atomically(place.path("body.json"),
                              served.ask("GET", "/v2/models/steel").body);  // metadata is JSON, whatever asks
  CHECK(place.read("body.json").at("platform") == "tune_image_classification");
  const Json ready = served.json(served.ask("GET", "/v2/models/steel/ready"));
  CHECK(ready.at("ready") == true);
  place.run(
      "python3 -c \"import base64, json; print(json.dumps({'inputs': [{'name': 'image', 'datatype': 'BYTES', "
      "'shape': [1], 'data': [base64.b64encode(open('" +
      file + "', 'rb').read()).decode()]}]}))\" >infer.json");
  const Json inferred =
      served.json(served.post("/v2/models/steel/infer", Json::parse(place.bytes("infer.json"))));
  check_near(inferred.at("outputs")[0].at("data"), wanted);

  // KServe's own clients name a version in the path, and no type of the body.
  const Json by_version =
      served.json(served.ask("POST", "/v2/models/steel/versions/3/infer", place.bytes("infer.json")));
  check_near(by_version.at("outputs")[0].at("data"), wanted);
  CHECK(served.ask("GET", "/v2/models/steel/versions/3/ready").status == 200);
  const auto other = served.ask("GET", "/v2/models/steel/versions/2");
  CHECK(other.status == 404);
  CHECK(contains(other.body, "version 3 does"));
  CHECK(served.ask("POST", "/v2/models/steel/infer", "a=b", {{"Content-Type", "text/plain"}}).status == 415);

  // Rights: health is everybody's, nothing else is; what is everybody's does not name the model.
  const auto without = [&](const std::string& target) { return served.client->ask({"GET", target}).status; };
  for (const char* open : {"/ping", "/v2/health/live", "/v2/health/ready"}) CHECK(without(open) == 200);
  CHECK(served.client->ask({"GET", "/ping"}).header("X-Tune-Model") == nullptr);
  for (const char* shut : {"/metrics", "/v2", "/v2/models/steel", "/v1/models", "/nothing"})
    CHECK(without(shut) == 401);

  // What is bad.
  const auto refused = [&](const std::string& body, const std::string& type) {
    const auto response = served.ask("POST", "/invocations", body, {{"Content-Type", type}});
    return std::to_string(response.status) + " " + response.body;
  };
  const std::string whole = place.bytes(file);
  CHECK(contains(refused(whole.substr(0, whole.size() / 2), "image/jpeg"),
                 "400 {\"error\":\"the image is a truncated"));
  CHECK(contains(refused("no image", "image/jpeg"), "400 {\"error\":\"the image is neither JPEG"));
  CHECK(contains(refused("", "image/jpeg"), "400"));
  CHECK(contains(refused("a,b", "text/csv"), "415"));
  CHECK(contains(refused(std::string((1 << 20) + 1, 'x'), "image/jpeg"), "413"));
  CHECK(contains(refused("{\"b64\": NaN}", "application/json"), "400"));
  served.client.emplace(http::Client::Settings{{"127.0.0.1", served.ready.at("port").get<int>()}});
  CHECK(served.ask("GET", "/v2/models/other").status == 404);
  CHECK(served.ask("GET", "/invocations").status == 405);
  const auto chat = served.post("/v1/chat/completions",
                                {{"model", "steel"}, {"messages", {{{"role", "user"}, {"content", "x"}}}}});
  CHECK(chat.status == 404);
  CHECK(contains(chat.body, "image_classification"));
  CHECK(Json::parse(chat.body).at("error").at("code") == "model_not_found");

  // A whole set through the endpoint is worth what its file is.
  Json by_file = place.scored("--task image_classification --ground-truth classes --predictions said.json"),
       by_endpoint = place.scored("--task image_classification --ground-truth classes --endpoint " +
                                  served.url() + " --token-file token");
  CHECK(counted(by_file) == counted(by_endpoint));
  const ShellResult no_token = place.shell(
      "tune-train score --task image_classification --ground-truth classes --endpoint " + served.url());
  CHECK(no_token.exit_code == 2);
  CHECK(contains(no_token.err, "--token-file"));

  const std::string metrics = served.ask("GET", "/metrics").body;
  CHECK(contains(metrics, "tune_model_info{model=\"steel\",version=\"3\"} 1"));
  CHECK(contains(metrics, "tune_requests_total{route=\"/invocations\",status=\"413\"} 1"));
  served.tell({{"stats", true}});
  const Json stats = served.line().at("stats");
  CHECK(stats.at("requests") > 20);
  CHECK(stats.at("failed") == 0);
  CHECK(stats.at("last_request").is_string());
  CHECK(served.end() == 0);
}

TEST_CASE("A version takes another's place while clients ask, and no request fails") {
  const ServedPlace place;
  place.train_classifier("a");
  place.train_classifier("b");
  ServedProcess served(place.path(),
                       {"--model", "a/output", "--name", "steel", "--model-version", "1", "--threads", "1"});
  std::string image;
  for (const auto& entry : fs::recursive_directory_iterator(place.path("classes")))
    if (entry.is_regular_file()) image = tune::read_file(entry.path());
  std::atomic<bool> ends{false};
  std::atomic<int> failed{0}, answered{0};
  std::mutex mutex;
  std::set<std::string> named;
  std::vector<std::thread> clients;
  for (int i = 0; i < 2; ++i)
    clients.emplace_back([&] {
      http::Client client(http::Client::Settings{{"127.0.0.1", served.ready.at("port").get<int>()}});
      while (!ends) {
        const auto response =
            client.ask({"POST",
                        "/invocations",
                        {{"Content-Type", "image/jpeg"}, {"Authorization", "Bearer " + served.token}},
                        image});
        failed += response.status != 200;
        ++answered;
        const std::lock_guard lock(mutex);
        named.insert(header_of(response, "X-Tune-Model"));
      }
    });
  for (int version = 2; version <= 4; ++version) {
    served.tell(
        {{"load",
          {{"model", version % 2 == 0 ? "b/output" : "a/output"}, {"version", std::to_string(version)}}}});
    CHECK(served.line().at("loaded").at("version") == std::to_string(version));
  }
  // What cannot be loaded leaves what answers.
  served.tell({{"load", {{"model", "nowhere"}, {"version", "5"}}}});
  const Json failure = served.line().at("failed");
  CHECK(failure.at("version") == "5");
  CHECK(contains(failure.at("message"), "nowhere"));
  served.tell({{"load", 3}});
  CHECK(served.line().contains("error"));
  served.tell("nonsense");
  CHECK(served.line().contains("error"));
  const int before = answered;
  while (answered < before + 4) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  ends = true;
  for (std::thread& client : clients) client.join();
  CHECK(failed == 0);
  for (const std::string& name : named)
    CHECK(std::set<std::string>{"steel@1", "steel@2", "steel@3", "steel@4"}.contains(name));
  CHECK(named.contains("steel@4"));
  ::kill(served.pid(), SIGTERM);
  CHECK(served.end() == 0);
}

TEST_CASE("A served detector finds what predict writes, box by box") {
  const ServedPlace place;
  place.run("tune-train synthesize --output data --images 8 --size 128");
  place.train("d", {{"task", "detection"}, {"model", "ssd128-resnet18-half"}, {"data", "data"}},
              {{"epochs", 6}, {"batch_size", 4}, {"learning_rate", 0.02}}, "validation:mAP");
  place.run("tune-train predict --model d/output --data data --output said.json");
  ServedProcess served(place.path(), {"--model", "d/output", "--name", "steel", "--threads", "1"});
  std::map<std::string, std::vector<OrderedJson>> wanted;
  for (const auto& row : place.read("said.json")) wanted[row.at("file_name")].push_back(row);
  REQUIRE_FALSE(wanted.empty());
  for (const auto& [file, rows] : wanted) {
    const std::string image = place.bytes("data/images/" + fs::path(file).filename().string());
    const Json answer = served.json(served.ask("POST", "/invocations", image, kAnImageForUs));
    REQUIRE(answer.at("detections").size() == rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const Json found = answer.at("detections")[i];
      CHECK(found.at("class") == rows[i].at("category"));
      CHECK(found.at("score").get<double>() == Approx(rows[i].at("score").get<double>()).margin(1e-5));
      for (const std::size_t edge : {0, 1})
        CHECK(found.at("box")[edge].get<double>() ==
              Approx(rows[i].at("bbox")[edge].get<double>()).margin(1e-3));
    }
    const Json cloud = served.json(served.ask("POST", "/invocations", image, kAnImage));
    CHECK(cloud.at("prediction").size() == rows.size());
  }
  CHECK(place.scored("--ground-truth data --detections said.json --labels d/output/labels.json") ==
        place.scored("--ground-truth data --labels d/output/labels.json --endpoint " + served.url() +
                     " --token-file token"));
}

TEST_CASE("A served classifier of texts says what predict writes") {
  const ServedPlace place;
  fs::copy(fs::path(TUNE_SOURCE_DIR) / "examples/text-classes/draw_texts.py", place.path("draw_texts.py"));
  place.run("python3 draw_texts.py");
  place.train("t", {{"task", "text_classification"}, {"weights", "encoder"}, {"data", "data/messages.csv"}},
              {{"epochs", 1}}, "validation:accuracy");
  place.run("tune-train predict --model t/output --data data/messages.csv --output said.json");
  ServedProcess served(place.path(), {"--model", "t/output", "--name", "messages", "--threads", "1"});
  Json by_file = place.scored(
           "--task text_classification --ground-truth data/messages.csv --predictions said.json"),
       by_endpoint = place.scored("--task text_classification --ground-truth data/messages.csv --endpoint " +
                                  served.url() + " --token-file token");
  CHECK(by_file.at("accuracy") == by_endpoint.at("accuracy"));
  CHECK(by_file.at("confusion") == by_endpoint.at("confusion"));
  const Json several =
      served.json(served.post("/invocations", {{"instances", {"Where is my parcel?", "Thank you!"}}}));
  CHECK(several.at("predictions").size() == 2);
  const Json tensors = served.json(served.post(
      "/v2/models/messages/infer",
      {{"inputs", {{{"name", "text"}, {"datatype", "BYTES"}, {"shape", {1}}, {"data", {"Thank you!"}}}}}}));
  CHECK(tensors.at("outputs")[0].at("datatype") == "FP32");
  CHECK(served.ask("POST", "/invocations", "bytes", kAnImage).status == 415);
}

TEST_CASE("A served language model answers as predict does, alone, among others and with its adapters") {
  const ServedPlace place;
  const fs::path example = fs::path(TUNE_SOURCE_DIR) / "examples/language-model";
  for (const char* name : {"draw_model.py", "terms.csv"}) fs::copy(example / name, place.path(name));
  place.run("python3 draw_model.py");
  for (const char* adapter : {"polite", "curt"})
    place.train(adapter, {{"task", "language_model"}, {"weights", "tiny"}, {"data", "terms.csv"}},
                {{"epochs", adapter[0] == 'p' ? 1 : 2},
                 {"learning_rate", 0.02},
                 {"batch_size", 4},
                 {"lora_config", {{"r", 4}, {"target_modules", "all-linear"}}}},
                "validation:loss");
  ServedProcess served(
      place.path(), {"--model", "tiny", "--name", "terms", "--adapter", "polite=polite/output", "--adapter",
                     "curt=curt/output", "--threads", "1"});
  const std::string prompt = "Define: slag", folders[] = {"tiny", "polite/output", "curt/output"},
                    names[] = {"terms", "polite", "curt"};
  std::set<std::string> different;
  std::map<std::string, std::string> greedy;
  for (std::size_t i = 0; i < 3; ++i) {
    const Json wanted = Json::parse(place
                                        .run("tune-train predict --model " + folders[i] + " --prompt '" +
                                             prompt + "' --max-new-tokens 12 --json")
                                        .out)
                            .at("answers")[0];
    const Json said = served.json(
        served.post("/v1/completions",
                    {{"model", names[i]}, {"prompt", prompt}, {"max_tokens", 12}, {"temperature", 0}}));
    CHECK(said.at("choices")[0].at("text") == wanted.at("answer"));
    CHECK(said.at("choices")[0].at("finish_reason") == wanted.at("finish_reason"));
    CHECK(said.at("usage").at("prompt_tokens") == 12);
    greedy[names[i]] = said.at("choices")[0].at("text");
    different.insert(greedy[names[i]]);
  }
  CHECK(different.size() == 3);
  // Drawn with a seed, and as a chat.
  const Json drawn =
      Json::parse(place
                      .run("tune-train predict --model tiny --chat --prompt '" + prompt +
                           "' --max-new-tokens 12 --temperature 0.8 --top-p 0.9 --seed 5 --json")
                      .out)
          .at("answers")[0];
  const Json chat = served.json(
      served.post("/v1/chat/completions", {{"model", "terms"},
                                           {"messages", {{{"role", "user"}, {"content", prompt}}}},
                                           {"max_tokens", 12},
                                           {"temperature", 0.8},
                                           {"top_p", 0.9},
                                           {"seed", 5}}));
  CHECK(chat.at("choices")[0].at("message").at("content") == drawn.at("answer"));
  // Eight at once, of three kinds, as each of them alone.
  std::vector<std::thread> clients;
  std::atomic<int> wrong{0};
  for (std::size_t i = 0; i < 8; ++i)
    clients.emplace_back([&, i] {
      http::Client client(http::Client::Settings{{"127.0.0.1", served.ready.at("port").get<int>()}});
      const Json body{{"model", names[i % 3]}, {"prompt", prompt}, {"max_tokens", 12}, {"temperature", 0}};
      const auto response =
          client.ask({"POST",
                      "/v1/completions",
                      {{"Content-Type", "application/json"}, {"Authorization", "Bearer " + served.token}},
                      body.dump()});
      wrong += response.status != 200 ||
               Json::parse(response.body).at("choices")[0].at("text") != greedy[names[i % 3]];
    });
  for (std::thread& client : clients) client.join();
  CHECK(wrong == 0);
  // As a stream: the same text, piece by piece.
  const auto stream = served.post("/v1/completions", {{"model", "polite"},
                                                      {"prompt", prompt},
                                                      {"max_tokens", 12},
                                                      {"temperature", 0},
                                                      {"stream", true},
                                                      {"stream_options", {{"include_usage", true}}}});
  CHECK(header_of(stream, "Content-Type").starts_with("text/event-stream"));
  CHECK(header_of(stream, "X-Tune-Model") == "terms@local");
  std::string text, last;
  std::int64_t tokens = 0;
  for (std::size_t at = 0; at < stream.body.size();) {
    const std::size_t end = stream.body.find("\n\n", at);
    REQUIRE(end != std::string::npos);
    const std::string event = stream.body.substr(at, end - at);
    at = end + 2;
    REQUIRE(event.starts_with("data: "));
    last = event.substr(6);
    if (last == "[DONE]") continue;
    const Json piece = Json::parse(last);
    if (!piece.at("choices").empty()) text += piece.at("choices")[0].at("text");
    // Every piece has it, and says nothing there but for the last.
    if (!piece.at("usage").is_null()) tokens = piece.at("usage").at("completion_tokens");
  }
  CHECK(last == "[DONE]");
  CHECK(text == greedy["polite"]);
  CHECK(tokens == 12);
  // A set of examples through the endpoint is worth what a file of answers is, with an adapter too.
  for (const char* name : {"terms", "polite"}) {
    const std::string model = name == std::string("terms") ? "tiny" : "polite/output";
    place.run("tune-train predict --model " + model +
              " --data terms.csv --max-new-tokens 8 --output said.jsonl");
    const std::string score = "--task language_model --ground-truth terms.csv ";
    CHECK(place.scored(score + "--predictions said.jsonl") ==
          place.scored(score + "--max-new-tokens 8 --endpoint " + served.url() +
                       " --token-file token --ask-for " + name));
  }
  tune::write_file_atomically(place.path("talk.jsonl"),
                              R"({"messages": [{"role": "user", "content": "Define: slag"}, )"
                              R"({"role": "assistant", "content": "What floats."}]})");
  place.run("tune-train predict --model tiny --data talk.jsonl --max-new-tokens 8 --output said.jsonl");
  CHECK(place.scored("--task language_model --ground-truth talk.jsonl --predictions said.jsonl") ==
        place.scored("--task language_model --ground-truth talk.jsonl --max-new-tokens 8 --endpoint " +
                     served.url() + " --token-file token"));
  const ShellResult nobody = place.shell(
      "tune-train score --task language_model --ground-truth terms.csv --token-file token --ask-for rude "
      "--endpoint " +
      served.url());
  CHECK(nobody.exit_code == 65);
  CHECK(contains(nobody.err, "there is no model \"rude\" here"));
  CHECK(place.shell("tune-train score --task language_model --ground-truth terms.csv").exit_code == 2);
  // Several answers to one prompt, the first of which is that of one alone.
  const auto drawn_by = [&](const Json& more) {
    Json body{{"model", "terms"}, {"prompt", prompt}, {"max_tokens", 12}, {"temperature", 1}, {"seed", 3}};
    body.update(more);
    return served.json(served.post("/v1/completions", body));
  };
  const Json single = drawn_by(Json::object()), several = drawn_by({{"n", 3}});
  CHECK(several.at("choices").size() == 3);
  CHECK(several.at("choices")[0].at("text") == single.at("choices")[0].at("text"));
  CHECK(several.at("choices")[2].at("index") == 2);
  CHECK(several.at("usage").at("prompt_tokens") == 12);
  std::set<std::string> said;
  for (const Json& choice : several.at("choices")) said.insert(choice.at("text"));
  CHECK(said.size() > 1);
  // The other protocols, and what the model does not do.
  const Json tensors = served.json(served.post(
      "/v2/models/curt/infer",
      {{"inputs", {{{"name", "prompt"}, {"datatype", "BYTES"}, {"shape", {1}}, {"data", {prompt}}}}},
       {"parameters", {{"max_tokens", 12}}}}));
  CHECK(tensors.at("outputs")[0].at("data")[0] == greedy["curt"]);
  const Json invoked = served.json(
      served.post("/invocations", {{"inputs", prompt}, {"parameters", {{"max_new_tokens", 12}}}}));
  CHECK(invoked[0].at("generated_text") == greedy["terms"]);
  const Json models = served.json(served.ask("GET", "/v1/models"));
  CHECK(models.at("data").size() == 3);
  const auto refused = [&](const Json& more) {
    Json body{{"model", "terms"}, {"prompt", prompt}};
    body.update(more);
    const auto response = served.post("/v1/completions", body);
    return std::to_string(response.status) + " " + response.body;
  };
  CHECK(contains(refused({{"model", "rude"}}), "404"));
  CHECK(contains(refused({{"model", "rude"}}), "model_not_found"));
  CHECK(contains(refused({{"prompt", std::string(300, 'a')}}), "context_length_exceeded"));
  CHECK(contains(refused({{"prompt", ""}}), "400"));
  CHECK(contains(refused({{"prompt", {1, 2, 100000}}}), "400"));
  CHECK(contains(refused({{"n", 0}}), "400"));
  const auto nan =
      served.ask("POST", "/v1/completions", R"({"model": "terms", "prompt": "a", "temperature": NaN})",
                 {{"Content-Type", "application/json"}});
  CHECK(nan.status == 400);
  CHECK(Json::parse(nan.body).at("error").at("type") == "invalid_request_error");
  const Json scores = served.json(served.post(
      "/v1/completions",
      {{"model", "terms"}, {"prompt", prompt}, {"max_tokens", 2}, {"temperature", 0}, {"logprobs", 2}}));
  CHECK(scores.at("choices")[0].at("logprobs").at("token_logprobs").size() == 2);
  CHECK(scores.at("choices")[0].at("logprobs").at("token_logprobs")[0] < 0);
  CHECK(served.end() == 0);
}

TEST_CASE("What cannot be served is said before anything listens") {
  const ServedPlace place;
  const fs::path example = fs::path(TUNE_SOURCE_DIR) / "examples/language-model";
  for (const char* name : {"draw_model.py", "terms.csv"}) fs::copy(example / name, place.path(name));
  place.run("python3 draw_model.py");
  const auto refused = [&](const std::string& arguments) {
    const ShellResult result = place.shell("timeout 60 tune-train serve " + arguments);
    return std::to_string(result.exit_code) + " " + result.err;
  };
  CHECK(contains(refused("--model nowhere"), "5 error: nowhere does not exist"));
  fs::create_directories(place.path("empty"));
  CHECK(contains(refused("--model empty"), "5 error: empty/model.json does not exist"));
  place.run("cp -r tiny mute && rm mute/tokenizer*");
  CHECK(contains(refused("--model mute"), "5 error"));
  CHECK(contains(refused("--model mute"), "tokenizer"));
  place.run("cp -r tiny cut && truncate -s 2000 cut/model.safetensors");
  CHECK(contains(refused("--model cut"), "65 error: cut/model.safetensors"));
  CHECK(contains(refused("--model tiny --adapter polite"), "2 error: --adapter is \"polite\""));
  CHECK(contains(refused("--model tiny --adapter tiny=tiny"), "2 error"));
  CHECK(contains(refused("--model tiny --adapter polite=tiny"), "5 error: tiny holds no adapter"));
  CHECK(contains(refused("--model tiny --addr 0.0.0.0"), "--token-file"));
  CHECK(contains(refused("--model tiny --queue 0"), "2 error"));
  ServedProcess served(place.path(), {"--model", "tiny", "--threads", "1"});
  const std::string taken = refused("--model tiny --port " + served.ready.at("port").dump());
  CHECK(contains(taken, "7 error"));
  CHECK(contains(taken, "tune-train"));
}

TEST_CASE("OpenAI's Python client speaks with it", "[.][long]") {
  const ServedPlace place;
  const char* python = std::getenv("TUNE_OPENAI_PYTHON");
  const std::string program = python == nullptr ? "python3" : python;
  if (place.shell(program + " -c 'import openai'").exit_code != 0)
    return tune::tests::skip("no Python with the package openai (TUNE_OPENAI_PYTHON)");
  const fs::path example = fs::path(TUNE_SOURCE_DIR) / "examples/language-model";
  for (const char* name : {"draw_model.py", "terms.csv"}) fs::copy(example / name, place.path(name));
  place.run("python3 draw_model.py");
  place.train("polite", {{"task", "language_model"}, {"weights", "tiny"}, {"data", "terms.csv"}},
              {{"epochs", 1}, {"batch_size", 4}}, "validation:loss");
  ServedProcess served(place.path(),
                       {"--model", "tiny", "--name", "terms", "--adapter", "polite=polite/output"});
  place.run(program + " " TUNE_SOURCE_DIR "/tests/e2e/trainer/openai_client.py " + served.url() +
            "/v1 token");
}
