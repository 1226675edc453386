#!/bin/sh
# A search from a shell script, without any tool but sed and awk: one trial at a time.
# Options go to tune: `sh search.sh --store DIR` keeps the search in DIR.
set -eu
here=$(dirname "$0")
pipes=$(mktemp -d)
trap 'rm -rf "$pipes"' EXIT
mkfifo "$pipes/requests" "$pipes/answers"
tune ask-tell --spec "$here/search.json" "$@" <"$pipes/requests" >"$pipes/answers" &
tuner=$!
exec 3>"$pipes/requests" 4<"$pipes/answers"

# Sends a line and reads its answer.
request() {
  printf '%s\n' "$1" >&3
  read -r answer <&4
  case $answer in '{"error":'*) echo "$answer" >&2; exit 1 ;; esac
}

# A number or a text out of the answer, by its key; nothing when it is not there.
field() { printf '%s\n' "$answer" | sed -n "s/.*\"$1\":\"\{0,1\}\([^\",}]*\).*/\1/p"; }

while
  request '{"ask": 1}'
  trial=$(field trial)
  [ -n "$trial" ]
do
  lr=$(field lr) optimizer=$(field optimizer) momentum=$(field momentum)
  # The command that trains stands here; it prints the loss.
  loss=$(awk -v lr="$lr" -v optimizer="$optimizer" -v momentum="${momentum:-0}" 'BEGIN {
    best = optimizer == "adam" ? 0.003 : 0.1 * (1 - momentum)
    distance = log(lr / best) / log(10)
    if (distance > 2) exit 1
    printf "%.6f", 0.2 + 0.1 * distance ^ 2 }') || loss=
  if [ -n "$loss" ]; then
    request "{\"tell\": {\"trial\": $trial, \"value\": $loss}}"
  else
    request "{\"tell\": {\"trial\": $trial, \"state\": \"failed\", \"reason\": \"non_finite\"}}"
  fi
  echo "trial $trial: lr $lr, $optimizer${momentum:+, momentum $momentum}: ${loss:-failed}"
done

request '{"best": true}'
echo "best: $answer"
exec 3>&-
wait "$tuner"
