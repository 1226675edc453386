"""The encoders of tune-train in Python: transformers' Trainer on the same weights, texts and hyperparameters.

usage: text_peer.py train DATA WEIGHTS THREADS EPOCHS BATCH LENGTH RATE SEED default|grouped|probe
       text_peer.py head DATA WEIGHTS THREADS EPOCHS BATCH LENGTH TRIALS MEASURED

DATA is a folder with train.csv and validation.csv. Both print one JSON object. `train` counts seconds, of the clock and of the
processor, from the tokenising to the end of the last epoch, and neither imports nor the loading of the weights: with Trainer's own
collator, which pads to the longest of a batch, or with batches of equal lengths as well; `probe` trains the head alone. `head`
trains the first MEASURED of TRIALS heads (JSON, the hyperparameters) on a frozen encoder that all texts pass in every epoch.
"""
import csv
import json
import pathlib
import sys
import tempfile
import time

sys.path.pop(0)  # tokenizers.py beside this file is not what transformers imports
import torch
import transformers


def table(file):
    with open(file, newline="", encoding="utf-8") as lines:
        return [(row["label"], row["text"]) for row in csv.DictReader(lines)]


class Texts(torch.utils.data.Dataset):
    def __init__(self, rows, classes, tokenizer, length):
        self.encoded = tokenizer([text for _, text in rows], truncation=True, max_length=length)
        self.labels = [classes.index(label) for label, _ in rows]

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, i):
        return {**{key: values[i] for key, values in self.encoded.items()}, "labels": self.labels[i]}


def opened(weights, classes):
    tokenizer = transformers.AutoTokenizer.from_pretrained(weights)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(weights, num_labels=classes)
    return tokenizer, model


def accuracy_of(model, texts, collate):
    model.eval()
    right = 0
    order = sorted(range(len(texts)), key=lambda i: len(texts[i]["input_ids"]))
    with torch.no_grad():
        for begin in range(0, len(order), 32):
            batch = collate([texts[i] for i in order[begin:begin + 32]])
            labels = batch.pop("labels")
            right += int((model(**batch).logits.argmax(1) == labels).sum())
    return right / len(texts)


def train(data, weights, threads, epochs, batch, length, rate, seed, mode):
    rows, others = (table(pathlib.Path(data) / f"{part}.csv") for part in ("train", "validation"))
    classes = sorted({label for label, _ in rows})
    transformers.set_seed(seed)
    tokenizer, model = opened(weights, len(classes))
    if mode == "probe":
        for name, parameter in model.named_parameters():
            parameter.requires_grad = "pooler" in name or name.startswith("classifier")
    with tempfile.TemporaryDirectory() as folder:
        begin, processor = time.monotonic(), time.process_time()
        texts = Texts(rows, classes, tokenizer, length)
        arguments = transformers.TrainingArguments(
            output_dir=folder, use_cpu=True, seed=seed, num_train_epochs=epochs, per_device_train_batch_size=batch, learning_rate=rate,
            weight_decay=0.01, lr_scheduler_type="linear", warmup_steps=0.1, max_grad_norm=1, save_strategy="no", logging_strategy="no",
            report_to=[], disable_tqdm=True, train_sampling_strategy="group_by_length" if mode == "grouped" else "random")
        trainer = transformers.Trainer(model, arguments, train_dataset=texts, processing_class=tokenizer)
        torch.set_num_threads(threads)
        trainer.train()
        seconds, processor = time.monotonic() - begin, time.process_time() - processor
    found = accuracy_of(model, Texts(others, classes, tokenizer, length), transformers.DataCollatorWithPadding(tokenizer))
    return {"seconds": seconds, "cpu": processor, "accuracy": found}


def head(data, weights, threads, epochs, batch, length, trials, measured):
    rows, others = (table(pathlib.Path(data) / f"{part}.csv") for part in ("train", "validation"))
    classes = sorted({label for label, _ in rows})
    torch.set_num_threads(threads)
    seconds, accuracies = [], []
    for number, trial in enumerate(json.loads(trials)[:measured]):
        transformers.set_seed(number)
        tokenizer, model = opened(weights, len(classes))
        begin = time.monotonic()
        texts, shown = (Texts(some, classes, tokenizer, length) for some in (rows, others))
        collate = transformers.DataCollatorWithPadding(tokenizer)
        body, pooler = model.base_model, model.base_model.pooler
        decayed = [{"params": [layer.weight for layer in (pooler.dense, model.classifier)], "weight_decay": trial["weight_decay"]},
                   {"params": [layer.bias for layer in (pooler.dense, model.classifier)], "weight_decay": 0.0}]
        optimizer = torch.optim.AdamW(decayed, lr=trial["learning_rate"])
        batches = -(-len(texts) // batch)
        schedule = transformers.get_linear_schedule_with_warmup(optimizer, 0, epochs * batches)
        best = 0.0
        for _ in range(epochs):
            body.eval()
            # Of windows of fifty batches, as Trainer groups lengths.
            order = torch.randperm(len(texts)).tolist()
            order = [i for window in range(0, len(order), 50 * batch)
                     for i in sorted(order[window:window + 50 * batch], key=lambda i: len(texts[i]["input_ids"]))]
            for first in torch.randperm(batches).tolist():
                given = collate([texts[i] for i in order[first * batch:(first + 1) * batch]])
                labels = given.pop("labels")
                with torch.no_grad():
                    states = body(**given).last_hidden_state
                logits = model.classifier(torch.nn.functional.dropout(pooler(states), 0.1))
                optimizer.zero_grad(set_to_none=True)
                torch.nn.functional.cross_entropy(logits, labels).backward()
                torch.nn.utils.clip_grad_norm_([p for group in decayed for p in group["params"]], 1)
                optimizer.step()
                schedule.step()
            best = max(best, accuracy_of(model, shown, collate))
        seconds.append(time.monotonic() - begin)
        accuracies.append(best)
    return {"seconds": seconds, "accuracies": accuracies}


def main():
    transformers.logging.set_verbosity_error()
    command, data, weights, *given = sys.argv[1:] or ["none"] * 3
    if command == "train":
        *whole, rate, seed, mode = given
        found = train(data, weights, *map(int, whole), float(rate), int(seed), mode)
    elif command == "head":
        *whole, trials, measured = given
        found = head(data, weights, *map(int, whole), trials, int(measured))
    else:
        sys.exit(__doc__)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
