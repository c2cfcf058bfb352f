package main

import (
	"context"
	"errors"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
	"github.com/quic-go/quic-go/quicvarint"
)

const (
	connectIP     = "connect-ip"
	connectIPPath = "/.well-known/masque/ip/*/*/"
	// The context of IP packets as they are (RFC 9484 section 6).
	contextPacket = 0
)

// ipSession is a CONNECT-IP session, from either side.
type ipSession struct {
	stream     http3.Stream
	capsules   capsuleWriter
	ended      chan error
	statistics statistics
}

// newIPSession begins with reading the stream's capsules; take gets those of types 1 to 3.
func newIPSession(stream http3.Stream, odd oddities, take func(*ipSession, capsule) error) *ipSession {
	s := &ipSession{
		stream:     stream,
		capsules:   capsuleWriter{oddities: odd, stream: stream},
		ended:      make(chan error, 1),
		statistics: statistics{counts: map[string]int{}},
	}
	go func() {
		reader := quicvarint.NewReader(stream)
		for {
			one, err := readCapsule(reader)
			if err == nil {
				err = s.take(one, take)
			}
			if err != nil {
				s.ended <- err
				return
			}
		}
	}()
	return s
}

func (s *ipSession) take(one capsule, take func(*ipSession, capsule) error) error {
	switch one.kind {
	case capsuleDatagram: // of which there should be none, since datagrams are allowed
		s.statistics.drop(errors.New("datagram_capsule"))
		return nil
	case capsuleAddressAssign, capsuleAddressRequest, capsuleRouteAdvertisement:
		return take(s, one)
	default:
		s.statistics.count("unknown_capsules")
		return nil
	}
}

func (s *ipSession) send(packet []byte) {
	s.statistics.count("sent_packets")
	datagram := append(quicvarint.Append(nil, contextPacket), packet...)
	if s.capsules.datagramCapsules {
		s.capsules.write(capsule{capsuleDatagram, datagram}) // receive() says why it fails
		return
	}
	var tooLarge *quic.DatagramTooLargeError
	if err := s.stream.SendDatagram(datagram); errors.As(err, &tooLarge) {
		s.statistics.drop(errors.New("too_large"))
	}
}

func (s *ipSession) receive(ctx context.Context, deliver func(packet []byte)) error {
	for {
		datagram, err := s.stream.ReceiveDatagram(ctx)
		if err != nil {
			return err
		}
		kind, length, err := quicvarint.Parse(datagram)
		if err != nil {
			s.statistics.drop(errors.New("no_context"))
			continue
		}
		if kind != contextPacket { // to be dropped in silence
			s.statistics.count("unknown_contexts")
			continue
		}
		s.statistics.count("received_packets")
		s.statistics.atLeast("largest_packet_received", len(datagram)-length)
		deliver(datagram[length:])
	}
}

func (s *ipSession) readUntilEnd() error { return <-s.ended }

func (s *ipSession) counts() *statistics { return &s.statistics }
