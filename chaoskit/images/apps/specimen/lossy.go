package main

import (
	"fmt"
	"time"
)

// putLater acknowledges at once and writes later or never: the store defects.
func (s *store) putLater(e entry) (entry, error) {
	s.closing.RLock()
	defer s.closing.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return e, fmt.Errorf("the store is closed: %w", errNoEffect)
	}
	e.Sequence = s.highestPending() + 1
	s.pending = append(s.pending, e)
	s.last[e.Key] = e
	if s.defect.kind == writesLate {
		time.AfterFunc(s.defect.delay, s.writeOldestPending)
	}
	return e, nil
}

func (s *store) highestPending() int64 {
	if n := len(s.pending); n > 0 {
		return s.pending[n-1].Sequence
	}
	return s.sequence
}

// writeOldestPending moves one entry from memory to the volume.
func (s *store) writeOldestPending() {
	if err := s.flush(1); err != nil {
		_ = s.breakDown(err) // seen by /ready and in the next flush
	}
}

// flush writes the `count` oldest pending entries.
func (s *store) flush(count int) error {
	s.flushing.Lock() // one at a time, so that the log keeps the order of acknowledgement
	defer s.flushing.Unlock()
	s.mu.Lock()
	count = min(count, len(s.pending))
	batch := append([]entry(nil), s.pending[:count]...)
	s.mu.Unlock()
	if count == 0 {
		return nil
	}
	if err := s.append(batch); err != nil {
		return err
	}
	s.mu.Lock()
	s.pending = s.pending[count:]
	s.mu.Unlock()
	return nil
}

// flushAtEnd writes what is pending when the process is told to end: spread over the defect's
// delay if it is flush-at-term, so that a shorter grace period cuts it off.
func (s *store) flushAtEnd() error {
	s.mu.Lock()
	count := len(s.pending)
	s.mu.Unlock()
	switch s.defect.kind {
	case writesLate:
		return s.flush(count)
	case writesAtEnd:
		const pause = 50 * time.Millisecond
		started := time.Now()
		for flushed := 0; flushed < count; {
			time.Sleep(pause)
			share := 1.0
			if s.defect.delay > 0 {
				share = min(1, float64(time.Since(started))/float64(s.defect.delay))
			}
			due := int(share * float64(count))
			if err := s.flush(due - flushed); err != nil {
				return err
			}
			flushed = due
		}
	}
	return nil
}
