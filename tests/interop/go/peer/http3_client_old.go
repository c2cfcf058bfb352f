//go:build quic_go_before_0_47

package main

import (
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// newHTTP3Client speaks HTTP/3 with datagrams over a connection (Debian 12's quic-go).
func newHTTP3Client(connection quic.Connection) http3Client {
	client := &http3.SingleDestinationRoundTripper{Connection: connection, EnableDatagrams: true}
	return http3Client{connection: client.Start(), openStream: client.OpenRequestStream}
}
