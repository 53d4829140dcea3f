package main

import (
	"net/netip"
	"os"
	"strconv"
	"syscall"
)

// reset has the end of a client's connection be a reset, not an orderly end of stream. Toxiproxy gives a toxic no way
// to the connection itself, so it is looked for among the process's own.
func reset(client string) {
	wanted, err := netip.ParseAddrPort(client)
	if err != nil {
		return
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, entry := range entries {
		descriptor, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if peer, known := peerOf(descriptor); known && peer == wanted {
			// An error leaves an orderly end, which a probe of the harness tells from a reset.
			_ = syscall.SetsockoptLinger(descriptor, syscall.SOL_SOCKET, syscall.SO_LINGER, &syscall.Linger{Onoff: 1})
			return
		}
	}
}

func peerOf(descriptor int) (netip.AddrPort, bool) {
	peer, err := syscall.Getpeername(descriptor)
	if err != nil {
		return netip.AddrPort{}, false
	}
	switch peer := peer.(type) {
	case *syscall.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(peer.Addr), uint16(peer.Port)), true
	case *syscall.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(peer.Addr).Unmap(), uint16(peer.Port)), true
	}
	return netip.AddrPort{}, false
}
