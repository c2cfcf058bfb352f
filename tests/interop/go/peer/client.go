package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"time"

	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// http3Client is what quic-go's versions have in common.
type http3Client struct {
	connection interface {
		ReceivedSettings() <-chan struct{}
		Settings() *http3.Settings
	}
	openStream func(context.Context) (http3.RequestStream, error)
}

type clientOptions struct {
	server    string
	token     string
	tun       string
	mtu       int
	splitBody bool
	timeout   time.Duration
}

func clientFlags(arguments []string) clientOptions {
	var o clientOptions
	flags := flag.NewFlagSet("peer client", flag.ExitOnError)
	flags.StringVar(&o.server, "server", "", "`HOST:PORT` of the server")
	flags.StringVar(&o.token, "token", "", "the secret")
	flags.StringVar(&o.tun, "tun", "qdt0", "`name` of the TUN device")
	flags.IntVar(&o.mtu, "mtu", defaultMTU, "largest packet inside the tunnel")
	flags.BoolVar(&o.splitBody, "split-body", false,
		"send the request's body in two pieces and without content-length")
	flags.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long connecting may take")
	flags.Parse(arguments)
	return o
}

// runClient carries packets until ctx ends, and returns the exit status.
func runClient(ctx context.Context, o clientOptions) int {
	connecting, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	connection, err := dial(connecting, o.server, fullPacketBytes)
	if err != nil {
		fmt.Println("not connected:", err)
		return exitLost
	}
	defer connection.CloseWithError(quic.ApplicationErrorCode(http3.ErrCodeNoError), "")

	session, response, err := connect(connecting, connection, o)
	if err != nil {
		fmt.Println("not connected:", err)
		return exitRefused
	}
	defer session.statistics.print()

	tun, err := openTUN(o.tun)
	if err != nil {
		fmt.Println(err)
		return exitHost
	}
	defer tun.Close()
	address, err := leasePrefix(response)
	if err == nil {
		err = configureTUN(o.tun, session.mtu, address)
	}
	if err != nil {
		fmt.Println(err)
		return exitHost
	}
	fmt.Printf("connected: %s gateway %s mtu %d caps %q\n", address, response.GatewayIP, session.mtu,
		response.Caps)

	return carry(ctx, session, tun)
}

// dial trusts every certificate: the tests are about the protocol.
func dial(ctx context.Context, server string, packetBytes int) (quic.Connection, error) {
	host, _, err := net.SplitHostPort(server)
	if err != nil {
		return nil, err
	}
	trust := &tls.Config{
		ServerName:         host,
		NextProtos:         []string{http3.NextProtoH3},
		InsecureSkipVerify: true,
	}
	return quic.DialAddr(ctx, server, trust, transportConfig(packetBytes))
}

// connect exchanges the messages of section 2. The request stream stays open.
func connect(ctx context.Context, connection quic.Connection, o clientOptions) (*session, *connectResponse, error) {
	client := newHTTP3Client(connection)
	select {
	case <-client.connection.ReceivedSettings():
	case <-ctx.Done():
		return nil, nil, fmt.Errorf("no SETTINGS: %w", ctx.Err())
	}
	if !client.connection.Settings().EnableDatagrams {
		return nil, nil, fmt.Errorf("the server's SETTINGS allow no datagrams")
	}

	nonce := newNonce()
	stream, err := request(ctx, client, o, nonce)
	if err != nil {
		return nil, nil, err
	}
	answer, err := stream.ReadResponse()
	if err != nil {
		return nil, nil, err
	}
	if answer.StatusCode != http.StatusOK {
		words, _ := io.ReadAll(io.LimitReader(stream, maxBodyBytes))
		return nil, nil, fmt.Errorf("refused: %d %s", answer.StatusCode, bytes.TrimSpace(words))
	}
	// The value's last brace is the end of the message: the stream's end is that of the session.
	var response connectResponse
	if err := json.NewDecoder(stream).Decode(&response); err != nil {
		return nil, nil, fmt.Errorf("read the response: %w", err)
	}
	serverNonce, err := decodeNonce(response.ServerNonce)
	if err != nil {
		return nil, nil, err
	}
	toServer, toClient, err := deriveKeys(o.token, nonce, serverNonce)
	if err != nil {
		return nil, nil, err
	}
	mtu := response.MTU
	if mtu <= 0 {
		mtu = defaultMTU
	}
	return newSession(stream, response.SessionID, mtu, toServer, toClient), &response, nil
}

// request sends POST /connect. quic-go adds accept-encoding: gzip, as existing clients do.
func request(ctx context.Context, client http3Client, o clientOptions, nonce []byte) (http3.RequestStream, error) {
	body, err := json.Marshal(connectRequest{
		Version:     version,
		ClientNonce: encodeNonce(nonce),
		MTU:         o.mtu,
		ClientID:    "interop",
		Platform:    "linux",
	})
	if err != nil {
		return nil, err
	}
	stream, err := client.openStream(ctx)
	if err != nil {
		return nil, err
	}
	// The header alone is made of this body; the bytes are written below.
	header, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://"+o.server+connectPath,
		bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	header.Header.Set(tokenHeader, o.token)
	header.Header.Set("Content-Type", "application/json")
	if o.splitBody {
		header.ContentLength = -1
	}
	if err := stream.SendRequestHeader(header); err != nil {
		return nil, err
	}
	if !o.splitBody {
		_, err = stream.Write(body)
		return stream, err
	}
	half := len(body) / 2
	if _, err := stream.Write(body[:half]); err != nil {
		return nil, err
	}
	// Nothing tells when the first piece has arrived: the server does not answer it.
	time.Sleep(200 * time.Millisecond)
	_, err = stream.Write(body[half:])
	return stream, err
}

// leasePrefix is the lease with the pool's prefix length: the device then leads to the whole pool.
func leasePrefix(response *connectResponse) (netip.Prefix, error) {
	pool, err := netip.ParsePrefix(response.CIDR)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.ParsePrefix(fmt.Sprintf("%s/%d", response.ClientIP, pool.Bits()))
}
