package node

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// logf writes a line in k3s' form to stderr, where launchers look for it.
func logf(format string, args ...any) {
	message := strings.ReplaceAll(fmt.Sprintf(format, args...), `"`, `'`)
	fmt.Fprintf(os.Stderr, "time=\"%s\" level=info msg=\"%s\"\n", time.Now().UTC().Format(time.RFC3339Nano), message)
}
