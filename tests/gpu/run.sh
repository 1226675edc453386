#!/usr/bin/env bash
# Shows what tune says of GPUs, phase by phase, on a machine that needs nothing but a driver and a Python with torch.
set -uo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

# What is worth most for its time comes first.
phases=(devices equality speed study)
declare -A limit=([devices]=165 [equality]=120 [speed]=300 [study]=280)  # seconds
# After a limit: tune gives its trials ten seconds to end.
grace=15

say() { printf '%s\n' "$*" | tee -a "$output/results.log"; }
fail() { printf 'run.sh: %s\n  %s\n' "$2" "$3" >&2; exit "$1"; }
usage_error() { fail 2 "$1" "tests/gpu/run.sh --help has the options"; }

usage() {
  cat <<TEXT
usage: tests/gpu/run.sh [--phase NAME ...] [--tiny] [--cpu] [--data FOLDER] [--output FOLDER]

  --phase NAME          this one alone; may be given several times [all, in this order]
    devices    at most ${limit[devices]} s  what tune sees, leases and shares of a GPU; deaths; memory that runs out
    equality   at most ${limit[equality]} s  each model computes what it computes on the CPU, and goes on bit for bit
    speed      at most ${limit[speed]} s  images per second beside Python at its best
    study      at most ${limit[study]} s  the steel study with its tables
  --limit PHASE=SECONDS another limit
  --data FOLDER         NEU-DET (images/, annotations/) for the study [what \`./dev gpu\` has packed]
  --output FOLDER       results.log, a log and tables of each phase go there [tests/gpu/results]
  --programs FOLDER     with tune and tune-train: the bin/ of a build [build/gpu/tune/bin, which \`./dev gpu\` makes]
  --cpu                 a rehearsal without a GPU: what needs one is skipped, and says so
  --tiny                the smallest sizes

A phase that fails or runs into its limit does not stop the next; what it has shown by then is kept. Exit code 1 when one failed.
TEXT
}

chosen=() options=() data='' output=$here/results programs=$root/build/gpu/tune/bin on_cpu=0
while [ $# -gt 0 ]; do
  case $1 in
    --help | -h) usage; exit 0 ;;
    # Beside other work, threads that wait for each other lose more time than they save.
    --tiny) options+=(--tiny); export OMP_NUM_THREADS=1 ;;
    --cpu) options+=(--cpu); on_cpu=1 ;;
    --phase | --limit | --data | --output | --programs)
      [ $# -ge 2 ] || usage_error "$1 needs a value"
      case $1 in
        --phase) [ -n "${limit[$2]:-}" ] || usage_error "unknown phase: $2; there are ${phases[*]}"; chosen+=("$2") ;;
        --limit)
          [[ $2 =~ ^([a-z]+)=([0-9]+)$ ]] && [ -n "${limit[${BASH_REMATCH[1]}]:-}" ] || usage_error "--limit takes PHASE=SECONDS, not $2"
          limit[${BASH_REMATCH[1]}]=${BASH_REMATCH[2]} ;;
        --data) data=$2 ;;
        --output) output=$2 ;;
        --programs) programs=$2 ;;
      esac
      shift ;;
    *) usage_error "unexpected: $1" ;;
  esac
  shift
done
[ ${#chosen[@]} -gt 0 ] || chosen=("${phases[@]}")

[ -x "$programs/tune" ] || fail 7 "there is no $programs/tune" "./dev gpu makes build/gpu; --programs names the bin/ of a build"
[ -z "$data" ] || [ -d "$data/annotations" ] || fail 5 "$data has no annotations/" "--data names NEU-DET: images/ and annotations/"
[ -z "$data" ] || options+=(--data "$data")
if [ $on_cpu -eq 1 ]; then
  export CUDA_VISIBLE_DEVICES=  # also where there is a GPU
else
  nvidia-smi >/dev/null 2>&1 || fail 7 "nvidia-smi shows no GPU here" "--cpu --tiny rehearses without one"
fi

# The Python that has torch: the trainers and the peers are written in it, and a packaged tune-train takes its LibTorch.
python='' torch=''
for one in python3 "$root/.venv/bin/python3"; do
  torch=$("$one" -c "import importlib.util as u; s = u.find_spec('torch'); print(s.submodule_search_locations[0] if s else '')" 2>/dev/null)
  [ -z "$torch" ] || { python=$one; break; }
done
[ -n "$python" ] || fail 7 "no Python with torch: neither python3 nor .venv/bin/python3" "./dev setup makes the second"
export TUNE_LIBTORCH=${TUNE_LIBTORCH:-$torch} PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

mkdir -p "$output" && : >"$output/results.log" || fail 7 "cannot write into $output" "--output names another folder"
say "tune $("$programs/tune" --version 2>/dev/null | head -1); $torch; $(date -u +%FT%TZ); phases: ${chosen[*]}"
[ $on_cpu -eq 1 ] || say "$(nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader)"

child=
trap '[ -z "$child" ] || { kill "$child" 2>/dev/null; wait "$child"; }; exit 130' INT TERM HUP
verdicts=() failed=0
for phase in "${chosen[@]}"; do
  say "$phase begins: at most ${limit[$phase]} s"
  begin=$SECONDS
  timeout --kill-after=$grace "${limit[$phase]}" "$python" "$here/$phase.py" --programs "$programs" --output "$output" \
    --limit "${limit[$phase]}" "${options[@]}" </dev/null 2>"$output/$phase.log" &
  child=$!
  wait "$child"
  code=$?
  child=
  case $code in
    0) verdict=passed ;;
    124 | 137) verdict="ended by its limit of ${limit[$phase]} s" ;;
    *) verdict=failed ;;
  esac
  [ "$verdict" = passed ] || failed=1
  verdicts+=("$(printf '%-9s %5d s  %s' "$phase" $((SECONDS - begin)) "$verdict")")
done
say "summary"
for verdict in "${verdicts[@]}"; do say "$verdict"; done
exit $failed
