package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// heartbeat ends the node when nobody has asked for it to live on for its time to live.
type heartbeat struct {
	pid       int
	killAfter time.Duration

	mu       sync.Mutex
	ttl      time.Duration // 0: the node is kept
	deadline time.Time
}

// beatArguments either renew the time to live or, with keep, end the counting.
type beatArguments struct {
	TTLs float64 `json:"ttl_s"`
	Keep bool    `json:"keep"`
}

// initialPIDNamespace is the inode of a kernel's first PID namespace (PROC_PID_INIT_INO in
// linux/proc_ns.h): whoever lives there is no container, and its PID 1 is the machine's.
const initialPIDNamespace = 0xEFFFFFFC

func newHeartbeat(s settings) (*heartbeat, error) {
	if s.ttl > 0 && s.endPID == 1 && inInitialPIDNamespace() {
		return nil, errors.New("this is no container: -ttl-s would end the whole machine; " +
			"give -ttl-s 0 or another -end-pid")
	}
	return &heartbeat{
		pid: s.endPID, killAfter: s.killAfter, ttl: s.ttl, deadline: time.Now().Add(s.ttl),
	}, nil
}

// inInitialPIDNamespace says yes when it cannot tell, as that answer does no harm.
func inInitialPIDNamespace() bool {
	var info unix.Stat_t
	return unix.Stat("/proc/self/ns/pid", &info) != nil || info.Ino == initialPIDNamespace
}

func (h *heartbeat) beat(a beatArguments) (fields, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case a.Keep && a.TTLs != 0:
		return nil, errors.New("ttl_s and keep exclude each other; give one")
	case a.Keep:
		h.ttl = 0
		return fields{"keep": true}, nil
	}
	if err := checkSeconds("ttl_s", a.TTLs); err != nil {
		return nil, err
	}
	if h.pid == 1 && inInitialPIDNamespace() {
		return nil, errors.New("this is no container: ttl_s would end the whole machine")
	}
	h.ttl = secondsOf(a.TTLs)
	h.deadline = time.Now().Add(h.ttl)
	return fields{"ttl_s": a.TTLs}, nil
}

// watch ends the node at the deadline. A node that was paused could not receive heartbeats: after
// such a gap in its own ticking it grants the starter time to be heard again.
func (h *heartbeat) watch() {
	const tick, pausedFor, afterPause = 200 * time.Millisecond, 3 * time.Second, 30 * time.Second
	last := time.Now()
	for now := range time.Tick(tick) {
		h.mu.Lock()
		if grace := now.Add(min(h.ttl, afterPause)); now.Sub(last) > pausedFor &&
			h.deadline.Before(grace) {
			h.deadline = grace
		}
		expired := h.ttl > 0 && now.After(h.deadline)
		h.mu.Unlock()
		last = now
		if expired {
			log.Printf("no heartbeat for the time to live: ending process %d", h.pid)
			h.end()
			return
		}
	}
}

// end sends TERM and, when that was not enough, what cannot be refused.
func (h *heartbeat) end() {
	_ = unix.Kill(h.pid, unix.SIGTERM) // fails only if it is gone, which the loop sees
	for deadline := time.Now().Add(h.killAfter); time.Now().Before(deadline); {
		if errors.Is(unix.Kill(h.pid, 0), unix.ESRCH) {
			log.Printf("process %d ended at TERM", h.pid)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := h.kill(); err != nil {
		log.Printf("process %d could not be killed: %v", h.pid, err)
	}
}

// kill ends the process at once. The kernel shields PID 1 from signals of its own namespace, KILL
// included, but there reboot(2) means: kill PID 1, and with it the container. Never call it in the
// machine's own PID namespace.
func (h *heartbeat) kill() error {
	if h.pid != 1 {
		return unix.Kill(h.pid, unix.SIGKILL)
	}
	if inInitialPIDNamespace() {
		return fmt.Errorf("process %d sees the machine's own PID 1", os.Getpid())
	}
	_ = unix.Kill(-1, unix.SIGKILL) // all but PID 1 and us: an init that waits for its child ends
	return unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF)
}
