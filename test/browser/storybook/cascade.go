package main

import (
	"runtime"

	"muster/internal/demo"
	"muster/internal/demo/port"
	page "muster/internal/web/cascade"
)

// fallsTogether are the pages of the invented port community, below /cascade/; each
// scenario's is worked out at once.
func fallsTogether() (*page.Pages, error) {
	c, err := port.New(demo.Names(port.Members))
	if err != nil {
		return nil, err
	}
	cfg, err := c.Pages(demo.Sea)
	if err != nil {
		return nil, err
	}
	cfg.Brand, cfg.Base, cfg.Threads, cfg.Prepare = "Coalition of the "+demo.Sea, "/cascade", runtime.GOMAXPROCS(0), true
	return page.New(cfg)
}
