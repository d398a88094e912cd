package main

import (
	"fmt"
	"net/netip"

	"golang.org/x/sys/unix"
)

const (
	newAddress = unix.RTM_NEWADDR
	newRoute   = unix.RTM_NEWROUTE
)

// describeAddress is an address as `ip` shows it, for error messages.
func describeAddress(raw []byte) string {
	m, err := parseMessage(raw, unix.SizeofIfAddrmsg)
	if err != nil {
		return err.Error()
	}
	for _, kind := range []uint16{unix.IFA_LOCAL, unix.IFA_ADDRESS} {
		if address, found := m.address(kind); found {
			return fmt.Sprintf("%s/%d", address, m.header[1])
		}
	}
	return "without address"
}

// describeRoute is a route as `ip` shows it, for error messages.
func describeRoute(raw []byte) string {
	m, err := parseMessage(raw, unix.SizeofRtMsg)
	if err != nil {
		return err.Error()
	}
	text := "default"
	if destination, found := m.address(unix.RTA_DST); found {
		text = fmt.Sprintf("%s/%d", destination, m.header[1])
	}
	if gateway, found := m.address(unix.RTA_GATEWAY); found {
		text += " via " + gateway.String()
	}
	return fmt.Sprintf("%s table %d", text, m.number(unix.RTA_TABLE, uint32(m.header[4])))
}

func (m message) address(kind uint16) (netip.Addr, bool) {
	for _, a := range m.attributes {
		if a.kind == kind {
			return netip.AddrFromSlice(a.value)
		}
	}
	return netip.Addr{}, false
}
