package main

import (
	"context"
	"encoding/binary"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

const (
	typeSRV  = 33
	nameFail = 3
	servFail = 2
)

// nameServer answers every question with the same code and records, on a port of its own.
func nameServer(t *testing.T, code byte, kind uint16, records ...[]byte) *net.Resolver {
	t.Helper()
	conn, err := net.ListenPacket("udp4", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	go func() {
		packet := make([]byte, 512)
		for {
			n, from, err := conn.ReadFrom(packet)
			if err != nil {
				return
			}
			end := 12 + slices.Index(packet[12:n], 0) + 5 // name, type and class
			reply := slices.Clone(packet[:end])
			reply[2], reply[3] = 0x85, code // an authoritative answer
			binary.BigEndian.PutUint16(reply[6:], uint16(len(records)))
			clear(reply[8:12])
			for _, data := range records {
				reply = append(reply, 0xc0, 12, byte(kind>>8), byte(kind), 0, 1, 0, 0, 0, 5)
				reply = binary.BigEndian.AppendUint16(reply, uint16(len(data)))
				reply = append(reply, data...)
			}
			_, _ = conn.WriteTo(reply, from)
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp4", conn.LocalAddr().String())
	}}
}

func srvRecord(port uint16, target string) []byte {
	data := binary.BigEndian.AppendUint16([]byte{0, 0, 0, 0}, port)
	for _, label := range strings.Split(target, ".") {
		data = append(append(data, byte(len(label))), label...)
	}
	return append(data, 0)
}

func TestLookUpSortsWhatTheNameServerSays(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	peers := nameServer(t, 0, typeSRV, srvRecord(8080, "kv-1.kv.local"), srvRecord(80, "kv-0.kv.local"))
	answers, err := lookUp(ctx, peers, "kv.local", "SRV")
	must(t, err)
	mustEqual(t, "peers", strings.Join(answers, " "), "kv-0.kv.local:80 kv-1.kv.local:8080")
	host := nameServer(t, 0, 1, []byte{10, 0, 0, 9}, []byte{10, 0, 0, 7})
	answers, err = lookUp(ctx, host, "kv.local", "A")
	must(t, err)
	mustEqual(t, "addresses", strings.Join(answers, " "), "10.0.0.7 10.0.0.9")
}

func TestLookUpOfANameThatIsNot(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for _, record := range []string{"A", "SRV"} {
		answers, err := lookUp(ctx, nameServer(t, nameFail, 1), "nobody.local", record)
		must(t, err)
		mustEqual(t, record+" answers", len(answers), 0)
		if _, err = lookUp(ctx, nameServer(t, servFail, 1), "kv.local", record); err == nil {
			t.Fatalf("a failing name server gives no error for %s", record)
		}
	}
}

func TestDNSPath(t *testing.T) {
	none, err := parseDefects("")
	must(t, err)
	a := newApplication(settings{defects: none}, newIdentity(), nil)
	get := func(path string, status int) string {
		recorder := httptest.NewRecorder()
		a.ServeHTTP(recorder, httptest.NewRequest("GET", path, nil))
		mustEqual(t, path, recorder.Code, status)
		return strings.TrimSpace(recorder.Body.String())
	}
	a.resolver = nameServer(t, 0, 1, []byte{10, 0, 0, 7})
	mustEqual(t, "answer", get("/dns/kv-0.kv.local", 200),
		`{"name":"kv-0.kv.local","record":"A","answers":["10.0.0.7"]}`)
	get("/dns/kv.local?record=MX", 400)
	a.resolver = nameServer(t, nameFail, 1)
	mustEqual(t, "answer", get("/dns/kv.local?record=SRV", 200),
		`{"name":"kv.local","record":"SRV","answers":[]}`)
	a.resolver = nameServer(t, servFail, 1)
	get("/dns/kv.local", 502)
}
