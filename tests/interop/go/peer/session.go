package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// fullPacketBytes: a datagram of defaultMTU bytes fits from the first packet on; quic-go refuses those that do
// not, and would lose packets until it has found the path MTU.
const fullPacketBytes = 1420

// transportConfig is what existing peers use.
func transportConfig(packetBytes int) *quic.Config {
	return &quic.Config{
		EnableDatagrams:   true,
		KeepAlivePeriod:   10 * time.Second,
		MaxIdleTimeout:    30 * time.Second,
		InitialPacketSize: uint16(packetBytes),
	}
}

// session is a tunnel, from either side. It limits its datagrams to the negotiated MTU, as existing
// peers do, which also give their TUN devices that MTU: a full packet becomes two fragments.
type session struct {
	stream http3.Stream
	mtu    int

	sending    sync.Mutex // guards sealer and fragmentID
	sealer     sealer
	fragmentID uint32

	opener      opener
	reassembler reassembler
	statistics  statistics
}

func newSession(stream http3.Stream, id uint64, mtu int, sending, receiving direction) *session {
	s := &session{
		stream:     stream,
		mtu:        mtu,
		sealer:     sealer{direction: sending, sessionID: id},
		opener:     opener{direction: receiving, sessionID: id},
		statistics: statistics{counts: map[string]int{}},
	}
	s.reassembler = reassembler{packets: map[uint32]*halfBuilt{}, dropped: s.statistics.drop}
	return s
}

// send carries an IP packet to the peer.
func (s *session) send(packet []byte) {
	s.sending.Lock()
	defer s.sending.Unlock()

	s.statistics.count("sent_packets")
	limit := s.mtu - overheadBytes
	if len(packet) <= limit {
		s.sendDatagram("sent_data", typeData, packet)
		return
	}
	for _, fragment := range cut(packet, s.fragmentID, limit) {
		s.sendDatagram("sent_fragments", typeFragment, fragment)
	}
	s.fragmentID++
}

func (s *session) sendDatagram(name string, kind datagramType, plaintext []byte) {
	var tooLarge *quic.DatagramTooLargeError
	err := s.stream.SendDatagram(s.sealer.seal(kind, plaintext))
	switch {
	case err == nil:
		s.statistics.count(name)
	case errors.As(err, &tooLarge):
		s.statistics.drop(errors.New("too_large"))
	default: // the session is ending; receive() says why
	}
}

// receive hands the peer's packets to deliver, until the session ends: the error tells how.
func (s *session) receive(ctx context.Context, deliver func(packet []byte)) error {
	for {
		datagram, err := s.stream.ReceiveDatagram(ctx)
		if err != nil {
			return err
		}
		packet, err := s.open(datagram)
		if err != nil {
			s.statistics.drop(err)
		} else if packet != nil {
			s.statistics.count("received_packets")
			deliver(packet)
		}
	}
}

// open returns the packet that the datagram holds or completes; nil for all that is none.
func (s *session) open(datagram []byte) ([]byte, error) {
	kind, plaintext, err := s.opener.open(datagram)
	if err != nil {
		return nil, err
	}
	s.statistics.atLeast("largest_datagram_received", len(datagram))
	switch kind {
	case typeData:
		s.statistics.count("received_data")
		return plaintext, nil
	case typeFragment:
		s.statistics.count("received_fragments")
		return s.reassembler.add(plaintext, time.Now())
	case typePing, typePong: // silently, as existing peers
		s.statistics.count("received_pings")
		return nil, nil
	default: // Close is unknown, too
		return nil, errors.New("unknown_type")
	}
}

func (s *session) counts() *statistics { return &s.statistics }

// readUntilEnd reads the session's request stream, on which nothing comes but its end.
func (s *session) readUntilEnd() error {
	buffer := make([]byte, 512)
	for {
		if _, err := s.stream.Read(buffer); err != nil {
			return err
		}
	}
}

// statistics counts what happened, for the tests.
type statistics struct {
	mutex  sync.Mutex
	counts map[string]int
}

func (s *statistics) count(name string) {
	s.mutex.Lock()
	s.counts[name]++
	s.mutex.Unlock()
}

func (s *statistics) drop(reason error) { s.count("dropped_" + reason.Error()) }

func (s *statistics) atLeast(name string, value int) {
	s.mutex.Lock()
	s.counts[name] = max(s.counts[name], value)
	s.mutex.Unlock()
}

// print writes "statistics: NAME=COUNT ...", in alphabetical order.
func (s *statistics) print() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	var words []string
	for name, count := range s.counts {
		words = append(words, fmt.Sprintf("%s=%d", name, count))
	}
	sort.Strings(words)
	fmt.Fprintln(os.Stdout, "statistics:", strings.Join(words, " "))
}
