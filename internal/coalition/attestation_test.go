package coalition_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"muster/internal/coalition"
	"muster/internal/coalition/coalitiontest"
	"muster/internal/errs"
	"muster/internal/keys"
)

func TestWipeAttestation(t *testing.T) {
	t.Parallel()
	c := coalitiontest.New(t, coalitiontest.Config{Members: []coalition.MemberID{"Alpha", "Beta", "Gamma"}, Layout: []byte(`{}`), Sizes: []uint16{3, 2}})
	signers := map[string]*keys.Signer{"leader": c.Leader, "helper": c.Helper, "coordinator": c.Coordinator}
	for role, signer := range signers {
		a, err := coalition.NewWipeAttestation(c.Charter, role, coalition.EndingOver, []string{"submissions", "cycle key"}, time.Unix(1000, 0))
		must(t, err)
		file, err := a.Sign(signer)
		must(t, err)
		got, err := coalition.OpenWipeAttestation(file, c.Charter)
		must(t, err)
		if diff := cmp.Diff(a, got); diff != "" {
			t.Error(diff)
		}
		for other, stranger := range signers {
			if other == role {
				continue
			}
			forged, err := a.Sign(stranger)
			must(t, err)
			if _, err := coalition.OpenWipeAttestation(forged, c.Charter); errs.KindOf(err) != errs.Invalid {
				t.Errorf("of the %s, signed by the %s: %v", role, other, err)
			}
		}
	}
	if _, err := coalition.NewWipeAttestation(c.Charter, "member", coalition.EndingOver, []string{"x"}, time.Unix(1, 0)); err == nil {
		t.Error("a member attests")
	}
	good, err := coalition.NewWipeAttestation(c.Charter, "leader", coalition.EndingCancelled, []string{"submissions"}, time.Unix(1000, 0))
	must(t, err)
	for name, change := range map[string]func(*coalition.WipeAttestation){
		"another kind":    func(a *coalition.WipeAttestation) { a.Kind = "muster charter v1" },
		"another charter": func(a *coalition.WipeAttestation) { a.Charter = strings.Repeat("ab", 32) },
		"another cycle":   func(a *coalition.WipeAttestation) { a.Cycle += "x" },
		"another name":    func(a *coalition.WipeAttestation) { a.Name += "x" },
		"another role":    func(a *coalition.WipeAttestation) { a.Role = "member" },
		"another ending":  func(a *coalition.WipeAttestation) { a.Ending = "perhaps" },
		"nothing":         func(a *coalition.WipeAttestation) { a.Destroyed = nil },
		"nothing said":    func(a *coalition.WipeAttestation) { a.Destroyed = []string{" "} },
		"before 1970":     func(a *coalition.WipeAttestation) { a.Time = -1 },
	} {
		changed := good
		change(&changed)
		file, err := changed.Sign(c.Leader)
		must(t, err)
		if _, err := coalition.OpenWipeAttestation(file, c.Charter); errs.KindOf(err) != errs.Invalid {
			t.Errorf("%s: %v", name, err)
		}
	}
}
