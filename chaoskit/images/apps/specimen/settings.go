package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

// settings is what the environment asks for; README.md lists the variables.
type settings struct {
	port     int
	data     string
	startup  time.Duration
	drain    time.Duration
	shutdown time.Duration
	defects  defects
}

// settingsFromEnvironment reads the SPECIMEN_ variables; an unusable value is an error, as a
// silently ignored defect would make a scenario check nothing.
func settingsFromEnvironment() (settings, error) {
	var s settings
	var err error
	if s.port, err = strconv.Atoi(environment("SPECIMEN_PORT", "8080")); err != nil ||
		s.port < 0 || s.port > 65535 {
		return s, fmt.Errorf("SPECIMEN_PORT is %q; give a port", os.Getenv("SPECIMEN_PORT"))
	}
	s.data = os.Getenv("SPECIMEN_DATA")
	for _, d := range []struct {
		name     string
		absent   string
		duration *time.Duration
	}{
		{"SPECIMEN_STARTUP_S", "0", &s.startup},
		{"SPECIMEN_DRAIN_S", "3", &s.drain},
		{"SPECIMEN_SHUTDOWN_S", "5", &s.shutdown},
	} {
		if *d.duration, err = parseSeconds(environment(d.name, d.absent)); err != nil {
			return s, fmt.Errorf("%s: %w", d.name, err)
		}
	}
	if s.defects, err = parseDefects(os.Getenv("SPECIMEN_DEFECTS")); err != nil {
		return s, fmt.Errorf("SPECIMEN_DEFECTS: %w", err)
	}
	if s.defects.lossy() && s.data == "" {
		return s, fmt.Errorf("SPECIMEN_DEFECTS has a defect of the store, but SPECIMEN_DATA is " +
			"empty; give the volume's directory")
	}
	return s, nil
}

func environment(name, absent string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return absent
}

func parseSeconds(text string) (time.Duration, error) {
	s, err := strconv.ParseFloat(text, 64)
	if err != nil || !(s >= 0 && s <= 86400) {
		return 0, fmt.Errorf("%q is not a number of seconds from 0 to 86400", text)
	}
	return secondsOf(s), nil
}
