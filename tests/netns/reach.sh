# shellcheck shell=bash disable=SC2034,SC2154  # variables for the scripts, and topology.sh's
# Sourced by the tests of who reaches whom: answering hosts, and questions by each protocol.

cat >"$work/echo.py" <<'PYTHON'
import select, socket, sys
sockets = []
for address in sys.argv[2:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        made = socket.socket(family, kind)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(*((socket.IPPROTO_IPV6, 78) if family == socket.AF_INET6 else (socket.IPPROTO_IP, 15)), 1)  # IP_FREEBIND
        if family == socket.AF_INET6: made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((address, int(sys.argv[1])))
        if kind == socket.SOCK_STREAM: made.listen(16)
        sockets.append(made)
print("there", flush=True)
while True:
    for ready in select.select(sockets, [], [])[0]:
        try:
            if ready.type == socket.SOCK_STREAM: ready.accept()[0].sendall(b"hello\n")
            else: ready.sendto(b"hello\n", ready.recvfrom(9000)[1])
        except OSError: pass
PYTHON

cat >"$work/ask.py" <<'PYTHON'
import os, socket, subprocess, sys, threading
answered = set()
patience = float(os.environ.get("PATIENCE", "0.6"))
def ask(word):
    kind, rest = word.split(":", 1)
    address, port = rest.rsplit("#", 1) if "#" in rest else (rest, "7007")
    port, own = port.split("<") if "<" in port else (port, None)
    port = int(port)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        if kind == "ping":
            done = subprocess.run(["ping", "-n", "-q", "-c", "1", "-W", str(patience), address], capture_output=True)
            if done.returncode == 0: answered.add(word)
            return
        asking = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        asking.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        if own: asking.bind(("", int(own)))
        asking.settimeout(patience)
        if kind == "udp": asking.sendto(b"x", (address, port))
        else: asking.connect((address, port))
        if asking.recvfrom(100)[0] == b"hello\n": answered.add(word)
    except OSError: pass
    except BaseException as error: print("BROKEN", repr(error))
threads = [threading.Thread(target=ask, args=(word,)) for word in sys.argv[1:]]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(*[word for word in sys.argv[1:] if word in answered])
PYTHON

cat >"$work/talk.py" <<'PYTHON'
import socket, sys, time
talking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
talking.bind(("", 7070)); talking.setblocking(False)
while True:
    try: talking.sendto(b"x", (sys.argv[1], 7007))
    except OSError: pass
    time.sleep(0.1)
    answers = 0
    try:
        while talking.recv(100): answers += 1
    except OSError: pass
    print("answer" if answers else "silence", flush=True)
PYTHON

# echo_on HOST ADDRESS...: answers there, by TCP and UDP on port 7007 (or $echo_port), also before the
# host has the address; its PID in $echo_pid.
echo_on() {
  local host=$1 address addresses=()
  for address in "${@:2}"; do [ -z "$address" ] || addresses+=("$address"); done
  : >"$work/$host-echo.log"
  run "$host" "$host-echo" python3 -u "$work/echo.py" "${echo_port:-7007}" "${addresses[@]}"
  echo_pid=$pid
  wait_for 5 grep -q there "$work/$host-echo.log" || fail "$host does not answer: $(cat "$work/$host-echo.log")"
}

# answers HOST KIND:ADDRESS[#PORT[<FROM PORT]]...: those that answer this host, each within $PATIENCE
# seconds, or 0.6. KIND is ping, tcp or udp.
answers() { on "$1" python3 "$work/ask.py" "${@:2}"; }
# by_all ADDRESS...: each of them by each protocol.
by_all() {
  local address
  for address; do printf '%s ' "ping:$address" "tcp:$address" "udp:$address"; done
}
# check_all WORDS HOST ADDRESS...: all of them answer by all protocols. check_none: none does by any.
check_all() {
  local wanted
  wanted=$(by_all "${@:3}")
  # shellcheck disable=SC2086  # words
  check_equal "$1" "$(PATIENCE=5 answers "$2" $wanted)" "${wanted% }"
}
check_none() {
  # shellcheck disable=SC2046  # words
  check_equal "$1" "$(answers "$2" $(by_all "${@:3}"))" ""
}

# talk_from HOST ADDRESS: a UDP conversation from there that never pauses; its PID in $talk_pid.
talk_from() {
  : >"$work/talk.log"
  run "$1" talk python3 -u "$work/talk.py" "$2"
  talk_pid=$pid
}
is_answered() { tail -n 1 "$work/talk.log" | grep -q answer; }
# For as long as one would be answered several times.
is_silent() { sleep 0.7; ! tail -n 5 "$work/talk.log" | grep -q answer; }
