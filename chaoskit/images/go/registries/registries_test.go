package registries

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func read(t *testing.T, text string) (*Config, []string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "registries.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var warnings []string
	config, err := Read(file, func(format string, args ...any) {
		warnings = append(warnings, fmt.Sprintf(format, args...))
	})
	if err != nil {
		t.Fatal(err)
	}
	return config, warnings
}

func hosts(t *testing.T, config *Config, folder string, withoutDefault bool) string {
	t.Helper()
	dir := t.TempDir()
	if err := config.WriteHosts(dir, withoutDefault); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(dir, folder, "hosts.toml"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(string(content), header)
}

const mirrored = `
mirrors:
  images.example:5000:
    endpoint: ["http://10.0.0.5:5000", "https://second.example/cache"]
configs:
  "second.example":
    tls: {insecure_skip_verify: true, ca_file: /etc/ca.pem}
`

func TestMirrorsComeInTheirOrderAndTheRegistryItselfAtLast(t *testing.T) {
	config, warnings := read(t, mirrored)
	want := `server = "https://images.example:5000/v2"
capabilities = ["pull", "resolve", "push"]
[host."http://10.0.0.5:5000/v2"]
  capabilities = ["pull", "resolve"]
[host."https://second.example/cache"]
  capabilities = ["pull", "resolve"]
  override_path = true
  ca = ["/etc/ca.pem"]
  skip_verify = true
`
	if got := hosts(t, config, "images.example_5000_", false); got != want || len(warnings) > 0 {
		t.Fatalf("got\n%s, warnings %v", got, warnings)
	}
}

func TestWithoutTheDefaultEndpointTheLastMirrorTakesItsPlace(t *testing.T) {
	config, _ := read(t, `mirrors: {"images.example:5000": {endpoint: ["http://10.0.0.5:5000"]}}`)
	want := "server = \"http://10.0.0.5:5000/v2\"\ncapabilities = [\"pull\", \"resolve\", \"push\"]\n"
	if got := hosts(t, config, "images.example_5000_", true); got != want {
		t.Fatalf("got\n%s", got)
	}
}

func TestAStarStandsForAnyRegistryAndHasNoServer(t *testing.T) {
	config, _ := read(t, `mirrors: {"*": {endpoint: ["https://cache.example"]}}`)
	want := "[host.\"https://cache.example/v2\"]\n  capabilities = [\"pull\", \"resolve\"]\n"
	if got := hosts(t, config, "_default", false); got != want {
		t.Fatalf("got\n%s", got)
	}
}

func TestARegistryOfItsOwnNeedsNoMirror(t *testing.T) {
	config, _ := read(t, `configs: {"own.example": {tls: {cert_file: /c, key_file: /k}}}`)
	want := `server = "https://own.example/v2"
capabilities = ["pull", "resolve", "push"]
client = [["/c", "/k"]]
`
	if got := hosts(t, config, "own.example", false); got != want {
		t.Fatalf("got\n%s", got)
	}
}

func TestCredentialsAreQuotedAndStayOutOfTheHosts(t *testing.T) {
	config, _ := read(t, `
mirrors: {docker.io: {endpoint: ["https://docker.io"]}}
configs:
  docker.io: {auth: {username: me, password: "a\"b\\c"}}
  b.example: {auth: {identity_token: t0}}
`)
	want := `[plugins.'io.containerd.cri.v1.images'.registry.configs."b.example".auth]
  identitytoken = "t0"
[plugins.'io.containerd.cri.v1.images'.registry.configs."registry-1.docker.io".auth]
  username = "me"
  password = "a\"b\\c"
`
	if got := config.Credentials(); got != want {
		t.Fatalf("got\n%s", got)
	}
	if got := hosts(t, config, "docker.io", false); strings.Contains(got, "me") || strings.Contains(got, "[host") {
		t.Fatalf("got\n%s", got)
	}
}

func TestNoFileIsNothingToConfigure(t *testing.T) {
	config, err := Read(filepath.Join(t.TempDir(), "absent"), t.Errorf)
	if err != nil || config.Credentials() != "" {
		t.Fatalf("%v, %v", config, err)
	}
}

func TestWhatCannotBeReadIsRefusedAndWhatIsOddIsSaid(t *testing.T) {
	file := filepath.Join(t.TempDir(), "registries.yaml")
	for _, text := range []string{"mirrors: [", "mirrors: 3"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(file, t.Errorf); err == nil || !strings.Contains(err.Error(), file) {
			t.Fatalf("%q: %v", text, err)
		}
	}
	_, warnings := read(t, "mirors: {}\nmirrors: {a: {rewrite: {x: y}}}")
	if len(warnings) != 2 || !strings.Contains(warnings[0], "mirors") || !strings.Contains(warnings[1], "rewrites of a") {
		t.Fatalf("%v", warnings)
	}
	config, _ := read(t, `mirrors: {a: {endpoint: ["http://me:secret@b"]}}`)
	err := config.WriteHosts(t.TempDir(), false)
	if err == nil || strings.Contains(err.Error(), "secret") {
		t.Fatalf("%v", err)
	}
}

func TestFilesOfAnEarlierStartGoAndThoseOfOthersStay(t *testing.T) {
	dir := t.TempDir()
	other := filepath.Join(dir, "other.example", "hosts.toml")
	if err := os.MkdirAll(filepath.Dir(other), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte("server = \"https://other.example\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	config, _ := read(t, mirrored)
	for _, each := range []*Config{config, {}} {
		if err := each.WriteHosts(dir, false); err != nil {
			t.Fatal(err)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*", "hosts.toml"))
	if err != nil || len(left) != 1 || left[0] != other {
		t.Fatalf("%v, %v", left, err)
	}
}
