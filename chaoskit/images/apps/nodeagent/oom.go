package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// memoryLimit is what bounds a container: nothing else would bound the burden that fills it up. Score
// is what its first process had before that got the highest.
type memoryLimit struct {
	Bytes int64  `json:"bytes"`
	Score string `json:"score"`
}

const (
	largestFilled = 1 << 30 // of a container's memory: filling more takes too long, and too much
	killedWithin  = 8 * time.Second
)

// containerOutOfMemory lets a burden inside the container's memory cgroup allocate until the
// kernel kills there: the container's first process, by its score.
func containerOutOfMemory(s settings, fillers *burdens) kind {
	return mechanism[containerOf, memoryLimit]{
		key: containerOf.key,
		look: func(c containerOf) (memoryLimit, error) {
			first, err := c.initOf(s)
			if err != nil {
				return memoryLimit{}, err
			}
			score, err := os.ReadFile(scoreOf(first))
			if err != nil {
				return memoryLimit{}, c.gone(err)
			}
			limit, err := limitOf(s, c)
			if err == nil {
				err = mayTake(limit)
			}
			return memoryLimit{limit, string(bytes.TrimSpace(score))}, err
		},
		inject: func(c containerOf, limit memoryLimit) (fields, error) {
			return nil, fillMemory(s, c, limit.Bytes, fillers)
		},
		heal: func(c containerOf, before memoryLimit) (fields, error) {
			key, _ := c.key() // was asked before
			fillers.stop(key)
			first, err := c.initOf(s)
			if err != nil || before.Score == "" {
				return nil, nil // it has ended, as was wanted
			}
			err = os.WriteFile(scoreOf(first), []byte(before.Score), 0)
			if errors.Is(err, unix.ESRCH) {
				err = nil
			}
			return nil, unlessGone(err)
		},
	}.kind()
}

func scoreOf(pid int) string { return fmt.Sprintf("/proc/%d/oom_score_adj", pid) }

func limitOf(s settings, c containerOf) (int64, error) {
	cgroup, err := c.cgroupOf(s.cgroupRoot, "memory")
	if err != nil {
		return 0, err
	}
	for _, name := range []string{"memory.limit_in_bytes", "memory.max"} { // of version 1, and 2
		text, err := os.ReadFile(filepath.Join(cgroup, name))
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return 0, err
		}
		limit, err := strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
		if err != nil || limit > largestFilled {
			return 0, fmt.Errorf("container %.12s has a memory limit of %s; give it one of at most "+
				"%d MB (resources.limits.memory)", c.ContainerID, bytes.TrimSpace(text), largestFilled>>20)
		}
		return limit, nil
	}
	return 0, fmt.Errorf("container %.12s has no memory cgroup", c.ContainerID)
}

func fillMemory(s settings, c containerOf, limit int64, fillers *burdens) error {
	key, err := c.key()
	if err != nil {
		return err
	}
	first, err := c.initOf(s)
	if err != nil {
		return nil // it ran when it was looked at: asked again, there is nothing left to do
	}
	cgroup, err := c.cgroupOf(s.cgroupRoot, "memory")
	if err != nil {
		return err
	}
	if err := os.WriteFile(scoreOf(first), []byte("1000"), 0); err != nil {
		return err
	}
	// Killed by the kernel or by us: while it is in the cgroup, the runtime cannot remove that.
	defer fillers.stop(key)
	filler, err := fillers.start(key, "fill", "-bytes", fmt.Sprint(2*limit), "-cgroup", cgroup,
		"-until-ended", fmt.Sprint(first))
	if err != nil {
		return err
	}
	select {
	case <-filler.ended:
		err = fmt.Errorf("the burden ended (%s), not the container", filler.command.ProcessState)
	case <-time.After(killedWithin):
		err = fmt.Errorf("nothing was killed within %s", killedWithin)
	}
	lives := eventually(time.Second, func() error {
		if now, gone := c.initOf(s); gone == nil && now == first {
			return errors.New("its first process lives on")
		}
		return nil
	})
	if lives == nil {
		return nil // it is the container's end that was wanted
	}
	return err // what failed is healed, and so it lives on with the score that it had
}
