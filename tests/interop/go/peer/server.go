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

type serverOptions struct {
	address     string
	certificate string
	key         string
	token       string
	tun         string
	mtu         int
	pool        netip.Prefix
}

func serverFlags(arguments []string) serverOptions {
	var o serverOptions
	flags := flag.NewFlagSet("peer server", flag.ExitOnError)
	flags.StringVar(&o.address, "addr", ":443", "UDP `address`")
	flags.StringVar(&o.certificate, "cert", "", "certificate chain `FILE`")
	flags.StringVar(&o.key, "key", "", "private key `FILE`")
	flags.StringVar(&o.token, "token", "", "the secret")
	flags.StringVar(&o.tun, "tun", "qdt0", "`name` of the TUN device")
	flags.IntVar(&o.mtu, "mtu", defaultMTU, "largest packet inside the tunnel")
	flags.TextVar(&o.pool, "pool", netip.MustParsePrefix("10.8.0.0/24"),
		"addresses to lend; the first is the server's own")
	flags.Parse(arguments)
	return o
}

// server lends each address once, in order: enough for a test.
type server struct {
	serverOptions
	deliver func(packet []byte) // to the TUN device

	mutex    sync.Mutex
	next     netip.Addr
	sessions map[netip.Addr]served
}

// served is a session and what ends it.
type served struct {
	*session
	end func()
}

// runServer serves until ctx ends, and returns the exit status.
func runServer(ctx context.Context, o serverOptions) int {
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
	gateway := o.pool.Addr().Next()
	if err := configureTUN(o.tun, netip.PrefixFrom(gateway, o.pool.Bits()), o.mtu); err != nil {
		fmt.Println(err)
		return exitHost
	}

	s := &server{
		serverOptions: o,
		deliver:       func(packet []byte) { tun.Write(packet) },
		next:          gateway.Next(),
		sessions:      map[netip.Addr]served{},
	}
	listener, err := quic.ListenAddrEarly(o.address, http3.ConfigureTLSConfig(&tls.Config{
		Certificates: []tls.Certificate{certificate},
	}), transportConfig())
	if err != nil {
		fmt.Println(err)
		return exitHost
	}
	mux := http.NewServeMux()
	mux.HandleFunc(connectPath, s.connect)
	service := &http3.Server{Handler: mux, EnableDatagrams: true}
	go service.ServeListener(listener)
	go readPackets(tun, s.route)
	fmt.Println("ready")

	<-ctx.Done()
	s.endAll()
	listener.Close()
	return exitStopped
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
	s.add(lease, served{session, func() {
		connection.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "the server is shutting down")
	}})
	defer s.remove(lease)

	body, _ := json.Marshal(response)
	if _, err := stream.Write(body); err != nil {
		return
	}
	fmt.Println("session with", lease)
	ended := make(chan error, 2)
	go func() { ended <- session.discardUntilEnd() }()
	go func() {
		ended <- session.receive(connection.Context(), func(packet []byte) {
			if source, _ := addresses(packet); source == lease {
				s.deliver(packet)
			} else {
				session.statistics.count("dropped_spoofed_source")
			}
		})
	}()
	err := <-ended
	fmt.Printf("session with %s ended: %s\n", lease, strings.TrimSpace(err.Error()))
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
		ClientIP:    s.lend().String(),
		GatewayIP:   s.pool.Addr().Next().String(),
		CIDR:        s.pool.String(),
	}
	// The header goes out at once, so quic-go adds neither content-type nor content-length.
	writer.WriteHeader(http.StatusOK)
	return writer.(http3.HTTPStreamer).HTTPStream(), response, toServer, toClient
}

func (s *server) lend() netip.Addr {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	lease := s.next
	s.next = lease.Next()
	return lease
}

func (s *server) add(lease netip.Addr, session served) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.sessions[lease] = session
}

func (s *server) remove(lease netip.Addr) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if session, ok := s.sessions[lease]; ok {
		session.statistics.print()
		delete(s.sessions, lease)
	}
}

// route sends a packet of the TUN device to the session that has its destination.
func (s *server) route(packet []byte) {
	_, destination := addresses(packet)
	s.mutex.Lock()
	session, ok := s.sessions[destination]
	s.mutex.Unlock()
	if ok {
		session.send(packet)
	}
}

func (s *server) endAll() {
	s.mutex.Lock()
	sessions := s.sessions
	s.sessions = map[netip.Addr]served{}
	s.mutex.Unlock()
	for _, session := range sessions {
		session.statistics.print()
		session.end()
	}
}

// addresses returns an IPv4 packet's source and destination, and what no packet has for any other.
func addresses(packet []byte) (source, destination netip.Addr) {
	const sourceOffset, destinationOffset, headerBytes = 12, 16, 20
	if len(packet) < headerBytes || packet[0]>>4 != 4 ||
		int(binary.BigEndian.Uint16(packet[2:])) != len(packet) {
		return
	}
	source, _ = netip.AddrFromSlice(packet[sourceOffset:destinationOffset])
	destination, _ = netip.AddrFromSlice(packet[destinationOffset:headerBytes])
	return
}
