package main

import (
	"encoding/binary"
	"net"
	"testing"
)

// serveNames answers every question for an IPv4 address with 10.9.8.7.
func serveNames(socket net.PacketConn) {
	buffer := make([]byte, 512)
	for {
		length, from, err := socket.ReadFrom(buffer)
		if err != nil {
			return
		}
		const header, typeAndClass = 12, 4
		end := header
		for buffer[end] != 0 {
			end += int(buffer[end]) + 1
		}
		end += 1 + typeAndClass
		answer := append([]byte{}, buffer[:min(end, length)]...)
		binary.BigEndian.PutUint16(answer[2:], 0x8180) // an answer, recursion desired and had
		binary.BigEndian.PutUint32(answer[8:], 0)      // no further sections
		if isA := answer[len(answer)-3] == 1; isA {
			binary.BigEndian.PutUint16(answer[6:], 1)
			answer = append(answer, 0xc0, header, 0, 1, 0, 1, 0, 0, 0, 5, 0, 4, 10, 9, 8, 7)
		}
		_, _ = socket.WriteTo(answer, from)
	}
}

func TestNamesAreResolvedUntilTheyAreCut(t *testing.T) {
	t.Parallel()
	p := servePair(t)
	p.inFar(func() {
		socket, err := net.ListenPacket("udp", farIP+":53")
		must(t, err)
		t.Cleanup(func() { _ = socket.Close() })
		go serveNames(socket)
	})
	asking := fields{"server": farIP, "name": "some.where", "timeout_ms": 1000}
	answer := p.near.call("resolve", asking)
	if found, _ := answer["addresses"].([]any); len(found) != 1 || found[0] != "10.9.8.7" {
		t.Fatalf("before: %v", answer)
	}
	p.near.inject("packets", dropping("sent", fields{"ports": []int{53}}))
	if answer := p.near.call("resolve", asking); answer["addresses"] != nil || answer["error"] == "" {
		t.Fatalf("cut: %v", answer)
	}
	p.near.heal("packets", fields{"label": "test"})
	if answer := p.near.call("resolve", asking); answer["addresses"] == nil {
		t.Fatalf("after: %v", answer)
	}
	p.near.refused("server is", "resolve", fields{"server": "name", "name": "x", "timeout_ms": 1})
}
