package main

import (
	"fmt"
	"io"
)

// commit appends writes in batches, one write and one sync each: under load a slow disk's sync is
// shared by all who wait for it (group commit).
func (s *store) commit() {
	defer close(s.done)
	for first := range s.writes {
		batch := []*write{first}
		for len(batch) < maxBatch && len(s.writes) > 0 {
			next, open := <-s.writes
			if !open {
				break
			}
			batch = append(batch, next)
		}
		entries := make([]entry, len(batch))
		for i, w := range batch {
			entries[i] = w.entry
		}
		err := s.append(entries)
		for i, w := range batch {
			w.entry = entries[i]
			w.reply <- err
		}
	}
}

// append numbers the entries, writes them and syncs. After a failed write the log is cut back, so
// that nothing of it remains; after a failed sync the store refuses all writes until it is opened
// again, as the kernel may have dropped the pages and would report the next sync as good.
func (s *store) append(entries []entry) error {
	s.mu.Lock()
	sequence, broken := s.sequence, s.broken
	s.mu.Unlock()
	if broken != nil {
		return fmt.Errorf("%w: %w", broken, errNoEffect)
	}
	var buffer []byte
	var err error
	for i := range entries {
		entries[i].Sequence = sequence + int64(i) + 1
		if buffer, err = appendFrame(buffer, entries[i]); err != nil {
			return fmt.Errorf("%w: %w", err, errNoEffect)
		}
	}
	if written, err := s.log.Write(buffer); err != nil {
		return s.cutBack(int64(written), err)
	}
	if err := s.log.Sync(); err != nil {
		return s.breakDown(fmt.Errorf("the log could not be synced: %w", err))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sequence += int64(len(entries))
	for _, e := range entries {
		s.last[e.Key] = e
	}
	return nil
}

// cutBack removes what a failed write left behind.
func (s *store) cutBack(written int64, cause error) error {
	if written > 0 {
		end, err := s.log.Seek(0, io.SeekCurrent)
		if err == nil {
			err = s.truncate(end, end-written)
		}
		if err != nil {
			return s.breakDown(fmt.Errorf("%w, and its remains could not be removed: %w", cause, err))
		}
	}
	return fmt.Errorf("%w: %w", cause, errNoEffect)
}

func (s *store) breakDown(cause error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = cause
	return cause
}

// Broken is why the store refuses writes, or nil.
func (s *store) Broken() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.broken
}
