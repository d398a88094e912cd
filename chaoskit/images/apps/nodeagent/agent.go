package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"chaoskit.dev/apps/internal/monotonic"
)

// agent holds what the operations share.
type agent struct {
	operations map[string]operation
	settings   settings
	faults     *faults
	heartbeat  *heartbeat
	abilities  []string
	startedNS  int64
}

type nothing struct{}

type interfaceOnly struct {
	Interface string `json:"interface"`
}

// newAgent takes up the faults that an earlier agent left open and starts counting heartbeats.
func newAgent(s settings) (*agent, error) {
	a := &agent{settings: s, startedNS: monotonic.NowNS()}
	var err error
	if a.heartbeat, err = newHeartbeat(s); err != nil {
		return nil, err
	}
	if a.faults, err = takeUpFaults(s.faultsDir(), kinds(s)); err != nil {
		return nil, err
	}
	a.abilities = abilities()
	ears := newEars(s)
	go a.heartbeat.watch()
	a.operations = map[string]operation{
		"hello":      taking(a.hello),
		"heartbeat":  taking(a.heartbeat.beat),
		"inject":     taking(a.faults.inject),
		"heal":       taking(a.faults.heal),
		"link_state": taking(linkState),
		"faults":     taking(a.faults.list),
		"processes":  taking(a.processes),

		"listen":      taking(ears.listen),
		"send":        taking(ears.send),
		"heard":       taking(ears.heard),
		"connect":     taking(a.connect),
		"resolve":     taking(a.resolve),
		"connections": taking(a.connections),
		"http_status": taking(httpStatus),

		"component_state": taking(a.componentState),
		"container_state": taking(a.containerState),
		"runtime_state":   taking(a.runtimeState),
		"stress_state":    taking(a.stressState),
	}
	return a, nil
}

// kinds of fault, by the name that inject and heal take.
func kinds(s settings) map[string]kind {
	components, running, started := supervisor(s.supervisorSocket()), newLoops(), newBurdens()
	return map[string]kind{
		"link_down":       linkDown,
		"packets":         packetsLost(s),
		"delay":           packetsDelayed(s),
		"bandwidth":       bandwidth,
		"netem":           netem,
		"connections_cut": connectionsCut,

		"component_down":   componentDown(components),
		"component_paused": componentPaused(components),
		"component_killed": componentKilled(components, running),

		"container_signalled":     containerSignalled(s),
		"container_frozen":        containerFrozen(s, running),
		"container_out_of_memory": containerOutOfMemory(s, started),
		"sandbox_killed":          sandboxKilled(s),

		"cpu_stressed":         cpuStressed(started),
		"memory_stressed":      memoryStressed(started),
		"disk_filled":          diskFilled(),
		"cni_config_withdrawn": cniConfigWithdrawn(s.cniDir),
	}
}

func (a *agent) hello(nothing) (fields, error) {
	hostname, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	boot, err := bootID()
	if err != nil {
		return nil, err
	}
	return fields{
		"version":    version,
		"hostname":   hostname,
		"boot_id":    boot,
		"pid":        os.Getpid(),
		"started_ns": a.startedNS,
		"abilities":  a.abilities,
		"wall_ns":    time.Now().UnixNano(),
	}, nil
}

// bootID is the kernel's: monotonic times are comparable only within one.
func bootID() (string, error) {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("the kernel's boot id: %w", err)
	}
	return strings.TrimSpace(string(id)), nil
}
