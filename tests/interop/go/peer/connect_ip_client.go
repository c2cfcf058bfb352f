package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

type ipClientOptions struct {
	oddities
	server    string
	authority string
	path      string
	header    string
	login     string
	bearer    string
	key       string
	proveFor  string
	ask       bool
	tun       string
	mtu       int
	packet    int
	timeout   time.Duration
}

func ipClientFlags(arguments []string) ipClientOptions {
	var o ipClientOptions
	flags := flag.NewFlagSet("peer ip-client", flag.ExitOnError)
	o.register(flags)
	flags.StringVar(&o.server, "server", "", "`HOST:PORT` of the server")
	flags.StringVar(&o.authority, "authority", "", "the request's `:authority`; default: the server")
	flags.StringVar(&o.path, "path", connectIPPath, "the request's `:path`")
	flags.StringVar(&o.header, "header", "Authorization", "`name` of the field for the login")
	flags.StringVar(&o.login, "login", "", "`NAME:SECRET` for Basic authentication")
	flags.StringVar(&o.bearer, "bearer", "", "`secret` for Bearer authentication")
	flags.StringVar(&o.key, "key", "", "`KEY` for Concealed authentication: ed25519-private:BASE64")
	flags.StringVar(&o.proveFor, "prove-for", "", "make the proof for this `:authority` instead")
	flags.BoolVar(&o.ask, "ask", false, "send ADDRESS_REQUEST: an address of each version, and one more")
	flags.StringVar(&o.tun, "tun", "qdt0", "`name` of the TUN device")
	flags.IntVar(&o.mtu, "mtu", defaultMTU, "the TUN device's MTU")
	flags.IntVar(&o.packet, "packet", fullPacketBytes, "the first QUIC packets' size")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long connecting may take")
	flags.Parse(arguments)
	if o.authority == "" {
		o.authority = strings.TrimSuffix(o.server, ":443")
	}
	if o.proveFor == "" {
		o.proveFor = o.authority
	}
	return o
}

// told is what the server's capsules say.
type told struct {
	assigned chan []assignedAddress
	routes   chan []addressRange
}

func (t *told) take(_ *ipSession, one capsule) error {
	switch one.kind {
	case capsuleAddressAssign:
		entries, err := parseAddresses(one.value)
		if err != nil {
			return err
		}
		fmt.Println("assigned:", entries)
		t.assigned <- entries
	case capsuleRouteAdvertisement:
		ranges, err := parseRoutes(one.value)
		if err != nil {
			return err
		}
		fmt.Println("routes:", ranges)
		t.routes <- ranges
	default:
		return fmt.Errorf("a capsule of type %d from a server", one.kind)
	}
	return nil
}

// runIPClient carries packets until ctx ends, and returns the exit status.
func runIPClient(ctx context.Context, o ipClientOptions) int {
	connecting, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	connection, err := dial(connecting, o.server, o.packet)
	if err != nil {
		fmt.Println("not connected:", err)
		return exitLost
	}
	defer connection.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")

	stream, err := requestIP(connecting, connection, o)
	if err != nil {
		fmt.Println("not connected:", err)
		return exitRefused
	}
	server := told{make(chan []assignedAddress, 16), make(chan []addressRange, 16)}
	session := newIPSession(stream, o.oddities, server.take)
	defer session.statistics.print()

	leases, err := leasesOf(connecting, session, &server, o)
	if err != nil {
		fmt.Println("not connected:", err)
		return exitRefused
	}
	tun, err := openTUN(o.tun)
	if err != nil {
		fmt.Println(err)
		return exitHost
	}
	defer tun.Close()
	if err := configureTUN(o.tun, o.mtu, leases...); err != nil {
		fmt.Println(err)
		return exitHost
	}
	fmt.Println("connected:", leases)
	if err := session.capsules.writeRaw(); err != nil {
		fmt.Println(err)
		return exitHost
	}
	return carry(ctx, session, tun)
}

// requestIP sends the extended CONNECT, and reads a 2xx answer's head.
func requestIP(ctx context.Context, connection quic.Connection, o ipClientOptions) (http3.RequestStream, error) {
	client := newHTTP3Client(connection)
	select {
	case <-client.connection.ReceivedSettings():
	case <-ctx.Done():
		return nil, fmt.Errorf("no SETTINGS: %w", ctx.Err())
	}
	if settings := client.connection.Settings(); !settings.EnableDatagrams || !settings.EnableExtendedConnect {
		return nil, fmt.Errorf("the server's SETTINGS allow no CONNECT-IP: %+v", *settings)
	}
	header, err := ipRequest(connection, o)
	if err != nil {
		return nil, err
	}
	stream, err := client.openStream(ctx)
	if err != nil {
		return nil, err
	}
	if deadline, ok := ctx.Deadline(); ok {
		stream.SetReadDeadline(deadline)
	}
	if err := stream.SendRequestHeader(header); err != nil {
		return nil, err
	}
	answer, err := stream.ReadResponse()
	if err != nil {
		return nil, err
	}
	if answer.StatusCode/100 != 2 {
		words, _ := io.ReadAll(io.LimitReader(stream, maxBodyBytes))
		return nil, fmt.Errorf("refused: %d %s", answer.StatusCode, bytes.TrimSpace(words))
	}
	if got := answer.Header.Get("Capsule-Protocol"); got != "?1" {
		return nil, fmt.Errorf("capsule-protocol is %q", got)
	}
	for _, name := range []string{"Content-Length", "Content-Type", "Transfer-Encoding", "Qdt"} {
		if values := answer.Header.Values(name); len(values) > 0 {
			return nil, fmt.Errorf("the answer has %s: %q", name, values)
		}
	}
	stream.SetReadDeadline(time.Time{})
	return stream, nil
}

func ipRequest(connection quic.Connection, o ipClientOptions) (*http.Request, error) {
	target, err := url.Parse("https://" + o.authority + o.path)
	if err != nil {
		return nil, err
	}
	header := http.Header{"Capsule-Protocol": {"?1"}}
	switch {
	case o.login != "":
		header.Set(o.header, "Basic "+base64.StdEncoding.EncodeToString([]byte(o.login)))
	case o.bearer != "":
		header.Set(o.header, "Bearer "+o.bearer)
	case o.key != "":
		seed, err := keyBytes(o.key, "ed25519-private")
		if err != nil {
			return nil, err
		}
		state := connection.ConnectionState().TLS
		proof, err := prove(&state, ed25519.NewKeyFromSeed(seed), o.proveFor)
		if err != nil {
			return nil, err
		}
		header.Set(o.header, proof)
	}
	return &http.Request{
		Method: http.MethodConnect,
		Proto:  connectIP,
		Host:   o.authority,
		URL:    target,
		Header: header,
	}, nil
}

// leasesOf waits for the addresses and routes that the server tells unasked, and asks for more if told to.
func leasesOf(ctx context.Context, session *ipSession, server *told, o ipClientOptions) ([]netip.Prefix, error) {
	await := func() ([]assignedAddress, error) {
		select {
		case entries := <-server.assigned:
			return entries, nil
		case err := <-session.ended:
			return nil, err
		case <-ctx.Done():
			return nil, fmt.Errorf("no ADDRESS_ASSIGN: %w", ctx.Err())
		}
	}
	entries, err := await()
	if err != nil {
		return nil, err
	}
	select {
	case <-server.routes:
	case <-ctx.Done():
		return nil, fmt.Errorf("no ROUTE_ADVERTISEMENT: %w", ctx.Err())
	}
	if o.ask {
		any4 := netip.MustParsePrefix("0.0.0.0/32")
		any6 := netip.MustParsePrefix("::/128")
		request := addressCapsule(capsuleAddressRequest, []assignedAddress{{1, any4}, {2, any6}, {3, any4}})
		if err := session.capsules.write(request); err != nil {
			return nil, err
		}
		if entries, err = await(); err != nil {
			return nil, err
		}
	}
	var leases []netip.Prefix
	for _, entry := range entries {
		if !entry.prefix.Addr().IsUnspecified() {
			leases = append(leases, entry.prefix)
		}
	}
	if len(leases) == 0 {
		return nil, fmt.Errorf("no address in %v", entries)
	}
	return leases, nil
}
