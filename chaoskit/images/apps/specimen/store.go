package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
)

// errNoEffect marks a refused write of which surely nothing reached the volume; any other error
// of a write leaves its effect unknown.
var errNoEffect = errors.New("nothing was written")

const (
	logName  = "kv.log"
	maxBatch = 1024 // writes that share one sync
)

// store is the key-value store: an append-only log and, in memory, the last entry of each key.
//
// Two processes may have the same log open, as happens when a pod is deleted by force while its
// node is cut: both append whole frames, and both histories stay readable. Hence no lock.
type store struct {
	path   string
	boot   string
	defect storeDefect
	log    *os.File
	writes chan *write
	done   chan struct{} // closed when the committer has ended

	flushing sync.Mutex // store defects only: one flush at a time

	closing sync.RWMutex
	closed  bool

	mu       sync.Mutex
	last     map[string]entry
	sequence int64   // highest one given out
	pending  []entry // acknowledged but not on the volume: only with a store defect
	broken   error   // a sync failed: what the kernel still holds is unknown from then on
}

// write is one entry on its way to the log.
type write struct {
	entry entry
	reply chan error
}

// openStore reads the log in `directory`, drops its torn tail and is ready to append.
func openStore(directory, boot string, d defects) (*store, error) {
	s := &store{
		path:   filepath.Join(directory, logName),
		boot:   boot,
		defect: d.store,
		writes: make(chan *write, maxBatch),
		done:   make(chan struct{}),
		last:   map[string]entry{},
	}
	flags := os.O_RDWR | os.O_CREATE | os.O_APPEND
	if d.forgetOnRestart {
		flags |= os.O_TRUNC
	}
	var err error
	if s.log, err = os.OpenFile(s.path, flags, 0o644); err != nil {
		return nil, fmt.Errorf("the store cannot be opened: %w", err)
	}
	if err := s.load(directory); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", s.path, err), s.log.Close())
	}
	go s.commit()
	return s, nil
}

func (s *store) load(directory string) error {
	found, err := scanLog(s.log, func(e entry) error {
		s.last[e.Key] = e
		return nil
	})
	if err != nil {
		return err
	}
	s.sequence = found.highest
	if found.sound < found.size {
		if err := s.truncate(found.size, found.sound); err != nil {
			return err
		}
	}
	if err := s.log.Sync(); err != nil {
		return err
	}
	folder, err := os.Open(directory)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close()) // makes the file's name durable
}

// truncate cuts the log to `size` if it still ends at `end`, so that nothing that another process
// appended meanwhile is lost.
func (s *store) truncate(end, size int64) error {
	info, err := s.log.Stat()
	if err != nil {
		return err
	}
	if info.Size() != end {
		return fmt.Errorf("another process is writing: the log ends at %d, not %d", info.Size(), end)
	}
	return s.log.Truncate(size)
}

// Put appends an entry and returns it once it is on the volume.
func (s *store) Put(key, value string) (entry, error) {
	e := entry{Key: key, Value: value, Boot: s.boot}
	if s.defect.kind != sound {
		return s.putLater(e)
	}
	w := &write{entry: e, reply: make(chan error, 1)}
	if err := s.enqueue(w); err != nil {
		return e, err
	}
	err := <-w.reply
	return w.entry, err
}

// enqueue hands the write to the committer.
func (s *store) enqueue(w *write) error {
	s.closing.RLock() // shared by writers, so that Close cannot close the channel under them
	defer s.closing.RUnlock()
	if s.closed {
		return fmt.Errorf("the store is closed: %w", errNoEffect)
	}
	s.writes <- w
	return nil
}

// Get returns the last entry of a key.
func (s *store) Get(key string) (entry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e, found := s.last[key]
	return e, found
}

// CopyTo writes all entries in log order as JSON lines. They are read from the volume, so entries
// of another process that has the same log open are shown too.
func (s *store) CopyTo(w io.Writer) error {
	s.flushing.Lock() // so that no entry is seen both on the volume and pending
	defer s.flushing.Unlock()
	log, err := os.Open(s.path)
	if err != nil {
		return err
	}
	encoder := json.NewEncoder(w)
	_, err = scanLog(log, func(e entry) error { return encoder.Encode(e) })
	if err = errors.Join(err, log.Close()); err != nil {
		return err
	}
	s.mu.Lock()
	pending := append([]entry(nil), s.pending...)
	s.mu.Unlock()
	for _, e := range pending {
		if err := encoder.Encode(e); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the store after the writes that were handed in.
func (s *store) Close() error {
	s.closing.Lock()
	alreadyClosed := s.closed
	s.closed = true
	s.closing.Unlock()
	if alreadyClosed {
		return nil
	}
	close(s.writes)
	<-s.done
	return errors.Join(s.flushAtEnd(), s.log.Close())
}
