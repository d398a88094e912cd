package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"sync"
	"time"
)

// behaviour is what POST /control changes and GET /control shows.
type behaviour struct {
	Ready        bool    `json:"ready"`
	Live         bool    `json:"live"`
	ReadyStatus  int     `json:"ready_status"`   // of /ready whatever the state; 0: by the state
	LiveStatus   int     `json:"live_status"`    // likewise for /live
	PauseMS      int64   `json:"pause_ms"`       // before each answer but probes and /control
	ProbePauseMS int64   `json:"probe_pause_ms"` // before each answer of a probe
	FailAfter    int64   `json:"fail_after"`     // 500 after so many more requests; -1: never
	Status       int     `json:"status"`         // of every request but probes; 0: normal
	LeakMBPerS   float64 `json:"leak_mb_per_s"`
	ExitAfterS   float64 `json:"exit_after_s"` // with code 1; -1: never
	IgnoreTerm   bool    `json:"ignore_term"`
	Hang         bool    `json:"hang"` // no answer, also of probes
}

func (b behaviour) check() error {
	for name, status := range map[string]int{
		"ready_status": b.ReadyStatus, "live_status": b.LiveStatus, "status": b.Status,
	} {
		if status != 0 && !validStatus(status) {
			return fmt.Errorf("%s is %d; give 0 or an HTTP status from 200 to 599", name, status)
		}
	}
	const hourMS = 3_600_000
	switch {
	case b.PauseMS < 0 || b.PauseMS > hourMS || b.ProbePauseMS < 0 || b.ProbePauseMS > hourMS:
		return fmt.Errorf("a pause is from 0 to %d ms", hourMS)
	case b.FailAfter < -1:
		return fmt.Errorf("fail_after is %d; give -1 or a number of requests", b.FailAfter)
	case !validLeak(b.LeakMBPerS):
		return fmt.Errorf("leak_mb_per_s is %g; give 0 to 10000", b.LeakMBPerS)
	case b.ExitAfterS != -1 && !(b.ExitAfterS >= 0 && b.ExitAfterS <= 86400):
		return fmt.Errorf("exit_after_s is %g; give -1 or 0 to 86400", b.ExitAfterS)
	}
	return nil
}

// conduct holds the behaviour and carries it out.
type conduct struct {
	mu     sync.Mutex
	now    behaviour
	unhung chan struct{} // closed while nothing hangs
	exit   *time.Timer
	leaked [][]byte
}

func newConduct(d defects) *conduct {
	c := &conduct{unhung: make(chan struct{}), now: behaviour{ExitAfterS: -1}}
	close(c.unhung)
	exitAfter := -1.0
	if d.exitAfter >= 0 {
		exitAfter = d.exitAfter.Seconds()
	}
	c.set(behaviour{
		Ready: true, Live: true, FailAfter: d.failAfter, Status: d.status,
		LeakMBPerS: d.leakMBPerS, ExitAfterS: exitAfter, IgnoreTerm: d.ignoreTerm, Hang: d.hang,
	})
	go c.leak()
	return c
}

func (c *conduct) current() behaviour {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// set makes a behaviour the current one; timers start anew when their value changes.
func (c *conduct) set(b behaviour) {
	if b.Hang != c.now.Hang {
		if b.Hang {
			c.unhung = make(chan struct{})
		} else {
			close(c.unhung)
		}
	}
	if b.ExitAfterS != c.now.ExitAfterS {
		if c.exit != nil {
			c.exit.Stop()
		}
		if b.ExitAfterS >= 0 {
			c.exit = time.AfterFunc(secondsOf(b.ExitAfterS), func() { os.Exit(1) })
		}
	}
	c.now = b
}

// ServeHTTP is /control: GET shows the behaviour, POST changes the fields it names.
func (c *conduct) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Method == http.MethodPost {
		wanted := c.now
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16))
		decoder.DisallowUnknownFields()
		err := decoder.Decode(&wanted)
		if err == nil {
			err = wanted.check()
		}
		if err != nil {
			writeError(w, http.StatusBadRequest, fmt.Errorf("%w: %w", err, errNoEffect))
			return
		}
		c.set(wanted)
	}
	writeJSON(w, http.StatusOK, c.now)
}

// spend counts one request against fail_after and says whether it must fail.
func (c *conduct) spend() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now.FailAfter > 0 {
		c.now.FailAfter--
		return false
	}
	return c.now.FailAfter == 0
}

// delay hangs while told to, then pauses; false if the client went away meanwhile.
func (c *conduct) delay(r *http.Request, pause func(behaviour) int64) bool {
	c.mu.Lock()
	unhung := c.unhung
	c.mu.Unlock()
	select {
	case <-unhung:
	case <-r.Context().Done():
		return false
	}
	timer := time.NewTimer(time.Duration(pause(c.current())) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// leak allocates and touches memory at the rate asked for, ten times a second.
func (c *conduct) leak() {
	for range time.Tick(100 * time.Millisecond) {
		c.mu.Lock()
		if bytes := int(c.now.LeakMBPerS * 1e6 / 10); bytes > 0 {
			block := make([]byte, bytes)
			for i := 0; i < len(block); i += 4096 { // an untouched page is not resident
				block[i] = 1
			}
			c.leaked = append(c.leaked, block)
		}
		c.mu.Unlock()
	}
}
