package config

import (
	"path/filepath"

	"muster/internal/errs"
)

// The version and name of the coordinator's configuration, in the folder that
// muster collect init made.
const (
	CoordinatorFormat = "muster-coordinator/1"
	CoordinatorFile   = "coordinator.yaml"
)

// Coordinator is the coordinator's configuration. Paths are as they are used.
type Coordinator struct {
	Ledger string // the folder of the ledger in which its commands enter what they make
}

// ReadCoordinator reads the configuration in the coordinator's folder. One that is not
// there is the zero one. Its faults are all of them, as [errs.Faults].
func ReadCoordinator(dir string) (*Coordinator, error) {
	path := filepath.Join(dir, CoordinatorFile)
	data, err := readLimited(path, maxConfig)
	if errs.KindOf(err) == errs.NotFound {
		return &Coordinator{}, nil
	}
	if err != nil {
		return nil, err
	}
	c := &checker{file: path, format: CoordinatorFormat}
	o := new(Coordinator)
	if root := c.parse(data); root != nil {
		var format, ledger *node
		if c.object("", root, need("format", &format), need("ledger", &ledger)) {
			c.word("format", format, CoordinatorFormat)
			if name := c.text("ledger", ledger); name != "" {
				o.Ledger = c.path(path, name)
			}
		}
	}
	return o, c.faults.Err()
}
