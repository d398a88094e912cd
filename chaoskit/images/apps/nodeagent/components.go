package main

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"sort"
	"strings"
	"time"
)

// supervisor speaks to the process that keeps this node's components running, over its socket.
type supervisor string

// supervised is what the supervisor knows of a component; pid is 0 while it does not run.
type supervised struct {
	wanted bool
	pid    int
}

const (
	supervisorWithin = 15 * time.Second // it gives a component 10 s to end before it kills it
	startedWithin    = 5 * time.Second
)

// ask sends one line of words and returns the lines of the answer.
func (s supervisor) ask(words ...string) ([]string, error) {
	conn, err := net.DialTimeout("unix", string(s), time.Second)
	if err != nil {
		return nil, fmt.Errorf("no supervisor of components: %w; does this node image run each "+
			"component as a process of its own?", err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(supervisorWithin)) // fails only on a closed connection
	if _, err := fmt.Fprintln(conn, strings.Join(words, " ")); err != nil {
		return nil, fmt.Errorf("supervisor: %w", err)
	}
	var lines []string
	for scanner := bufio.NewScanner(conn); scanner.Scan(); {
		line := scanner.Text()
		if line == "ok" {
			return lines, nil
		}
		if refusal, refused := strings.CutPrefix(line, "error: "); refused {
			return nil, fmt.Errorf("supervisor: %s", refusal)
		}
		lines = append(lines, line)
	}
	return nil, fmt.Errorf("supervisor: %q was not answered to its end", strings.Join(words, " "))
}

// look finds a component; an unknown one is answered with those that there are.
func (s supervisor) look(component string) (supervised, error) {
	lines, err := s.ask("list")
	if err != nil {
		return supervised{}, err
	}
	var names []string
	for _, line := range lines {
		var name string
		var one supervised
		if _, err := fmt.Sscanf(line, "%s wanted=%t pid=%d", &name, &one.wanted, &one.pid); err != nil {
			return one, fmt.Errorf("supervisor: %q is no component: %w", line, err)
		}
		if name == component {
			return one, nil
		}
		names = append(names, name)
	}
	sort.Strings(names)
	return supervised{}, fmt.Errorf("no component %q on this node; there are %s",
		component, strings.Join(names, ", "))
}

// start is for a component that does not run: one that waits out its back-off is woken as well.
// A component that runs is left alone, as the word would shorten its next back-off.
func (s supervisor) start(component string) error {
	one, err := s.look(component)
	if err != nil {
		return err
	}
	if !one.wanted || one.pid == 0 {
		if _, err := s.ask("start", component); err != nil {
			return err
		}
	}
	return eventually(startedWithin, func() error {
		if one, err = s.look(component); err != nil || one.pid != 0 {
			return err
		}
		return fmt.Errorf("component %s was started, but does not run", component)
	})
}

// kill counts one that is down just now as killed.
func (s supervisor) kill(component string) error {
	_, err := s.ask("kill", component)
	if err == nil {
		return nil
	}
	if one, looked := s.look(component); looked == nil && one.pid == 0 {
		return nil
	}
	return err
}

// eventually tries until it succeeds, and returns the last error when the time is up.
func eventually(within time.Duration, attempt func() error) error {
	for deadline := time.Now().Add(within); ; time.Sleep(5 * time.Millisecond) {
		err := attempt()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}

type componentOnly struct {
	Component string `json:"component"`
}

func (p componentOnly) key() (string, error) {
	if p.Component == "" {
		return "", errors.New("component is missing; name one, such as kubelet")
	}
	return "component " + p.Component, nil
}

// mustRun refuses a component that is down already: its heal would start what others stopped.
func (s supervisor) mustRun(component string) error {
	one, err := s.look(component)
	if err == nil && (!one.wanted || one.pid == 0) {
		err = fmt.Errorf("component %s does not run, and not by a fault of ours; "+
			"start it first (k3s component start %s)", component, component)
	}
	return err
}

// componentDown ends a component at once and keeps it down until it is healed. Asked to end, etcd
// and the API server would go on for up to 10 s, neither up nor down, as they wait for one another.
func componentDown(s supervisor) kind {
	return mechanism[componentOnly, nothing]{
		key:  componentOnly.key,
		look: func(p componentOnly) (nothing, error) { return nothing{}, s.mustRun(p.Component) },
		inject: func(p componentOnly, _ nothing) (fields, error) {
			if err := s.kill(p.Component); err != nil {
				return nil, err
			}
			if _, err := s.ask("stop", p.Component); err != nil { // within its back-off
				return nil, err
			}
			if left := processesOf(p.Component); len(left) > 0 {
				return nil, fmt.Errorf("component %s was stopped, but lives as process %d",
					p.Component, left[0].PID)
			}
			return nil, nil
		},
		heal: func(p componentOnly, _ nothing) (fields, error) { return nil, s.start(p.Component) },
	}.kind()
}

// componentPaused stops a component's process, which stays there and answers nobody.
func componentPaused(s supervisor) kind {
	return mechanism[componentOnly, nothing]{
		key:  componentOnly.key,
		look: func(p componentOnly) (nothing, error) { return nothing{}, s.mustRun(p.Component) },
		inject: func(p componentOnly, _ nothing) (fields, error) {
			if _, err := s.ask("pause", p.Component); err != nil {
				return nil, err
			}
			return nil, eventually(time.Second, func() error {
				for _, one := range processesOf(p.Component) {
					if one.State == stopped {
						return nil
					}
				}
				return fmt.Errorf("component %s was paused, but no process of it is stopped", p.Component)
			})
		},
		heal: func(p componentOnly, _ nothing) (fields, error) {
			for _, one := range processesOf(p.Component) {
				if one.State != stopped {
					continue
				}
				if _, err := s.ask("continue", p.Component); err != nil {
					return nil, err
				}
			}
			return nil, eventually(time.Second, func() error {
				for _, one := range processesOf(p.Component) {
					if one.State == stopped {
						return fmt.Errorf("component %s stays stopped", p.Component)
					}
				}
				return nil
			})
		},
	}.kind()
}

type componentKills struct {
	Component string  `json:"component"`
	EveryS    float64 `json:"every_s"`
}

const leastBetweenKills = 100 * time.Millisecond

// componentKilled kills a component's process again and again: a crash loop.
func componentKilled(s supervisor, running *loops) kind {
	return mechanism[componentKills, nothing]{
		live: true,
		key: func(p componentKills) (string, error) {
			if secondsOf(p.EveryS) < leastBetweenKills || p.EveryS > maxSeconds {
				return "", fmt.Errorf("every_s is %g; give at least %g", p.EveryS,
					leastBetweenKills.Seconds())
			}
			return componentOnly{p.Component}.key()
		},
		look: func(p componentKills) (nothing, error) { return nothing{}, s.mustRun(p.Component) },
		inject: func(p componentKills, _ nothing) (fields, error) {
			first := make(chan error, 1)
			running.start("component "+p.Component, secondsOf(p.EveryS), func() {
				err := s.kill(p.Component)
				select {
				case first <- err:
				default:
				}
			})
			return nil, <-first
		},
		heal: func(p componentKills, _ nothing) (fields, error) {
			running.stop("component " + p.Component)
			one, err := s.look(p.Component)
			if err == nil && one.wanted {
				err = s.start(p.Component)
			}
			return nil, err
		},
	}.kind()
}
