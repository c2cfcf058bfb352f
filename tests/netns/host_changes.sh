# shellcheck shell=bash disable=SC2154  # variables of topology.sh
# Sourced by the tests in which somebody changes the network of a client's host: the client takes
# everything, somebody sends to the web all the time, and the router counts what goes around the tunnel.

carries() { on client ping -n -q -c 1 -W 0.5 "$web_address"; }

topology
count_around
start_server
start_client client 'route_mode: default'
check "the web is there" -- wait_for 5 carries
run client pinger ping -n -q -i 0.02 "$web_address"

# check_put_back PATTERN: the client's log says so, and all is as before.
check_put_back() {
  wait_for 5 grep -qE "$1" "$work/client.log" || fail "nothing was put back"
  check "the web is there again" -- wait_for 5 carries
  sleep 1
  check "the client did not stop" -- kill -0 "$client_pid"
  check_equal "nothing went around the tunnel" "$(around)" 0
}
