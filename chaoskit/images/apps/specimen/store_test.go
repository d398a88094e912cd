package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestAcknowledgedWritesSurviveKill(t *testing.T) {
	directory := t.TempDir()
	s := start(t, "SPECIMEN_DATA="+directory)
	acknowledged := map[string]bool{}
	var mu sync.Mutex
	var writers sync.WaitGroup
	for writer := range 8 {
		writers.Go(func() {
			for number := 0; ; number++ {
				key := fmt.Sprintf("k%d-%d", writer, number)
				r, err := s.try("PUT", "/kv/"+key, "value of "+key)
				if err != nil {
					return // killed
				}
				mu.Lock()
				acknowledged[key] = r.status == 200
				mu.Unlock()
			}
		})
	}
	time.Sleep(500 * time.Millisecond)
	s.killHard()
	writers.Wait()
	if len(acknowledged) < 20 {
		t.Fatalf("only %d writes were acknowledged", len(acknowledged))
	}

	again := start(t, "SPECIMEN_DATA="+directory)
	survived := map[string]bool{}
	for number, e := range again.entries() {
		survived[e.Key] = e.Value == "value of "+e.Key
		mustEqual(t, "sequence", e.Sequence, int64(number+1))
	}
	for key, ok := range acknowledged {
		if !ok || !survived[key] {
			t.Errorf("%s: acknowledged %v, survived %v", key, ok, survived[key])
		}
	}
	highest := int64(len(survived))
	body := again.expect(200, "PUT", "/kv/next", "x").body
	boot := again.do("GET", "/", "").header.Get("X-Chaoskit-Boot")
	mustEqual(t, "answer", body,
		fmt.Sprintf(`{"key":"next","sequence":%d,"boot":"%s"}`+"\n", highest+1, boot))
	mustEqual(t, "entry", again.expect(200, "GET", "/kv/next", "").body,
		fmt.Sprintf(`{"key":"next","value":"x","sequence":%d,"boot":"%s"}`+"\n", highest+1, boot))
	again.expect(404, "GET", "/kv/absent", "")
}

func TestLastValueOfAKeyAndWholeLog(t *testing.T) {
	s := start(t, "SPECIMEN_DATA="+t.TempDir())
	for _, value := range []string{"one", "two", "größer\n\"<&>"} {
		s.expect(200, "PUT", "/kv/a", value)
	}
	all := s.entries()
	mustEqual(t, "entries", len(all), 3)
	mustEqual(t, "third", all[2].Value, "größer\n\"<&>")
	effect := s.expect(400, "PUT", "/kv/a", "\xff").header.Get("X-Chaoskit-Effect")
	mustEqual(t, "effect", effect, "none")
}

func TestTornTailIsDropped(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory, defects{})
	put(t, s, "a")
	must(t, s.Close())
	path := filepath.Join(directory, logName)
	sound, err := os.ReadFile(path)
	must(t, err)
	for cut := 1; cut < len(sound); cut += 7 {
		must(t, os.WriteFile(path, append(append([]byte{}, sound...), sound[:cut]...), 0o644))
		s = open(t, directory, defects{})
		mustEqual(t, "sequence", put(t, s, "b").Sequence, 2)
		must(t, s.Close())
		s = open(t, directory, defects{}) // what follows a torn tail must not be glued to it
		if _, found := s.Get("b"); !found {
			t.Fatalf("the entry written after a tail of %d bytes is lost", cut)
		}
		must(t, s.Close())
	}
}

func TestDamageBeforeTheTailIsAnError(t *testing.T) {
	directory := t.TempDir()
	s := open(t, directory, defects{})
	for _, key := range []string{"a", "b", "c"} {
		put(t, s, key)
	}
	must(t, s.Close())
	path := filepath.Join(directory, logName)
	log, err := os.ReadFile(path)
	must(t, err)
	log[len(log)/2] ^= 1
	must(t, os.WriteFile(path, log, 0o644))
	if _, err := openStore(directory, "boot", defects{}); err == nil {
		t.Fatal("a log without its second entry was opened")
	}
}

func TestTwoProcessesKeepEachOthersEntries(t *testing.T) {
	directory := t.TempDir()
	first, second := open(t, directory, defects{}), open(t, directory, defects{})
	var writers sync.WaitGroup
	for _, s := range []*store{first, second} {
		writers.Go(func() {
			for range 50 {
				put(t, s, "k")
			}
		})
	}
	writers.Wait()
	must(t, errors.Join(first.Close(), second.Close()))
	log, err := os.Open(filepath.Join(directory, logName))
	must(t, err)
	count := 0
	_, err = scanLog(log, func(entry) error { count++; return nil })
	must(t, errors.Join(err, log.Close()))
	mustEqual(t, "entries", count, 100)
}

func TestFullVolumeLeavesNothingBehind(t *testing.T) {
	directory := t.TempDir()
	if err := syscall.Mount("none", directory, "tmpfs", 0, "size=64k"); err != nil {
		t.Fatalf("needs root to mount a small volume: %v", err)
	}
	defer func() { must(t, syscall.Unmount(directory, syscall.MNT_DETACH)) }()
	s := start(t, "SPECIMEN_DATA="+directory)
	block := string(make([]byte, 3000)) // NULs become six bytes each
	written, full := 0, reply{}
	for full.status == 0 && written < 100 {
		if r := s.do("PUT", fmt.Sprintf("/kv/k%d", written), block); r.status == 200 {
			written++
		} else {
			full = r
		}
	}
	mustEqual(t, "status", full.status, 500)
	mustEqual(t, "effect", full.header.Get("X-Chaoskit-Effect"), "none")
	mustEqual(t, "entries", len(s.entries()), written)
	s.expect(200, "PUT", "/kv/small", "x") // the space that the failed write took is free again
	mustEqual(t, "entries", len(s.entries()), written+1)
	s.expect(200, "GET", "/ready", "")
}

func TestForgetOnRestart(t *testing.T) {
	directory := t.TempDir()
	environment := []string{"SPECIMEN_DATA=" + directory, "SPECIMEN_DEFECTS=forget-on-restart"}
	s := start(t, environment...)
	s.expect(200, "PUT", "/kv/a", "x")
	mustEqual(t, "entries", len(s.entries()), 1)
	s.killHard()
	mustEqual(t, "entries after restart", len(start(t, environment...).entries()), 0)
}

func TestAckBeforeWriteLosesOnRestart(t *testing.T) {
	for defect, survive := range map[string]int{"ack-before-write": 0, "ack-before-write=60": 3} {
		directory := t.TempDir()
		s := start(t, "SPECIMEN_DATA="+directory, "SPECIMEN_DEFECTS="+defect)
		for _, key := range []string{"a", "b", "c"} {
			s.expect(200, "PUT", "/kv/"+key, "x")
		}
		mustEqual(t, defect+": entries before", len(s.entries()), 3)
		must(t, s.command.Process.Signal(syscall.SIGTERM))
		must(t, s.waitExit(5*time.Second))
		mustEqual(t, defect+": entries after TERM", len(start(t, "SPECIMEN_DATA="+directory).entries()),
			survive)
	}
}

func TestAckBeforeWriteWithDelayWritesLater(t *testing.T) {
	directory := t.TempDir()
	s := start(t, "SPECIMEN_DATA="+directory, "SPECIMEN_DEFECTS=ack-before-write=0.3")
	s.expect(200, "PUT", "/kv/a", "x")
	time.Sleep(600 * time.Millisecond)
	s.expect(200, "PUT", "/kv/b", "x")
	s.killHard()
	survived := start(t, "SPECIMEN_DATA="+directory).entries()
	mustEqual(t, "entries", len(survived), 1)
	mustEqual(t, "survivor", survived[0].Key, "a")
}

func TestFlushAtTermNeedsItsTime(t *testing.T) {
	for _, killAfter := range []time.Duration{0, 400 * time.Millisecond} {
		directory := t.TempDir()
		s := start(t, "SPECIMEN_DATA="+directory, "SPECIMEN_DEFECTS=flush-at-term=1")
		for key := range 20 {
			s.expect(200, "PUT", fmt.Sprintf("/kv/%d", key), "x")
		}
		must(t, s.command.Process.Signal(syscall.SIGTERM))
		if killAfter > 0 {
			time.Sleep(killAfter)
			s.killHard()
		} else {
			must(t, s.waitExit(5*time.Second))
		}
		survived := len(start(t, "SPECIMEN_DATA="+directory).entries())
		if (killAfter == 0) != (survived == 20) {
			t.Errorf("killed %s after TERM: %d of 20 entries survived", killAfter, survived)
		}
	}
}

func open(t *testing.T, directory string, d defects) *store {
	t.Helper()
	s, err := openStore(directory, "boot", d)
	must(t, err)
	return s
}

func put(t *testing.T, s *store, key string) entry {
	t.Helper()
	e, err := s.Put(key, "value")
	if err != nil {
		t.Errorf("put %s: %v", key, err)
	}
	return e
}

func BenchmarkPut(b *testing.B) {
	s, err := openStore(b.TempDir(), "boot", defects{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetParallelism(64)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			if _, err := s.Put("k", "value"); err != nil {
				b.Error(err)
			}
		}
	})
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
}
