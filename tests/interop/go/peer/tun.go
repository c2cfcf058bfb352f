package main

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"unsafe"
)

// maxPacketBytes is the largest IP packet there can be.
const maxPacketBytes = 65535

// openTUN makes a TUN device; each read and write is one IP packet.
func openTUN(name string) (*os.File, error) {
	// Non-blocking, so that the runtime polls it and Close ends a read.
	fd, err := syscall.Open("/dev/net/tun", syscall.O_RDWR|syscall.O_NONBLOCK|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open /dev/net/tun: %w", err)
	}
	var request struct {
		name  [syscall.IFNAMSIZ]byte
		flags uint16
		_     [22]byte // struct ifreq has 40 bytes
	}
	copy(request.name[:syscall.IFNAMSIZ-1], name)
	request.flags = syscall.IFF_TUN | syscall.IFF_NO_PI
	_, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), syscall.TUNSETIFF,
		uintptr(unsafe.Pointer(&request)))
	if errno != 0 {
		syscall.Close(fd)
		return nil, fmt.Errorf("make the TUN device %s: %w", name, errno)
	}
	return os.NewFile(uintptr(fd), name), nil
}

// configureTUN gives the device an MTU and addresses, and with each address's prefix a route.
func configureTUN(name string, mtu int, addresses ...netip.Prefix) error {
	commands := [][]string{
		// Else the kernel would look for IPv6 routers from an address that is no lease.
		{"link", "set", name, "addrgenmode", "none"},
		{"link", "set", name, "mtu", strconv.Itoa(mtu), "up"},
	}
	for _, address := range addresses {
		commands = append(commands, []string{"address", "add", address.String(), "dev", name, "nodad"})
	}
	for _, arguments := range commands {
		if output, err := exec.Command("ip", arguments...).CombinedOutput(); err != nil {
			return fmt.Errorf("ip %s: %w: %s", strings.Join(arguments, " "), err, output)
		}
	}
	return nil
}
