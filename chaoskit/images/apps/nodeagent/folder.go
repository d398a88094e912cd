package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
)

// faultFolder keeps one file an open fault, so that an agent that is started anew can heal it.
type faultFolder string

func (f faultFolder) path(key string) string {
	return filepath.Join(string(f), url.PathEscape(key)+".json") // a key may hold slashes
}

// write replaces the file as a whole. It outlives the agent, not the machine: no sync.
func (f faultFolder) write(one fault) error {
	encoded, err := json.Marshal(one)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(string(f), 0o700); err != nil {
		return err
	}
	path := f.path(one.Key)
	if err := os.WriteFile(path+".new", encoded, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func (f faultFolder) remove(key string) error {
	err := os.Remove(f.path(key))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

func (f faultFolder) read() ([]fault, error) {
	paths, err := filepath.Glob(filepath.Join(string(f), "*.json"))
	if err != nil {
		return nil, err
	}
	var all []fault
	for _, path := range paths {
		encoded, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var one fault
		decoder := json.NewDecoder(bytes.NewReader(encoded))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&one); err != nil {
			return nil, fmt.Errorf("%s is no fault: %w; heal by hand and remove it", path, err)
		}
		all = append(all, one)
	}
	return all, nil
}

// currentLife names this life of the node: the kernel's boot, the network namespace, and the start
// of PID 1, as the number of a namespace is used again after a container's restart.
func currentLife() (string, error) {
	boot, err := bootID()
	if err != nil {
		return "", err
	}
	network, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		return "", err
	}
	stat, err := os.ReadFile("/proc/1/stat")
	if err != nil {
		return "", err
	}
	// proc(5): the command in parentheses may hold spaces; field 22 is the start, in clock ticks
	after := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const startField = 22 - 3
	if len(after) <= startField {
		return "", fmt.Errorf("/proc/1/stat has %d fields after the command", len(after))
	}
	return strings.Join([]string{boot, network, after[startField]}, " "), nil
}
