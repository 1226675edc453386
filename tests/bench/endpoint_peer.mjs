// llama.cpp as the package node-llama-cpp brings it: tokens per second of one prompt.
// usage: node endpoint_peer.mjs MODEL.gguf PROMPTS.json THREADS TOKENS, in a folder whose node_modules hold the package
import {readFileSync} from "node:fs";
import {createRequire} from "node:module";
import {pathToFileURL} from "node:url";

const [file, prompts, threads, tokens] = process.argv.slice(2);
const {getLlama} = await import(pathToFileURL(createRequire(process.cwd() + "/").resolve("node-llama-cpp")));
const llama = await getLlama({gpu: false, build: "never", maxThreads: Number(threads), logLevel: "error"});
const model = await llama.loadModel({modelPath: file, gpuLayers: 0});
const context = await model.createContext({contextSize: 1024, threads: Number(threads)});

async function seconds(count) {
  const sequence = context.getSequence();
  const input = model.tokenize(JSON.parse(readFileSync(prompts, "utf8"))[0], true);
  const begin = performance.now();
  let made = 0, text = [];
  for await (const token of sequence.evaluate(input, {temperature: 0, yieldEogToken: true})) {
    text.push(token);
    if (++made === count) break;
  }
  const took = (performance.now() - begin) / 1000;
  sequence.dispose();
  return [took, model.detokenize(text)];
}

await seconds(4);
const [took, text] = await seconds(Number(tokens));
console.log(JSON.stringify({alone: Number(tokens) / took, text}));
process.exit(0);
