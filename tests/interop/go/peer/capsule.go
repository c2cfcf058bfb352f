package main

import (
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/quic-go/quic-go/quicvarint"
)

// The capsules of CONNECT-IP (RFC 9297 section 3.2, RFC 9484 section 4.7).
const (
	capsuleDatagram           = 0
	capsuleAddressAssign      = 1
	capsuleAddressRequest     = 2
	capsuleRouteAdvertisement = 3

	maxCapsuleBytes = 1 << 20
)

type capsule struct {
	kind  uint64
	value []byte
}

// assignedAddress is an entry of ADDRESS_ASSIGN and ADDRESS_REQUEST.
type assignedAddress struct {
	id     uint64
	prefix netip.Prefix
}

func (a assignedAddress) String() string { return fmt.Sprintf("%s#%d", a.prefix, a.id) }

// addressRange is an entry of ROUTE_ADVERTISEMENT.
type addressRange struct {
	first, last netip.Addr
	protocol    byte
}

func (r addressRange) String() string { return fmt.Sprintf("%s-%s#%d", r.first, r.last, r.protocol) }

// rangeOf covers a prefix and all protocols.
func rangeOf(prefix netip.Prefix) addressRange {
	last := prefix.Masked().Addr().AsSlice()
	for bit := prefix.Bits(); bit < 8*len(last); bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	address, _ := netip.AddrFromSlice(last)
	return addressRange{first: prefix.Masked().Addr(), last: address}
}

func ipVersion(address netip.Addr) byte {
	if address.Is4() {
		return 4
	}
	return 6
}

func addressCapsule(kind uint64, entries []assignedAddress) capsule {
	var value []byte
	for _, entry := range entries {
		value = quicvarint.Append(value, entry.id)
		value = append(value, ipVersion(entry.prefix.Addr()))
		value = append(value, entry.prefix.Addr().AsSlice()...)
		value = append(value, byte(entry.prefix.Bits()))
	}
	return capsule{kind, value}
}

func routeCapsule(ranges []addressRange) capsule {
	var value []byte
	for _, entry := range ranges {
		value = append(value, ipVersion(entry.first))
		value = append(value, entry.first.AsSlice()...)
		value = append(value, entry.last.AsSlice()...)
		value = append(value, entry.protocol)
	}
	return capsule{capsuleRouteAdvertisement, value}
}

var errCutCapsule = errors.New("a capsule's entry is cut short")

// takeAddress takes an address off the front.
func takeAddress(version byte, value []byte) (netip.Addr, []byte, error) {
	bytes := map[byte]int{4: 4, 6: 16}[version]
	if bytes == 0 {
		return netip.Addr{}, nil, fmt.Errorf("IP version %d", version)
	}
	if len(value) < bytes {
		return netip.Addr{}, nil, errCutCapsule
	}
	address, _ := netip.AddrFromSlice(value[:bytes])
	return address, value[bytes:], nil
}

func parseAddresses(value []byte) ([]assignedAddress, error) {
	var entries []assignedAddress
	for len(value) > 0 {
		id, length, err := quicvarint.Parse(value)
		if err != nil || len(value) < length+2 {
			return nil, errCutCapsule
		}
		address, rest, err := takeAddress(value[length], value[length+1:])
		if err != nil {
			return nil, err
		}
		if len(rest) == 0 {
			return nil, errCutCapsule
		}
		prefix := netip.PrefixFrom(address, int(rest[0]))
		if !prefix.IsValid() || prefix.Masked() != prefix {
			return nil, fmt.Errorf("%s/%d is no prefix", address, rest[0])
		}
		entries = append(entries, assignedAddress{id, prefix})
		value = rest[1:]
	}
	return entries, nil
}

func parseRoutes(value []byte) ([]addressRange, error) {
	var ranges []addressRange
	for len(value) > 0 {
		version := value[0]
		first, rest, err := takeAddress(version, value[1:])
		if err != nil {
			return nil, err
		}
		last, rest, err := takeAddress(version, rest)
		if err != nil {
			return nil, err
		}
		if len(rest) == 0 {
			return nil, errCutCapsule
		}
		if last.Less(first) {
			return nil, fmt.Errorf("the range of %s ends before it begins", first)
		}
		ranges = append(ranges, addressRange{first, last, rest[0]})
		value = rest[1:]
	}
	return ranges, nil
}

// oddities are what a peer may do, and hardly one does.
type oddities struct {
	pieceBytes       int
	unknownBytes     int
	datagramCapsules bool
	raw              string
}

func (o *oddities) register(flags *flag.FlagSet) {
	flags.IntVar(&o.pieceBytes, "piece", 0, "send capsules in DATA frames of `N` bytes; 0: as they come")
	flags.IntVar(&o.unknownBytes, "unknown", -1, "send a capsule of an unknown type of `N` bytes before each")
	flags.BoolVar(&o.datagramCapsules, "datagram-capsules", false, "send packets in DATAGRAM capsules")
	flags.StringVar(&o.raw, "raw", "", "send these bytes (`HEX`) behind the first capsules")
}

// capsuleWriter writes capsules to a stream. For concurrent use.
type capsuleWriter struct {
	oddities
	stream  io.Writer
	mutex   sync.Mutex
	unknown uint64 // how many capsules of unknown types were sent
}

// write sends capsules behind each other, in one DATA frame unless told otherwise.
func (w *capsuleWriter) write(capsules ...capsule) error {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	var bytes []byte
	for _, one := range capsules {
		if w.unknownBytes >= 0 {
			bytes = appendCapsule(bytes, capsule{w.unknownType(), make([]byte, w.unknownBytes)})
		}
		bytes = appendCapsule(bytes, one)
	}
	if len(bytes) == 0 {
		return nil
	}
	return w.writePieces(bytes)
}

// writeRaw sends the bytes of -raw.
func (w *capsuleWriter) writeRaw() error {
	bytes, err := hex.DecodeString(strings.ReplaceAll(w.raw, " ", ""))
	if err != nil || len(bytes) == 0 {
		return err
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.writePieces(bytes)
}

// unknownType walks through the types that are reserved to be unknown (RFC 9297 section 5.4), of all lengths.
func (w *capsuleWriter) unknownType() uint64 {
	types := []uint64{0x17, 0x17f7, 0x29*0x3fff + 0x17, 0x29*0x3fffffff + 0x17}
	w.unknown++
	return types[w.unknown%uint64(len(types))]
}

// pacedPieces of a write go out in QUIC packets of their own: quic-go joins what is written at once.
const pacedPieces = 200

func (w *capsuleWriter) writePieces(bytes []byte) error {
	if w.pieceBytes <= 0 {
		_, err := w.stream.Write(bytes)
		return err
	}
	for piece := 0; len(bytes) > 0; piece++ {
		length := min(w.pieceBytes, len(bytes))
		if _, err := w.stream.Write(bytes[:length]); err != nil {
			return err
		}
		bytes = bytes[length:]
		if piece < pacedPieces {
			time.Sleep(time.Millisecond)
		}
	}
	return nil
}

func appendCapsule(bytes []byte, one capsule) []byte {
	bytes = quicvarint.Append(bytes, one.kind)
	bytes = quicvarint.Append(bytes, uint64(len(one.value)))
	return append(bytes, one.value...)
}

// readCapsule takes the next one off a stream.
func readCapsule(reader quicvarint.Reader) (capsule, error) {
	kind, err := quicvarint.Read(reader)
	if err != nil {
		return capsule{}, err
	}
	length, err := quicvarint.Read(reader)
	if err != nil {
		return capsule{}, err
	}
	if length > maxCapsuleBytes {
		return capsule{}, fmt.Errorf("a capsule of %d bytes", length)
	}
	value := make([]byte, length)
	if _, err := io.ReadFull(reader, value); err != nil {
		return capsule{}, err
	}
	return capsule{kind, value}, nil
}
