package main

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"

	"github.com/google/nftables"
	"github.com/google/nftables/binaryutil"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// selection says which packets a fault acts on. What is empty does not restrict.
type selection struct {
	// At is where: "arriving" (all that comes in, before any translation of addresses), "leaving"
	// (all that goes out, after it), or "sent" (by processes of this network, before it).
	At string `json:"at"`
	// Pod whose network is meant, by its UID; the node's own if empty.
	Pod       string   `json:"pod,omitempty"`
	Interface string   `json:"interface,omitempty"`
	From      []string `json:"from,omitempty"` // addresses and address ranges
	To        []string `json:"to,omitempty"`
	Protocol  string   `json:"protocol,omitempty"` // tcp or udp
	Ports     []uint16 `json:"ports,omitempty"`    // of the destination
}

// hook is where in the kernel's path of a packet a selection acts, and on which side its
// interface is. Arriving is before connection tracking, so what is dropped there leaves no trace.
type hook struct {
	at       *nftables.ChainHook
	priority *nftables.ChainPriority
	chain    nftables.ChainType
	side     expr.MetaKey
}

var hooks = map[string]hook{
	"arriving": {nftables.ChainHookPrerouting, nftables.ChainPriorityRef(-310),
		nftables.ChainTypeFilter, expr.MetaKeyIIFNAME},
	"leaving": {nftables.ChainHookPostrouting, nftables.ChainPriorityRef(200),
		nftables.ChainTypeFilter, expr.MetaKeyOIFNAME},
	"sent": {nftables.ChainHookOutput, nftables.ChainPriorityRef(-150),
		nftables.ChainTypeFilter, expr.MetaKeyOIFNAME},
}

func (s selection) check() error {
	if _, known := hooks[s.At]; !known {
		return fmt.Errorf("at is %q; give arriving, leaving or sent", s.At)
	}
	if _, known := protocols[s.Protocol]; !known {
		return fmt.Errorf("protocol is %q; give tcp, udp or none", s.Protocol)
	}
	if slices.Contains(s.Ports, 0) {
		return fmt.Errorf("ports are %v; give 1 to 65535", s.Ports)
	}
	for _, text := range slices.Concat(s.From, s.To) {
		if _, err := parsePrefix(text); err != nil {
			return err
		}
	}
	return nil
}

var protocols = map[string][]byte{
	"":    {unix.IPPROTO_TCP, unix.IPPROTO_UDP}, // the two that have ports
	"tcp": {unix.IPPROTO_TCP}, "udp": {unix.IPPROTO_UDP},
}

var labelForm = regexp.MustCompile(`^[a-z0-9_-]{1,48}$`)

// checkSelections refuses what cannot be meant.
func checkSelections(label string, selections []selection) error {
	if !labelForm.MatchString(label) {
		return fmt.Errorf("label is %q; give up to 48 of a-z, 0-9, _ and -", label)
	}
	if len(selections) == 0 {
		return fmt.Errorf("selections are missing; say which packets")
	}
	for _, one := range selections {
		if err := one.check(); err != nil {
			return err
		}
	}
	return nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		return prefix, fmt.Errorf("%q is no address and no range of addresses: %w", text, err)
	}
	return prefix.Masked(), nil
}

// matches are the alternatives of a selection: a packet is meant if one of them matches.
func (s selection) matches() [][]expr.Any {
	all := [][]expr.Any{{}}
	if s.Interface != "" {
		all = and(all, [][]expr.Any{matchInterface(hooks[s.At].side, s.Interface)})
	}
	all = and(all, addressMatches(s.From, true))
	all = and(all, addressMatches(s.To, false))
	if s.Protocol == "" && len(s.Ports) == 0 {
		return all
	}
	var transport [][]expr.Any
	for _, number := range protocols[s.Protocol] {
		one := [][]expr.Any{{
			&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{number}},
		}}
		transport = append(transport, and(one, portMatches(s.Ports))...)
	}
	return and(all, transport)
}

// and combines every alternative with every other; none at all does not restrict.
func and(some, more [][]expr.Any) [][]expr.Any {
	if len(more) == 0 {
		return some
	}
	var all [][]expr.Any
	for _, one := range some {
		for _, other := range more {
			all = append(all, slices.Concat(one, other))
		}
	}
	return all
}

func matchInterface(key expr.MetaKey, name string) []expr.Any {
	padded := make([]byte, unix.IFNAMSIZ)
	copy(padded, name)
	return []expr.Any{
		&expr.Meta{Key: key, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: padded},
	}
}

// addressMatches of prefixes that check has seen.
func addressMatches(texts []string, source bool) [][]expr.Any {
	var all [][]expr.Any
	for _, text := range texts {
		prefix, err := parsePrefix(text)
		if err != nil {
			panic(err)
		}
		all = append(all, matchAddress(prefix, source))
	}
	return all
}

func matchAddress(prefix netip.Prefix, source bool) []expr.Any {
	family, offset, length := byte(unix.NFPROTO_IPV4), uint32(16), uint32(4)
	if prefix.Addr().Is6() {
		family, offset, length = unix.NFPROTO_IPV6, 24, 16
	}
	if source {
		offset -= length
	}
	mask := make([]byte, length)
	for bit := range prefix.Bits() {
		mask[bit/8] |= 0x80 >> (bit % 8)
	}
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{family}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: offset, Len: length},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: length, Mask: mask, Xor: make([]byte, length)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: prefix.Addr().AsSlice()},
	}
}

func portMatches(ports []uint16) [][]expr.Any {
	var all [][]expr.Any
	for _, port := range ports {
		all = append(all, []expr.Any{
			&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binaryutil.BigEndian.PutUint16(port)},
		})
	}
	return all
}
