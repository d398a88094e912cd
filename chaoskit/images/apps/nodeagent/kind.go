package main

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// kind is one way to break a node, over parameters and snapshots as they are kept on disk.
type kind struct {
	// key names what the fault occupies, such as "link eth0": there is one open fault a key.
	key func(parameters json.RawMessage) (string, error)
	// look refuses what cannot be injected, and returns what heal will need. It changes nothing.
	look func(parameters json.RawMessage) (json.RawMessage, error)
	// inject breaks it and looks that it is broken. Repeated, it does what is missing.
	inject func(parameters, snapshot json.RawMessage) (fields, error)
	// heal mends it and looks that it is mended. Repeated, or without snapshot, it does no harm.
	heal func(parameters, snapshot json.RawMessage) (fields, error)
	// live says that the agent's own process holds the fault up: a new agent injects it again.
	live bool
	// named says that the key is the fault's own name: whoever asks for its heal means no other.
	named bool
}

// mechanism is a kind in types: P its parameters, S what has to be put back.
type mechanism[P, S any] struct {
	key    func(P) (string, error)
	look   func(P) (S, error)
	inject func(P, S) (fields, error)
	heal   func(P, S) (fields, error) // with the zero S if it was never injected
	live   bool
	named  bool
}

func (m mechanism[P, S]) kind() kind {
	both := func(rawParameters, rawSnapshot json.RawMessage, do func(P, S) (fields, error)) (fields, error) {
		parameters, err := strictly[P](rawParameters)
		if err != nil {
			return nil, err
		}
		var snapshot S
		if len(rawSnapshot) > 0 {
			if snapshot, err = strictly[S](rawSnapshot); err != nil {
				return nil, err
			}
		}
		return do(parameters, snapshot)
	}
	return kind{
		key: func(raw json.RawMessage) (string, error) {
			parameters, err := strictly[P](raw)
			if err != nil {
				return "", err
			}
			return m.key(parameters)
		},
		look: func(raw json.RawMessage) (json.RawMessage, error) {
			parameters, err := strictly[P](raw)
			if err != nil {
				return nil, err
			}
			snapshot, err := m.look(parameters)
			if err != nil {
				return nil, err
			}
			return json.Marshal(snapshot)
		},
		inject: func(parameters, snapshot json.RawMessage) (fields, error) {
			return both(parameters, snapshot, m.inject)
		},
		heal: func(parameters, snapshot json.RawMessage) (fields, error) {
			return both(parameters, snapshot, m.heal)
		},
		live:  m.live,
		named: m.named,
	}
}

// strictly decodes typed arguments; unknown ones are refused, as they would silently not be heeded.
func strictly[T any](raw json.RawMessage) (T, error) {
	var typed T
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&typed); err != nil {
		return typed, fmt.Errorf("arguments %.200s: %w", raw, err)
	}
	return typed, nil
}

// isPart is whether all that `some` names is the same in `whole`: a heal may leave out what the key
// does not need.
func isPart(some, whole json.RawMessage) bool {
	var part, all map[string]json.RawMessage
	if json.Unmarshal(some, &part) != nil || json.Unmarshal(whole, &all) != nil {
		return false
	}
	for name, value := range part {
		if !sameJSON(value, all[name]) {
			return false
		}
	}
	return true
}
