package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestUnknownDefectIsRefused(t *testing.T) {
	for _, list := range []string{"ignore-trem", "fail-after", "fail-after=-1", "hang=1",
		"exit-after", "status=99", "leak-memory=x", "slow-drain=-1", "ack-before-write=x"} {
		if _, err := parseDefects(list); err == nil {
			t.Errorf("%q was taken", list)
		}
	}
	d, err := parseDefects(" lie-ready, fail-after=5,")
	must(t, err)
	if !d.lieReady || d.failAfter != 5 || d.exitAfter != -1 {
		t.Fatalf("read as %+v", d)
	}
}

func TestLieReady(t *testing.T) {
	s := start(t, "SPECIMEN_STARTUP_S=30", "SPECIMEN_DEFECTS=lie-ready")
	s.expect(200, "GET", "/ready", "")
	s.expect(503, "GET", "/", "")
}

func TestFailAfter(t *testing.T) {
	s := start(t, "SPECIMEN_DEFECTS=fail-after=3")
	for range 3 {
		s.expect(200, "GET", "/ready", "")
		s.expect(200, "GET", "/", "")
	}
	mustEqual(t, "effect", s.expect(500, "GET", "/", "").header.Get("X-Chaoskit-Effect"), "none")
	s.expect(503, "GET", "/ready", "")
	s.expect(200, "POST", "/control", `{"fail_after": 1}`)
	s.expect(200, "GET", "/", "")
	s.expect(500, "GET", "/", "")
	s.expect(200, "POST", "/control", `{"fail_after": -1}`)
	s.expect(200, "GET", "/", "")
}

func TestStatusLeavesProbesAlone(t *testing.T) {
	s := start(t, "SPECIMEN_DEFECTS=status=500")
	s.expect(500, "GET", "/", "")
	s.expect(200, "GET", "/ready", "")
}

func TestHangAnswersNobodyUntilReleased(t *testing.T) {
	s := start(t, "SPECIMEN_DEFECTS=hang")
	for _, path := range []string{"/", "/live", "/ready"} {
		done := make(chan int, 1)
		go func() {
			r, _ := s.try("GET", path, "")
			done <- r.status
		}()
		select {
		case status := <-done:
			t.Fatalf("%s answered %d while hanging", path, status)
		case <-time.After(200 * time.Millisecond):
		}
	}
	s.expect(200, "POST", "/control", `{"hang": false}`)
	s.expect(200, "GET", "/live", "")
}

func TestPause(t *testing.T) {
	s := start(t)
	s.expect(200, "POST", "/control", `{"pause_ms": 300}`)
	started := time.Now()
	s.expect(200, "GET", "/live", "")
	if took := time.Since(started); took > 250*time.Millisecond {
		t.Fatalf("a probe took %s", took)
	}
	started = time.Now()
	s.expect(200, "GET", "/", "")
	if took := time.Since(started); took < 300*time.Millisecond {
		t.Fatalf("a request took only %s", took)
	}
}

func TestExitAfter(t *testing.T) {
	s := start(t, "SPECIMEN_DEFECTS=exit-after=0.3")
	if err := s.waitExit(5 * time.Second); err == nil || err.Error() != "exit status 1" {
		t.Fatalf("ended with %v", err)
	}
}

func TestLeakMemory(t *testing.T) {
	s := start(t, "SPECIMEN_DEFECTS=leak-memory=100")
	before := s.residentMB()
	for deadline := time.Now().Add(10 * time.Second); s.residentMB() < before+40; {
		if time.Now().After(deadline) {
			t.Fatalf("resident memory went from %d to %d MB only", before, s.residentMB())
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func (s *specimen) residentMB() int {
	s.t.Helper()
	status, err := os.ReadFile("/proc/" + strconv.Itoa(s.command.Process.Pid) + "/status")
	must(s.t, err)
	_, rest, found := strings.Cut(string(status), "VmRSS:")
	if !found {
		s.t.Fatal("no VmRSS: the process is gone")
	}
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	must(s.t, err)
	return kb / 1000
}

func TestIgnoreTerm(t *testing.T) {
	s := start(t, "SPECIMEN_DEFECTS=ignore-term")
	must(t, s.command.Process.Signal(syscall.SIGTERM))
	time.Sleep(300 * time.Millisecond)
	s.expect(200, "GET", "/ready", "")
	s.killHard()
}
