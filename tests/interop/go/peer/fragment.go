package main

import (
	"encoding/binary"
	"errors"
	"time"
)

// A fragment of docs/protocol-v1.md, section 5: ID (4) | offset (4) | total (4) | piece
const fragmentHeaderBytes = 12

const (
	maxReassemblyBytes = 262144
	reassemblyTime     = 5 * time.Second
)

var (
	errBadFragment       = errors.New("bad_fragment")
	errReassemblyFull    = errors.New("reassembly_full")
	errReassemblyTimeout = errors.New("reassembly_timeout")
)

// cut returns the plaintexts of a packet's fragments, none above maxBytes.
func cut(packet []byte, id uint32, maxBytes int) [][]byte {
	var fragments [][]byte
	pieceBytes := maxBytes - fragmentHeaderBytes
	for offset := 0; offset < len(packet); offset += pieceBytes {
		piece := packet[offset:min(offset+pieceBytes, len(packet))]
		fragment := binary.BigEndian.AppendUint32(nil, id)
		fragment = binary.BigEndian.AppendUint32(fragment, uint32(offset))
		fragment = binary.BigEndian.AppendUint32(fragment, uint32(len(packet)))
		fragments = append(fragments, append(fragment, piece...))
	}
	return fragments
}

// halfBuilt is a packet some of whose pieces have come: by offset.
type halfBuilt struct {
	pieces map[int][]byte
	have   int
	total  int
	begun  time.Time
}

// reassembler joins the fragments of one session. Not for concurrent use.
type reassembler struct {
	packets map[uint32]*halfBuilt
	bytes   int
	dropped func(error)
}

// add takes a fragment, and returns the packet that it completes, or nil. An error is about the
// fragment itself; packets given up are told to dropped.
func (r *reassembler) add(fragment []byte, now time.Time) ([]byte, error) {
	r.expire(now)
	if len(fragment) <= fragmentHeaderBytes {
		return nil, errBadFragment
	}
	id := binary.BigEndian.Uint32(fragment)
	offset := int(binary.BigEndian.Uint32(fragment[4:]))
	total := int(binary.BigEndian.Uint32(fragment[8:]))
	piece := fragment[fragmentHeaderBytes:]
	if total > maxReassemblyBytes || offset+len(piece) > total {
		return nil, errBadFragment
	}

	packet := r.packets[id]
	if packet == nil {
		if r.bytes+total > maxReassemblyBytes {
			return nil, errReassemblyFull
		}
		packet = &halfBuilt{pieces: map[int][]byte{}, total: total, begun: now}
		r.packets[id] = packet
		r.bytes += total
	}
	if old, ok := packet.pieces[offset]; ok && string(old) == string(piece) {
		return nil, nil // a duplicate
	}
	if total != packet.total || packet.overlaps(offset, len(piece)) {
		r.forget(id)
		return nil, errBadFragment
	}
	packet.pieces[offset] = append([]byte{}, piece...)
	packet.have += len(piece)
	if packet.have < total {
		return nil, nil
	}

	r.forget(id)
	whole := make([]byte, total)
	for offset, piece := range packet.pieces {
		copy(whole[offset:], piece)
	}
	return whole, nil
}

func (p *halfBuilt) overlaps(offset, length int) bool {
	for start, piece := range p.pieces {
		if offset < start+len(piece) && start < offset+length {
			return true
		}
	}
	return false
}

func (r *reassembler) forget(id uint32) {
	r.bytes -= r.packets[id].total
	delete(r.packets, id)
}

func (r *reassembler) expire(now time.Time) {
	for id, packet := range r.packets {
		if now.Sub(packet.begun) >= reassemblyTime {
			r.forget(id)
			r.dropped(errReassemblyTimeout)
		}
	}
}
