package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

type connectArguments struct {
	Pod       string  `json:"pod"`
	Address   string  `json:"address"`
	Port      uint16  `json:"port"`
	Count     int     `json:"count"`
	TimeoutMS float64 `json:"timeout_ms"`
}

const maxConnects = 200 // each holds a thread while it waits

// connect tries TCP connections, all at the same time, and tells which were answered: a refusal
// is an answer, too, as it takes a packet there and one back.
func (a *agent) connect(c connectArguments) (fields, error) {
	if c.Count < 1 || c.Count > maxConnects || !(c.TimeoutMS > 0 && c.TimeoutMS <= maxDelayMS) {
		return nil, fmt.Errorf("count is %d, timeout_ms %g; give 1 to %d and up to %d",
			c.Count, c.TimeoutMS, maxConnects, maxDelayMS)
	}
	network, err := networkOf(a.settings.cgroupRoot, c.Pod)
	if err != nil {
		return nil, err
	}
	defer network.Close()
	target := net.JoinHostPort(c.Address, fmt.Sprint(c.Port))
	var mu sync.Mutex
	var open sync.WaitGroup
	accepted, refused, took, last := 0, 0, []int64{}, ""
	for range c.Count {
		open.Go(func() {
			begun := time.Now()
			err := within(network, func() error {
				connection, err := net.DialTimeout("tcp4", target, milliseconds(c.TimeoutMS))
				if err == nil {
					err = connection.Close()
				}
				return err
			})
			spent := time.Since(begun).Nanoseconds()
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				accepted++
			case errors.Is(err, syscall.ECONNREFUSED):
				refused++
			default:
				last = err.Error()
				return
			}
			took = append(took, spent)
		})
	}
	open.Wait()
	return fields{"accepted": accepted, "refused": refused, "took_ns": took, "last_error": last}, nil
}

type resolveArguments struct {
	Pod       string  `json:"pod"`
	Server    string  `json:"server"`
	Name      string  `json:"name"`
	TimeoutMS float64 `json:"timeout_ms"`
}

// resolve asks one name server for a full name, over UDP.
func (a *agent) resolve(r resolveArguments) (fields, error) {
	if net.ParseIP(r.Server) == nil || r.Name == "" || !(r.TimeoutMS > 0 && r.TimeoutMS <= maxDelayMS) {
		return nil, fmt.Errorf("server is %q, name %q, timeout_ms %g; give an address, a name and up "+
			"to %d", r.Server, r.Name, r.TimeoutMS, maxDelayMS)
	}
	dial := func(context.Context, string, string) (socket net.Conn, err error) {
		err = withinPod(a.settings.cgroupRoot, r.Pod, func() (err error) {
			socket, err = net.Dial("udp4", net.JoinHostPort(r.Server, "53"))
			return err
		})
		return socket, err
	}
	resolver := net.Resolver{PreferGo: true, Dial: dial}
	ctx, cancel := context.WithTimeout(context.Background(), milliseconds(r.TimeoutMS))
	defer cancel()
	begun := time.Now()
	addresses, err := resolver.LookupHost(ctx, r.Name+".")
	answer := fields{"addresses": addresses, "took_ns": time.Since(begun).Nanoseconds(), "error": ""}
	var refused *net.DNSError
	if errors.As(err, &refused) {
		answer["error"], err = refused.Error(), nil
	}
	return answer, err
}
