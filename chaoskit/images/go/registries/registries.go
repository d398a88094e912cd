// Package registries turns k3s' registries.yaml into what containerd reads: a hosts.toml for each
// registry, and the CRI's credentials.
package registries

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// Config is the file of the contract. What says nothing about an image is left to containerd.
type Config struct {
	Mirrors map[string]Mirror `json:"mirrors"`
	Configs map[string]Access `json:"configs"`
}

// Mirror names where images of one registry ("*": of any that is not named) are asked for instead.
type Mirror struct {
	Endpoints []string          `json:"endpoint"`
	Rewrites  map[string]string `json:"rewrite"`
}

// Access is how an endpoint is spoken to, by its host and port.
type Access struct {
	Auth *Auth `json:"auth"`
	TLS  *TLS  `json:"tls"`
}

// Auth has one of: user name and password, both in base64, or a token.
type Auth struct {
	Username      string `json:"username"`
	Password      string `json:"password"`
	Auth          string `json:"auth"`
	IdentityToken string `json:"identity_token"`
}

// TLS names files on the node.
type TLS struct {
	CAFile             string `json:"ca_file"`
	CertFile           string `json:"cert_file"`
	KeyFile            string `json:"key_file"`
	InsecureSkipVerify bool   `json:"insecure_skip_verify"`
}

// The first line of a file that is ours to replace or remove.
const header = "# Made from registries.yaml at each start of the node. DO NOT EDIT.\n"

// Read reads the file; without one there is nothing to configure. A field that is not known is
// reported through warn, as k3s ignores it.
func Read(path string, warn func(string, ...any)) (*Config, error) {
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Config{}, nil
	}
	if err != nil {
		return nil, err
	}
	config := &Config{}
	if err := yaml.Unmarshal(content, config); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if err := yaml.UnmarshalStrict(content, &Config{}); err != nil {
		warn("%s: %v", path, err)
	}
	for _, name := range slices.Sorted(maps.Keys(config.Mirrors)) {
		if len(config.Mirrors[name].Rewrites) > 0 {
			warn("%s: the rewrites of %s have no effect in this image", path, name)
		}
	}
	return config, nil
}

// Credentials is the part of containerd's configuration that holds them, as TOML.
func (c *Config) Credentials() string {
	var out strings.Builder
	for _, host := range slices.Sorted(maps.Keys(c.Configs)) {
		auth := c.Configs[host].Auth
		if auth == nil {
			continue
		}
		// The CRI asks by the address it connects to, which is another one for Docker's own registry.
		address := host
		if host == "docker.io" {
			address = dockerHost
		}
		fmt.Fprintf(&out, "[plugins.'io.containerd.cri.v1.images'.registry.configs.%s.auth]\n", quote(address))
		for _, pair := range [][2]string{
			{"username", auth.Username}, {"password", auth.Password},
			{"auth", auth.Auth}, {"identitytoken", auth.IdentityToken},
		} {
			if pair[1] != "" {
				fmt.Fprintf(&out, "  %s = %s\n", pair[0], quote(pair[1]))
			}
		}
	}
	return out.String()
}

// WriteHosts writes a hosts.toml for each registry below dir, and removes those of an earlier start.
//
// Without the default endpoint only the named ones are asked for a mirrored registry.
func (c *Config) WriteHosts(dir string, withoutDefault bool) error {
	if err := removeOwn(dir); err != nil {
		return err
	}
	names := map[string]bool{}
	for name := range c.Mirrors {
		names[name] = true
	}
	for name, access := range c.Configs {
		// Credentials alone are no reason for a file.
		names[name] = names[name] || access.TLS != nil
	}
	for name, wanted := range names {
		if !wanted {
			continue
		}
		content, err := c.hosts(name, withoutDefault)
		if err != nil {
			return fmt.Errorf("registry %s: %w", name, err)
		}
		folder := filepath.Join(dir, folderOf(name))
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(folder, "hosts.toml"), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// hosts is the hosts.toml of one registry: its mirrors in their order, and itself at last.
func (c *Config) hosts(name string, withoutDefault bool) (string, error) {
	var endpoints []*url.URL
	for _, endpoint := range c.Mirrors[name].Endpoints {
		address, err := parse(endpoint)
		if err != nil {
			return "", err
		}
		if !slices.ContainsFunc(endpoints, func(u *url.URL) bool { return *u == *address }) {
			endpoints = append(endpoints, address)
		}
	}
	var last *url.URL
	if name != "*" {
		own, err := parse(name)
		if err != nil {
			return "", err
		}
		last = own
	}
	if n := len(endpoints); n > 0 && (withoutDefault || last != nil && *endpoints[n-1] == *last) {
		// containerd always asks a server after the hosts; the last endpoint takes that place.
		last, endpoints = endpoints[n-1], endpoints[:n-1]
	}
	var out strings.Builder
	out.WriteString(header)
	if last != nil {
		fmt.Fprintf(&out, "server = %s\n", quote(last.String()))
		out.WriteString(c.options(last, "", `["pull", "resolve", "push"]`))
	}
	for _, endpoint := range endpoints {
		fmt.Fprintf(&out, "[host.%s]\n", quote(endpoint.String()))
		out.WriteString(c.options(endpoint, "  ", `["pull", "resolve"]`))
	}
	return out.String(), nil
}

// options are the lines about one endpoint, with its TLS settings if there are any.
func (c *Config) options(endpoint *url.URL, indent, capabilities string) string {
	lines := []string{"capabilities = " + capabilities}
	if endpoint.Path != defaultPath {
		lines = append(lines, "override_path = true")
	}
	host := endpoint.Host
	if _, named := c.Configs[host]; !named && host == dockerHost {
		host = "docker.io"
	}
	if tls := c.Configs[host].TLS; tls != nil {
		if tls.CAFile != "" {
			lines = append(lines, fmt.Sprintf("ca = [%s]", quote(tls.CAFile)))
		}
		if tls.CertFile != "" || tls.KeyFile != "" {
			lines = append(lines, fmt.Sprintf("client = [[%s, %s]]", quote(tls.CertFile), quote(tls.KeyFile)))
		}
		if tls.InsecureSkipVerify {
			lines = append(lines, "skip_verify = true")
		}
	}
	return indent + strings.Join(lines, "\n"+indent) + "\n"
}

const (
	defaultPath = "/v2"
	dockerHost  = "registry-1.docker.io"
)

// parse makes a URL of an endpoint or a registry's name; what has no scheme is https, on this very
// machine http.
func parse(endpoint string) (*url.URL, error) {
	if !strings.Contains(endpoint, "://") {
		endpoint = "//" + endpoint
	}
	address, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	if address.Host == "" || address.User != nil {
		return nil, fmt.Errorf("%q is not of the form http://HOST:PORT or https://HOST:PORT", address.Redacted())
	}
	if address.Scheme == "" {
		address.Scheme = "https"
		if port := address.Port(); isLocal(address.Hostname()) && port != "" && port != "443" {
			address.Scheme = "http"
		}
	}
	if address.Host == "docker.io" {
		address.Host = dockerHost
	}
	if address.Path == "" || address.Path == "/" {
		address.Path = defaultPath
	}
	return address, nil
}

func isLocal(host string) bool {
	address := net.ParseIP(host)
	return host == "localhost" || address != nil && address.IsLoopback()
}

// folderOf is how containerd spells a registry's folder.
func folderOf(name string) string {
	if name == "*" {
		return "_default"
	}
	if at := strings.LastIndex(name, ":"); at > 0 {
		return name[:at] + "_" + name[at+1:] + "_"
	}
	return name
}

// removeOwn removes what an earlier start wrote; a hosts.toml of somebody else's stays.
func removeOwn(dir string) error {
	files, err := filepath.Glob(filepath.Join(dir, "*", "hosts.toml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if strings.HasPrefix(string(content), header) {
			if err := os.RemoveAll(filepath.Dir(file)); err != nil {
				return err
			}
		}
	}
	return nil
}

// quote makes a basic string of TOML.
func quote(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteByte('\\')
			out.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&out, `\u%04x`, r)
		default:
			out.WriteRune(r)
		}
	}
	out.WriteByte('"')
	return out.String()
}
