// The program peer is a second implementation of a QDT client and server, for tests: plain version 1, without
// caps, on quic-go. It behaves as existing peers do where docs/protocol.md tells of them: datagrams
// limited to the MTU, Ping and Pong dropped silently, a 200 without content-type and
// content-length, accept-encoding: gzip, the request stream left open.
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
	default:
		fmt.Fprintln(os.Stderr, "usage: peer client|server [OPTIONS]; peer client -help")
		os.Exit(exitHost)
	}
}
