package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode/utf8"
)

const (
	maxKeyBytes   = 512
	maxValueBytes = 1 << 20
)

// application answers HTTP.
type application struct {
	identity *identity
	conduct  *conduct
	store    *store // nil without a volume
	lieReady bool
	readyAt  time.Time // end of the startup delay
	draining atomic.Bool
	resolver *net.Resolver
	paths    *http.ServeMux
}

func newApplication(s settings, id *identity, kv *store) *application {
	a := &application{
		identity: id,
		conduct:  newConduct(s.defects),
		store:    kv,
		lieReady: s.defects.lieReady,
		readyAt:  time.Now().Add(s.startup),
		resolver: net.DefaultResolver,
		paths:    http.NewServeMux(),
	}
	a.paths.Handle("GET /{$}", id)
	a.paths.HandleFunc("PUT /kv/{key}", a.put)
	a.paths.HandleFunc("GET /kv/{key}", a.getKey)
	a.paths.HandleFunc("GET /kv", a.getAll)
	a.paths.HandleFunc("GET /dns/{name}", a.getDNS)
	return a
}

// ServeHTTP stamps every answer and applies the behaviour asked for before the request is looked
// at: probes and /control are told apart, so that a failing application can still be steered.
func (a *application) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w = &answer{ResponseWriter: w, from: a.identity}
	if a.draining.Load() {
		w.Header().Set("Connection", "close")
	}
	switch r.URL.Path {
	case "/control":
		a.conduct.ServeHTTP(w, r)
	case "/live", "/ready":
		a.probe(w, r)
	default:
		a.request(w, r)
	}
}

func (a *application) probe(w http.ResponseWriter, r *http.Request) {
	if !a.conduct.delay(r, func(b behaviour) int64 { return b.ProbePauseMS }) {
		return
	}
	b := a.conduct.current()
	forced, problem := b.LiveStatus, ""
	if r.URL.Path == "/ready" {
		forced, problem = b.ReadyStatus, a.unready(b)
	} else if !b.Live {
		problem = "told not to be live"
	}
	switch {
	case forced != 0:
		if forced >= 300 && forced < 400 {
			w.Header().Set("Location", "/elsewhere")
		}
		writeJSON(w, forced, map[string]int{"status": forced})
	case problem != "":
		writeError(w, http.StatusServiceUnavailable, errors.New(problem))
	default:
		writeJSON(w, http.StatusOK, map[string]bool{"ok": true})
	}
}

// unready is why the application is not ready, or "".
func (a *application) unready(b behaviour) string {
	switch {
	case a.draining.Load():
		return "draining"
	case !b.Ready:
		return "told not to be ready"
	case a.starting() && !a.lieReady:
		return "starting"
	case b.FailAfter == 0:
		return "failing: its requests are spent"
	case a.store != nil && a.store.Broken() != nil:
		return a.store.Broken().Error()
	}
	return ""
}

func (a *application) starting() bool { return time.Now().Before(a.readyAt) }

func (a *application) request(w http.ResponseWriter, r *http.Request) {
	if !a.conduct.delay(r, func(b behaviour) int64 { return b.PauseMS }) {
		return
	}
	switch status := a.conduct.current().Status; {
	case a.starting():
		writeError(w, http.StatusServiceUnavailable, fmt.Errorf("starting: %w", errNoEffect))
	case status != 0:
		writeError(w, status, fmt.Errorf("told to answer %d: %w", status, errNoEffect))
	case a.conduct.spend():
		writeError(w, http.StatusInternalServerError, fmt.Errorf("failing: %w", errNoEffect))
	case a.store == nil && strings.HasPrefix(r.URL.Path, "/kv"):
		writeError(w, http.StatusNotFound,
			fmt.Errorf("no store: SPECIMEN_DATA is empty: %w", errNoEffect))
	default:
		a.paths.ServeHTTP(w, r)
	}
}

func (a *application) put(w http.ResponseWriter, r *http.Request) {
	key := r.PathValue("key")
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxValueBytes))
	switch {
	case err != nil:
	case len(key) > maxKeyBytes:
		err = fmt.Errorf("the key has %d bytes; at most %d", len(key), maxKeyBytes)
	case !utf8.ValidString(key) || !utf8.Valid(body):
		err = errors.New("key and value are UTF-8")
	}
	if err != nil {
		writeError(w, http.StatusBadRequest, fmt.Errorf("%w: %w", err, errNoEffect))
		return
	}
	e, err := a.store.Put(key, string(body))
	if err != nil {
		writeError(w, http.StatusInternalServerError, err)
		return
	}
	writeJSON(w, http.StatusOK, struct {
		Key      string `json:"key"`
		Sequence int64  `json:"sequence"`
		Boot     string `json:"boot"`
	}{e.Key, e.Sequence, e.Boot})
}

func (a *application) getKey(w http.ResponseWriter, r *http.Request) {
	e, found := a.store.Get(r.PathValue("key"))
	if !found {
		writeError(w, http.StatusNotFound, fmt.Errorf("no entry of key %q", r.PathValue("key")))
		return
	}
	writeJSON(w, http.StatusOK, e)
}

// getAll collects before it answers, so that a log that cannot be read is a 500 and not half a 200.
func (a *application) getAll(w http.ResponseWriter, _ *http.Request) {
	var all bytes.Buffer
	if err := a.store.CopyTo(&all); err != nil {
		writeError(w, http.StatusInternalServerError, err)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	_, _ = w.Write(all.Bytes()) // fails only if the client went away
}

// writeError answers with the error as JSON; X-Chaoskit-Effect says that surely nothing was written.
func writeError(w http.ResponseWriter, status int, err error) {
	if errors.Is(err, errNoEffect) {
		w.Header().Set("X-Chaoskit-Effect", "none")
	}
	writeJSON(w, status, map[string]string{"error": err.Error()})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	encoded, err := json.Marshal(body)
	if err != nil {
		panic(err) // only our own types come here
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	if status != http.StatusNoContent && status != http.StatusNotModified {
		_, _ = w.Write(append(encoded, '\n')) // fails only if the client went away
	}
}
