package main

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync/atomic"

	"chaoskit.dev/apps/internal/monotonic"
)

// identity is who answers: the pod as the downward API names it, and this very process.
type identity struct {
	Pod      string `json:"pod"`
	PodUID   string `json:"pod_uid"`
	Node     string `json:"node"`
	Revision string `json:"revision"`
	Boot     string `json:"boot"`
	Hostname string `json:"hostname"` // as the kernel has it
	answers  atomic.Int64
}

func revision() string { return environment("SPECIMEN_VERSION", version) }

// newIdentity takes the names from the environment and draws a boot id: 8 random bytes, then the
// CLOCK_MONOTONIC nanoseconds of the start, so that starts of one kernel can be ordered.
func newIdentity() *identity {
	var random [8]byte
	if _, err := rand.Read(random[:]); err != nil {
		panic(err) // crypto/rand documents that this does not happen
	}
	hostname, err := os.Hostname()
	if err != nil {
		panic(err) // uname cannot fail
	}
	return &identity{
		Pod:      os.Getenv("POD_NAME"),
		PodUID:   os.Getenv("POD_UID"),
		Node:     os.Getenv("NODE_NAME"),
		Revision: revision(),
		Boot:     fmt.Sprintf("%s-%d", hex.EncodeToString(random[:]), monotonic.NowNS()),
		Hostname: hostname,
	}
}

// answer is a ResponseWriter that stamps the identity on whatever is answered.
type answer struct {
	http.ResponseWriter
	from     *identity
	sequence int64
}

// stamp sets the identity headers once and returns the answer's number.
func (a *answer) stamp() int64 {
	if a.sequence == 0 {
		a.sequence = a.from.answers.Add(1)
		header := a.Header()
		header.Set("X-Chaoskit-Pod", a.from.Pod)
		header.Set("X-Chaoskit-Pod-Uid", a.from.PodUID)
		header.Set("X-Chaoskit-Node", a.from.Node)
		header.Set("X-Chaoskit-Revision", a.from.Revision)
		header.Set("X-Chaoskit-Boot", a.from.Boot)
		header.Set("X-Chaoskit-Sequence", strconv.FormatInt(a.sequence, 10))
	}
	return a.sequence
}

// WriteHeader stamps before the headers leave.
func (a *answer) WriteHeader(status int) {
	a.stamp()
	a.ResponseWriter.WriteHeader(status)
}

// Write stamps too, as it sends the headers when nobody did.
func (a *answer) Write(body []byte) (int, error) {
	a.stamp()
	return a.ResponseWriter.Write(body)
}

// ServeHTTP answers with the identity as JSON.
func (i *identity) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	var sequence int64
	if a, ok := w.(*answer); ok {
		sequence = a.stamp()
	}
	writeJSON(w, http.StatusOK, struct {
		*identity
		Sequence int64 `json:"sequence"`
	}{i, sequence})
}
