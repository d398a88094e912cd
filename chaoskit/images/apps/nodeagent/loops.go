package main

import (
	"sync"
	"time"
)

// loops are what this process does again and again to hold a fault up, by the fault's key.
type loops struct {
	mu   sync.Mutex
	ends map[string]func()
}

func newLoops() *loops { return &loops{ends: map[string]func(){}} }

// start does it now and then after each period; a loop of that key is replaced.
func (l *loops) start(key string, every time.Duration, do func()) {
	l.stop(key)
	told, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			do()
			select {
			case <-told:
				return
			case <-time.After(every):
			}
		}
	}()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ends[key] = func() { close(told); <-ended }
}

// stop returns when the loop has ended; without one it does nothing.
func (l *loops) stop(key string) {
	l.mu.Lock()
	end := l.ends[key]
	delete(l.ends, key)
	l.mu.Unlock()
	if end != nil {
		end()
	}
}
