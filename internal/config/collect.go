package config

import (
	"path/filepath"

	"muster/internal/errs"
)

// The version and name of what stands in the folder that muster collect init made.
const (
	CollectFormat = "muster-collect/1"
	CollectFile   = "collect.yaml"
)

// Collect is what the commands of muster collect find in their folder. Paths are as
// they are used.
type Collect struct {
	Ledger string // the folder of the ledger in which its commands enter what they make
}

// ReadCollect reads the configuration in the coordinator's folder. One that is not
// there is the zero one. Its faults are all of them, as [errs.Faults].
func ReadCollect(dir string) (*Collect, error) {
	path := filepath.Join(dir, CollectFile)
	data, err := readLimited(path, maxConfig)
	if errs.KindOf(err) == errs.NotFound {
		return &Collect{}, nil
	}
	if err != nil {
		return nil, err
	}
	c := &checker{file: path, format: CollectFormat}
	o := new(Collect)
	if root := c.parse(data); root != nil {
		var format, ledger *node
		if c.object("", root, need("format", &format), need("ledger", &ledger)) {
			c.word("format", format, CollectFormat)
			if name := c.text("ledger", ledger); name != "" {
				o.Ledger = c.path(path, name)
			}
		}
	}
	return o, c.faults.Err()
}
