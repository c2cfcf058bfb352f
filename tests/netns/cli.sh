#!/usr/bin/env bash
# The command lines: they teach, take one dash or two, and say what they do not understand.
. "$(dirname "$0")/topology.sh"

topology
for program in qdt-server qdt-client; do
  name=${program#qdt-}
  try "$name" "$build/$program" --help
  check_equal "$program --help succeeds" "$status" 0
  for part in "VPN inside HTTP/3" "-c,--config FILE" "$name.yaml" --check-config --cleanup --version \
    "$name.example.yaml"; do
    check_contains "it teaches $part" "$output" "$part"
  done
  help=$output
  for other in -help -h; do
    try "$name" "$build/$program" "$other"
    check_equal "$other is the same" "$output" "$help"
  done
  for version in --version -version; do
    try "$name" "$build/$program" "$version"
    check_equal "$program $version succeeds" "$status" 0
    check_contains "it is told" "$output" "$program "
  done

  write_server_config
  write_client_config client
  for config in "-config $work/$name.yaml" "--config $work/$name.yaml" "-config=$work/$name.yaml" \
    "--config=$work/$name.yaml" "-c $work/$name.yaml"; do
    # shellcheck disable=SC2086  # two words
    try "$name" "$build/$program" $config -check-config
    check_equal "$program $config is understood" "$status" 0
  done

  for wrong in --confg=x --verbose extra --config; do
    try "$name" "$build/$program" "$wrong"
    check_equal "$program $wrong is refused" "$status" 1
    check_contains "it is named" "$output" "${wrong%%=*}"
    check_contains "with a hint" "$output" "--help"
  done
done
try client "$build/qdt-client" -help
check_contains "the client's help has its exit statuses" "$output" "2 refused by the server"
