package coalition_test

import (
	"fmt"
	"strings"
	"testing"

	"muster/dap"
	"muster/internal/coalition"
	"muster/internal/errs"
)

// TestRolesAreSeparate: whoever could open two halves could read answers, and a
// charter that allows it does not open.
func TestRolesAreSeparate(t *testing.T) {
	t.Parallel()
	withID := func(id uint8, config dap.HpkeConfig) dap.HpkeConfig { config.ID = id; return config }
	rows := []struct {
		name   string
		change func(c *coalition.Charter)
		want   string
	}{
		{"Helper's list is the Leader's", func(c *coalition.Charter) { c.Helper.HPKE = c.Leader.HPKE }, "for the Leader and the Helper with one key"},
		{"the same key under another id", func(c *coalition.Charter) {
			c.Helper.HPKE = encode64(t, dap.HpkeConfigList{newHPKE(t, "helper").Config(), withID(9, newHPKE(t, "leader").Config())})
		}, "for the Leader and the Helper with one key"},
		{"the coordinator's is the Leader's", func(c *coalition.Charter) {
			c.Coordinator.HPKE = encode64(t, newHPKE(t, "leader").Config())
		}, "for the Leader and the coordinator with one key"},
		{"the coordinator's is the Helper's", func(c *coalition.Charter) {
			c.Coordinator.HPKE = encode64(t, withID(3, newHPKE(t, "helper").Config()))
		}, "for the Helper and the coordinator with one key"},
		{"one TLS key for both hosts", func(c *coalition.Charter) { c.Helper.Certificate = c.Leader.Certificate }, "one TLS key for the Leader and the Helper"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			c, p := newCharter(t)
			row.change(&c)
			if err := c.Check(); errs.KindOf(err) != errs.Invalid || !strings.Contains(fmt.Sprint(err), row.want) {
				t.Errorf("got %v, want %q", err, row.want)
			}
			if _, err := c.Sign(p.coordinator, p.leader, p.helper); err == nil {
				t.Error("it can be signed")
			}
		})
	}
	c, _ := newCharter(t)
	c.Leader.Certificate, c.Helper.Certificate, c.Coordinator.Certificate = "", "", ""
	if err := c.Check(); err != nil {
		t.Errorf("without a network there are no pins: %v", err)
	}
}
