// The program peer is a second implementation of clients and servers, for tests, on quic-go.
//
// client and server are plain version 1, without caps. They behave as existing peers do where
// docs/protocol-v1.md tells of them: datagrams limited to the MTU, Ping and Pong dropped silently, a 200
// without content-type and content-length, accept-encoding: gzip, the request stream left open.
//
// ip-client and ip-server speak CONNECT-IP (RFC 9484) as programs do that have never heard of QDT, after
// the RFCs rather than docs/protocol.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

const (
	exitStopped = 0 // by a signal
	exitHost    = 1
	exitRefused = 2
	exitLost    = 3
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	role := ""
	if len(os.Args) > 1 {
		role = os.Args[1]
	}
	switch role {
	case "client":
		os.Exit(runClient(ctx, clientFlags(os.Args[2:])))
	case "server":
		os.Exit(runServer(ctx, serverFlags(os.Args[2:])))
	case "ip-client":
		os.Exit(runIPClient(ctx, ipClientFlags(os.Args[2:])))
	case "ip-server":
		os.Exit(runIPServer(ctx, ipServerFlags(os.Args[2:])))
	default:
		fmt.Fprintln(os.Stderr,
			"usage: peer client|server|ip-client|ip-server [OPTIONS]; peer client -help")
		os.Exit(exitHost)
	}
}
