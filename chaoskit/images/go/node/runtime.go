package node

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"time"

	"chaoskit.dev/images/registries"
)

// Where the image keeps the tarballs it brings along, and in folders below it those of one role.
const carried = "/usr/share/chaoskit/images"

const containerdTemplate = `version = 3
root = %q
state = "/run/k3s/containerd"
[grpc]
  address = %q
[plugins.'io.containerd.cri.v1.images']
  snapshotter = %q
[plugins.'io.containerd.cri.v1.images'.registry]
  config_path = %q
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = %q
[plugins.'io.containerd.cri.v1.runtime']
  restrict_oom_score_adj = %t
[plugins.'io.containerd.cri.v1.runtime'.cni]
  bin_dirs = ["/usr/lib/cni"]
  conf_dir = %q
`

// startRuntime starts containerd and imports the images laid down for this node; the channel
// tells when that is done, as nothing may start on this node before.
func (o *Options) startRuntime(ctx context.Context, s *Supervisor) <-chan error {
	done := make(chan error, 1)
	go func() { done <- o.runtimeUp(ctx, s) }()
	return done
}

func (o *Options) runtimeUp(ctx context.Context, s *Supervisor) error {
	config, err := o.writeRuntimeConfig()
	if err != nil {
		return err
	}
	s.Start(Component{Name: "containerd", Path: "/usr/local/bin/containerd", Args: []string{"--config", config}})
	if err := until(ctx, "containerd", startWithin, func() error {
		return exec.CommandContext(ctx, "ctr", "--address", containerdSocket, "--timeout", "1s", "version").Run()
	}); err != nil {
		return err
	}
	logf("Containerd is now running")
	return o.importImages(ctx)
}

// writeRuntimeConfig writes containerd's configuration; the file holds credentials of registries.
func (o *Options) writeRuntimeConfig() (string, error) {
	config := o.agentFile("etc", "containerd", "config.toml")
	hosts := o.agentFile("etc", "containerd", "certs.d")
	for _, dir := range []string{hosts, o.cniConfDir(), "/run/k3s/containerd"} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return "", err
		}
	}
	private, err := registries.Read(o.PrivateRegistry, logf)
	if err != nil {
		return "", err
	}
	if err := private.WriteHosts(hosts, o.NoDefaultEndpoint); err != nil {
		return "", err
	}
	content := fmt.Sprintf(containerdTemplate, o.agentFile("containerd"), containerdSocket, o.Snapshotter,
		hosts, o.PauseImage, !mayLowerOOMScore(), o.cniConfDir()) + private.Credentials()
	// A file that is there keeps its mode when it is written.
	if err := os.Remove(config); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	return config, os.WriteFile(config, []byte(content), 0o600)
}

// importImages loads the tarballs of the contract's folder, and those the image itself carries.
func (o *Options) importImages(ctx context.Context) error {
	var files []string
	// DNS and the volume provisioner run on servers only; half a start is spent on unpacking images.
	for _, dir := range []string{carried, filepath.Join(carried, o.Role), o.agentFile("images")} {
		found, err := filepath.Glob(filepath.Join(dir, "*.tar*"))
		if err != nil {
			return err
		}
		sort.Strings(found)
		files = append(files, found...)
	}
	for _, file := range files {
		started := time.Now()
		out, err := exec.CommandContext(ctx, "ctr", "--address", containerdSocket, "-n", "k8s.io",
			"images", "import", "--local", "--all-platforms", file).CombinedOutput()
		if err != nil {
			// k3s, too, starts without an image it could not read: the pod that needs it will say so.
			logf("Unable to import %s: %v: %s", file, err, strings.TrimSpace(string(out)))
			continue
		}
		logf("Imported images from %s in %s", file, time.Since(started).Round(time.Millisecond))
	}
	return nil
}

// mayLowerOOMScore: without CAP_SYS_RESOURCE every container start would fail on its oom_score_adj.
func mayLowerOOMScore() bool {
	const own = "/proc/self/oom_score_adj"
	before, err := os.ReadFile(own)
	if err != nil {
		return false
	}
	if err := os.WriteFile(own, []byte("-999"), 0o644); err != nil {
		return false
	}
	return os.WriteFile(own, before, 0o644) == nil
}
