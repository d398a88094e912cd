package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"chaoskit.dev/apps/internal/monotonic"
)

// Datagrams that agents send one another to see what becomes of packets. All nodes share one
// kernel, and so one monotonic clock: the time that a datagram took is known one way.
const (
	datagramMagic  = 0x63686b74
	datagramBytes  = 28 // magic, series, number, sent at: 4 + 8 + 8 + 8
	maxDatagram    = 1400
	maxDatagrams   = 200_000
	seriesKept     = 32
	earBufferBytes = 16 << 20
)

// heardDatagram is one that arrived.
type heardDatagram struct {
	number          uint64
	sentNS, heardNS int64
	bytes           int
}

// ear is a UDP socket that listens in a pod's network, or in the node's.
type ear struct {
	pod     string
	network os.FileInfo
	socket  *net.UDPConn
}

func (e ear) port() int { return e.socket.LocalAddr().(*net.UDPAddr).Port }

// ears are those that listen, one a network.
type ears struct {
	cgroupRoot string
	mu         sync.Mutex
	open       []ear
	series     map[uint64][]heardDatagram
	order      []uint64
}

func newEars(s settings) *ears {
	return &ears{cgroupRoot: s.cgroupRoot, series: map[uint64][]heardDatagram{}}
}

type listenArguments struct {
	Pod string `json:"pod"`
}

// listen opens an ear, or names the one that is open. A pod that is started anew has another.
func (e *ears) listen(a listenArguments) (fields, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	network, err := networkOf(e.cgroupRoot, a.Pod)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	where, err := network.Stat()
	if err != nil {
		return nil, err
	}
	e.closeGone()
	for _, one := range e.open {
		if os.SameFile(one.network, where) {
			return fields{"port": one.port()}, nil
		}
	}
	var socket *net.UDPConn
	err = within(network, func() (err error) {
		socket, err = net.ListenUDP("udp4", nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	raw, err := socket.SyscallConn()
	if err == nil {
		err = raw.Control(func(fd uintptr) {
			_ = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, earBufferBytes)
		})
	}
	if err != nil {
		return nil, errors.Join(err, socket.Close())
	}
	opened := ear{a.Pod, where, socket}
	e.open = append(e.open, opened)
	go e.hear(socket)
	return fields{"port": opened.port()}, nil
}

// closeGone closes the ears of pods that have ended, or have another network: a socket keeps the
// network that it is in.
func (e *ears) closeGone() {
	e.open = slices.DeleteFunc(e.open, func(one ear) bool {
		network, err := networkOf(e.cgroupRoot, one.pod)
		gone := errors.Is(err, errPodGone)
		if err == nil {
			now, err := network.Stat()
			gone = err == nil && !os.SameFile(now, one.network)
			_ = network.Close()
		}
		if gone {
			_ = one.socket.Close() // which ends its hear
		}
		return gone
	})
}

func (e *ears) hear(socket *net.UDPConn) {
	buffer := make([]byte, maxDatagram)
	for {
		length, err := socket.Read(buffer)
		if err != nil {
			return // it was closed
		}
		now := monotonic.NowNS()
		if length < datagramBytes || binary.BigEndian.Uint32(buffer) != datagramMagic {
			continue
		}
		series := binary.BigEndian.Uint64(buffer[4:])
		e.mu.Lock()
		if _, known := e.series[series]; !known {
			e.order = append(e.order, series)
			if len(e.order) > seriesKept {
				delete(e.series, e.order[0])
				e.order = e.order[1:]
			}
		}
		e.series[series] = append(e.series[series], heardDatagram{
			number: binary.BigEndian.Uint64(buffer[12:]),
			sentNS: int64(binary.BigEndian.Uint64(buffer[20:])), heardNS: now, bytes: length,
		})
		e.mu.Unlock()
	}
}

type heardArguments struct {
	Series uint64 `json:"series"`
	Brief  bool   `json:"brief"`
}

// heard tells what arrived of a series, in the order of arrival; if brief, only how many.
func (e *ears) heard(a heardArguments) (fields, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if a.Brief {
		return fields{"count": len(e.series[a.Series])}, nil
	}
	numbers, delays, times, bytes := []uint64{}, []int64{}, []int64{}, 0
	for _, one := range e.series[a.Series] {
		numbers = append(numbers, one.number)
		delays = append(delays, one.heardNS-one.sentNS)
		times = append(times, one.heardNS)
		bytes += one.bytes
	}
	return fields{"count": len(numbers), "numbers": numbers, "delays_ns": delays, "heard_ns": times, "bytes": bytes}, nil
}

type sendArguments struct {
	Pod       string  `json:"pod"`
	Address   string  `json:"address"`
	Port      uint16  `json:"port"`
	Series    uint64  `json:"series"`
	Count     int     `json:"count"`
	SpacingMS float64 `json:"spacing_ms"`
	SizeBytes int     `json:"size_bytes"`
}

// send sends a series of datagrams, evenly spaced. What the kernel refuses counts as sent: to the
// receiver it is lost.
func (e *ears) send(a sendArguments) (fields, error) {
	size := max(a.SizeBytes, datagramBytes)
	if a.Count < 1 || a.Count > maxDatagrams || a.SpacingMS < 0 || size > maxDatagram {
		return nil, fmt.Errorf("count is %d, spacing_ms %g, size_bytes %d; give 1 to %d, 0 or more, "+
			"up to %d", a.Count, a.SpacingMS, size, maxDatagrams, maxDatagram)
	}
	var socket net.Conn
	err := withinPod(e.cgroupRoot, a.Pod, func() (err error) {
		socket, err = net.Dial("udp4", net.JoinHostPort(a.Address, fmt.Sprint(a.Port)))
		return err
	})
	if err != nil {
		return nil, err
	}
	defer socket.Close()
	datagram := make([]byte, size)
	binary.BigEndian.PutUint32(datagram, datagramMagic)
	binary.BigEndian.PutUint64(datagram[4:], a.Series)
	begun, refused := time.Now(), 0
	for number := range a.Count {
		time.Sleep(time.Until(begun.Add(milliseconds(a.SpacingMS * float64(number)))))
		binary.BigEndian.PutUint64(datagram[12:], uint64(number))
		binary.BigEndian.PutUint64(datagram[20:], uint64(monotonic.NowNS()))
		if _, err := socket.Write(datagram); err != nil {
			refused++
		}
	}
	return fields{"sent": a.Count, "refused": refused, "took_ns": time.Since(begun).Nanoseconds()}, nil
}
