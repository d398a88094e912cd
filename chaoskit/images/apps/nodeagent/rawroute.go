package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Addresses and routes are kept as the kernel's own messages (as `ip route save` does) and sent
// back unchanged, so that nothing is lost that a parsed form does not know.

// attribute of a netlink message.
type attribute struct {
	kind  uint16
	value []byte
}

// message is an address (struct ifaddrmsg) or a route (struct rtmsg) with its attributes.
type message struct {
	header     []byte
	attributes []attribute
}

const attributeHeader = 4

func parseMessage(raw []byte, headerLength int) (message, error) {
	if len(raw) < headerLength {
		return message{}, fmt.Errorf("netlink message of %d bytes; at least %d", len(raw), headerLength)
	}
	m := message{header: bytes.Clone(raw[:headerLength])}
	for rest := raw[headerLength:]; len(rest) >= attributeHeader; {
		length := int(binary.NativeEndian.Uint16(rest))
		if length < attributeHeader || length > len(rest) {
			return m, fmt.Errorf("netlink attribute of %d bytes in %d", length, len(rest))
		}
		kind := binary.NativeEndian.Uint16(rest[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER)
		m.attributes = append(m.attributes, attribute{kind, bytes.Clone(rest[attributeHeader:length])})
		rest = rest[min((length+3)&^3, len(rest)):]
	}
	return m, nil
}

func (m message) bytes() []byte {
	raw := bytes.Clone(m.header)
	for _, a := range m.attributes {
		raw = binary.NativeEndian.AppendUint16(raw, uint16(attributeHeader+len(a.value)))
		raw = binary.NativeEndian.AppendUint16(raw, a.kind)
		raw = append(raw, a.value...)
		raw = append(raw, make([]byte, -len(raw)&3)...)
	}
	return raw
}

// number is a 32-bit attribute, or `absent`.
func (m message) number(kind uint16, absent uint32) uint32 {
	for _, a := range m.attributes {
		if a.kind == kind && len(a.value) == 4 {
			return binary.NativeEndian.Uint32(a.value)
		}
	}
	return absent
}

func (m *message) drop(kinds ...uint16) {
	kept := m.attributes[:0]
	for _, a := range m.attributes {
		if !containsKind(kinds, a.kind) {
			kept = append(kept, a)
		}
	}
	m.attributes = kept
}

func containsKind(kinds []uint16, kind uint16) bool {
	for _, k := range kinds {
		if k == kind {
			return true
		}
	}
	return false
}

// dump asks the kernel for all objects of one kind; a dump that a change interrupted is repeated.
func dump(ask, kind uint16, query nl.NetlinkRequestData) ([][]byte, error) {
	const attempts = 10
	var err error
	for range attempts {
		request := nl.NewNetlinkRequest(int(ask), unix.NLM_F_DUMP)
		request.AddData(query)
		var raw [][]byte
		raw, err = request.Execute(unix.NETLINK_ROUTE, kind)
		if !errors.Is(err, netlink.ErrDumpInterrupted) {
			return raw, err
		}
	}
	return nil, err
}

// create sends an object back to the kernel; that it is there already is no error.
func create(kind uint16, raw []byte) error {
	request := nl.NewNetlinkRequest(int(kind), unix.NLM_F_CREATE|unix.NLM_F_APPEND|unix.NLM_F_ACK)
	request.AddRawData(raw)
	_, err := request.Execute(unix.NETLINK_ROUTE, 0)
	if errors.Is(err, unix.EEXIST) {
		return nil
	}
	return err
}

var families = []int{unix.AF_INET, unix.AF_INET6}

// addressesOf are the addresses of an interface, without what changes by itself (lifetimes,
// progress of duplicate detection) and without IPv6 link-local ones, which the kernel makes anew.
func addressesOf(index int) ([][]byte, error) {
	var found [][]byte
	for _, family := range families {
		raw, err := dump(unix.RTM_GETADDR, unix.RTM_NEWADDR, nl.NewIfAddrmsg(family))
		if err != nil {
			return nil, fmt.Errorf("addresses cannot be read: %w", err)
		}
		for _, one := range raw {
			m, err := parseMessage(one, unix.SizeofIfAddrmsg)
			if err != nil {
				return nil, err
			}
			// struct ifaddrmsg: family, prefix length, flags, scope, index
			scope, on := m.header[3], int(binary.NativeEndian.Uint32(m.header[4:]))
			if on != index || (family == unix.AF_INET6 && scope == unix.RT_SCOPE_LINK) {
				continue
			}
			lasting := m.number(unix.IFA_FLAGS, 0) & unix.IFA_F_NOPREFIXROUTE
			m.drop(unix.IFA_CACHEINFO, unix.IFA_FLAGS)
			m.header[2] = 0
			if family == unix.AF_INET6 {
				lasting |= unix.IFA_F_NODAD // it was unique before: usable at once when put back
			}
			m.attributes = append(m.attributes,
				attribute{unix.IFA_FLAGS, binary.NativeEndian.AppendUint32(nil, lasting)})
			found = append(found, m.bytes())
		}
	}
	return found, nil
}

// nexthopID is RTA_NH_ID in linux/rtnetlink.h. The object that it names goes with the link; the
// kernel lists what it stands for beside it.
const nexthopID = 30

// route is one that leads over an interface, as the kernel's message and what is asked of it.
type route struct {
	raw       []byte
	isDefault bool
}

// routesOf are the routes over an interface in all tables but `local`, which the kernel fills by
// itself, as it does with IPv6 prefix routes.
func routesOf(index int) ([]route, error) {
	var found []route
	for _, family := range families {
		query := &nl.RtMsg{}
		query.Family = uint8(family)
		raw, err := dump(unix.RTM_GETROUTE, unix.RTM_NEWROUTE, query)
		if err != nil {
			return nil, fmt.Errorf("routes cannot be read: %w", err)
		}
		for _, one := range raw {
			m, err := parseMessage(one, unix.SizeofRtMsg)
			if err != nil {
				return nil, err
			}
			if r, wanted := m.routeOver(index); wanted {
				found = append(found, r)
			}
		}
	}
	return found, nil
}

// routeOver reads struct rtmsg: family, destination length, source length, tos, table, protocol,
// scope, type, flags.
func (m message) routeOver(index int) (route, bool) {
	table := m.number(unix.RTA_TABLE, uint32(m.header[4]))
	flags := binary.NativeEndian.Uint32(m.header[8:])
	madeByKernel := m.header[0] == unix.AF_INET6 && m.header[5] == unix.RTPROT_KERNEL
	if table == unix.RT_TABLE_LOCAL || flags&unix.RTM_F_CLONED != 0 || madeByKernel ||
		!m.leadsOver(index) {
		return route{}, false
	}
	m.drop(unix.RTA_CACHEINFO, nexthopID)
	binary.NativeEndian.PutUint32(m.header[8:], flags&unix.RTNH_F_ONLINK) // the rest is state
	return route{
		raw:       m.bytes(),
		isDefault: m.header[1] == 0 && table == unix.RT_TABLE_MAIN,
	}, true
}

// leadsOver looks at the one interface of a plain route and at each of a multipath route, whose
// hops are struct rtnexthop: length, flags, weight, interface.
func (m message) leadsOver(index int) bool {
	over := m.number(unix.RTA_OIF, 0) == uint32(index)
	for _, a := range m.attributes {
		if a.kind != unix.RTA_MULTIPATH {
			continue
		}
		for hops := a.value; len(hops) >= unix.SizeofRtNexthop; {
			hops[2] &= unix.RTNH_F_ONLINK // dead, linkdown and so on are state
			over = over || binary.NativeEndian.Uint32(hops[4:]) == uint32(index)
			length := int(binary.NativeEndian.Uint16(hops))
			if length < unix.SizeofRtNexthop {
				break
			}
			hops = hops[min((length+3)&^3, len(hops)):]
		}
	}
	return over
}
