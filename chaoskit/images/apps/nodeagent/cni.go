package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// cniConfigWithdrawn moves the network plug-in's configuration away, to a folder beside it: in one
// step, and back in one. The container runtime watches the folder.
func cniConfigWithdrawn(directory string) kind {
	away := directory + ".withdrawn"
	return mechanism[nothing, nothing]{
		key: func(nothing) (string, error) { return "network configuration", nil },
		look: func(nothing) (nothing, error) {
			names, err := cniConfigs(directory)
			if err == nil && len(names) == 0 {
				err = fmt.Errorf("%s holds no configuration of the network, and not by a fault of ours",
					directory)
			}
			return nothing{}, err
		},
		inject: func(nothing, nothing) (fields, error) {
			moved, err := moveConfigs(directory, away)
			return fields{"files": moved}, err
		},
		heal: func(nothing, nothing) (fields, error) {
			back, err := restoreConfigs(away, directory)
			return fields{"files": back}, err
		},
	}.kind()
}

// cniConfigs are the names of what a container runtime reads there; without the folder, none.
func cniConfigs(directory string) ([]string, error) {
	entries, err := os.ReadDir(directory)
	var names []string
	for _, entry := range entries {
		if slices.Contains([]string{".conf", ".conflist", ".json"}, filepath.Ext(entry.Name())) {
			names = append(names, entry.Name())
		}
	}
	return names, unlessGone(err)
}

func moveConfigs(from, to string) (int, error) {
	names, err := cniConfigs(from)
	if err != nil || len(names) == 0 {
		return 0, err
	}
	if err := os.MkdirAll(to, 0o700); err != nil {
		return 0, err
	}
	for _, name := range names {
		err = errors.Join(err, os.Rename(filepath.Join(from, name), filepath.Join(to, name)))
	}
	return len(names), err
}

// restoreConfigs puts back what was moved; where the node wrote a new one meanwhile, as it does when
// it is started again, that one stays.
func restoreConfigs(from, to string) (int, error) {
	names, err := cniConfigs(from)
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		old, now := filepath.Join(from, name), filepath.Join(to, name)
		if exists(now) {
			err = errors.Join(err, os.Remove(old))
		} else {
			err = errors.Join(err, os.Rename(old, now))
		}
		err = errors.Join(err, rewrite(now))
	}
	return len(names), errors.Join(err, unlessGone(os.Remove(from)))
}

// rewrite writes a file's own content over it. containerd heeds files of its folder that are written
// or go, not those that come: a file that was only moved back would not be read until the next start.
func rewrite(path string) error {
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY, 0) // not truncated: at no time is it incomplete
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Close())
}
