// Package conformance pins Kubernetes' own end-to-end tests, at the version of the node image.
package conformance

import (
	_ "k8s.io/kubernetes/test/e2e"
)
