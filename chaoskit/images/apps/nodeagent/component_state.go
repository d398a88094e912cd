package main

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"chaoskit.dev/apps/internal/monotonic"
)

// servedWithin is what a component gets to answer: on loopback it takes some milliseconds.
const servedWithin = 300 * time.Millisecond

// componentState is what is seen of a component right now: its processes, and whether it serves.
func (a *agent) componentState(p componentOnly) (fields, error) {
	if _, err := p.key(); err != nil {
		return nil, err
	}
	ask, known := a.services()[p.Component]
	if !known {
		return nil, fmt.Errorf("what component %q serves is not known", p.Component)
	}
	read := monotonic.NowNS()
	problem := ""
	err := ask()
	if err != nil {
		problem = err.Error()
	}
	return fields{
		"processes": processesOf(p.Component), "serving": err == nil, "problem": problem,
		"read_ns": read,
	}, nil
}

// services asks each component something that a stopped process leaves unanswered: the kernel alone
// accepts connections, so accepting proves nothing.
func (a *agent) services() map[string]func() error {
	handshake := func(port int) func() error {
		return func() error { return tlsHandshake(fmt.Sprintf("127.0.0.1:%d", port)) }
	}
	return map[string]func() error{
		"containerd": func() error {
			_, err := runtimeConditions(a.settings.runtimeSocket, servedWithin)
			return err
		},
		"etcd":                    handshake(2379),
		"kube-apiserver":          handshake(6443),
		"kube-controller-manager": handshake(10257),
		"kube-proxy":              func() error { return anyAnswer("127.0.0.1:10256") },
		"kube-scheduler":          handshake(10259),
		"kubelet":                 handshake(10250),
	}
}

// tlsHandshake does not look at the certificate: it asks whether somebody is there.
func tlsHandshake(address string) error {
	ctx, cancel := context.WithTimeout(context.Background(), servedWithin)
	defer cancel()
	conn, err := (&tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}

// anyAnswer is content with any answer to an HTTP request.
func anyAnswer(address string) error {
	conn, err := net.DialTimeout("tcp", address, servedWithin)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(servedWithin)) // fails only on a closed connection
	if _, err := conn.Write([]byte("GET /healthz HTTP/1.0\r\n\r\n")); err != nil {
		return err
	}
	_, err = conn.Read(make([]byte, 1))
	return err
}
