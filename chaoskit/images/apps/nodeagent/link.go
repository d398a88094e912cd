package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/vishvananda/netlink"

	"chaoskit.dev/apps/internal/monotonic"
)

// snapshot is what an interface loses, or may lose, when it is set down.
type snapshot struct {
	Addresses [][]byte `json:"addresses"`
	Routes    [][]byte `json:"routes"`
}

// linkDown takes an interface down; addresses and routes come back with it.
var linkDown = mechanism[interfaceOnly, snapshot]{
	key: func(p interfaceOnly) (string, error) {
		if p.Interface == "" {
			return "", errNoInterface
		}
		return "link " + p.Interface, nil
	},
	look: func(p interfaceOnly) (snapshot, error) {
		link, err := findLink(p.Interface)
		if err != nil {
			return snapshot{}, err
		}
		if !isUp(link) {
			return snapshot{}, fmt.Errorf("interface %s is down, and not by a fault of ours; "+
				"set it up first (heal)", p.Interface)
		}
		s, err := takeSnapshot(link)
		if err != nil {
			err = fmt.Errorf("interface %s is left up: %w", p.Interface, err)
		}
		return s, err
	},
	inject: cutLink,
	heal: func(p interfaceOnly, s snapshot) (fields, error) {
		done, err := restore(p.Interface, s)
		return fields{"addresses_restored": done.addresses, "routes_restored": done.routes}, err
	},
}.kind()

// cutLink sets the link down, looks, and dates the cut.
func cutLink(p interfaceOnly, s snapshot) (fields, error) {
	link, err := findLink(p.Interface)
	if err != nil {
		return nil, err
	}
	if err := netlink.LinkSetDown(link); err != nil {
		return nil, fmt.Errorf("interface %s cannot be set down: %w", p.Interface, err)
	}
	if link, err = findLink(p.Interface); err != nil || isUp(link) {
		return nil, errors.Join(err,
			fmt.Errorf("interface %s is up although set down", p.Interface))
	}
	return fields{"addresses": len(s.Addresses), "routes": len(s.Routes)}, nil
}

// findLink names the interfaces that there are when the one asked for is not among them.
func findLink(name string) (netlink.Link, error) {
	if name == "" {
		return nil, errNoInterface
	}
	link, err := netlink.LinkByName(name)
	if err == nil {
		return link, nil
	}
	var names []string
	if links, listErr := netlink.LinkList(); listErr == nil {
		for _, l := range links {
			names = append(names, l.Attrs().Name)
		}
	}
	return nil, fmt.Errorf("interface %s: %w; there are %s", name, err, strings.Join(names, ", "))
}

func isUp(link netlink.Link) bool { return link.Attrs().Flags&net.FlagUp != 0 }

// isWorking allows operstate "unknown", which devices without the notion report (loopback).
func isWorking(link netlink.Link) bool {
	state := link.Attrs().OperState
	return isUp(link) && (state == netlink.OperUp || state == netlink.OperUnknown)
}

func takeSnapshot(link netlink.Link) (snapshot, error) {
	var s snapshot
	var err error
	if s.Addresses, err = addressesOf(link.Attrs().Index); err != nil {
		return s, err
	}
	routes, err := routesOf(link.Attrs().Index)
	for _, r := range routes {
		s.Routes = append(s.Routes, r.raw)
	}
	return s, err
}

// missingOf are the objects of `wanted` that are not in `present`.
func missingOf(wanted, present [][]byte) [][]byte {
	var missing [][]byte
	for _, w := range wanted {
		found := false
		for _, p := range present {
			found = found || bytes.Equal(w, p)
		}
		if !found {
			missing = append(missing, w)
		}
	}
	return missing
}

// restored says what a heal had to put back.
type restored struct{ addresses, routes int }

// restore sets the link up and puts back what of the snapshot is missing, until the link works
// and a fresh look finds everything: a route may have to wait for its address or its gateway.
func restore(name string, s snapshot) (restored, error) {
	const patience = 5 * time.Second
	var done restored
	for deadline := time.Now().Add(patience); ; time.Sleep(5 * time.Millisecond) {
		complete, lastErr := restoreOnce(name, s, &done)
		if complete {
			return done, nil
		}
		if time.Now().After(deadline) {
			return done, fmt.Errorf("interface %s is not back after %s: %w", name, patience, lastErr)
		}
	}
}

func restoreOnce(name string, s snapshot, done *restored) (complete bool, err error) {
	link, err := findLink(name)
	if err != nil {
		return false, err
	}
	if !isUp(link) {
		if err := netlink.LinkSetUp(link); err != nil {
			return false, err
		}
	}
	now, err := takeSnapshot(link)
	if err != nil {
		return false, err
	}
	addresses, routes := missingOf(s.Addresses, now.Addresses), missingOf(s.Routes, now.Routes)
	if len(addresses)+len(routes) == 0 {
		if link, err = findLink(name); err == nil && !isWorking(link) {
			err = fmt.Errorf("operstate is %s; is its other end up?", link.Attrs().OperState)
		}
		return err == nil, err
	}
	for _, raw := range addresses {
		if failure := create(newAddress, raw); failure != nil {
			err = errors.Join(err, fmt.Errorf("address %s: %w", describeAddress(raw), failure))
			continue
		}
		done.addresses++
	}
	for _, raw := range routes {
		if failure := create(newRoute, raw); failure != nil {
			err = errors.Join(err, fmt.Errorf("route %s: %w", describeRoute(raw), failure))
			continue
		}
		done.routes++
	}
	if err == nil {
		err = fmt.Errorf("%d addresses and %d routes were missing", len(addresses), len(routes))
	}
	return false, err
}

// linkState is what is seen of an interface right now, measured apart from what was done to it.
func linkState(a interfaceOnly) (fields, error) {
	link, err := findLink(a.Interface)
	if err != nil {
		return nil, err
	}
	routes, err := routesOf(link.Attrs().Index)
	if err != nil {
		return nil, err
	}
	hasDefault := false
	for _, r := range routes {
		hasDefault = hasDefault || r.isDefault
	}
	listed, err := netlink.AddrList(link, netlink.FAMILY_ALL)
	if err != nil {
		return nil, err
	}
	addresses := make([]string, 0, len(listed))
	for _, address := range listed {
		addresses = append(addresses, address.IPNet.String())
	}
	attributes := link.Attrs()
	const carrier = 1 << 16 // IFF_LOWER_UP in linux/if.h
	state := fields{
		"interface":     a.Interface,
		"operstate":     attributes.OperState.String(),
		"up":            isUp(link),
		"carrier":       attributes.RawFlags&carrier != 0,
		"flags":         attributes.Flags.String(),
		"addresses":     addresses,
		"routes":        len(routes),
		"default_route": hasDefault,
		"read_ns":       monotonic.NowNS(),
	}
	if counted := attributes.Statistics; counted != nil {
		state["rx_packets"], state["tx_packets"] = counted.RxPackets, counted.TxPackets
	}
	return state, nil
}
