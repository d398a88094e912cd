package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// defects are the planted faults of the application itself, named in SPECIMEN_DEFECTS.
type defects struct {
	ignoreTerm      bool
	slowDrain       time.Duration
	lieReady        bool
	forgetOnRestart bool
	store           storeDefect
	failAfter       int64 // -1: never
	status          int
	leakMBPerS      float64
	exitAfter       time.Duration // -1: never
	hang            bool
}

// storeDefect says when acknowledged writes reach the volume.
type storeDefect struct {
	kind  storeDefectKind
	delay time.Duration
}

type storeDefectKind int

const (
	sound       storeDefectKind = iota // written and synced before they are acknowledged
	neverWrites                        // acknowledged, never written
	writesLate                         // acknowledged, written `delay` later
	writesAtEnd                        // acknowledged, written during `delay` once told to end
)

func (d defects) lossy() bool { return d.forgetOnRestart || d.store.kind != sound }

// parse of one defect: it gets the text after "=", or "" if there is none.
var defectParsers = map[string]func(d *defects, value string) error{
	"ignore-term":       flagOf(func(d *defects) { d.ignoreTerm = true }),
	"lie-ready":         flagOf(func(d *defects) { d.lieReady = true }),
	"forget-on-restart": flagOf(func(d *defects) { d.forgetOnRestart = true }),
	"hang":              flagOf(func(d *defects) { d.hang = true }),
	"slow-drain":        secondsDefect("60", func(d *defects, s time.Duration) { d.slowDrain = s }),
	"exit-after":        secondsDefect("", func(d *defects, s time.Duration) { d.exitAfter = s }),
	"flush-at-term": secondsDefect("", func(d *defects, s time.Duration) {
		d.store = storeDefect{writesAtEnd, s}
	}),
	"ack-before-write": func(d *defects, value string) error {
		d.store = storeDefect{kind: neverWrites}
		if value == "" {
			return nil
		}
		delay, err := parseSeconds(value)
		d.store = storeDefect{writesLate, delay}
		return err
	},
	"fail-after": func(d *defects, value string) (err error) {
		d.failAfter, err = strconv.ParseInt(value, 10, 64)
		if err != nil || d.failAfter < 0 {
			return fmt.Errorf("%q is not a number of requests", value)
		}
		return nil
	},
	"status": func(d *defects, value string) (err error) {
		d.status, err = strconv.Atoi(value)
		if err != nil || !validStatus(d.status) {
			return fmt.Errorf("%q is not an HTTP status from 200 to 599", value)
		}
		return nil
	},
	"leak-memory": func(d *defects, value string) (err error) {
		d.leakMBPerS, err = strconv.ParseFloat(value, 64)
		if err != nil || !validLeak(d.leakMBPerS) {
			return fmt.Errorf("%q is not a rate from 0 to 10000 MB/s", value)
		}
		return nil
	},
}

func validStatus(status int) bool { return status >= 200 && status <= 599 }

func validLeak(mbPerS float64) bool { return mbPerS >= 0 && mbPerS <= 10000 }

// parseDefects reads a comma-separated list such as "lie-ready,fail-after=5".
func parseDefects(list string) (defects, error) {
	d := defects{failAfter: -1, exitAfter: -1}
	for _, item := range strings.Split(list, ",") {
		item = strings.TrimSpace(item)
		if item == "" {
			continue
		}
		name, value, _ := strings.Cut(item, "=")
		parse, known := defectParsers[name]
		if !known {
			return d, fmt.Errorf("%q is not a defect; there are %s", name, defectNames())
		}
		if err := parse(&d, value); err != nil {
			return d, fmt.Errorf("%s: %w", name, err)
		}
	}
	return d, nil
}

func defectNames() string {
	names := make([]string, 0, len(defectParsers))
	for name := range defectParsers {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

func flagOf(set func(d *defects)) func(*defects, string) error {
	return func(d *defects, value string) error {
		if value != "" {
			return fmt.Errorf("takes no value, got %q", value)
		}
		set(d)
		return nil
	}
}

func secondsDefect(absent string, set func(*defects, time.Duration)) func(*defects, string) error {
	return func(d *defects, value string) error {
		if value == "" {
			value = absent
		}
		s, err := parseSeconds(value)
		set(d, s)
		return err
	}
}
