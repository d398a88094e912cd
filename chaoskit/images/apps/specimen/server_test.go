package main

import (
	"encoding/json"
	"os"
	"strconv"
	"strings"
	"testing"

	"chaoskit.dev/apps/internal/monotonic"
)

func TestEveryAnswerSaysWhoAnswers(t *testing.T) {
	s := start(t)
	boot := ""
	for number, path := range []string{"/", "/live", "/ready", "/control", "/nowhere", "/kv/a"} {
		header := s.do("GET", path, "").header
		mustEqual(t, path+" pod", header.Get("X-Chaoskit-Pod"), "web-0")
		mustEqual(t, path+" uid", header.Get("X-Chaoskit-Pod-Uid"), "uid-1")
		mustEqual(t, path+" node", header.Get("X-Chaoskit-Node"), "node-1")
		mustEqual(t, path+" revision", header.Get("X-Chaoskit-Revision"), "v2")
		mustEqual(t, path+" sequence", header.Get("X-Chaoskit-Sequence"), strconv.Itoa(number+1))
		if boot == "" {
			boot = header.Get("X-Chaoskit-Boot")
		}
		mustEqual(t, path+" boot", header.Get("X-Chaoskit-Boot"), boot)
	}
	_, startedNS, _ := strings.Cut(boot, "-")
	started, err := strconv.ParseInt(startedNS, 10, 64)
	must(t, err)
	if age := monotonic.NowNS() - started; age < 0 || age > 60e9 {
		t.Fatalf("the boot id %s says that it started %d ns ago", boot, age)
	}
}

func TestRootBodyEqualsHeaders(t *testing.T) {
	s := start(t)
	r := s.expect(200, "GET", "/", "")
	var body map[string]any
	must(t, json.Unmarshal([]byte(r.body), &body))
	for field, header := range map[string]string{
		"pod": "Pod", "pod_uid": "Pod-Uid", "node": "Node", "revision": "Revision", "boot": "Boot",
	} {
		mustEqual(t, field, body[field].(string), r.header.Get("X-Chaoskit-"+header))
	}
	mustEqual(t, "sequence", int(body["sequence"].(float64)), 1)
	hostname, err := os.Hostname()
	must(t, err)
	mustEqual(t, "hostname", body["hostname"].(string), hostname)
}

func TestTwoStartsHaveDifferentBoots(t *testing.T) {
	first := start(t).do("GET", "/", "").header.Get("X-Chaoskit-Boot")
	second := start(t).do("GET", "/", "").header.Get("X-Chaoskit-Boot")
	if first == "" || first == second {
		t.Fatalf("boots %q and %q", first, second)
	}
}

func TestControlSwitchesProbes(t *testing.T) {
	s := start(t)
	s.expect(200, "GET", "/ready", "")
	s.expect(200, "POST", "/control", `{"ready": false}`)
	s.expect(503, "GET", "/ready", "")
	s.expect(200, "GET", "/live", "")
	s.expect(200, "GET", "/", "")
	s.expect(200, "POST", "/control", `{"ready": true, "live": false}`)
	s.expect(200, "GET", "/ready", "")
	s.expect(503, "GET", "/live", "")
	s.expect(200, "POST", "/control", `{"live_status": 302}`)
	if location := s.expect(302, "GET", "/live", "").header.Get("Location"); location == "" {
		t.Fatal("a redirect without Location")
	}
}

func TestControlRefusesWhatItDoesNotKnow(t *testing.T) {
	s := start(t)
	for _, body := range []string{
		`{"redy": false}`, `{"status": 42}`, `{"pause_ms": -1}`, `{"fail_after": -2}`, `{"ready"`,
		`{"exit_after_s": -3}`, `{"leak_mb_per_s": -1}`,
	} {
		s.expect(400, "POST", "/control", body)
	}
	if got := s.expect(200, "GET", "/control", "").body; !strings.Contains(got, `"ready":true`) {
		t.Fatalf("a refused change changed something: %s", got)
	}
}

func TestStartupDelayHoldsBackReadinessAndRequests(t *testing.T) {
	s := start(t, "SPECIMEN_STARTUP_S=1")
	s.expect(503, "GET", "/ready", "")
	s.expect(200, "GET", "/live", "")
	mustEqual(t, "effect", s.expect(503, "GET", "/", "").header.Get("X-Chaoskit-Effect"), "none")
	s.waitStatus("/ready", 200, secondsOf(5))
	s.expect(200, "GET", "/", "")
}
