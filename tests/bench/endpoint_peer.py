"""The peers of `tune-train serve`: a server of FastAPI with the same classifier in Python, and transformers that write on.

usage: endpoint_peer.py serve MODEL_NAME WEIGHTS CLASSES THREADS PORT   POST /invocations: a JPEG in, probabilities out
       endpoint_peer.py write FOLDER PROMPTS.json THREADS TOKENS       one prompt, then all at once: prints one JSON object

`serve` is what a careful user writes: torchvision's network in channels-last under inference_mode, its transforms, the work on
Starlette's pool of threads so that requests are taken in meanwhile. `write` is model.generate() with its cache, greedy.
"""
import json
import pathlib
import sys
import time

import torch


def whole_torchvision():
    """Also where its compiled half does not load, which transformers would end on."""
    sys.path.append(str(pathlib.Path(__file__).parent))  # last, as a name there is also that of a library
    from classification_peer import import_torchvision
    return import_torchvision()


def serve(name, weights, classes, threads, port):
    import io

    import uvicorn
    from fastapi import FastAPI, Request
    from fastapi.concurrency import run_in_threadpool
    from PIL import Image
    from safetensors.torch import load_file
    torchvision = whole_torchvision()
    from torchvision.transforms import v2
    torch.set_num_threads(int(threads))
    model = torchvision.models.get_model(name, num_classes=int(classes))
    model.load_state_dict(load_file(weights))
    model = model.eval().to(memory_format=torch.channels_last)
    transform = v2.Compose([v2.PILToTensor(), v2.Resize(256, antialias=True), v2.CenterCrop(224), v2.ToDtype(torch.float32, scale=True),
                            v2.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])
    app = FastAPI()

    def answer(body):
        with torch.inference_mode():
            image = transform(Image.open(io.BytesIO(body)).convert("RGB"))[None].contiguous(memory_format=torch.channels_last)
            return model(image).softmax(1)[0].tolist()

    @app.get("/ping")
    def ping():
        return {}

    @app.post("/invocations")
    async def invocations(request: Request):
        return await run_in_threadpool(answer, await request.body())

    uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="error", access_log=False)


def write(folder, prompts, threads, tokens):
    whole_torchvision()
    from transformers import AutoModelForCausalLM, AutoTokenizer
    torch.set_num_threads(int(threads))
    tokenizer = AutoTokenizer.from_pretrained(folder, padding_side="left")
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    prompts, tokens = json.load(open(prompts)), int(tokens)

    def seconds(texts):
        batch = tokenizer(texts, return_tensors="pt", padding=True)
        begin = time.monotonic()
        with torch.inference_mode():
            made = model.generate(**batch, do_sample=False, min_new_tokens=tokens, max_new_tokens=tokens)
        took = time.monotonic() - begin
        return took, tokenizer.batch_decode(made[:, batch["input_ids"].shape[1]:], skip_special_tokens=True)

    seconds(prompts[:1])
    alone, texts = seconds(prompts[:1])
    together, _ = seconds(prompts)
    print(json.dumps({"alone": tokens / alone, "together": len(prompts) * tokens / together, "text": texts[0]}))


if __name__ == "__main__":
    {"serve": serve, "write": write}[sys.argv[1]](*sys.argv[2:])
