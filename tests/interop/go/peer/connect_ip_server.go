package main

import (
	"context"
	"crypto/ed25519"
	"flag"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/quic-go/quic-go/http3"
)

type ipServerOptions struct {
	deviceOptions
	oddities
	pool6     netip.Prefix
	clientKey string
	path      string
	asked     bool
	delay     time.Duration
	routes    string
	status    int
	refusal   int
}

func ipServerFlags(arguments []string) ipServerOptions {
	var o ipServerOptions
	flags := flag.NewFlagSet("peer ip-server", flag.ExitOnError)
	o.deviceOptions.register(flags)
	o.oddities.register(flags)
	flags.TextVar(&o.pool6, "pool6", netip.Prefix{}, "likewise, of IPv6")
	flags.StringVar(&o.clientKey, "client-key", "", "the client's public `KEY`: ed25519:BASE64")
	flags.StringVar(&o.path, "path", connectIPPath, "the `:path` that is served")
	flags.BoolVar(&o.asked, "asked", false, "assign addresses only when the client asks for them")
	flags.DurationVar(&o.delay, "delay", 0, "assign addresses and advertise routes unasked only after this time")
	flags.StringVar(&o.routes, "routes", "0.0.0.0/0,::/0",
		"`PREFIX,...` to advertise, sorted; empty: an empty list; none: no ROUTE_ADVERTISEMENT at all")
	flags.IntVar(&o.status, "status", http.StatusOK, "of the answer that opens a session")
	flags.IntVar(&o.refusal, "refuse", 0, "answer every request with this `STATUS` and a page")
	flags.Parse(arguments)
	return o
}

// ipServer lends each address once, in order.
type ipServer struct {
	ipServerOptions
	sessions roster
	deliver  func(packet []byte) // to the TUN device
	known    ed25519.PublicKey
	leases   lender
	leases6  lender
}

// runIPServer serves until ctx ends, and returns the exit status.
func runIPServer(ctx context.Context, o ipServerOptions) int {
	known, err := keyBytes(o.clientKey, "ed25519")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return exitHost
	}
	s := &ipServer{ipServerOptions: o, known: known, leases: newLender(o.pool)}
	pools := []netip.Prefix{o.pool}
	if o.pool6.IsValid() {
		s.leases6 = newLender(o.pool6)
		pools = append(pools, o.pool6)
	}
	return o.serve(ctx, &s.sessions, func(deliver func([]byte)) http.Handler {
		s.deliver = deliver
		return http.HandlerFunc(s.connect)
	}, pools...)
}

// admit returns the status and the words of a refusal, or 0.
func (s *ipServer) admit(request *http.Request) (int, string) {
	switch {
	case s.refusal != 0:
		return s.refusal, "<!doctype html><title>A page</title><p>Nothing is here.</p>"
	case request.Method != http.MethodConnect || request.Proto != connectIP || request.URL.RequestURI() != s.path:
		return http.StatusNotFound, "not found"
	case request.Header.Get("Capsule-Protocol") != "?1":
		return http.StatusBadRequest, "no capsule-protocol"
	}
	if err := verify(request.Header.Get("Authorization"), request.TLS, s.known, request.Host); err != nil {
		return http.StatusUnauthorized, err.Error()
	}
	return 0, ""
}

// connect answers CONNECT, and carries the session's packets until it ends.
func (s *ipServer) connect(writer http.ResponseWriter, request *http.Request) {
	fmt.Printf("request: %s %s %s%s\n", request.Method, request.Proto, request.Host, request.URL.RequestURI())
	if status, words := s.admit(request); status != 0 {
		fmt.Println("refused:", status, words)
		writer.Header().Set("Content-Type", "text/html")
		writer.WriteHeader(status)
		fmt.Fprintln(writer, words)
		return
	}
	leases := []netip.Addr{s.leases.lend()}
	if s.pool6.IsValid() {
		leases = append(leases, s.leases6.lend())
	}
	writer.Header().Set("Capsule-Protocol", "?1")
	writer.WriteHeader(s.status)
	connection := writer.(http3.Hijacker).Connection()
	stream := writer.(http3.HTTPStreamer).HTTPStream()

	session := newIPSession(stream, s.oddities, func(session *ipSession, one capsule) error {
		return s.take(session, one, leases)
	})
	s.sessions.add(member{session, func() { shutDown(connection) }}, leases...)
	defer s.sessions.remove(leases...)
	fmt.Println("session with", leases)
	var first []capsule
	if !s.asked {
		first = append(first, addressCapsule(capsuleAddressAssign, assignment(leases, nil)))
	}
	if s.routes != "none" {
		first = append(first, routeCapsule(s.advertised()))
	}
	time.Sleep(s.delay)
	err := session.capsules.write(first...)
	if err == nil && !s.asked {
		err = session.capsules.writeRaw()
	}
	if err == nil {
		err = s.sessions.receive(connection.Context(), session, s.deliver, leases...)
	}
	fmt.Printf("session with %s ended: %s\n", leases, strings.TrimSpace(err.Error()))
}

// take answers ADDRESS_REQUEST with the whole list.
func (s *ipServer) take(session *ipSession, one capsule, leases []netip.Addr) error {
	if one.kind == capsuleRouteAdvertisement {
		return fmt.Errorf("routes from a client")
	}
	entries, err := parseAddresses(one.value)
	if err != nil {
		return err
	}
	if one.kind == capsuleAddressAssign {
		fmt.Println("the client assigns:", entries)
		return nil
	}
	fmt.Println("asked for:", entries)
	return session.capsules.write(addressCapsule(capsuleAddressAssign, assignment(leases, entries)))
}

// assignment is the list of leases, with the IDs of the first request of each version, and refusals of others.
func assignment(leases []netip.Addr, requested []assignedAddress) []assignedAddress {
	var entries []assignedAddress
	for _, lease := range leases {
		entries = append(entries, assignedAddress{0, netip.PrefixFrom(lease, lease.BitLen())})
	}
next:
	for _, request := range requested {
		version := request.prefix.Addr().BitLen()
		for i := range leases {
			if entries[i].id == 0 && entries[i].prefix.Addr().BitLen() == version {
				entries[i].id = request.id
				continue next
			}
		}
		none := netip.IPv4Unspecified()
		if version == 128 {
			none = netip.IPv6Unspecified()
		}
		entries = append(entries, assignedAddress{request.id, netip.PrefixFrom(none, version)})
	}
	return entries
}

func (s *ipServer) advertised() []addressRange {
	var ranges []addressRange
	for _, text := range strings.FieldsFunc(s.routes, func(r rune) bool { return r == ',' }) {
		ranges = append(ranges, rangeOf(netip.MustParsePrefix(text)))
	}
	return ranges
}
