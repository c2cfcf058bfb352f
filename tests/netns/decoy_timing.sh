#!/usr/bin/env bash
# Time does not tell a wrong token from an unknown path or from /, nor by version 2 a request without a proof
# from one by an unknown key, with a wrong signature or for another path: 1000 answers of each, asked for in
# random order, measured on the server's own host. By chance one pair of the three differs with p < 0.05 in
# one round of seven, so a pair is told apart when it differs so, to the same side, in three rounds.
. "$(dirname "$0")/topology.sh"

topology
known=$("$build/qdt-client" key | sed -n 's/.*name: .*key: "\(ed25519:[^"]*\)".*/\1/p')
start_server 'handshake_rate: {pps: 0}' 'handshake_ip_rate: {pps: 0}' 'log_level: info' \
  "devices: [{name: phone, key: \"$known\"}]"
say "seed $seed"

# measure ROUND KINDS OPTION...: the pairs of so many kinds that differ, in $work/differ.ROUND, each with the slower one of it.
measure() {
  on server "$build/qdt-decoy-timing" 127.0.0.1:443 --count "${COUNT:-1000}" --seed $((seed + $1)) "${@:3}" >"$work/times"
  python3 "$here/mann_whitney.py" <"$work/times" >"$work/pairs"
  check_equal "round $1: so many answers of each" "$(cut -d' ' -f1 "$work/times" | sort | uniq -c | awk '{ print $1 }' | tr '\n' ' ')" \
    "$(for _ in $(seq "$2"); do printf '%s ' "${COUNT:-1000}"; done)"
  while read -r one other probability slower; do
    say "round $1: $one and $other: p = $probability, $slower the slower"
    if awk -v p="$probability" 'BEGIN { exit !(p < 0.05) }'; then say "$one $other $slower"; fi >>"$work/differ.$1"
  done <"$work/pairs"
  sort -o "$work/differ.$1" "$work/differ.$1"
}

compared=$(for i in $(seq 100); do echo "a $i"; echo "b $((i + 20))"; echo "c $((i + 1))"; done |
  python3 "$here/mann_whitney.py" | awk '{ printf "%s%s %s ", $1, $2, $3 < 0.05 ? $4 : "-" }')
check_equal "what differs is seen, and what does not is not" "$compared" "ab b ac - bc b "

# compare KINDS OPTION...
compare() {
  local round
  measure 1 "$@"
  for round in 2 3; do
    [ -s "$work/differ.$((round - 1))" ] || break
    measure "$round" "$@"
    comm -12 "$work/differ.$((round - 1))" "$work/differ.$round" >"$work/both"
    mv "$work/both" "$work/differ.$round"
  done
  check_equal "no pair differs in every round" "$(cat "$work"/differ.3 2>/dev/null || true)" ""
  rm -f "$work"/differ.*
}
compare 3
compare 4 --known "$known"
