package main

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"encoding/binary"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/netip"
	"strings"
	"sync"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// deviceOptions are those of servers of either protocol.
type deviceOptions struct {
	address     string
	certificate string
	key         string
	tun         string
	mtu         int
	packet      int
	pool        netip.Prefix
}

func (o *deviceOptions) register(flags *flag.FlagSet) {
	flags.StringVar(&o.address, "addr", ":443", "UDP `address`")
	flags.StringVar(&o.certificate, "cert", "", "certificate chain `FILE`")
	flags.StringVar(&o.key, "key", "", "private key `FILE`")
	flags.StringVar(&o.tun, "tun", "qdt0", "`name` of the TUN device")
	flags.IntVar(&o.mtu, "mtu", defaultMTU, "largest packet inside the tunnel")
	flags.IntVar(&o.packet, "packet", fullPacketBytes, "the first QUIC packets' size")
	flags.TextVar(&o.pool, "pool", netip.MustParsePrefix("10.8.0.0/24"),
		"addresses to lend; the first is the server's own")
}

// serve answers requests until ctx ends, and returns the exit status. It makes the TUN device, with the
// first address of each pool, and gives handler what delivers packets to it.
func (o *deviceOptions) serve(ctx context.Context, sessions *roster,
	handler func(deliver func(packet []byte)) http.Handler, pools ...netip.Prefix) int {
	certificate, err := tls.LoadX509KeyPair(o.certificate, o.key)
	if err != nil {
		fmt.Println(err)
		return exitHost
	}
	tun, err := openTUN(o.tun)
	if err != nil {
		fmt.Println(err)
		return exitHost
	}
	defer tun.Close()
	var gateways []netip.Prefix
	for _, pool := range pools {
		gateways = append(gateways, netip.PrefixFrom(pool.Addr().Next(), pool.Bits()))
	}
	if err := configureTUN(o.tun, o.mtu, gateways...); err != nil {
		fmt.Println(err)
		return exitHost
	}

	listener, err := quic.ListenAddrEarly(o.address, http3.ConfigureTLSConfig(&tls.Config{
		Certificates: []tls.Certificate{certificate},
	}), transportConfig(o.packet))
	if err != nil {
		fmt.Println(err)
		return exitHost
	}
	service := &http3.Server{
		Handler:         handler(func(packet []byte) { tun.Write(packet) }),
		EnableDatagrams: true,
	}
	go service.ServeListener(listener)
	go readPackets(tun, sessions.route)
	fmt.Println("ready")

	<-ctx.Done()
	sessions.endAll()
	listener.Close()
	return exitStopped
}

type serverOptions struct {
	deviceOptions
	token string
}

func serverFlags(arguments []string) serverOptions {
	var o serverOptions
	flags := flag.NewFlagSet("peer server", flag.ExitOnError)
	o.register(flags)
	flags.StringVar(&o.token, "token", "", "the secret")
	flags.Parse(arguments)
	return o
}

// server lends each address once, in order: enough for a test.
type server struct {
	serverOptions
	sessions roster
	deliver  func(packet []byte) // to the TUN device
	leases   lender
}

// lender lends the addresses of a pool behind its first, each once.
type lender struct {
	mutex  sync.Mutex
	latest netip.Addr
}

func newLender(pool netip.Prefix) lender { return lender{latest: pool.Addr().Next()} }

func (l *lender) lend() netip.Addr {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	l.latest = l.latest.Next()
	return l.latest
}

// runServer serves until ctx ends, and returns the exit status.
func runServer(ctx context.Context, o serverOptions) int {
	s := &server{serverOptions: o, leases: newLender(o.pool)}
	return o.serve(ctx, &s.sessions, func(deliver func([]byte)) http.Handler {
		s.deliver = deliver
		mux := http.NewServeMux()
		mux.HandleFunc(connectPath, s.connect)
		return mux
	}, o.pool)
}

// connect answers POST /connect, and carries the session's packets until it ends.
func (s *server) connect(writer http.ResponseWriter, request *http.Request) {
	stream, response, toServer, toClient := s.admit(writer, request)
	if stream == nil {
		return
	}
	lease := netip.MustParseAddr(response.ClientIP)
	session := newSession(stream, response.SessionID, response.MTU, toClient, toServer)
	connection := writer.(http3.Hijacker).Connection()
	s.sessions.add(member{session, func() { shutDown(connection) }}, lease)
	defer s.sessions.remove(lease)

	body, _ := json.Marshal(response)
	if _, err := stream.Write(body); err != nil {
		return
	}
	fmt.Println("session with", lease)
	err := s.sessions.receive(connection.Context(), session, s.deliver, lease)
	fmt.Printf("session with %s ended: %s\n", lease, strings.TrimSpace(err.Error()))
}

func shutDown(connection http3.Connection) {
	connection.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "the server is shutting down")
}

// admit checks the request. After a 200 it returns the stream, on which the body is still to be
// written; after a refusal nil.
func (s *server) admit(writer http.ResponseWriter, request *http.Request) (
	stream http3.Stream, response *connectResponse, toServer, toClient direction) {
	refuse := func(status int, words string) {
		fmt.Println("refused:", status, words)
		http.Error(writer, words, status)
	}
	token := []byte(request.Header.Get(tokenHeader))
	if request.Method != http.MethodPost {
		refuse(http.StatusMethodNotAllowed, "method not allowed")
		return
	}
	if subtle.ConstantTimeCompare(token, []byte(s.token)) != 1 {
		refuse(http.StatusUnauthorized, "unauthorized")
		return
	}
	// The client does not end its side: the body ends with the JSON value.
	var asked connectRequest
	if err := json.NewDecoder(io.LimitReader(request.Body, maxBodyBytes)).Decode(&asked); err != nil ||
		asked.Version != version {
		refuse(http.StatusBadRequest, "bad request")
		return
	}
	clientNonce, err := decodeNonce(asked.ClientNonce)
	if err != nil {
		refuse(http.StatusBadRequest, "bad nonce")
		return
	}
	if asked.MTU <= 0 {
		asked.MTU = defaultMTU
	}

	serverNonce := newNonce()
	if toServer, toClient, err = deriveKeys(s.token, clientNonce, serverNonce); err != nil {
		refuse(http.StatusInternalServerError, err.Error())
		return
	}
	response = &connectResponse{
		Version:     version,
		SessionID:   rand.Uint64() | 1<<63, // no floating-point number holds it
		ServerNonce: encodeNonce(serverNonce),
		MTU:         min(asked.MTU, s.mtu),
		ClientIP:    s.leases.lend().String(),
		GatewayIP:   s.pool.Addr().Next().String(),
		CIDR:        s.pool.String(),
	}
	// The header goes out at once, so quic-go adds neither content-type nor content-length.
	writer.WriteHeader(http.StatusOK)
	return writer.(http3.HTTPStreamer).HTTPStream(), response, toServer, toClient
}

// addresses returns a packet's source and destination, and what no packet has where it is none.
func addresses(packet []byte) (source, destination netip.Addr) {
	offset, bytes := 12, 4
	switch {
	case len(packet) >= 20 && packet[0]>>4 == 4 && int(binary.BigEndian.Uint16(packet[2:])) == len(packet):
	case len(packet) >= 40 && packet[0]>>4 == 6 && int(binary.BigEndian.Uint16(packet[4:]))+40 == len(packet):
		offset, bytes = 8, 16
	default:
		return
	}
	source, _ = netip.AddrFromSlice(packet[offset : offset+bytes])
	destination, _ = netip.AddrFromSlice(packet[offset+bytes : offset+2*bytes])
	return
}
