package main

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
)

// carrier is a session of either protocol.
type carrier interface {
	// send carries an IP packet to the peer.
	send(packet []byte)
	// receive hands the peer's packets to deliver, until the session ends: the error tells how.
	receive(ctx context.Context, deliver func(packet []byte)) error
	// readUntilEnd returns when the session's request stream ends: the error tells how.
	readUntilEnd() error
	counts() *statistics
}

// carry moves packets between the device and the session, and returns the exit status.
func carry(ctx context.Context, session carrier, tun *os.File) int {
	ended := make(chan error, 3)
	go func() { ended <- session.readUntilEnd() }()
	go func() {
		ended <- session.receive(ctx, func(packet []byte) { tun.Write(packet) })
	}()
	go func() {
		ended <- readPackets(tun, func(packet []byte) { session.send(packet) })
	}()
	select {
	case <-ctx.Done():
		return exitStopped
	case err := <-ended:
		fmt.Println("the session ended:", strings.TrimSpace(err.Error()))
		return exitLost
	}
}

// readPackets hands the device's packets to send, until the device is closed.
func readPackets(tun *os.File, send func(packet []byte)) error {
	buffer := make([]byte, maxPacketBytes)
	for {
		length, err := tun.Read(buffer)
		if err != nil {
			return err
		}
		send(buffer[:length])
	}
}

// roster is a server's sessions, by their leases.
type roster struct {
	mutex   sync.Mutex
	members map[netip.Addr]member
}

// member is a session and what ends it.
type member struct {
	carrier
	end func()
}

func (r *roster) add(session member, leases ...netip.Addr) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.members == nil {
		r.members = map[netip.Addr]member{}
	}
	for _, lease := range leases {
		r.members[lease] = session
	}
}

// remove forgets the session of these leases, and prints its statistics unless endAll has.
func (r *roster) remove(leases ...netip.Addr) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if session, ok := r.members[leases[0]]; ok {
		session.counts().print()
	}
	for _, lease := range leases {
		delete(r.members, lease)
	}
}

// route sends a packet of the TUN device to the session that has its destination.
func (r *roster) route(packet []byte) {
	_, destination := addresses(packet)
	r.mutex.Lock()
	session, ok := r.members[destination]
	r.mutex.Unlock()
	if ok {
		session.send(packet)
	}
}

func (r *roster) endAll() {
	r.mutex.Lock()
	members := r.members
	r.members = nil
	r.mutex.Unlock()
	for lease, session := range members {
		if lease.Is4() { // which every session has
			session.counts().print()
			session.end()
		}
	}
}

// receive delivers a session's packets until it ends; those from other addresses than its own are dropped.
func (r *roster) receive(ctx context.Context, session carrier, deliver func([]byte), leases ...netip.Addr) error {
	ended := make(chan error, 2)
	go func() { ended <- session.readUntilEnd() }()
	go func() {
		ended <- session.receive(ctx, func(packet []byte) {
			source, _ := addresses(packet)
			for _, lease := range leases {
				if source == lease {
					deliver(packet)
					return
				}
			}
			session.counts().count("dropped_spoofed_source")
		})
	}()
	return <-ended
}
