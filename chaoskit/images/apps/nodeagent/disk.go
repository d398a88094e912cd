package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

type volumeAt struct {
	Path string `json:"path"`
}

const (
	filling       = ".chaoskit-filling"
	largestVolume = 1 << 30 // of a volume that is filled: more could be the machine's own disk
)

// diskFilled takes all space of a volume, which has to be a small file system of its own.
func diskFilled() kind {
	return mechanism[volumeAt, nothing]{
		key: func(p volumeAt) (string, error) {
			if !filepath.IsAbs(p.Path) || filepath.Clean(p.Path) != p.Path {
				return "", fmt.Errorf("path %q: give an absolute one, without . and ..", p.Path)
			}
			return "disk " + p.Path, nil
		},
		look: func(p volumeAt) (nothing, error) { return nothing{}, mayFill(p.Path) },
		inject: func(p volumeAt, _ nothing) (fields, error) {
			written, err := fill(filepath.Join(p.Path, filling))
			return fields{"written_bytes": written}, err
		},
		heal: func(p volumeAt, _ nothing) (fields, error) {
			// The volume may have gone with its pod.
			return nil, unlessGone(os.Remove(filepath.Join(p.Path, filling)))
		},
	}.kind()
}

// mayFill refuses all but a mount of its own that is small.
func mayFill(path string) error {
	isMount, err := isMountPoint(path)
	if err != nil {
		return err
	}
	if !isMount {
		return fmt.Errorf("%s is no file system of its own: filling it would fill the machine's disk; "+
			"give a volume of limited size, such as an emptyDir in memory with a sizeLimit", path)
	}
	var space unix.Statfs_t
	if err := unix.Statfs(path, &space); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	size := int64(space.Blocks) * space.Bsize
	if size > largestVolume {
		return fmt.Errorf("%s has %d MB; at most %d MB are filled, as more may be the machine's own disk",
			path, size>>20, largestVolume>>20)
	}
	if space.Type == unix.TMPFS_MAGIC || space.Type == unix.RAMFS_MAGIC {
		if space.Blocks == 0 {
			return fmt.Errorf("%s is memory without a limit; give the volume a sizeLimit", path)
		}
		return mayTake(size)
	}
	return nil
}

// isMountPoint asks the kernel's list: a bind of a folder of the machine's disk is told by its size.
func isMountPoint(path string) (bool, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return false, err
	}
	for _, line := range strings.Split(string(mounts), "\n") {
		const mountPoint = 5 - 1
		if words := strings.Fields(line); len(words) > mountPoint && unescaped(words[mountPoint]) == path {
			return true, nil
		}
	}
	return false, nil
}

// unescaped undoes what the kernel writes for characters that would break a line of words.
func unescaped(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

// fill appends until there is no space, in ever smaller pieces, so that none is left at the end.
func fill(path string) (written int64, err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil && !errors.Is(err, unix.ENOSPC) {
		return 0, err
	}
	if err != nil {
		return 0, nil // full already
	}
	defer file.Close()
	for piece := make([]byte, 1<<20); len(piece) > 0; {
		count, err := file.Write(piece)
		written += int64(count)
		switch {
		case errors.Is(err, unix.ENOSPC):
			piece = piece[:len(piece)/2]
		case err != nil:
			return written, err
		case written > largestVolume:
			return written, fmt.Errorf("%s holds more than %d MB, though its volume is smaller", path,
				largestVolume>>20)
		}
	}
	return written, nil
}
