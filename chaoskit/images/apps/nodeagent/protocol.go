package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"slices"
	"strings"
	"sync"

	"chaoskit.dev/apps/internal/monotonic"
)

// fields of an answer; id, ok and time_ns are added to them.
type fields map[string]any

// operation is one op of the protocol; it gets the request without id and op.
type operation func(arguments []byte) (fields, error)

const maxLineBytes = 1 << 20

// accept serves clients until the listener fails.
func (a *agent) accept(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go func() {
			if err := a.serveClient(conn); err != nil {
				log.Printf("a client's connection ended: %v", err)
			}
		}()
	}
}

// serveClient reads requests, one JSON object a line, and answers each when it is done: answers
// come in the order of completion, told apart by their id. Faults are changed in the order in which
// that was asked for: who does not wait for the answer of an inject may ask for its heal.
func (a *agent) serveClient(conn io.ReadWriteCloser) error {
	defer conn.Close()
	var writing sync.Mutex
	var open sync.WaitGroup
	defer open.Wait()
	last := make(chan struct{})
	close(last)
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, 0, 4096), maxLineBytes)
	for lines.Scan() {
		line := bytes.Clone(lines.Bytes())
		var before, after chan struct{}
		if changesFaults(line) {
			before, after = last, make(chan struct{})
			last = after
		}
		open.Go(func() {
			if after != nil {
				<-before
			}
			answer := a.answer(line)
			if after != nil {
				close(after)
			}
			writing.Lock()
			defer writing.Unlock()
			_, _ = conn.Write(answer) // a client that went away is noticed by the reader
		})
	}
	return lines.Err()
}

func changesFaults(line []byte) bool {
	var request struct {
		Op string `json:"op"`
	}
	_ = json.Unmarshal(line, &request) // what cannot be read is answered with the reason later
	return request.Op == "inject" || request.Op == "heal"
}

// answer carries out one request.
func (a *agent) answer(line []byte) []byte {
	id, result, err := a.perform(line)
	if err != nil {
		result = fields{"error": err.Error()}
	}
	if result == nil {
		result = fields{}
	}
	result["id"], result["ok"], result["time_ns"] = id, err == nil, monotonic.NowNS()
	encoded, err := json.Marshal(result)
	if err != nil {
		panic(err) // only our own types come here
	}
	return append(encoded, '\n')
}

func (a *agent) perform(line []byte) (id json.RawMessage, result fields, err error) {
	var request map[string]json.RawMessage
	if err := json.Unmarshal(line, &request); err != nil {
		return nil, nil, fmt.Errorf("request %.80q: %w; send one JSON object a line", line, err)
	}
	id = request["id"]
	var name string
	if err := json.Unmarshal(request["op"], &name); err != nil {
		return id, nil, fmt.Errorf("request %.80q has no op; there are %s", line, a.operationNames())
	}
	perform, known := a.operations[name]
	if !known {
		return id, nil, fmt.Errorf("op %q is not known; there are %s", name, a.operationNames())
	}
	delete(request, "id")
	delete(request, "op")
	arguments, err := json.Marshal(request)
	if err != nil {
		return id, nil, err
	}
	result, err = perform(arguments)
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return id, result, err
}

func (a *agent) operationNames() string {
	names := make([]string, 0, len(a.operations))
	for name := range a.operations {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// taking makes an operation of a function with typed arguments; unknown ones are refused.
func taking[A any](perform func(A) (fields, error)) operation {
	return func(arguments []byte) (fields, error) {
		typed, err := strictly[A](arguments)
		if err != nil {
			return nil, err
		}
		return perform(typed)
	}
}

// checkSeconds refuses a time that is absent or beyond reason.
func checkSeconds(name string, s float64) error {
	if !(s > 0 && s <= maxSeconds) {
		return fmt.Errorf("%s is %g; give more than 0 and at most %d seconds", name, s, maxSeconds)
	}
	return nil
}

var errNoInterface = errors.New("interface is missing; name the network interface")
