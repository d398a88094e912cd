package main

import (
	"syscall"
	"testing"
	"time"
)

func TestTermDrains(t *testing.T) {
	s := start(t, "SPECIMEN_DRAIN_S=1")
	kept := s.keepConnection()
	if kept.get("/").Close {
		t.Fatal("told to close before TERM")
	}
	told := time.Now()
	must(t, s.command.Process.Signal(syscall.SIGTERM))
	s.waitStatus("/ready", 503, time.Second)
	if !kept.get("/").Close {
		t.Fatal("a kept connection was not told to close")
	}
	if s.expect(200, "GET", "/", "").header.Get("X-Chaoskit-Pod") != "web-0" {
		t.Fatal("a new connection is not served while draining")
	}
	must(t, s.waitExit(5*time.Second))
	if took := time.Since(told); took < time.Second {
		t.Fatalf("ended after %s, before the drain was over", took)
	}
}

func TestRequestInFlightIsFinishedAfterTerm(t *testing.T) {
	s := start(t)
	s.expect(200, "POST", "/control", `{"pause_ms": 600}`)
	answered := make(chan int, 1)
	go func() {
		r, _ := s.try("GET", "/", "")
		answered <- r.status
	}()
	time.Sleep(200 * time.Millisecond) // so that the request is in flight
	must(t, s.command.Process.Signal(syscall.SIGTERM))
	mustEqual(t, "status", <-answered, 200)
	must(t, s.waitExit(5*time.Second))
}

func TestSlowDrain(t *testing.T) {
	s := start(t, "SPECIMEN_DEFECTS=slow-drain=30")
	must(t, s.command.Process.Signal(syscall.SIGTERM))
	time.Sleep(500 * time.Millisecond)
	s.expect(200, "GET", "/", "")
	s.killHard()
}
