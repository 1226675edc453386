#!/usr/bin/env bash
# usage: demo_compare.sh BIN STORE DATA TEST: scores the promoted detector and an untrained one on the same test images.
set -euo pipefail
bin=$1 store=$2 data=$3 test=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/output" "$work/checkpoints"
cat >"$work/trial.json" <<JSON
{ "schema": 1, "study": "untrained", "trial": 1, "attempt": 1, "token": "untrained", "seed": 1,
  "parameters": {}, "fixed": { "epochs": 0 },
  "objective": { "metric": "validation:mAP", "goal": "maximize", "reduce": "best" },
  "trainer": { "task": "detection", "model": "ssd128-resnet18-half", "recipe": "legacy", "data": "$data" },
  "budget": 1, "threads": 2, "devices": [], "precision": "fp32",
  "checkpoint_dir": "$work/checkpoints", "output_dir": "$work/output", "resume_from": null }
JSON
"$bin/tune-train" --trial "$work/trial.json" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
score() {
  "$bin/tune-train" evaluate --model "$1" --data "$test" --json |
    python3 -c 'import json, sys; r = json.load(sys.stdin); print("%-10s mAP %.3f   AP50 %.3f" % (sys.argv[1], r["AP"], r["AP50"]))' "$2"
}
score "$work/output" untrained
score "$store/models/steel-detector/current" tuned
