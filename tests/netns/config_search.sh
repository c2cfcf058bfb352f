#!/usr/bin/env bash
# Without --config, both programs look in the working folder and then in /etc/qdt, and say so when
# there is none.
. "$(dirname "$0")/topology.sh"

topology
mkdir "$work/empty" "$work/etc"
# in_folder FOLDER PROGRAM...: with an /etc/qdt of its own, which holds what is in $work/etc.
in_folder() {
  # shellcheck disable=SC2016  # for the shell inside
  try client unshare -m --propagation private sh -c \
    'mkdir -p /etc/qdt; mount --bind "$1" /etc/qdt; cd "$2"; shift 2; exec "$@"' sh "$work/etc" "$@"
}
in_folder "$work/empty" "$build/qdt-client" --check-config
check_equal "no configuration is an error" "$status" 1
check_contains "it says where it looked" "$output" "looked in the working folder and /etc/qdt"
for command in --check-config client-config; do
  in_folder "$work/empty" "$build/qdt-server" "$command"
  check_contains "so does the server's $command" "$output" "looked in the working folder and /etc/qdt"
done

write_client_config client
write_server_config
cp "$work/client.yaml" "$work/server.yaml" "$work"/server.{crt,key} "$work/etc"
in_folder "$work/empty" "$build/qdt-client" --check-config
check_contains "the client finds the one in /etc/qdt" "$output" "/etc/qdt/client.yaml is valid"
in_folder "$work/empty" "$build/qdt-server" --check-config
check_contains "so does the server" "$output" "/etc/qdt/server.yaml is valid"
in_folder "$work" "$build/qdt-client" --check-config
check_contains "the one in the working folder comes first" "$output" "client.yaml is valid"
check_lacks "and is taken" "$output" "/etc/qdt"
rmdir --ignore-fail-on-non-empty /etc/qdt
