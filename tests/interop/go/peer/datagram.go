package main

import (
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io"

	"golang.org/x/crypto/chacha20poly1305"
	"golang.org/x/crypto/hkdf"
)

// The datagram of docs/protocol-v1.md, section 4:
//
//	"QDT" | version (1) | type (1) | flags (1) | session ID (8) | counter (8) | ciphertext | tag (16)
const (
	version       = 1
	headerBytes   = 22
	tagBytes      = chacha20poly1305.Overhead
	overheadBytes = headerBytes + tagBytes
	counterOffset = 14
)

type datagramType byte

const (
	typeData datagramType = iota
	typeFragment
	typePing
	typePong
	typeClose
)

// What a datagram may be dropped for; the texts are keys of the statistics.
var (
	errShort        = errors.New("short")
	errBadMagic     = errors.New("bad_magic")
	errBadVersion   = errors.New("bad_version")
	errWrongSession = errors.New("wrong_session")
	errReplayed     = errors.New("replayed")
	errForged       = errors.New("forged")
)

// direction is the key and the nonce prefix of one direction (section 3).
type direction struct {
	aead   cipher.AEAD
	prefix [4]byte
}

func (d *direction) nonce(counter uint64) []byte {
	nonce := make([]byte, 0, chacha20poly1305.NonceSize)
	nonce = append(nonce, d.prefix[:]...)
	return binary.BigEndian.AppendUint64(nonce, counter)
}

// deriveKeys returns both directions of a session.
func deriveKeys(token string, clientNonce, serverNonce []byte) (toServer, toClient direction, err error) {
	salt := append(append([]byte{}, clientNonce...), serverNonce...)
	var material [72]byte
	schedule := hkdf.New(sha256.New, []byte(token), salt, []byte("qdt-aead-v1"))
	if _, err = io.ReadFull(schedule, material[:]); err != nil {
		return
	}
	if toServer.aead, err = chacha20poly1305.New(material[0:32]); err != nil {
		return
	}
	if toClient.aead, err = chacha20poly1305.New(material[32:64]); err != nil {
		return
	}
	copy(toServer.prefix[:], material[64:68])
	copy(toClient.prefix[:], material[68:72])
	return
}

// sealer makes the datagrams of one direction. Not for concurrent use.
type sealer struct {
	direction
	sessionID uint64
	counter   uint64
}

func (s *sealer) seal(kind datagramType, plaintext []byte) []byte {
	datagram := make([]byte, 0, overheadBytes+len(plaintext))
	datagram = append(datagram, 'Q', 'D', 'T', version, byte(kind), 0)
	datagram = binary.BigEndian.AppendUint64(datagram, s.sessionID)
	datagram = binary.BigEndian.AppendUint64(datagram, s.counter)
	nonce := s.nonce(s.counter)
	s.counter++
	return s.aead.Seal(datagram, nonce, plaintext, datagram[:headerBytes])
}

// opener takes the datagrams of one direction. Not for concurrent use.
type opener struct {
	direction
	sessionID uint64
	window    replayWindow
}

func (o *opener) open(datagram []byte) (datagramType, []byte, error) {
	switch {
	case len(datagram) < overheadBytes:
		return 0, nil, errShort
	case string(datagram[:3]) != "QDT":
		return 0, nil, errBadMagic
	case datagram[3] != version:
		return 0, nil, errBadVersion
	case binary.BigEndian.Uint64(datagram[6:]) != o.sessionID:
		return 0, nil, errWrongSession
	}
	counter := binary.BigEndian.Uint64(datagram[counterOffset:])
	if o.window.contains(counter) {
		return 0, nil, errReplayed
	}
	header, sealed := datagram[:headerBytes], datagram[headerBytes:]
	plaintext, err := o.aead.Open(nil, o.nonce(counter), sealed, header)
	if err != nil {
		return 0, nil, errForged
	}
	o.window.mark(counter)
	return datagramType(datagram[4]), plaintext, nil
}

const windowSize = 2048

// replayWindow knows which counters have come. The zero value has seen none.
type replayWindow struct {
	seen [windowSize]bool // by counter modulo windowSize
	next uint64           // one more than the highest counter marked
}

// contains is true for counters that came before, and for those too old to tell.
func (w *replayWindow) contains(counter uint64) bool {
	if counter >= w.next {
		return false
	}
	return w.next-counter > windowSize || w.seen[counter%windowSize]
}

func (w *replayWindow) mark(counter uint64) {
	if counter >= w.next && counter-w.next >= windowSize {
		w.seen = [windowSize]bool{}
		w.next = counter
	}
	for ; w.next <= counter; w.next++ {
		w.seen[w.next%windowSize] = false
	}
	w.seen[counter%windowSize] = true
}
