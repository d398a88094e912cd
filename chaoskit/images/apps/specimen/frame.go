package main

import (
	"bufio"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
)

// entry is one record of the store's log.
type entry struct {
	Key      string `json:"key"`
	Value    string `json:"value"`
	Sequence int64  `json:"sequence"`
	Boot     string `json:"boot"`
}

// castagnoli is CRC-32C, as most storage formats use it: it has hardware support.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const checksumLength = 8 // hexadecimal digits, then one space, the JSON and a newline

// appendFrame adds one line: the checksum of the JSON, a space, the JSON.
func appendFrame(buffer []byte, e entry) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return buffer, fmt.Errorf("entry of key %q: %w", e.Key, err)
	}
	buffer = fmt.Appendf(buffer, "%08x ", crc32.Checksum(body, castagnoli))
	return append(append(buffer, body...), '\n'), nil
}

// parseFrame is false for a line that is torn or damaged.
func parseFrame(line []byte) (entry, bool) {
	var e entry
	var sum [4]byte
	if len(line) < checksumLength+2 || line[checksumLength] != ' ' || line[len(line)-1] != '\n' {
		return e, false
	}
	if _, err := hex.Decode(sum[:], line[:checksumLength]); err != nil {
		return e, false
	}
	body := line[checksumLength+1 : len(line)-1]
	if binary.BigEndian.Uint32(sum[:]) != crc32.Checksum(body, castagnoli) {
		return e, false
	}
	err := json.Unmarshal(body, &e)
	return e, err == nil
}

// scanned is what a pass over the log found.
type scanned struct {
	size    int64 // bytes read
	sound   int64 // bytes up to the end of the last sound frame; what follows is a torn tail
	highest int64 // highest durable sequence
}

// scanLog visits every sound entry in log order.
//
// A bad line at the end is a torn tail: a write that the process did not live to finish. A bad
// line further up is one too if the next entry takes the sequence it would have had (a failed
// write is never acknowledged and its sequence is used again); otherwise acknowledged entries are
// missing, which is an error.
func scanLog(log io.Reader, visit func(entry) error) (scanned, error) {
	var s scanned
	reader := bufio.NewReaderSize(log, 1<<16)
	torn := false
	for {
		line, err := reader.ReadBytes('\n')
		if err != nil && !errors.Is(err, io.EOF) {
			return s, err
		}
		s.size += int64(len(line))
		if e, ok := parseFrame(line); ok {
			if torn && e.Sequence > s.highest+1 {
				return s, fmt.Errorf("the log is damaged before byte %d: sequence %d follows %d",
					s.size, e.Sequence, s.highest)
			}
			torn, s.sound, s.highest = false, s.size, max(s.highest, e.Sequence)
			if err := visit(e); err != nil {
				return s, err
			}
		} else if len(line) > 0 {
			torn = true
		}
		if err != nil {
			return s, nil
		}
	}
}
