package main

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

type portOnly struct {
	Port uint16 `json:"port"`
}

// cutConnections are those that were there before the cut, by the kernel's own number of each.
type cutConnections struct {
	Cookies []uint64 `json:"cookies"`
}

// connectionsCut resets the connections that are established to a port of this node, and leaves
// alone those that come after. Its heal has nothing to mend: it forgets which ones they were.
var connectionsCut = mechanism[portOnly, cutConnections]{
	key: func(p portOnly) (string, error) {
		if p.Port == 0 {
			return "", errors.New("port is missing; name the one that the connections are to")
		}
		return fmt.Sprintf("connections %d", p.Port), nil
	},
	look: func(p portOnly) (cutConnections, error) {
		var c cutConnections
		found, err := establishedTo(p.Port)
		for _, one := range found {
			c.Cookies = append(c.Cookies, cookieOf(one))
		}
		if err == nil && len(found) == 0 {
			err = fmt.Errorf("no connection to port %d is established; nothing can be cut", p.Port)
		}
		return c, err
	},
	inject: func(p portOnly, c cutConnections) (fields, error) {
		found, err := establishedTo(p.Port)
		if err != nil {
			return nil, err
		}
		cut := 0
		for _, one := range found {
			if !slices.Contains(c.Cookies, cookieOf(one)) {
				continue
			}
			local, remote := addressesOfSocket(one)
			switch err := netlink.SocketDestroy(local, remote); {
			case err == nil:
				cut++
			case !errors.Is(err, syscall.ENOENT): // which ended by itself meanwhile
				return nil, fmt.Errorf("connection from %s to %s cannot be reset: %w", remote, local, err)
			}
		}
		return fields{"cut": cut}, nil
	},
	heal: func(portOnly, cutConnections) (fields, error) { return nil, nil },
}.kind()

// connections counts those established to a port, and of those that the latest cut was meant for,
// how many there are still. `cut` is how many those were; 0 says that there was no cut.
func (a *agent) connections(p portOnly) (fields, error) {
	found, err := establishedTo(p.Port)
	if err != nil {
		return nil, err
	}
	var c cutConnections
	if raw := a.faults.snapshotOf(fmt.Sprintf("connections %d", p.Port)); len(raw) > 0 {
		if c, err = strictly[cutConnections](raw); err != nil {
			return nil, err
		}
	}
	left := 0
	for _, one := range found {
		if slices.Contains(c.Cookies, cookieOf(one)) {
			left++
		}
	}
	return fields{"established": len(found), "cut": len(c.Cookies), "left": left}, nil
}

// establishedTo lists the node's side of connections to that port of it.
func establishedTo(port uint16) ([]*netlink.Socket, error) {
	var found []*netlink.Socket
	for _, family := range []uint8{unix.AF_INET, unix.AF_INET6} {
		all, err := netlink.SocketDiagTCP(family)
		if err != nil {
			return nil, fmt.Errorf("listing connections: %w", err)
		}
		for _, one := range all {
			if one.ID.SourcePort == port && one.State == netlink.TCP_ESTABLISHED {
				found = append(found, one)
			}
		}
	}
	return found, nil
}

func cookieOf(one *netlink.Socket) uint64 {
	return uint64(one.ID.Cookie[1])<<32 | uint64(one.ID.Cookie[0])
}

func addressesOfSocket(one *netlink.Socket) (local, remote *net.TCPAddr) {
	return &net.TCPAddr{IP: one.ID.Source, Port: int(one.ID.SourcePort)},
		&net.TCPAddr{IP: one.ID.Destination, Port: int(one.ID.DestinationPort)}
}
