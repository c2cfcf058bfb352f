package main

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/quic-go/quic-go/quicvarint"
)

// Concealed HTTP authentication (RFC 9729) with Ed25519.
const (
	concealedLabel    = "EXPORTER-HTTP-Concealed-Authentication"
	concealedWords    = "HTTP Concealed Authentication"
	concealedScheme   = 0x0807 // ed25519 of TLS
	signatureInput    = 32     // of the export
	verificationBytes = 16     // behind it
	keyIDBytes        = 16
)

// exportConcealed is the connection's key exporter output for a key and an :authority (section 3.1).
func exportConcealed(state *tls.ConnectionState, keyID []byte, key ed25519.PublicKey, authority string) ([]byte, error) {
	host, portText, err := net.SplitHostPort(authority)
	if err != nil { // no port
		host, portText = authority, "443"
	} else if strings.Contains(host, ":") {
		host = "[" + host + "]" // SplitHostPort takes them away
	}
	port, err := strconv.ParseUint(portText, 10, 16)
	if err != nil {
		return nil, err
	}
	var context []byte
	prefixed := func(value []byte) {
		context = quicvarint.Append(context, uint64(len(value)))
		context = append(context, value...)
	}
	context = binary.BigEndian.AppendUint16(context, concealedScheme)
	prefixed(keyID)
	prefixed(key)
	prefixed([]byte("https"))
	prefixed([]byte(host))
	context = binary.BigEndian.AppendUint16(context, uint16(port))
	prefixed(nil) // the realm
	return state.ExportKeyingMaterial(concealedLabel, context, signatureInput+verificationBytes)
}

// signedBytes is what the signature covers (section 3.3).
func signedBytes(export []byte) []byte {
	signed := []byte(strings.Repeat(" ", 64) + concealedWords + "\x00")
	return append(signed, export[:signatureInput]...)
}

// prove makes the value of the header field authorization.
func prove(state *tls.ConnectionState, key ed25519.PrivateKey, authority string) (string, error) {
	public := key.Public().(ed25519.PublicKey)
	digest := sha256.Sum256(public)
	keyID := digest[:keyIDBytes]
	export, err := exportConcealed(state, keyID, public, authority)
	if err != nil {
		return "", err
	}
	encode := base64.RawURLEncoding.EncodeToString
	return fmt.Sprintf("Concealed k=%s, a=%s, s=%d, v=%s, p=%s", encode(keyID), encode(public),
		concealedScheme, encode(export[signatureInput:]), encode(ed25519.Sign(key, signedBytes(export)))), nil
}

// verify checks such a value of a request that came by this connection, against the one key that is known.
func verify(value string, state *tls.ConnectionState, known ed25519.PublicKey, authority string) error {
	parameters, ok := strings.CutPrefix(value, "Concealed ")
	if !ok {
		return errors.New("not Concealed")
	}
	fields := map[string]string{}
	for _, parameter := range strings.Split(parameters, ",") {
		name, text, _ := strings.Cut(strings.TrimSpace(parameter), "=")
		fields[name] = text
	}
	if fields["s"] != strconv.Itoa(concealedScheme) {
		return errors.New("the scheme is not Ed25519")
	}
	decoded := map[string][]byte{}
	for _, name := range []string{"k", "a", "v", "p"} {
		bytes, err := base64.RawURLEncoding.DecodeString(fields[name])
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		decoded[name] = bytes
	}
	if !known.Equal(ed25519.PublicKey(decoded["a"])) {
		return errors.New("an unknown key")
	}
	export, err := exportConcealed(state, decoded["k"], known, authority)
	if err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(decoded["v"], export[signatureInput:]) != 1 {
		return errors.New("the verification is of another connection or request")
	}
	if !ed25519.Verify(known, signedBytes(export), decoded["p"]) {
		return errors.New("the signature is wrong")
	}
	return nil
}

// keyBytes reads PREFIX:BASE64, as qdt-client key prints keys.
func keyBytes(text, prefix string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, prefix+":")
	if !ok {
		return nil, fmt.Errorf("a key begins with %s:", prefix)
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	if err == nil && len(key) != ed25519.SeedSize { // a public key is as long
		err = fmt.Errorf("a key has %d bytes", ed25519.SeedSize)
	}
	return key, err
}
