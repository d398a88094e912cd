package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Without the kernel's killer whoever runs out of memory waits, and the injection with it.
func TestAContainerThatLivesOnHasTheScoreThatItHadAlsoByTheNextAgent(t *testing.T) {
	p := podIn(t, "v1")
	memory := filepath.Join(p.folders[1], "kubepods", "besteffort", "pod"+p.uid, p.main.ContainerID)
	must(t, os.WriteFile(filepath.Join(memory, "memory.limit_in_bytes"), []byte("33554432"), 0))
	must(t, os.WriteFile(filepath.Join(memory, "memory.oom_control"), []byte("1"), 0))
	first, err := p.main.initOf(settings{cgroupRoot: p.root, taskRoot: p.tasks})
	must(t, err)
	score := fmt.Sprintf("/proc/%d/oom_score_adj", first)
	must(t, os.WriteFile(score, []byte("7"), 0))
	is := func(wanted string) func() error {
		return func() error {
			now, err := os.ReadFile(score)
			if strings.TrimSpace(string(now)) != wanted {
				err = errors.Join(err, fmt.Errorf("its score is %s", now))
			}
			return err
		}
	}
	directory := shortDir(t)
	s := p.agent(directory)
	_, err = s.conn.Write([]byte(request(t, "inject",
		faultOn("container_out_of_memory", 60, p.main.fields())) + "\n"))
	must(t, err)
	waitFor(t, "the highest score", 5*time.Second, is("1000"))
	s.killHard()
	next := p.agent(directory)
	next.heals("container_out_of_memory", p.main.fields())
	must(t, is("7")())
}
