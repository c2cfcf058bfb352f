#!/bin/sh
# Makes a self-signed certificate and its key for development and tests.
set -eu

usage() {
  cat <<'END'
Usage: gen-cert.sh CERT KEY [NAME...]

Writes a self-signed P-256 certificate to CERT and its private key, readable by its owner alone, to
KEY (both PEM), for localhost, 127.0.0.1, ::1 and every NAME (a DNS name or an IP address), valid
for a year. Files that exist are left alone. Needs openssl or certtool (gnutls-bin).

Prints the line with which a client trusts the certificate.
END
}

fail() {
  echo "gen-cert.sh: $1" >&2
  exit 1
}

# Whether $1 is an IP address rather than a name.
is_address() {
  case $1 in
    *:*) return 0 ;;
    *[!0-9.]*) return 1 ;;
    *) return 0 ;;
  esac
}

check_name() {
  case $1 in
    '' | -* | *[!A-Za-z0-9.:*_-]*) fail "\"$1\" is neither a DNS name nor an IP address" ;;
  esac
}

with_openssl() {
  names=
  for name in "$@"; do
    if is_address "$name"; then kind=IP; else kind=DNS; fi
    names="$names${names:+,}$kind:$name"
  done
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -sha256 -days 365 \
    -subj "/CN=QDT development" -addext "subjectAltName=$names" \
    -addext "basicConstraints=critical,CA:FALSE" -addext "extendedKeyUsage=serverAuth" \
    -keyout "$work/key" -out "$work/cert" 2>"$work/log"
}

with_certtool() {
  {
    echo 'cn = "QDT development"'
    echo 'expiration_days = 365'
    echo 'signing_key'
    echo 'tls_www_server'
    for name in "$@"; do
      if is_address "$name"; then echo "ip_address = $name"; else echo "dns_name = $name"; fi
    done
  } >"$work/template"
  certtool --generate-privkey --key-type=ecdsa --curve=secp256r1 --outfile "$work/key" \
    2>"$work/log" &&
    certtool --generate-self-signed --load-privkey "$work/key" --template "$work/template" \
      --outfile "$work/cert" 2>>"$work/log"
}

fingerprint() {
  if command -v openssl >/dev/null 2>&1; then
    openssl x509 -in "$1" -noout -fingerprint -sha256 | sed 's/^.*=//; s/://g'
  else
    certtool --fingerprint --hash sha256 --infile "$1" | tr -d ':'
  fi | tr 'A-F' 'a-f'
}

case ${1-} in
  -h | --help)
    usage
    exit 0
    ;;
esac
if [ $# -lt 2 ]; then
  usage >&2
  exit 2
fi

cert=$1
key=$2
shift 2
for file in "$cert" "$key"; do
  if [ -e "$file" ] || [ -L "$file" ]; then fail "$file exists; move it away first"; fi
done
[ "$cert" != "$key" ] || fail "CERT and KEY have to be two files"
for name in "$@"; do check_name "$name"; done

umask 077
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

if command -v openssl >/dev/null 2>&1; then
  make=with_openssl
elif command -v certtool >/dev/null 2>&1; then
  make=with_certtool
else
  fail "neither openssl nor certtool is installed"
fi
"$make" localhost 127.0.0.1 ::1 "$@" || fail "$(tail -n 3 "$work/log")"

# noclobber: what has appeared meanwhile is left alone, too.
set -C
cat "$work/key" >"$key"
if ! cat "$work/cert" >"$cert"; then
  rm -f "$key"
  exit 1
fi
chmod 644 "$cert"
echo "tls_fingerprint: sha256:$(fingerprint "$cert")"
