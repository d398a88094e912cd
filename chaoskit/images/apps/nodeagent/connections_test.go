package main

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

func TestEstablishedConnectionsAreResetAndNewOnesWork(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	listener, err := net.Listen("tcp", ":0") // IPv6 and IPv4 in one, as API servers listen
	must(t, err)
	defer listener.Close()
	go func() {
		for {
			accepted, err := listener.Accept()
			if err != nil {
				return
			}
			go func() { _, _ = io.Copy(accepted, accepted) }()
		}
	}()
	port := listener.Addr().(*net.TCPAddr).Port
	var old []net.Conn
	p.inFar(func() {
		for range 3 {
			one, err := net.Dial("tcp", (&net.TCPAddr{IP: net.ParseIP(nearIP), Port: port}).String())
			must(t, err)
			old = append(old, one)
		}
	})
	parameters := fields{"port": port}
	if seen := p.near.call("connections", parameters); seen["established"] != 3.0 || seen["cut"] != 0.0 {
		t.Fatalf("before: %v", seen)
	}
	if answer := p.near.inject("connections_cut", parameters); answer["cut"] != 3.0 {
		t.Fatalf("cut: %v", answer)
	}
	for _, one := range old {
		must(t, one.SetReadDeadline(time.Now().Add(time.Second)))
		if _, err := one.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Fatalf("not reset: %v", err)
		}
	}
	p.inFar(func() {
		one, err := net.Dial("tcp", (&net.TCPAddr{IP: net.ParseIP(nearIP), Port: port}).String())
		must(t, err)
		old = append(old, one)
	})
	p.near.inject("connections_cut", parameters) // again: the new one is not meant
	seen := p.near.call("connections", parameters)
	if seen["established"] != 1.0 || seen["cut"] != 3.0 || seen["left"] != 0.0 {
		t.Fatalf("after: %v", seen)
	}
	p.near.heal("connections_cut", parameters)
	if seen := p.near.call("connections", parameters); seen["cut"] != 0.0 {
		t.Fatalf("not forgotten: %v", seen)
	}
	for _, one := range old {
		_ = one.Close()
	}
	p.near.refused("nothing can be cut", "inject", fields{"kind": "connections_cut", "heal_after_s": 1,
		"parameters": fields{"port": 1}})
}
