//go:build !quic_go_before_0_47

package main

import (
	"github.com/quic-go/quic-go"
	"github.com/quic-go/quic-go/http3"
)

// newHTTP3Client speaks HTTP/3 with datagrams over a connection (Debian 13's quic-go).
func newHTTP3Client(connection quic.Connection) http3Client {
	transport := &http3.Transport{EnableDatagrams: true}
	client := transport.NewClientConn(connection)
	return http3Client{connection: client, openStream: client.OpenRequestStream}
}
